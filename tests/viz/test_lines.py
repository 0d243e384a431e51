"""Which lines are noted, for whom, and that nothing is left behind."""

import asyncio
import copy
import gc
import pickle
import sys
import threading

import numpy as np
import pytest

from tinygrad_edu import Value, no_grad
from tinygrad_edu.listeners import JOINED
from tinygrad_edu.notes import NOTES, Line, last_result, text_of
from tinygrad_edu.viz import line_of, recording


def here():
    return sys._getframe(1).f_lineno


def test_every_new_value_knows_its_line():
    with recording():
        v, number = Value(2.0), here()
        w = np.tanh(v) * 3.0
    assert (line_of(v).file, line_of(v).number) == (__file__, number)
    assert line_of(w).number == number + 1
    assert line_of(w.args[0]).number == number + 1
    assert line_of(w).text == "w = np.tanh(v) * 3.0"
    assert str(line_of(w)) == f"test_lines.py:{number + 1}"


def test_methods_and_numpy_functions_name_the_users_line_too():
    with recording():
        v, number = Value(np.ones((2, 3))), here()
        made = [v.sum(), v.reshape(3, 2), np.mean(v), np.concatenate([v, v]), v[0], v.T, np.where(v.data > 0, v, 0.0)]
    assert {line_of(m).number for m in made} == {number + 1}


def test_outside_nothing_is_noted():
    before = len(NOTES)
    v = Value(1.0) * 2.0
    assert line_of(v) is None
    assert len(NOTES) == before


def test_blocks_nest_and_end_with_an_error():
    with recording():
        with recording():
            pass
        assert line_of(Value(1.0)) is not None
    with pytest.raises(KeyError), recording():
        raise KeyError
    assert not JOINED
    assert line_of(Value(1.0)) is None


def test_it_works_as_a_decorator():
    @recording()
    def forward(v):
        return v * v

    assert line_of(forward(Value(1.0))).text == "return v * v"
    assert not JOINED


def test_results_are_the_same_bit_for_bit():
    def run():
        v = Value(np.linspace(-2.0, 2.0, 7))
        loss = (np.tanh(v @ np.ones((7, 7))) ** 2).mean()
        loss.backward()
        return loss.item(), v.grad.tobytes()

    with recording():
        inside = run()
    assert inside == run()


def test_another_thread_is_not_recorded_and_may_be_recording_itself():
    seen, opened, closed = [], threading.Event(), threading.Event()

    def work():
        seen.append(line_of(Value(1.0) * 2.0))
        with recording():
            opened.set()
            closed.wait(5)
            seen.append(line_of(Value(1.0) * 2.0))

    with recording():
        thread = threading.Thread(target=work)
        thread.start()
        assert opened.wait(5)
    assert line_of(Value(1.0)) is None
    closed.set()
    thread.join()
    assert seen[0] is None
    assert seen[1] is not None
    assert not JOINED


def test_another_task_is_not_recorded():
    async def loud(entered, left):
        with recording():
            entered.set()
            await left.wait()
            return line_of(Value(1.0))

    async def silent(entered, left):
        await entered.wait()
        found = line_of(Value(1.0))
        left.set()
        return found

    async def both():
        entered, left = asyncio.Event(), asyncio.Event()
        return await asyncio.gather(loud(entered, left), silent(entered, left))

    noted, unnoted = asyncio.run(both())
    assert noted is not None
    assert unnoted is None


def test_copies_have_no_line():
    with recording():
        w = Value(1.0) * 2.0
    for other in (copy.deepcopy(w), pickle.loads(pickle.dumps(w))):
        assert other.item() == 2.0
        assert line_of(other) is None


def test_notes_go_with_their_values():
    gc.collect()
    before = len(NOTES)
    with recording():
        v = Value(np.ones(3))
        for _ in range(50):
            v = v * v
    assert len(NOTES) == before + 51
    del v
    gc.collect()
    assert len(NOTES) == before


def test_a_long_recorded_chain_is_freed_without_recursion():
    with recording():
        v = Value(1.0)
        for _ in range(50_000):
            v = v + 1.0
    before = len(NOTES)
    del v
    assert len(NOTES) <= before - 50_001


def test_what_no_grad_forgets_is_noted():
    with recording(), no_grad():
        v = Value(2.0)
        w = v * 3.0
    assert line_of(w).forgotten == "multiply"
    assert line_of(v).forgotten == ""


def test_the_last_result_is_known_while_it_lives():
    loss = Value(2.0) ** 2
    with recording():
        loss.backward()
    assert last_result() is loss
    (Value(1.0) * 2.0).backward()
    assert last_result() is loss
    del loss
    gc.collect()
    assert last_result() is None


def test_a_line_without_a_file_has_no_text():
    with recording():
        names = {"Value": Value}
        exec(compile("\n\nv = Value(1.0)", "<made up>", "exec"), names)
    assert (line_of(names["v"]).number, line_of(names["v"]).text) == (3, "")


def test_a_file_that_no_disk_can_hold_has_no_text():
    assert text_of("\ud800.py", 1) == ""  # a program may call itself anything
    assert text_of(__file__, 1) != ""
    assert str(Line("\ud800.py", 1, "")) == r"\ud800.py:1"
