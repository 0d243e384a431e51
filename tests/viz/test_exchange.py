"""Listeners hear what the engine does, each in its own thread or task, and leave nothing behind."""

import asyncio
import threading
from contextlib import ExitStack

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tinygrad_edu import Value, value
from tinygrad_edu.viz import line_of, recording
from tinygrad_edu.viz.exchange import HEARD, OPEN, listening
from tinygrad_edu.viz.training.watch import watch


def engine():
    return value.record, value.start, value.backpropagate


PLAIN = engine()


def left_behind():
    return engine() != PLAIN or bool(OPEN) or bool(HEARD.get())


def test_a_listener_hears_the_result_and_the_arguments():
    heard = []
    v = Value(3.0)
    with listening(backpropagate=lambda *call: heard.append(call)):
        loss = v * v
        loss.backward()
    ((gradients, root, seed),) = heard
    assert gradients[v] == 6.0
    assert root is loss
    assert seed == 1.0
    assert v.grad == 6.0
    assert not left_behind()


def test_only_what_is_listened_to_is_exchanged():
    with listening(backpropagate=lambda *call: None):
        assert engine()[:2] == PLAIN[:2]
        assert engine()[2] != PLAIN[2]
    assert not left_behind()


@given(st.permutations(range(4)), st.integers(0, 4))
def test_blocks_may_end_in_any_order(order, alive):
    counts = [0] * 4

    def hook(i):
        def heard(*call):
            counts[i] += 1

        return heard

    blocks = [listening(backpropagate=hook(i)) for i in range(4)]
    for block in blocks:
        block.__enter__()
    for i in order[:alive]:
        blocks[i].__exit__(None, None, None)
    (Value(1.0) * 2.0).backward()
    assert counts == [0 if i in order[:alive] else 1 for i in range(4)]
    for i in order[alive:]:
        blocks[i].__exit__(None, None, None)
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


def test_an_error_inside_and_an_error_of_a_hook_restore_everything():
    with pytest.raises(KeyError), listening(start=lambda *call: None), listening(record=lambda *call: None):
        raise KeyError
    assert not left_behind()

    def fails(*call):
        raise LookupError

    with pytest.raises(LookupError), listening(record=fails):
        Value(1.0) * 2.0
    assert not left_behind()


def test_another_thread_is_not_heard():
    heard = []
    with listening(start=lambda *call: heard.append(call)):
        thread = threading.Thread(target=lambda: Value(1.0))
        thread.start()
        thread.join()
        assert heard == []
        Value(1.0)
    assert len(heard) == 1


def test_a_task_that_outlives_the_block_is_not_heard():
    heard, other = [], []

    async def late(begin):
        await begin.wait()
        Value(1.0)

    async def main():
        begin = asyncio.Event()
        with listening(start=lambda *call: heard.append(call)):
            task = asyncio.create_task(late(begin))
        with listening(start=lambda *call: other.append(call)):
            begin.set()
            await task

    asyncio.run(main())
    assert heard == []
    assert other == []
    assert not left_behind()
