"""A verified backward pass finds what was changed between forward and backward."""

import numpy as np
import pytest

import tinygrad_edu as te
from tinygrad_edu import Value, nn
from tinygrad_edu.testing.arguments import calls, draw
from tinygrad_edu.verification import refillable

OPS = list(te.entries())


def test_a_refilled_batch_is_named_with_its_operation_and_line():
    batch, w = np.array([1.0, 2.0]), Value([3.0, 4.0], name="w")
    with te.verified():
        loss = np.sum(w * batch)
        batch[:] = 0.0
        with pytest.raises(
            ValueError,
            match=r"^w \* batch at test_verified\.py:\d+: batch has changed .*batch\.copy\(\) \(test_verified.*\)$",
        ):
            loss.backward()
    assert w.grad is None
    loss.backward()
    assert w.grad.tolist() == [0.0, 0.0]  # what happens where nobody verifies


def test_a_refilled_index_is_found():
    ids, table = np.array([0, 1]), Value(np.eye(3), name="table")
    with te.verified():
        loss = np.sum(table[ids] * 2.0)
        ids[:] = 2
        with pytest.raises(ValueError, match="ids has changed since the forward pass"):
            loss.backward()


def refilled(op, changed):
    """A result of the operation whose constant or option `changed` was refilled after it was computed, or None."""
    for call in calls(op):
        rng = np.random.default_rng(0)
        drawn = draw(op, rng, call)
        arrays = [np.array(a) for a in drawn.arrays]
        if changed >= len(arrays) or len(arrays) < 2 or not arrays[changed].size or not arrays[changed].ndim:
            continue
        args = [a if i == changed else Value(a) for i, a in enumerate(arrays)]
        out = te.value.apply(op, tuple(args), drawn.options)
        before = np.array(out.data)
        arrays[changed][...] = np.roll(arrays[changed].ravel(), 1).reshape(arrays[changed].shape) + 0.5
        with np.errstate(all="ignore"):
            given = [a if isinstance(a, np.ndarray) else a.array for a in args]
            now = op.compute(*given, **drawn.options)
        if not np.array_equal(before, now, equal_nan=True):
            return out
    return None


@pytest.mark.parametrize("op", OPS, ids=lambda op: op.name)
def test_a_refilled_constant_is_found_in_every_operation_that_takes_one(op):
    count = 3 if op.variadic else len(op.pullbacks)
    for changed in range(count):
        out = refilled(op, changed)
        if out is not None:
            with te.verified(), pytest.raises(ValueError, match="has changed since the forward pass"):
                out.backward(np.ones_like(out.data))


def test_most_operations_with_two_arguments_were_asked():
    binary = [op for op in OPS if not op.variadic and len(op.pullbacks) > 1]
    asked = [op for op in binary if any(refilled(op, i) is not None for i in range(2))]
    assert len(asked) > 0.9 * len(binary) > 20


@pytest.mark.parametrize("op", OPS, ids=lambda op: op.name)
def test_nothing_is_found_where_nothing_changed(op):
    for call in calls(op):
        drawn = draw(op, np.random.default_rng(1), call)
        out = te.value.apply(op, tuple(Value(a) for a in drawn.arrays), drawn.options)
        with te.verified():
            out.backward(np.ones_like(out.data))


def test_what_counts_as_an_option_that_can_be_refilled():
    assert refillable(np.arange(2))
    assert refillable((slice(None), np.arange(2)))
    assert not refillable((0, 1))


def test_verifying_ends_with_its_block_and_can_be_switched_off_inside():
    x, w = np.ones(2), Value(np.ones(2))
    loss = np.sum(w * x)
    x[:] = 2.0
    with te.verified(), te.verified(False):
        loss.backward()
    loss.backward()


def test_a_network_with_a_checkpoint_is_verified():
    net, x = nn.Sequential(nn.Linear(2, 3, rng=0), nn.Tanh(), nn.Linear(3, 1, rng=1)), np.ones((4, 2))
    with te.verified():
        np.sum(te.checkpoint(net)(x)).backward()
        first = [p.grad.copy() for p in net.parameters()]
        loss = nn.mse_loss(net(x), np.zeros((4, 1)))
        x *= 2.0
        with pytest.raises(ValueError, match="has changed since the forward pass"):
            loss.backward()
    assert all(np.array_equal(g, p.grad) for g, p in zip(first, net.parameters(), strict=True))
