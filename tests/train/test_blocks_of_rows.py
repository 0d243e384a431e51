"""`fit` on dask arrays: what NumPy gives, with any number of workers, one of which may die."""

import multiprocessing
import os
import signal

import numpy as np
import pytest

from tinygrad_edu import data, nn, optim, train

dask = pytest.importorskip("dask")
da = pytest.importorskip("dask.array")

X, Y = data.moons(60, rng=0)


class Network(nn.Module):
    def __init__(self, dropout=False):
        self.layers = nn.Sequential(nn.Linear(2, 8, rng=0), nn.Tanh(), nn.Linear(8, 1, rng=1, dtype=np.float32))
        self.rng = np.random.default_rng(3)
        self.dropout = dropout

    def forward(self, x):
        if self.dropout and self.training:
            x = x * (self.rng.random(x.shape) > 0.3)
        return self.layers(x)


def accuracy(p, y):
    return np.mean((p > 0) == y)


def fitted(x, y, model=None, **options):
    model = model or Network()
    optimizer = optim.Adam(model.parameters(), lr=0.02)
    options = {"epochs": 3, "batch_size": 25, "rng": 0, "metrics": {"accuracy": accuracy}, "clip": 1.0} | options
    history = train.fit(model, nn.binary_cross_entropy, optimizer, (x, y), **options)
    assert all(type(p.data) is np.ndarray for p in model.parameters())
    return model.state_dict() | {name: np.array(column) for name, column in history.as_dict().items()}


def assert_close(found, expected):
    assert found.keys() == expected.keys()
    for name, array in expected.items():
        assert found[name].dtype == array.dtype
        np.testing.assert_allclose(found[name], array, rtol=1e-4 if array.dtype == np.float32 else 1e-5, atol=1e-6)


def same(found, expected):
    return {name: a.tobytes() for name, a in found.items()} == {name: a.tobytes() for name, a in expected.items()}


@pytest.mark.parametrize("lazy_targets", [False, True])
def test_blocks_give_what_numpy_gives(lazy_targets):
    x = da.from_array(X, chunks=(17, 1))
    y = da.from_array(Y, chunks=(13, -1)) if lazy_targets else Y
    found = fitted(x, y, validation=(x, y))
    assert_close(found, fitted(X, Y, validation=(X, Y)))


def test_dropout_differs_between_blocks_and_steps_and_is_the_same_every_time(tmp_path):
    pytest.importorskip("safetensors")
    x, y = (da.from_array(a, chunks=(17, -1)) for a in (X, Y))
    whole = fitted(x, y, Network(dropout=True))
    assert same(whole, fitted(x, y, Network(dropout=True)))
    assert not same(whole, fitted(x, y))
    options = {"checkpoint": tmp_path / "training", "resume": True}
    fitted(x, y, Network(dropout=True), epochs=1, **options)
    assert same(whole, fitted(x, y, Network(dropout=True), **options))


def test_a_buffer_that_changes_is_refused():
    class Running(Network):
        def __init__(self):
            super().__init__()
            self.mean = np.zeros(2)

        def forward(self, x):
            self.mean = 0.9 * self.mean + 0.1 * x.mean(axis=0)
            return super().forward(x - self.mean)

    with pytest.raises(ValueError, match=r"a buffer has changed, such as running statistics"):
        fitted(da.from_array(X, chunks=(17, -1)), Y, Running())


def test_a_worker_that_is_killed_changes_nothing():
    distributed = pytest.importorskip("distributed")
    x, y = (da.from_array(a, chunks=(17, -1)) for a in (X, Y))
    expected = fitted(x, y, Network(dropout=True))
    way = "forkserver" if "forkserver" in multiprocessing.get_all_start_methods() else "spawn"  # imports dask once
    settings = {"distributed.worker.multiprocessing-method": way, "distributed.admin.log-format": "%(message)s"}
    with dask.config.set(settings):
        cluster = distributed.LocalCluster(
            n_workers=2,
            threads_per_worker=1,
            processes=True,
            dashboard_address=None,
            host="127.0.0.1",
            silence_logs=50,
        )
    with cluster, distributed.Client(cluster) as client, distributed.get_task_stream(client) as tasks:
        pids = client.run(os.getpid)
        killed = []

        def kill(step):
            if step.number == 4:
                killed.append(next(iter(pids.values())))
                os.kill(killed[0], signal.SIGKILL)

        found = fitted(x, y, Network(dropout=True), after_step=[kill])
    assert killed
    assert killed[0] != os.getpid()
    assert {task["worker"] for task in tasks.data} >= set(pids), "both have computed"
    assert same(found, expected)
