"""How long an epoch of `fit` takes on NumPy arrays, and on dask arrays with 1, 2 and 4 worker processes.

Run with `OPENBLAS_NUM_THREADS=1 python tests/benchmarks/blocks_of_rows.py` on a machine that does nothing else. Rows
are drawn at random from all blocks, so they travel between workers; a step has to be heavy for that to pay.
"""

import time

import dask.array as da
import distributed
import numpy as np

from tinygrad_edu import nn, optim, train

ROWS, WIDTH, BLOCK, BATCH = 100_000, 256, 12_500, 25_000


def network():
    linear = lambda seed, *widths: nn.Linear(*widths, rng=seed, dtype=np.float32)
    return nn.Sequential(linear(0, 100, WIDTH), nn.Tanh(), linear(1, WIDTH, WIDTH), nn.Tanh(), linear(2, WIDTH, 1))


def seconds(x, y):
    """The shorter of two epochs."""
    took = []
    for _ in range(2):
        model, start = network(), time.perf_counter()
        optimizer = optim.Adam(model.parameters())
        train.fit(model, nn.mse_loss, optimizer, (x, y), epochs=1, batch_size=BATCH, rng=0)
        took.append(time.perf_counter() - start)
    return min(took)


def main():
    x = np.random.default_rng(0).normal(size=(ROWS, 100)).astype(np.float32)
    y = np.sin(x[:, :1])
    print(f"NumPy: {seconds(x, y):.2f} s")
    for workers in (1, 2, 4):
        options = {"threads_per_worker": 1, "dashboard_address": None, "host": "127.0.0.1"}
        with distributed.LocalCluster(n_workers=workers, **options) as cluster, distributed.Client(cluster):
            lazy = [da.from_array(a, chunks=(BLOCK, -1)).persist() for a in (x, y)]
            distributed.wait(lazy)
            print(f"{workers} workers: {seconds(*lazy):.2f} s")


if __name__ == "__main__":
    main()
