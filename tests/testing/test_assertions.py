"""The assertions hold for what is the same and fail for what is not, and say where."""

import re

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import tinygrad_edu as te
from tinygrad_edu import Value, nn
from tinygrad_edu.testing import (
    GradientError,
    assert_close,
    assert_invariant,
    assert_linear,
    assert_same_gradient,
)
from tinygrad_edu.testing.assertions import RELATIVE
from tinygrad_edu.testing.strategies import tensors

# -- numbers ---------------------------------------------------------------------------------------------------------

DTYPES = [np.float64, np.float32, np.float16]
ANY = tensors(domain=(-1e3, 1e3))


@given(x=ANY, dtype=st.sampled_from(DTYPES))
def test_the_same_numbers_are_close_however_they_are_held(x, dtype):
    x = np.asarray(x, dtype)
    for held in (x, Value(x), x.tolist()):
        for other in (x, Value(x)):
            if isinstance(held, list) and np.ndim(x):
                held = np.asarray(held, dtype)
            assert_close({"w": [held]}, {"w": [other]})


@given(x=tensors(domain=(0.5, 2)), dtype=st.sampled_from(DTYPES), data=st.data())
def test_one_entry_that_is_off_by_more_than_the_dtype_allows_is_named(x, dtype, data):
    x = np.asarray(x, dtype)
    at = tuple(data.draw(st.integers(0, n - 1)) for n in x.shape)
    step = 8 * RELATIVE[x.dtype.itemsize] * x[at]
    off = np.array(x)
    off[at] += step
    entry = re.escape(f"[{', '.join(map(str, at))}]" if at else "")
    count = f"; 1 of {x.size} entries differ$" if x.size > 1 else ", allowed [^;]*$"
    with pytest.raises(AssertionError, match=rf"^w\.0{entry}: .*, expected .*; apart by .*{count}"):
        assert_close({"w": [off]}, {"w": [x]})
    off[at] = x[at] + step / 16
    assert_close({"w": [off]}, {"w": [x]})


@pytest.mark.parametrize(
    ("actual", "expected", "words"),
    [
        (np.ones(3), np.ones((3, 1)), r"the numbers: shape \(3,\), expected \(3, 1\)"),
        (np.ones(3), 1.0, r"shape \(3,\), expected \(\)"),
        ({"a": 1.0}, {"b": 1.0}, r"missing are \['b'\], and not expected \['a'\]"),
        ([1.0], [1.0, 2.0], r"missing are \['1'\], and not expected \[\]"),
        ([1.0, np.nan], [1.0, 2.0], "1: nan, expected 2; apart by inf"),
        ([1.0, np.inf], [1.0, -np.inf], "1: inf, expected -inf; apart by inf"),
        ([1.0, 5.0], [1.0, np.inf], "1: 5, expected inf"),
        (np.array([1.0, np.inf]), np.array([2.0, np.inf]), r"\[0\]: 1, expected 2.*1 of 2 entries"),
        ("left", "right", "left, expected right"),
        (nn.Linear(2, 1, rng=0), nn.Linear(2, 1, rng=1), r"weight\[[01], 0\]: .*2 of 2 entries differ"),
        (np.float32(1.0), 1.0 + 1e-4, "apart by 0.0001"),
    ],
)
def test_what_is_not_the_same_is_said(actual, expected, words):
    with pytest.raises(AssertionError, match=words):
        assert_close(actual, expected)


def test_every_leaf_that_differs_has_a_line():
    with pytest.raises(AssertionError) as caught:
        assert_close({"a": 1.0, "b": 2.0, "c": 3.0}, {"a": 1.5, "b": 2.0, "c": 4.0})
    assert [line[0] for line in str(caught.value).splitlines()] == ["a", "c"]


def test_what_is_the_same_is_close():
    assert_close([np.nan, np.inf, -np.inf, None], [np.nan, np.inf, -np.inf, None])
    assert_close(np.sin(np.pi) + np.array([0.0, 1.0]), np.array([0.0, 1.0]))  # rounding of the largest
    assert_close(np.zeros((0, 3)), Value(np.zeros((0, 3))))
    assert_close(nn.Linear(2, 1, rng=0), nn.Linear(2, 1, rng=0).state_dict())
    assert_close(np.float32(0.1), 0.1)
    assert_close(1.0, 1.1, rtol=0.2)
    assert_close(1.0, 1.1, rtol=0.0, atol=0.2)
    with pytest.raises(AssertionError):
        assert_close(1.0, 1.0 + 1e-9, rtol=0.0, atol=0.0)


# -- two ways of writing one thing -----------------------------------------------------------------------------------

PAIRS = {
    "the same": (lambda x: x * np.exp(x), lambda x: np.exp(x) * x),
    "structures": (lambda p: [p["w"] * 2, p["b"]], lambda p: [p["w"] + p["w"], 1.0 * p["b"]]),
    "several": (lambda x, y: np.hypot(x, y), lambda x, y: np.sqrt(x * x + y * y)),
}
X = np.array([0.5, -1.5, 2.0])
ARGS = {"the same": [X], "structures": [{"w": X, "b": 0.3}], "several": [X, X[::-1] + 0.25]}


@pytest.mark.parametrize("name", PAIRS)
def test_two_ways_of_writing_one_thing_have_the_same_gradient(name):
    f, g = PAIRS[name]
    assert_same_gradient(f, g, *ARGS[name], order=2)


@pytest.mark.parametrize(
    ("g", "words"),
    [
        (lambda x: x * np.exp(x) * (1 + 1e-5), "result"),
        (lambda x: te.stop_gradient(x) * np.exp(x), r"argument 0\[\d\] at"),
        (lambda x: np.sum(x * np.exp(x)), r"shapes of the result .*\(3,\).*\(\)"),
    ],
)
def test_another_value_or_gradient_is_named(g, words):
    with pytest.raises(GradientError, match=words) as caught:
        assert_same_gradient(lambda x: x * np.exp(x), g, X)
    assert "f = lambda x: x * np.exp(x), g = lambda x: " in str(caught.value)


def test_the_gradient_of_the_gradient_is_compared_where_asked(table):
    @te.custom((lambda g, out, x: g * 3 * te.stop_gradient(x) ** 2,), domain=te.REALS, order=1)
    def cube(x):
        return x * x * x

    assert_same_gradient(cube, lambda x: x**3, X)
    with pytest.raises(GradientError, match="in its gradient"):
        assert_same_gradient(cube, lambda x: x**3, X, order=2)
    for order in (0, 1.5):
        with pytest.raises(ValueError, match="order is 1, or 2"):
            assert_same_gradient(cube, cube, X, order=order)


# -- linear and invariant functions ----------------------------------------------------------------------------------

MATRIX = np.array([[1.0, -2.0, 0.5], [0.25, 3.0, -1.0]])
LINEAR = {
    "a product": lambda x: MATRIX @ x,
    "a sum": lambda x: np.sum(x),
    "differences": lambda x: np.diff(np.cumsum(x)[::-1]),
    "a structure": lambda x: {"a": x[0], "b": 2 * x},
}
NOT_LINEAR = {
    "a shift": lambda x: x + 1.0,
    "a square": lambda x: x * x,
    "a kink": np.abs,
    "a maximum": np.max,
    "a small bend": lambda x: x + 1e-4 * np.sin(x),
}


@given(x=tensors((3,), domain=(-10, 10)), name=st.sampled_from(sorted(LINEAR)), seed=st.integers(0, 99))
def test_linear_functions_are_linear(x, name, seed):
    assert_linear(LINEAR[name], x, seed=seed)


@pytest.mark.parametrize("name", NOT_LINEAR)
@pytest.mark.parametrize("seed", range(5))
def test_other_functions_are_not(name, seed):
    with pytest.raises(GradientError, match="is not linear"):
        assert_linear(NOT_LINEAR[name], X, seed=seed)


def test_linear_in_all_arguments_at_once_or_in_one():
    assert_linear(lambda x, y: 2 * x - y, X, X + 1)
    assert_linear(lambda x: x * X, X)
    with pytest.raises(GradientError):
        assert_linear(np.multiply, X, X + 1)


@given(x=tensors((4,), domain=(-10, 10)))
def test_what_cancels_is_the_same_up_to_rounding(x):
    assert_same_gradient(lambda x: np.sum(te.softmax(x)), lambda x: 1.0, x)
    assert_same_gradient(lambda x: np.log(np.sum(te.softmax(x))), lambda x: 0.0 * np.sum(x), x)
    assert_same_gradient(lambda x: (x + 1e3) ** 2 - 1e6 - 2e3 * x, lambda x: x * x, x, rtol=1e-3)


def test_invariant_under_a_change():
    assert_invariant(te.softmax, lambda x: x + 3.0, X, order=2)
    assert_invariant(lambda x: np.sum(x**2), lambda x: x[[2, 0, 1]], X)
    assert_invariant(lambda x, y: np.sum((x - y) ** 2), lambda x, y: (y, x), X, X + 0.5)
    assert_invariant(lambda p: p["w"] @ p["w"], lambda p: {"w": -p["w"]}, {"w": X})


@pytest.mark.parametrize(
    ("f", "change"),
    [
        (te.softmax, lambda x: x * 1.001),
        (lambda x: np.sum(np.arange(3) * x**2), lambda x: x[[2, 0, 1]]),
        (lambda x: np.sum(np.round(x) * x), lambda x: x + 0.01 * (x - te.stop_gradient(x))),
    ],
    ids=["a value", "an order", "a gradient"],
)
def test_what_changes_is_said(f, change):
    with pytest.raises(GradientError, match=r"is not invariant under .*(f\(x\)|f\(change\(x\)\))"):
        assert_invariant(f, change, X)


@pytest.mark.parametrize("check", [assert_same_gradient, assert_invariant])
def test_a_result_in_place_of_a_function_is_refused(check):
    with pytest.raises(TypeError, match="is a function: f, not its result"):
        check(np.sin, 3.0, X)
    with pytest.raises(TypeError, match="no floating point argument to compare"):
        check(np.sin, np.sin, 3)
