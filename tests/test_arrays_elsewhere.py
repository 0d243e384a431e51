"""The same program on arrays that live elsewhere: dask's blocks, a cluster's workers, a GPU."""

import multiprocessing
import os

import numpy as np
import pytest

import tinygrad_edu as te
from tinygrad_edu import Value, grad, jvp, nn, optim

dask = pytest.importorskip("dask")
da = pytest.importorskip("dask.array")

RNG = np.random.default_rng(0)
X = RNG.normal(size=(60, 3))
Y = np.sin(X.sum(axis=1, keepdims=True))


def network():
    """A small MLP, the same every time."""
    return nn.Sequential(nn.Linear(3, 8, rng=0), nn.Tanh(), nn.Linear(8, 8, rng=1), nn.ReLU(), nn.Linear(8, 1, rng=2))


def first_gradients(x, y):
    """The loss and the gradients of the parameters, as plain arrays."""
    net = network()
    loss = nn.mse_loss(net(x), y)
    loss.backward()
    return loss.item(), {name: np.asarray(p.grad) for name, p in net.named_parameters()}


def train(x, y, make=optim.Adam, steps=4):
    """Some steps of training; the last loss and the parameters."""
    net = network()
    optimizer = make(net.parameters(), lr=0.05)
    for _ in range(steps):
        loss = nn.mse_loss(net(x), y)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    return loss.item(), {name: np.asarray(p.data) for name, p in net.named_parameters()}


def blocks(*arrays, rows=17):
    """Arrays cut into blocks of rows; the last block is smaller."""
    return [da.from_array(a, chunks=(rows, -1)) for a in arrays]


def assert_same(found, expected):
    assert found[0] == pytest.approx(expected[0], rel=1e-12)
    assert found[1].keys() == expected[1].keys()
    for name, array in expected[1].items():
        np.testing.assert_allclose(found[1][name], array, rtol=1e-12, atol=1e-12)


# -- dask ---------------------------------------------------------------------------------------------------


def test_gradients_of_a_network_on_blocks_of_rows():
    assert_same(first_gradients(*blocks(X, Y)), first_gradients(X, Y))


@pytest.mark.parametrize("make", [optim.SGD, optim.Adam])
def test_training_on_blocks_of_rows(make):
    assert_same(train(*blocks(X, Y), make), train(X, Y, make))


def test_nothing_is_computed_before_it_is_asked_for():
    counted = []

    def count(block):
        counted.append(block.shape)
        return block

    x = da.map_blocks(count, blocks(X)[0], dtype=float, meta=np.empty((0, 0)))
    w = Value(np.ones((3, 1)))
    loss = np.mean(np.tanh(x @ w) ** 2)
    loss.backward()
    assert isinstance(w.grad, da.Array)
    assert counted == []
    np.testing.assert_allclose(w.grad.compute(), grad(lambda w: np.mean(np.tanh(X @ w) ** 2))(np.ones((3, 1))))
    assert len(counted) >= 4


@pytest.mark.parametrize(
    "f",
    [
        lambda x: np.sum(np.logaddexp(x, 0.3) * x),
        lambda x: np.sum(te.logsumexp(x, axis=1)),
        lambda x: np.sum(np.std(x, axis=0) * np.max(x, axis=0)),
        lambda x: np.sum(x[1:] * x[:-1]) + np.sum(x[:, 0] ** 3),
        lambda x: np.sum(np.concatenate([x, x * x]).T.reshape(-1) ** 2),
        lambda x: np.sum(np.where(x > 0, x, x * x)),
    ],
)
def test_first_second_and_forward_derivatives(f):
    x = X[:8]
    lazy = da.from_array(x, chunks=(3, 3))
    np.testing.assert_allclose(np.asarray(grad(f)(lazy)), grad(f)(x), rtol=1e-12, atol=1e-12)
    slope = lambda x: np.sum(grad(f)(x) ** 2)
    np.testing.assert_allclose(np.asarray(grad(slope)(lazy)), grad(slope)(x), rtol=1e-11, atol=1e-11)
    np.testing.assert_allclose(float(jvp(f, (lazy,), (np.ones_like(x),))[1]), jvp(f, (x,), (np.ones_like(x),))[1])


def test_a_checkpointed_layer():
    net = network()
    loss = nn.mse_loss(te.checkpoint(net)(blocks(X)[0]), Y)
    loss.backward()
    found = {name: np.asarray(p.grad) for name, p in net.named_parameters()}
    assert_same((loss.item(), found), first_gradients(X, Y))


@pytest.mark.parametrize(
    ("name", "f"),
    [
        ("getitem", lambda x: x[[0, 0, 1]]),
        ("inv", lambda x: np.linalg.inv(x[:3])),
    ],
)
def test_what_dask_cannot_do_is_refused_by_name(name, f):
    x = Value(da.from_array(X, chunks=(60, 3)))
    with pytest.raises(TypeError, match=rf"the gradient of {name} cannot be computed on dask arrays: .*; convert"):
        np.sum(f(x)).backward()


def test_an_option_that_dask_does_not_know_is_refused_with_its_own_words():
    with pytest.raises(TypeError, match=r"sum\(x\): x is \(60, 3\); .*'where'"):
        np.sum(Value(blocks(X)[0]), where=X > 0)


def test_gradients_computed_by_workers():
    distributed = pytest.importorskip("distributed")
    way = "forkserver" if "forkserver" in multiprocessing.get_all_start_methods() else "spawn"  # imports dask once
    with dask.config.set({"distributed.worker.multiprocessing-method": way}):
        cluster = distributed.LocalCluster(
            n_workers=2, threads_per_worker=1, processes=True, dashboard_address=None, host="127.0.0.1"
        )
    with cluster, distributed.Client(cluster) as client, distributed.get_task_stream(client) as tasks:
        assert_same(train(*blocks(X, Y, rows=30), optim.SGD, steps=2), train(X, Y, optim.SGD, steps=2))
        assert client.submit(os.getpid).result() != os.getpid()
    assert len({task["worker"] for task in tasks.data}) == 2


# -- cupy ---------------------------------------------------------------------------------------------------


def test_gradients_of_a_network_on_a_gpu():
    cupy = pytest.importorskip("cupy", reason="cupy is not installed: the GPU part is not tested here")
    if not cupy.cuda.is_available():
        pytest.skip("no GPU: the GPU part is not tested here")
    net = network()
    for parameter in net.parameters():
        parameter.data = cupy.asarray(parameter.data)
    loss = nn.mse_loss(net(cupy.asarray(X)), cupy.asarray(Y))
    loss.backward()
    found = {name: cupy.asnumpy(p.grad) for name, p in net.named_parameters()}
    assert_same((loss.item(), found), first_gradients(X, Y))
