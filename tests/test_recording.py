"""What no_grad and scopes switch, and for whom."""

import asyncio
import threading

import pytest

from tinygrad_edu import Value, nn, no_grad
from tinygrad_edu.recording import ROOT, SCOPE, Scope, recorded


def test_no_grad_gives_values_without_a_history():
    v = Value(2.0)
    with no_grad():
        inside = v * v
    assert inside.op is None
    assert inside.args == ()
    assert inside.item() == 4.0
    assert (v * v).op is not None


def test_no_grad_works_as_a_decorator_and_ends_with_an_error():
    @no_grad()
    def predict(v):
        return v * 2.0

    assert predict(Value(1.0)).op is None
    try:
        with no_grad():
            raise KeyError
    except KeyError:
        pass
    assert SCOPE.get() is ROOT


def test_no_grad_is_local_to_its_thread():
    seen = []
    with no_grad():
        thread = threading.Thread(target=lambda: seen.append((Value(1.0) + 1.0).op))
        thread.start()
        thread.join()
    assert seen[0] is not None


def test_no_grad_is_local_to_its_task():
    async def silent(entered, left):
        with no_grad():
            entered.set()
            await left.wait()
            return (Value(1.0) + 1.0).op

    async def loud(entered, left):
        await entered.wait()
        op = (Value(1.0) + 1.0).op
        left.set()
        return op

    async def both():
        entered, left = asyncio.Event(), asyncio.Event()
        return await asyncio.gather(silent(entered, left), loud(entered, left))

    off, on = asyncio.run(both())
    assert off is None
    assert on is not None


def test_scopes_nest_and_leave_no_trace():
    inner = nn.Sequential(nn.Linear(1, 1))([[1.0]])
    assert (inner.scope.path, inner.scope.kind) == ("layers.0", "Linear")
    assert (inner.scope.parent.kind, inner.scope.parent.parent) == ("Sequential", ROOT)
    assert (Value(1.0) * 2.0).scope is ROOT
    assert repr(inner.scope) == "Linear 'layers.0'"


def test_an_error_ends_a_scope():
    with pytest.raises(ValueError, match="Linear"):
        nn.Linear(2, 1)([[1.0]])
    assert SCOPE.get() is ROOT


def test_a_scope_does_not_switch_recording_on_but_recorded_does():
    with no_grad():
        assert nn.Tanh()(Value(1.0)).op is None
        with recorded():
            assert (Value(1.0) * 2.0).op is not None


def test_a_call_knows_the_network_it_is_part_of_and_what_ran_within_it():
    root = Scope()
    network = Scope("", "Net", root)
    inner = Scope("layers.0", "Linear", Scope("layers", "Chain", network))
    assert inner.outermost() is network.outermost() is network
    assert root.outermost() is root
    assert network.is_around(inner)
    assert network.is_around(network)
    assert not inner.is_around(network)
    assert not network.is_around(None)
