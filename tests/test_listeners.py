"""Listeners hear what the engine does, each in its own thread or task, and leave nothing behind."""

import asyncio
import threading
from contextlib import ExitStack

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import tinygrad_edu as te
from tinygrad_edu import Value, nn, optim
from tinygrad_edu.listeners import BLOCKS, JOINED, Listener, listening
from tinygrad_edu.viz import line_of, recording, watch


class Heard(Listener):
    """Keeps what it hears."""

    def __init__(self):
        self.values, self.passes = [], []

    def made(self, value, op):
        self.values.append((value, op and op.name))

    def differentiated(self, root, seed, gradients, added):
        self.passes.append((root, seed, dict(gradients), added))


def left_behind():
    return bool(JOINED) or bool(BLOCKS.get())


def test_every_value_is_heard_with_the_operation_that_made_it():
    heard = Heard()
    with listening(heard):
        v = Value(3.0)
        w = v * 2.0
        with te.no_grad():
            x = np.exp(w)
    assert [(id(value), op) for value, op in heard.values] == [(id(v), None), (id(w), "multiply"), (id(x), "exp")]
    assert not left_behind()


def test_a_backward_pass_is_heard_before_its_gradients_are_added():
    v, seen = Value(3.0), []
    v.grad = 1.0

    class Look(Listener):
        def differentiated(self, root, seed, gradients, added):
            seen.append((root, seed, gradients[v], v.grad, added))

    with listening(Look()):
        loss = v * v
        loss.backward()
    ((root, *facts),) = seen
    assert root is loss
    assert facts == [1.0, 6.0, 1.0, True]
    assert v.grad == 7.0


@pytest.mark.parametrize(
    "differentiate",
    [
        lambda v: te.gradients(v * v, v),
        lambda v: te.value_and_grad(lambda x: x * x)(v),
        lambda v: te.grad(lambda p: p["v"] * p["v"])({"v": v}),
    ],
    ids=["gradients", "value_and_grad", "grad"],
)
def test_gradients_that_are_only_returned_are_heard(differentiate):
    v, heard = Value(3.0), Heard()
    with listening(heard):
        differentiate(v)
    ((_, seed, gradients, added),) = heard.passes
    assert seed == 1.0
    assert gradients == {v: 6.0}
    assert not added
    assert v.grad is None


def test_passes_inside_a_pass_are_not_heard():
    net, heard = nn.Linear(2, 1, rng=0), Heard()
    with listening(heard):
        np.sum(te.checkpoint(net)(Value(np.ones((3, 2))))).backward()
        te.hvp(lambda x: np.sum(x**3), np.ones(2), np.ones(2))
    assert [added for *_, added in heard.passes] == [True, False]  # backward, and the gradient that hvp pushes along


@given(st.permutations(range(4)), st.integers(0, 4))
def test_blocks_may_end_in_any_order(order, alive):
    listeners = [Heard() for _ in range(4)]
    blocks = [listening(listener) for listener in listeners]
    for block in blocks:
        block.__enter__()
    for i in order[:alive]:
        blocks[i].__exit__(None, None, None)
    (Value(1.0) * 2.0).backward()
    assert [len(listener.passes) for listener in listeners] == [0 if i in order[:alive] else 1 for i in range(4)]
    for i in order[alive:]:
        blocks[i].__exit__(None, None, None)
    assert not left_behind()


def test_a_listener_may_join_twice():
    heard = Heard()
    with listening(heard):
        with listening(heard):
            Value(1.0)
        Value(2.0)
    assert [value.data for value, _ in heard.values] == [1.0, 1.0, 2.0]
    assert not left_behind()


@pytest.mark.parametrize("outer_first", [True, False])
def test_recording_and_watch_in_either_order(outer_first):
    v = Value(3.0, name="v")
    with ExitStack() as stack:
        if outer_first:
            stack.enter_context(recording())
        w = stack.enter_context(watch(v))
        if not outer_first:
            stack.enter_context(recording())
        loss = v * v
        loss.backward()
        v.data = v.data - 0.1
    assert line_of(loss) is not None
    assert w.history.steps == 1
    assert not left_behind()


def test_an_error_inside_and_an_error_of_a_listener_leave_nothing_behind():
    with pytest.raises(KeyError), listening(Heard()), listening(Heard()):
        raise KeyError
    assert not left_behind()

    class Fails(Listener):
        def made(self, value, op):
            raise LookupError

    with pytest.raises(LookupError), listening(Fails()):
        Value(1.0)
    assert not left_behind()


def test_another_thread_is_not_heard():
    heard = Heard()
    with listening(heard):
        thread = threading.Thread(target=lambda: Value(1.0))
        thread.start()
        thread.join()
        assert heard.values == []
        Value(1.0)
    assert len(heard.values) == 1


def test_a_task_that_outlives_the_block_is_not_heard():
    heard, other = Heard(), Heard()

    async def late(begin):
        await begin.wait()
        Value(1.0)

    async def main():
        begin = asyncio.Event()
        with listening(heard):
            task = asyncio.create_task(late(begin))
        with listening(other):
            begin.set()
            await task

    asyncio.run(main())
    assert heard.values == other.values == []
    assert not left_behind()


def test_lines_are_known_inside_a_checkpoint():
    net = nn.Linear(2, 1, rng=0)
    with recording():
        out = te.checkpoint(net)(Value(np.ones((3, 2))))
    assert line_of(out).text == "out = te.checkpoint(net)(Value(np.ones((3, 2))))"


def by_backward(model, x, y):
    nn.mse_loss(model(x), y).backward()
    return [p.grad for p in model.parameters()]


def by_gradients(model, x, y):
    return te.gradients(nn.mse_loss(model(x), y), model.parameters())


def by_value_and_grad(model, x, y):
    _, found = te.value_and_grad(lambda net: nn.mse_loss(net(x), y))(model)
    return [te.stop_gradient(found[name]) for name, _ in model.named_parameters()]


def test_a_training_is_watched_the_same_however_its_gradients_are_asked_for():
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(8, 2)), rng.normal(size=(8, 1))
    histories = []
    for differentiate in (by_backward, by_gradients, by_value_and_grad):
        model = nn.Sequential(nn.Linear(2, 3, rng=0), nn.ReLU(), nn.Linear(3, 1, rng=1))
        with watch(model) as w:
            for _ in range(5):
                for p, g in zip(model.parameters(), differentiate(model, x, y), strict=True):
                    p.data, p.grad = p.data - 0.1 * g, None
        histories.append(w.history)
    first, *others = histories
    assert first.steps == 5
    assert first.losses[-1] < first.losses[0]
    for other in others:
        assert np.array_equal(other.losses, first.losses)
        for figure in ("norms", "mean_gradients", "updates"):
            np.testing.assert_array_equal(getattr(other, figure), getattr(first, figure))


def test_losses_of_several_returned_gradients_before_an_update_add_up():
    v = Value(3.0)
    with watch({"v": v}) as w:
        g = te.gradients(v * v, v)[0] + te.gradients(v * 2.0, v)[0]
        v.data = v.data - 0.1 * g
    assert w.history.steps == 1
    assert w.history.losses.tolist() == [15.0]


def test_optimisers_are_watched_as_before():
    v = Value(3.0, name="v")
    optimizer = optim.SGD([v], lr=0.25)
    with watch(v) as w:
        for _ in range(3):
            optimizer.zero_grad()
            (v * v).backward()
            optimizer.step()
    assert w.history.losses.tolist() == [9.0, 2.25, 0.5625]
