"""Results computed inside `no_grad()` are numbers without a past, and the block holds where it is written."""

from contextlib import contextmanager

import numpy as np
import pytest

import tinygrad_edu as te
from tinygrad_edu import Value, nn, no_grad, optim, viz


def recording():
    return (Value(1.0) * 2.0).op is not None


def test_a_result_has_no_past_and_says_so():
    w = Value([1.0, 2.0], name="w")
    with no_grad():
        squares = w * w
        total = np.sum(squares)
    assert total.op is None
    with pytest.raises(ValueError, match="read-only"):
        squares.data[0] = 1.0
    assert total.item() == 5.0
    with pytest.raises(TypeError, match=r"was computed inside no_grad\(\).*\(test_no_grad\.py"):
        total.backward()
    np.sum(w * total).backward()  # as a number it may be used
    assert w.grad.tolist() == [5.0, 5.0]


def test_a_result_is_nobodys_parameter():
    with no_grad():
        mean = Value([1.0, 2.0]) * 0.5

    class Centred(nn.Module):
        def __init__(self):
            self.weight = Value([1.0, 2.0])
            self.mean = mean

    assert list(dict(Centred().named_parameters())) == ["weight"]
    with pytest.raises(TypeError, match=r"weight is a parameter and would become a result of no_grad\(\)"):
        Centred().weight = mean
    with pytest.raises(ValueError, match=r"parameter 0 is a result of no_grad\(\)"):
        optim.SGD([mean], lr=0.1)
    with pytest.raises(TypeError, match=r"value is the result of no_grad\(\), not a parameter"), viz.watch(mean):
        pass


@pytest.mark.parametrize("transform", [te.grad, te.value_and_grad, te.jacobian, lambda f: lambda x: te.vjp(f, x)])
def test_the_gradient_of_what_is_computed_inside_is_refused(transform):
    def inside(x):
        with no_grad():
            return np.sum(x * x)

    with pytest.raises(ValueError, match=r"was computed inside no_grad\(\), which keeps no past.*\(test_no_grad"):
        transform(inside)(np.ones(2))
    with no_grad():
        target = Value(2.0) * 1.0
        with pytest.raises(TypeError, match=r"was computed inside no_grad\(\)"):
            te.gradients(target, Value(1.0))
        assert te.grad(lambda x: x * target)(3.0) == 2.0  # a constant beside others, and `grad` records inside
    assert te.grad(lambda x: target)(3.0) == 0.0  # it was there before: a constant function


def test_it_decorates_with_and_without_parentheses():
    @no_grad
    def bare(v):
        return v * 2.0

    @no_grad()
    def called(v):
        return v * 2.0

    for function in (bare, called):
        assert function(Value(1.0)).op is None
        assert recording()
    assert bare.__name__ == "bare"


@pytest.mark.parametrize("decorator", [no_grad, no_grad()])
def test_a_decorated_generator_records_nothing_and_its_loop_does(decorator):
    @decorator
    def numbers():
        received = yield recording()
        yield (received, recording())
        return "end"

    steps = numbers()
    assert next(steps) is False
    assert recording()
    assert steps.send(7) == (7, False)
    with pytest.raises(StopIteration) as end:
        next(steps)
    assert end.value.value == "end"


def silent(count):
    with no_grad():
        for _ in range(count):
            yield recording()


def test_a_block_in_a_generator_does_not_hold_for_the_loop():
    for inside in silent(3):
        assert not inside
        assert recording()
        w = Value(2.0)
        (w * w).backward()
        assert w.grad == 4.0
        assert te.grad(lambda x: x * x)(3.0) == 6.0
    assert recording()


def test_a_generator_that_is_left_early_leaves_nothing_behind():
    for _ in silent(3):
        break
    assert recording()


def test_a_loop_inside_no_grad_stays_inside():
    with no_grad():
        for inside in silent(2):
            assert not inside
            assert not recording()
        assert not recording()
    assert recording()


def test_a_context_manager_made_of_a_generator_holds_for_the_code_around():
    @contextmanager
    def evaluating():
        with no_grad():
            yield

    with evaluating():
        assert not recording()
    assert recording()


@pytest.fixture
def quiet():
    with no_grad():
        yield


def test_a_fixture_holds_for_its_test(quiet):
    assert not recording()


def test_updates_in_place_change_the_variable_itself():
    w = Value([1.0, 2.0])
    other, array = w, w.data
    with no_grad():
        w -= [0.5, 0.5]
        w += 1.0
        w *= 2.0
        w /= 4.0
    assert w is other
    assert w.data.tolist() == [0.75, 1.25]
    assert array.tolist() == [1.0, 2.0]
    w -= 1.0
    assert w is not other
    assert w.op is not None
    with no_grad(), pytest.raises(ValueError, match=r"a variable keeps its shape"):
        other -= np.ones((2, 2))
