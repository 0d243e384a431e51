"""Planted faults are caught, correct rules pass, and kinks are judged by their one-sided slopes."""

import numpy as np
import pytest

import tinygrad_edu as te
from tinygrad_edu import Value, nn
from tinygrad_edu.op import OPERATIONS, PRIMITIVES, REALS
from tinygrad_edu.operand import plain
from tinygrad_edu.testing import FAIL, KINK, PASS, GradientError, check_gradients

X = np.random.default_rng(0).normal(size=5)


@pytest.fixture
def plant():
    """Make a primitive of a function and a (wrong) rule, for one test."""
    before, names = set(OPERATIONS), dict(PRIMITIVES)

    def make(function, *pullbacks, **declared):
        return te.primitive(function, *pullbacks, domain=REALS, **declared)

    yield make
    for function in set(OPERATIONS) - before:
        del OPERATIONS[function]
    PRIMITIVES.clear()
    PRIMITIVES.update(names)


def tanh(x):
    return np.tanh(x)


@pytest.mark.parametrize("factor", [1 + 1e-4, 1 - 1e-3, 2.0, -1.0, 0.0])
@pytest.mark.parametrize("size", [1e-6, 1.0, 1e6])
def test_a_factor_is_caught_at_any_size_of_the_gradient(plant, factor, size):
    wrong = plant(tanh, lambda g, out, x: g * (1 - out**2) * factor)
    with pytest.raises(GradientError, match="FAIL argument 0"):
        check_gradients(lambda x: size * wrong(x), X)


def test_one_wrong_sign_among_a_thousand(plant):
    flip = np.ones(1000)
    flip[417] = -1.0
    wrong = plant(tanh, lambda g, out, x: g * (1 - out**2) * flip)
    caught = 0
    for seed in range(20):
        x = np.random.default_rng(seed).normal(size=1000)
        caught += check_gradients(wrong, x, seed=seed, raises=False).verdict == FAIL
    assert caught >= 10


def test_half_wrong_on_a_large_array(plant):
    wrong = plant(tanh, lambda g, out, x: g * (1 - out**2) * 1.5)
    with pytest.raises(GradientError):
        check_gradients(wrong, np.random.default_rng(0).normal(size=5_000))


def test_garbage_for_the_second_argument(plant):
    def product(x, y):
        return x * y

    wrong = plant(product, lambda g, out, x, y: g * y, lambda g, out, x, y: g * np.sin(x))
    with pytest.raises(GradientError, match="argument 1"):
        check_gradients(wrong, X, X + 1)
    assert check_gradients(wrong, X, X + 1, wrt=[0]).verdict == PASS


def test_a_rule_that_an_all_ones_cotangent_would_hide(plant):
    def shares(x):
        return np.exp(x) / np.exp(x).sum()

    wrong = plant(shares, lambda g, out, x: 1000.0 * out * (g - np.sum(g * out)))
    with pytest.raises(GradientError):
        check_gradients(wrong, X)


def test_a_wrong_second_derivative_behind_a_right_first(plant):
    wrong = plant(tanh, lambda g, out, x: g * (1 - plain(out) ** 2))
    assert check_gradients(wrong, X).verdict == PASS
    with pytest.raises(GradientError, match="order 2"):
        check_gradients(wrong, X, order=2)


@pytest.mark.parametrize("seed", range(10))
def test_correct_rules_pass(seed):
    rng = np.random.default_rng(seed)
    x, y = rng.normal(size=(3, 4)), rng.normal(size=(4, 2))
    for f, args in (
        (lambda a, b: np.tanh(a @ b), (x, y)),
        (lambda a: te.logsumexp(a, axis=1), (x,)),
        (lambda a: a.std(axis=0), (x,)),
        (lambda p: np.sum(p["w"] * 2.0) * p["b"][0], ({"w": x, "b": [1.5, "note", 3]},)),
        (te.sigmoid, (rng.normal(size=(40, 40)) * 10,)),
    ):
        assert check_gradients(f, *args, seed=seed, order=2).verdict == PASS


@pytest.mark.parametrize("f", [te.relu, lambda x: np.maximum(x, 0.0), lambda x: np.clip(x, 0.0, 1.0)])
def test_a_convention_between_the_slopes_is_no_false_alarm(f):
    report = check_gradients(f, np.array([0.0, 0.5, -0.5]))
    assert (report.verdict, report.count(KINK), report.count(PASS)) == (KINK, 1, 2)


def test_a_convention_that_central_differences_share_passes():
    assert check_gradients(np.abs, np.array([0.0, 0.5, -0.5])).verdict == PASS


def test_a_rule_outside_the_slopes_at_a_kink_fails(plant):
    def relu(x):
        return np.maximum(x, 0.0)

    wrong = plant(relu, lambda g, out, x: g * np.where(x == 0, 2.0, x > 0))
    with pytest.raises(GradientError, match="a kink: slopes"):
        check_gradients(wrong, np.array([0.0, 1.0]))


def test_float32_is_moved_in_float64():
    assert check_gradients(np.tanh, X.astype(np.float32)).verdict == PASS


def test_values_as_arguments_keep_their_gradients():
    v = Value(X)
    check_gradients(np.tanh, v)
    assert v.grad is None


def test_nothing_to_check_is_an_error():
    with pytest.raises(TypeError, match="no floating point argument"):
        check_gradients(np.tanh, np.arange(3))


def test_a_function_that_ignores_its_argument_has_gradient_zero():
    assert check_gradients(lambda x: 3.0, X).verdict == PASS


def test_a_module_among_the_arguments_is_handed_on_as_it_is():
    report = check_gradients(lambda net, x: np.tanh(net(x)), nn.Linear(2, 1, rng=0), np.ones((3, 2)))
    assert (report.verdict, report.count(PASS)) == (PASS, 6)
