"""Elementwise rules where precision, range or a choice is at stake."""

import math

import numpy as np
import pytest

from tinygrad_edu import Value, grad, relu, sigmoid, softplus

LARGE = [-1000.0, -40.0, 0.0, 40.0, 1000.0]


@pytest.mark.parametrize("x", LARGE)
def test_large_inputs_raise_no_warning_even_where_numpy_raises(x):
    with np.errstate(all="raise", under="ignore"):
        for f in (sigmoid, softplus, np.tanh, relu):
            v = Value(x)
            f(v).backward()
            assert np.isfinite(v.grad)
            assert np.isfinite(grad(grad(f))(x))


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_slopes_keep_their_digits_far_out(dtype):
    rtol = 4 * float(np.finfo(dtype).eps)
    x = dtype(30.0)
    assert grad(sigmoid)(x) == pytest.approx(9.357622968839299e-14, rel=30 * rtol)
    x = dtype(20.0)
    assert grad(np.tanh)(x) == pytest.approx(4 * math.exp(-40.0), rel=80 * rtol)


def test_orders_of_tanh_at_zero_are_exact():
    f = np.tanh
    for expected in (1.0, 0.0, -2.0, 0.0, 16.0):
        f = grad(f)
        assert f(0.0) == pytest.approx(expected, abs=1e-14)


def test_sigmoid_is_the_textbook_formula():
    x = np.linspace(-30.0, 30.0, 61)
    np.testing.assert_array_equal(sigmoid(x), 1 / (1 + np.exp(-x)))


@pytest.mark.parametrize(
    "f", [relu, np.abs, np.tanh, sigmoid, lambda x: np.maximum(x, 0.0), lambda x: np.minimum(x, 1.0)]
)
def test_nan_in_nan_gradient_out(f):
    assert np.isnan(grad(f)(np.nan))


@pytest.mark.parametrize(
    ("f", "x", "expected"),
    [
        (relu, 0.0, 0.0),
        (np.abs, 0.0, 0.0),
        (lambda x: np.maximum(x, 0.0), 0.0, 0.0),
        (lambda x: np.minimum(0.0, x), 0.0, 0.0),
        (lambda x: np.maximum(x, x), 3.0, 1.0),
        (lambda x: np.minimum(x, x), 3.0, 1.0),
        (lambda x: np.maximum(x, -np.inf), 1.0, 1.0),
        (lambda x: np.clip(x, 0.0, 1.0), 0.0, 0.0),
        (lambda x: np.clip(x, 0.0, 1.0), 1.0, 0.0),
        (lambda x: np.clip(x, 0.0, 1.0), 0.5, 1.0),
        (lambda x: np.clip(x, None, 1.0), -5.0, 1.0),
        (lambda x: np.clip(x, min=0.0), 2.0, 1.0),
        (lambda x: x**0, 0.0, 0.0),
        (lambda x: x**1, 0.0, 1.0),
        (lambda x: x**3, -2.0, 12.0),
        (lambda y: 0.0**y, 2.0, 0.0),
    ],
)
def test_conventions_at_kinks(f, x, expected):
    assert grad(f)(x) == expected


def test_a_tie_of_two_variables_is_shared():
    x, y = Value([1.0, 2.0]), Value([1.0, 0.0])
    np.sum(np.maximum(x, y)).backward()
    np.testing.assert_array_equal(x.grad, [0.5, 1.0])
    np.testing.assert_array_equal(y.grad, [0.5, 0.0])


def test_where_takes_the_chosen_side_and_a_value_as_condition():
    x = Value([-1.0, 2.0])
    np.sum(np.where(x > 0, x * 3.0, 0.0)).backward()
    np.testing.assert_array_equal(x.grad, [0.0, 3.0])
    np.testing.assert_array_equal(np.where(x - 2.0, x, 5.0).data, [-1.0, 5.0])
