"""Threads and tasks: 8 threads x 200 graphs are bitwise what one thread computes, and `no_grad` is nobody else's.

The interpreter changes threads some forty times in a graph, so that whatever is shared and unguarded shows.
"""

import asyncio
import sys
import threading
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

import tinygrad_edu as te
from tests.robustness.running import fresh
from tinygrad_edu import Value, nn, optim, viz
from tinygrad_edu.optim import parameters

pytestmark = pytest.mark.no_cover

THREADS, GRAPHS = 8, 200
UNARY = (np.tanh, np.sin, te.sigmoid, te.relu, np.square, lambda x: -x, lambda x: x.mean())
BINARY = (np.add, np.multiply, np.maximum, np.subtract, lambda x, y: x / (2.0 + np.square(y)))
SHAPES = ((), (3,), (1, 3), (2, 3))


@pytest.fixture(autouse=True)
def restless():
    """Change threads every tenth of a millisecond, a few operations apart, instead of every five."""
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-4)
    yield
    sys.setswitchinterval(before)


def together(work, arguments):
    """What some work returns for each argument, all of them at once, each in a thread of its own."""
    start = threading.Barrier(len(arguments))

    def begin(argument):
        start.wait()
        return work(argument)

    with ThreadPoolExecutor(len(arguments)) as pool:
        return list(pool.map(begin, arguments))


def program(seed):
    """A random program of 5 lines: its loss, and the variables behind it."""
    rng = np.random.default_rng(seed)
    leaves = [Value(rng.normal(size=SHAPES[rng.integers(4)]), name=f"w{i}") for i in range(3)]
    values = list(leaves)
    for _ in range(5):
        x, y = (values[-rng.integers(1, min(len(values), 6) + 1)] for _ in range(2))
        unary = rng.random() < 0.5
        values.append(UNARY[rng.integers(len(UNARY))](x) if unary else BINARY[rng.integers(len(BINARY))](x, y))
    return sum(np.sin(value).mean() for value in values), leaves


def everything(seed):
    """The bytes of a random graph's result and of its gradients: by backward, of second order, and forward."""
    loss, leaves = program(seed)
    first = te.gradients(loss, leaves, differentiable=True)
    second = te.gradients(sum((g * g).sum() for g in first), leaves)
    loss.backward()
    arrays = [loss.data, *(leaf.grad for leaf in leaves), *second]
    return [np.asarray(array).tobytes() for array in arrays]


def batch(first):
    """All graphs, from another one on in every thread, so that no two are at the same one."""
    return {seed % GRAPHS: everything(seed % GRAPHS) for seed in range(first, first + GRAPHS)}


def test_eight_threads_of_two_hundred_graphs_are_bitwise_equal_to_one():
    firsts = range(0, GRAPHS, GRAPHS // THREADS)
    alone = batch(0)
    assert [found == alone for found in together(batch, firsts)] == [True] * THREADS


def test_threads_may_share_a_network_that_nobody_changes():
    model = nn.Sequential(nn.Linear(3, 8, rng=0), nn.Tanh(), nn.Linear(8, 1, rng=1))
    parameters = model.parameters()

    def work(seed):
        x = np.random.default_rng(seed).normal(size=(4, 3))
        return [
            [g.tobytes() for g in te.gradients((model(x + k) ** 2).mean(), parameters)] for k in range(GRAPHS // 4)
        ]

    seeds = range(THREADS)
    assert together(work, seeds) == [work(seed) for seed in seeds]
    assert all(p.grad is None for p in parameters)


def test_threads_train_networks_of_their_own():
    def work(seed):
        model = nn.Sequential(nn.Linear(2, 4, rng=seed), nn.Tanh(), nn.Linear(4, 1, rng=seed))
        optimizer = optim.Adam(model.parameters())
        for _ in range(50):
            optimizer.zero_grad()
            nn.mse_loss(model(np.ones((2, 2))), np.zeros((2, 1))).backward()
            optimizer.step()
        return [array.tobytes() for array in model.state_dict().values()]

    assert together(work, range(THREADS)) == [work(seed) for seed in range(THREADS)]


def test_threads_look_at_their_own_graphs():
    def work(seed):
        with viz.recording():
            loss, leaves = program(seed)
            told = [str(viz.draw(loss)), viz.draw(loss).source, str(viz.steps(loss))]
            return [*told, str(viz.why(leaves[0], loss)), viz.line_of(leaves[0]).number]

    seeds = range(THREADS)
    assert together(work, seeds) == [work(seed) for seed in seeds]


def test_no_grad_is_local_to_a_thread_however_often_they_change():
    """Even threads switch recording off and on; odd ones record all the time."""

    def work(number):
        x, recorded = Value(2.0), []
        for _ in range(GRAPHS):
            if number % 2:
                recorded.append((x * x).op is not None)
            else:
                with te.no_grad():
                    recorded.append((x * x).op is None)
                    with pytest.raises(KeyError), te.no_grad():
                        raise KeyError
                    recorded.append((x * x).op is None)
                recorded.append((x * x).op is not None)
        return all(recorded)

    assert together(work, range(THREADS)) == [True] * THREADS


def test_no_grad_is_local_to_a_task_however_often_they_change():
    async def task(number):
        x, recorded = Value(2.0), []
        for k in range(20):
            if (number + k) % 2:
                with te.no_grad():
                    await asyncio.sleep(0)
                    recorded.append((x * x).op is None)
            await asyncio.sleep(0)
            recorded.append((x * x).op is not None)
        return all(recorded)

    async def main():
        return await asyncio.gather(*map(task, range(GRAPHS)))

    assert asyncio.run(main()) == [True] * GRAPHS


def test_a_task_or_a_thread_of_asyncio_inherits_what_its_maker_had():
    """That is what context variables promise: a copy of the maker's, of which changes stay inside."""

    made = lambda: (Value(1.0) * 2.0).op

    async def later():
        await asyncio.sleep(0)
        return made()

    async def main():
        with te.no_grad():
            task = asyncio.create_task(later())
            inside = await asyncio.to_thread(made)
        return await task, inside, made()

    in_task, in_thread, outside = asyncio.run(main())
    assert in_task is in_thread is None
    assert outside is not None


FIRST = """
import sys, threading
sys.setswitchinterval(1e-4)
start, found = threading.Barrier(8), []

def work():
    start.wait()
    import numpy as np
    import tinygrad_edu as te
    x = te.Value(np.arange(6.0).reshape(2, 3), name="x")
    y = (np.einsum("ij,kj->ik", x, x) + np.linalg.norm(te.nn.Tanh()(x))).mean()
    y.backward()
    found.append((x.grad.tobytes(), te.viz.draw(y).source))

threads = [threading.Thread(target=work) for _ in range(8)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
print(len(found), len(set(found)))
"""


def test_eight_threads_that_import_at_the_same_time():
    assert fresh(FIRST).split() == ["8", "1"]


def test_optimisers_that_others_make_do_not_disturb_a_step():
    model = nn.Linear(2, 1, rng=0)
    mine = optim.SGD(model.parameters(), lr=0.1)
    grown = []

    class Params(list):
        def __iter__(self):  # as another thread would, while all optimisers are looked through
            grown.append(optim.SGD([Value(1.0)], lr=0.1))
            return super().__iter__()

    mine.params = Params(mine.params)
    assert list(parameters.untrained(mine)) == []
    assert grown
