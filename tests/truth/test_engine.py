"""The engine: going backward again, interrupted and in threads; what importing leaves alone; dtypes and shapes."""

import linecache
import signal
import subprocess
import sys
import threading
import warnings
from time import perf_counter

import numpy as np
import pytest

import tinygrad_edu as te
from tinygrad_edu import Value, optim
from tinygrad_edu.errors import BroadcastWarning, PromotionWarning, StaleGraphWarning


def test_going_backward_again_after_an_update_warns():
    w = Value([1.0, 2.0], name="w")
    loss = np.sum(w * w)
    loss.backward()
    loss.backward()  # nothing has changed: the same gradient once more
    assert w.grad.tolist() == [4.0, 8.0]
    optim.SGD([w], lr=0.1).step()
    with pytest.warns(StaleGraphWarning, match=r"older than w, which has changed since.*\(test_engine\.py"):
        loss.backward()


def test_going_backward_for_the_first_time_after_an_update_is_legitimate():
    w = Value([1.0, 2.0])
    first, second = np.sum(w * w), np.sum(w * 3.0)
    first.backward()
    w.data = w.data - 0.1
    second.backward()
    np.sum(w * w).backward()


def test_an_interrupt_leaves_all_of_the_gradients_or_none():
    """A signal that arrives at any line of backward(): gradients are those of before, or all of them new."""
    variables = [Value(float(i)) for i in range(5)]

    class Interrupt(Exception):
        pass

    def interrupted_at(stop):
        count = 0

        def trace(frame, event, arg):
            nonlocal count
            count += event == "line" and "with ADDING" not in linecache.getline(
                frame.f_code.co_filename, frame.f_lineno
            )
            if count == stop:
                raise Interrupt
            return trace

        loss = sum(v * 2.0 for v in variables)
        for v in variables:
            v.grad = None
        measuring = sys.gettrace()
        sys.settrace(trace)
        try:
            loss.backward()
            return False
        except Interrupt:
            return True
        finally:
            sys.settrace(measuring)

    stop = 0
    while interrupted_at(stop := stop + 1):
        assert len({v.grad is None for v in variables}) == 1, stop
    assert stop > 20
    assert [v.grad for v in variables] == [2.0] * 5


@pytest.mark.skipif(not hasattr(signal, "setitimer"), reason="signals by a timer are not for Windows")
def test_signals_at_any_moment_leave_all_of_the_gradients_or_none():
    variables = [Value(float(i)) for i in range(300)]
    loss, interrupted, armed = np.sum(np.stack([v * 2.0 for v in variables])), 0, False

    def interrupt(*_):
        if armed:  # not between two passes
            raise KeyboardInterrupt

    before = signal.signal(signal.SIGALRM, interrupt)
    start = perf_counter()
    loss.backward()
    usual, rng, passes = perf_counter() - start, np.random.default_rng(0), 1
    try:
        for _ in range(200):
            try:
                armed = True
                signal.setitimer(signal.ITIMER_REAL, max(1e-6, usual * rng.uniform(0.5, 1.1)))
                loss.backward()
                armed = False
            except KeyboardInterrupt:
                interrupted += 1
            armed = False
            signal.setitimer(signal.ITIMER_REAL, 0)
            found = {float(v.grad) for v in variables}
            assert found in ({2.0 * passes}, {2.0 * (passes + 1)})
            passes = int(max(found) / 2)
    finally:
        signal.signal(signal.SIGALRM, before)
    assert interrupted > 20


def test_threads_that_lose_the_processor_all_the_time_lose_no_gradient():
    shared, before = [Value(np.zeros(3)), Value(1.0)], sys.getswitchinterval()

    def passes():
        for _ in range(100):
            np.sum(shared[0] * 2.0 + shared[1]).backward()

    sys.setswitchinterval(1e-5)
    try:
        threads = [threading.Thread(target=passes) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    finally:
        sys.setswitchinterval(before)
    assert [v.grad.tolist() for v in shared] == [[800.0] * 3, 1200.0]


def with_another_in_between(call, other, stop):
    """What a call gives if another thread gets the processor before its step number `stop`; whether there is one."""
    count = 0

    def trace(frame, event, arg):
        nonlocal count
        frame.f_trace_opcodes = True
        count += event == "opcode"
        if event == "opcode" and count == stop:
            sys.settrace(None)
            other()
        return trace

    measuring = sys.gettrace()
    sys.settrace(trace)
    try:
        return call(), count >= stop
    finally:
        sys.settrace(measuring)


@pytest.mark.parametrize("call", [lambda w: w.data, lambda w: (w * 1.0).data, lambda w: np.sum(w + w).data / 2])
@pytest.mark.parametrize("asked_before", [False, True])
def test_another_thread_may_ask_for_data_at_any_moment(call, asked_before):
    stop, there = 0, True
    while there:
        w = Value([1.0, 1.0])
        if asked_before:
            w.data[0] = 1.0
        found, there = with_another_in_between(lambda: call(w), lambda: w.data, stop := stop + 1)  # noqa: B023
        assert np.all(found == (2.0 if np.ndim(found) == 0 else 1.0))
    assert stop > 10


def test_threads_that_share_a_variable_lose_no_gradient():
    w, before = Value(np.zeros(50)), sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    try:
        threads = [threading.Thread(target=lambda: [np.sum(w).backward() for _ in range(200)]) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    finally:
        sys.setswitchinterval(before)
    assert w.grad.tolist() == [1600.0] * 50


def test_importing_changes_nothing_in_the_process():
    program = """
import gc, os, signal, sys, warnings
import numpy as np
def state():
    return (list(gc.callbacks), gc.get_threshold(), gc.get_freeze_count(), gc.isenabled(), list(warnings.filters),
            np.geterr(), signal.getsignal(signal.SIGINT), sys.getrecursionlimit(), sys.getswitchinterval())
before = state()
import tinygrad_edu as te
from tinygrad_edu import nn, optim, data, testing, viz
filters = before[4]
assert state() == before, (state(), before)
x = y = te.Value(1.0)
for _ in range(20_000):
    y = y * 1.0
caught = []
signal.signal(signal.SIGINT, lambda *_: caught.append(1))
class Sends:
    def __del__(self):
        os.kill(os.getpid(), signal.SIGINT)
knot = [Sends()]
knot.append(knot)
del knot
gc.collect()
assert caught == [1]
assert gc.get_freeze_count() == before[2]
print("unchanged")
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60)
    assert done.stdout == "unchanged\n", done.stderr


@pytest.mark.parametrize("constant", [np.sqrt(8), np.float64(2.0), np.ones((2, 3)), np.arange(6).reshape(2, 3)])
def test_a_constant_that_makes_float64_of_float32_warns(constant):
    w = Value(np.ones((2, 3), np.float32))
    with pytest.warns(PromotionWarning, match=r"float64 of float32.*\(test_engine\.py"):
        assert (w * constant).dtype == np.float64
    with pytest.warns(PromotionWarning):
        np.where(True, w, constant)


@pytest.mark.parametrize(
    "constant", [8**0.5, 2, True, np.float32(2.0), np.ones((2, 3), np.float32), np.ones(3, np.int8)]
)
def test_what_keeps_float32_does_not_warn(constant):
    w = Value(np.ones((2, 3), np.float32))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert (w * constant).dtype == np.float32
        assert (Value(np.ones((2, 3))) * constant).dtype == np.float64
        assert (w * Value(np.ones((2, 3)))).dtype == np.float64  # both are variables: their dtypes were chosen


@pytest.mark.parametrize(
    ("x", "y", "warns"),
    [
        ((4, 1), (4,), True),
        ((4,), (4, 1), True),
        ((3, 4, 1), (5,), False),
        ((4, 1, 2), (4, 2), True),
        ((5, 1, 2), (3, 2), False),
        ((5, 1), (3,), False),
        ((1, 1), (3,), False),
        ((4, 3), (3,), False),
        ((4, 1), (1,), False),
        ((4, 1), (1, 4), False),
    ],
)
def test_the_warning_about_broadcasting_is_for_equal_lengths(x, y, warns):
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        Value(np.ones(x)) - np.ones(y)
    assert [w.category for w in caught] == [BroadcastWarning] * warns


@pytest.mark.parametrize("transform", [te.grad, te.value_and_grad, te.jacobian, lambda f: lambda x: te.vjp(f, x)])
@pytest.mark.parametrize("x", [3.0, np.ones(2)])
def test_a_function_that_computes_with_data_is_refused(transform, x):
    with pytest.raises(ValueError, match=r"whose \.data was used.*\(test_engine\.py"):
        transform(lambda v: np.sum(v.data**2))(x)


def test_a_constant_function_has_zero_gradient():
    assert te.grad(lambda x: 3.0)(2.0) == 0.0
    assert te.grad(te.grad(lambda x: 2.0 * x))(2.0) == 0.0
    assert te.grad(lambda x: x * float(x.data > 0))(2.0) == 1.0


def test_swapped_arguments_of_gradients_are_refused():
    w = Value([1.0, 2.0], name="w")
    loss = np.sum(w * w)
    with pytest.raises(ValueError, match=r"w is not computed from .*takes the result first \(test_engine\.py"):
        te.gradients(w[0] if False else w, loss)
    assert te.gradients(loss, w)[0].tolist() == [2.0, 4.0]


def test_what_transforms_return_is_the_users():
    y, pull = te.vjp(np.tanh, np.ones(2))
    y[:] = 9.0
    np.testing.assert_allclose(pull(np.ones(2))[0], 1 - np.tanh(1.0) ** 2)
    w = Value([1.0, 2.0])
    kept = te.stop_gradient(w)
    kept[0] = 7.0
    assert w.data.tolist() == [1.0, 2.0]
