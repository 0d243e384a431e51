"""A verified backward pass finds what was changed between forward and backward."""

import copy

import numpy as np
import pytest

import tinygrad_edu as te
from tinygrad_edu import Value, nn, testing, viz
from tinygrad_edu.notes import FINGERPRINTS, refillable
from tinygrad_edu.table import REALS, Op
from tinygrad_edu.testing.arguments import calls, draw
from tinygrad_edu.value import apply

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


def test_the_array_of_an_index_of_several_parts_is_named():
    rows, table = np.array([0, 1]), Value(np.eye(3), name="table")
    with te.verified():
        loss = np.sum(table[rows, 1:] * np.ones(2))
        rows[:] = 2
        with pytest.raises(ValueError, match=r"^getitem\(table\) at .*: rows has changed"):
            loss.backward()


def arrays_in(option):
    """The arrays of an option, such as those of an index."""
    if isinstance(option, tuple | list):
        return [array for part in option for array in arrays_in(part)]
    return [option] if isinstance(option, np.ndarray) else []


def refill(array):
    """Other numbers in place of all of an array's."""
    array[...] = ~array if array.dtype == bool else np.roll(array.ravel(), 1).reshape(array.shape) + 0.5


def recorded(op, call, place):
    """A call of an operation of which one array is no variable, its variables and that array; None without one.

    The places after those of the operands are the arrays of options.
    """
    drawn = draw(op, np.random.default_rng(0), call)
    options = copy.deepcopy(drawn.options)
    arrays = [np.array(a) for a in drawn.arrays]
    constants = [*(arrays if len(arrays) > 1 else [None]), *arrays_in(list(options.values()))]
    if place >= len(constants) or constants[place] is None or not constants[place].size:
        return None
    args = [a if a is constants[place] else Value(a) for a in arrays]
    return te.value.apply(op, tuple(args), options), [a for a in args if isinstance(a, Value)], constants[place]


def outcome(op, call, place, refilled, verifying):
    """The gradients of a call whose constant was refilled before the backward pass, or "found", or None."""
    with te.verified(verifying == "all"):
        made = recorded(op, call, place)
        if made is None:
            return None
        out, variables, constant = made
        if refilled:
            refill(constant)
        try:
            with te.verified(), np.errstate(all="ignore"):
                return te.backward.vjps(out, np.ones_like(out.data)[()], variables)
        except ValueError as error:
            return "found" if "has changed since the forward pass" in str(error) else str(error)


def calls_with_constants(op):
    """Every declared call of an operation, with each place of an array that is no variable in turn."""
    return [(call, place) for call in calls(op) for place in range(5) if recorded(op, call, place) is not None]


@pytest.mark.parametrize("op", OPS, ids=lambda op: op.name)
def test_a_refilled_constant_is_found_in_every_operation(op):
    for call, place in calls_with_constants(op):
        assert outcome(op, call, place, refilled=True, verifying="all") == "found"


@pytest.mark.parametrize("op", OPS, ids=lambda op: op.name)
def test_around_the_backward_pass_alone_what_changes_the_result_is_found(op):
    for call, place in calls_with_constants(op):
        out, _, constant = recorded(op, call, place)
        refill(constant)
        with np.errstate(all="ignore"):
            try:
                same = np.array_equal(out.op.compute(*out.saved[1:], **out.options), out.data, equal_nan=True)
            except (ValueError, IndexError, RuntimeWarning):
                same = False
        assert (outcome(op, call, place, refilled=True, verifying="backward") == "found") is not same


@pytest.mark.parametrize("op", OPS, ids=lambda op: op.name)
@pytest.mark.parametrize("verifying", ["all", "backward"])
def test_a_constant_that_is_left_alone_is_no_reason(op, verifying):
    for call, place in calls_with_constants(op):
        assert outcome(op, call, place, refilled=False, verifying=verifying) != "found"


def test_every_operation_that_takes_a_constant_was_asked():
    several = [op for op in OPS if op.variadic or len(op.pullbacks) > 1]
    asked = [op for op in several if calls_with_constants(op)]
    assert asked == several
    assert len(several) > 30
    assert len([op for op in OPS if calls_with_constants(op) and op not in several]) >= 8  # arrays in options


def test_a_change_that_leaves_the_result_as_it_was_is_found_by_its_fingerprint():
    batch, w = np.array([1.0, 2.0]), Value([0.0, 0.0], name="w")
    with te.verified():
        loss = np.sum(w * batch)  # 0, whatever the batch is; but the gradient is the batch
        batch[:] = 5.0
        with pytest.raises(ValueError, match="batch has changed"):
            loss.backward()
    loss = np.sum(w * batch)
    batch[:] = 1.0
    with te.verified():
        loss.backward()
    assert w.grad.tolist() == [1.0, 1.0]


def test_only_the_operand_that_has_changed_is_named():
    low, high, w = np.zeros(2), np.ones(2), Value([0.5, 0.2], name="w")
    with te.verified():
        loss = np.sum(np.where(np.array([True, False]), w, high) + low)
        low += 1.0
        with pytest.raises(ValueError, match=r": low has changed"):
            loss.backward()


def test_operations_on_values_alone_are_not_computed_again():
    calls = []

    def squared(x):
        calls.append(x)
        return x * x

    op = Op(squared, [lambda g, out, x: 2.0 * g * x], domain=REALS)  # beside the table, which other tests walk
    buffer = np.ones(2)
    loss = np.sum(apply(op, (Value([1.0, 2.0]),)) * buffer)
    calls.clear()
    with te.verified():
        loss.backward()
        assert calls == []
        buffer[:] = 2.0
        with pytest.raises(ValueError, match="buffer has changed"):
            loss.backward()
    assert calls == []


class Elsewhere(np.lib.mixins.NDArrayOperatorsMixin):
    """An array of another library: it has NumPy's protocols and no bytes to look at."""

    def __init__(self, numbers):
        self.numbers = np.array(numbers)
        self.shape, self.dtype, self.ndim = self.numbers.shape, self.numbers.dtype, self.numbers.ndim

    def __array_ufunc__(self, ufunc, method, *inputs, **options):
        arrays = [x.numbers if isinstance(x, Elsewhere) else x for x in inputs]
        return getattr(ufunc, method)(*arrays, **options)

    def __array_function__(self, function, types, args, kwargs):
        return function(*(x.numbers if isinstance(x, Elsewhere) else x for x in args), **kwargs)


@pytest.mark.parametrize("inside", [True, False])
def test_an_array_of_another_library_is_compared_by_results(inside):
    batch, w = Elsewhere([1.0, 2.0]), Value([3.0, 4.0], name="w")
    with te.verified(inside):
        loss = np.sum(w * batch)
    with te.verified():
        loss.backward()
        batch.numbers[:] = 0.0
        with pytest.raises(ValueError, match=r"^w \* batch.*: batch has changed"):
            loss.backward()


def test_fingerprints_go_with_their_values():
    before = len(FINGERPRINTS)
    with te.verified():
        loss = np.sum(Value(np.ones(2)) * np.ones(2))
        assert len(FINGERPRINTS) == before + 1
    del loss
    assert len(FINGERPRINTS) == before


@pytest.mark.parametrize("differentiate", [te.grad, lambda f: lambda x: te.jvp(f, (x,), (x,)), te.hessian])
def test_transforms_are_verified_in_both_directions(differentiate):
    buffer = np.zeros(3)

    def f(x):
        buffer[:] = 2.0
        y = np.sum(np.square(x) * buffer)
        buffer[:] = 3.0
        return y

    with te.verified(), pytest.raises(ValueError, match="buffer has changed since the forward pass"):
        differentiate(f)(np.ones(3))


class Refilling(nn.Module):
    """Uses a buffer twice, with other numbers the second time."""

    def __init__(self):
        self.weight = Value(np.ones(3))
        self.buffer = np.zeros(3)

    def forward(self, x):
        self.buffer[:] = 2.0
        y = self.weight * self.buffer
        self.buffer[:] = 3.0
        return np.sum(y * x)


@pytest.mark.parametrize(
    "check",
    [
        lambda: testing.check_gradients(Refilling(), np.ones(3)),
        lambda: testing.check_taylor(Refilling(), np.ones(3)),
        lambda: testing.check_module(Refilling, np.ones(3)),
    ],
)
def test_every_check_verifies(check):
    with pytest.raises((ValueError, testing.GradientError), match=r"has changed since the forward pass"):
        check()


@pytest.mark.parametrize(
    "look",
    [
        viz.draw,
        lambda loss: str(viz.trace(loss)),
        lambda loss: viz.explain(loss.args[0], loss),
        viz.steps,
        lambda loss: viz.why(loss.args[0], loss),
    ],
)
def test_no_picture_is_drawn_of_a_graph_whose_constants_have_changed(look):
    batch, w = np.array([1.0, 2.0]), Value([3.0, 4.0], name="w")
    loss = np.sum(w * batch)
    look(loss)
    batch[:] = 5.0
    with pytest.raises(ValueError, match=r"w \* .* has changed since the forward pass"):
        look(loss)


def test_inside_recording_backward_passes_are_verified():
    batch, w = np.array([1.0, 2.0]), Value([0.0, 0.0], name="w")
    with viz.recording():
        loss = np.sum(w * batch)
        batch[:] = 5.0
        with pytest.raises(ValueError, match="batch has changed"):
            loss.backward()
    loss.backward()


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
