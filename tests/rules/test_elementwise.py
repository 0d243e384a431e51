"""Elementwise rules where precision, range or a choice is at stake."""

import math

import numpy as np
import pytest

from tinygrad_edu import Value, grad, hessian, jacobian, relu, sigmoid, softplus
from tinygrad_edu.testing import check_gradients

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


@pytest.mark.parametrize(
    ("f", "x", "expected"),
    [
        (np.arctan, 1e200, 0.0),
        (np.arctan, -1e10, 1e-20),
        (np.arcsinh, 1e200, 1e-200),
        (np.arccosh, 1e200, 1e-200),
        (np.arccosh, 1.0 + 2.0**-40, 2.0**20 / math.sqrt(2.0 + 2.0**-40)),
        (np.arcsin, 1.0 - 2.0**-40, 2.0**20 / math.sqrt(2.0 - 2.0**-40)),
        (np.arccos, 1.0 - 2.0**-40, -(2.0**20) / math.sqrt(2.0 - 2.0**-40)),
        (np.arctanh, 1.0 - 2.0**-40, 2.0**40 / (2.0 - 2.0**-40)),
        (np.expm1, -40.0, math.exp(-40.0)),
        (np.log1p, -1.0 + 2.0**-40, 2.0**40),
        (np.cbrt, -8.0, 1.0 / 12.0),
        (lambda x: np.hypot(x, 1e200), 1e200, math.sqrt(0.5)),
        (lambda x: np.hypot(x, 1e-200), 1e-200, math.sqrt(0.5)),
        (lambda x: np.arctan2(x, 1e200), 1e200, 5e-201),
        (lambda x: np.logaddexp(x, 0.0), -40.0, math.exp(-40.0) / (1.0 + math.exp(-40.0))),
        (lambda x: np.logaddexp(x, 0.0), 1000.0, 1.0),
        (lambda x: np.logaddexp(x, 0.0), -math.inf, 0.0),
        (lambda x: np.logaddexp2(x, math.inf), 1.0, 0.0),
    ],
)
def test_slopes_near_the_ends_are_exact_and_quiet(f, x, expected):
    assert grad(f)(x) == pytest.approx(expected, rel=4e-16, abs=0.0)


@pytest.mark.parametrize("x", [0.0, 1e-9, -1e-4, 0.03, 0.99999, 1.00001])
def test_derivatives_of_sinc_keep_their_digits_near_zero(x):
    f = np.sinc
    for n in range(1, 5):
        f = grad(f)
        series = math.fsum(  # of sin(pi x) / (pi x), differentiated n times
            (-1) ** k * math.pi ** (2 * k) * x ** (2 * k - n) / ((2 * k + 1) * math.factorial(2 * k - n))
            for k in range((n + 1) // 2, 25)
        )
        assert f(x) == pytest.approx(series, rel=2e-14, abs=0.0)


@pytest.mark.parametrize("function", [np.remainder, np.fmod])
def test_remainders_of_all_signs(function):
    for x, y in ((5.3, 2.0), (-5.3, 2.0), (5.3, -2.0), (-5.3, -2.0), (0.3, 2.0), (-0.3, 2.0)):
        assert check_gradients(function, x, y, distance=0.2).verdict == "PASS"
    assert grad(function, 1)(0.3, 0.1) == -2.0  # in floating point, 0.3 holds 0.1 twice
    assert grad(function)(4.0, 2.0) == 1.0


def test_hypot_is_smallest_at_the_origin():
    assert grad(np.hypot, (0, 1))(0.0, 0.0) == (0.0, 0.0)
    assert grad(lambda x: np.hypot(x, 0.0))(0.0) == 0.0


def test_copysign_moves_with_its_first_argument_only():
    assert grad(np.copysign, (0, 1))(2.0, -1.0) == (-1.0, 0.0)
    assert grad(np.copysign, (0, 1))(-2.0, -0.0) == (1.0, 0.0)
    assert grad(np.copysign)(0.0, -1.0) == 0.0


@pytest.mark.parametrize(
    ("x", "y", "expected"),
    [
        (np.nan, 1.0, (0.0, 1.0)),
        (1.0, np.nan, (1.0, 0.0)),
        (np.nan, np.nan, (np.nan, np.nan)),
        (2.0, 2.0, (0.5, 0.5)),
    ],
)
def test_fmax_and_fmin_pass_over_nan(x, y, expected):
    for f in (np.fmax, np.fmin):
        np.testing.assert_array_equal(grad(f, (0, 1))(x, y), expected)
        np.testing.assert_array_equal(grad(f)(x, np.nan), np.nan if np.isnan(x) else 1.0)


def test_replaced_numbers_have_no_slope():
    x = np.array([1.0, np.nan, np.inf, -np.inf])
    v = Value(x)
    out = np.nan_to_num(v, nan=5.0, posinf=6.0)
    np.testing.assert_array_equal(out.data, np.nan_to_num(x, nan=5.0, posinf=6.0))
    out.backward(np.ones(4))
    np.testing.assert_array_equal(v.grad, [1.0, 0.0, 0.0, 0.0])


def test_unwrapping_adds_constants():
    x = np.array([0.0, 3.0, 7.0, -3.0])
    assert not np.array_equal(np.unwrap(x), x)
    np.testing.assert_array_equal(grad(lambda x: np.sum(np.unwrap(x) * np.arange(4.0)))(x), np.arange(4.0))


@pytest.mark.parametrize(
    ("f", "x", "expected"),
    [
        (np.fabs, -2.0, -1.0),
        (np.conjugate, 2.0, 1.0),
        (np.real, 2.0, 1.0),
        (np.real_if_close, 2.0, 1.0),
        (lambda x: np.modf(x)[0], 2.5, 1.0),
        (lambda x: np.divmod(7.5, x)[1], 2.0, -3.0),
        (lambda x: np.polyval([1.0, 2.0, 3.0], x), 2.0, 6.0),
        (lambda x: np.float_power(x, 3), 2.0, 12.0),
        (np.degrees, 1.0, 180.0 / math.pi),
        (np.deg2rad, 1.0, math.pi / 180.0),
    ],
)
def test_rewrites(f, x, expected):
    assert grad(f)(x) == pytest.approx(expected, rel=1e-15)
    assert f(Value(x)).item() == f(x)


def test_coefficients_of_a_polynomial_and_double_precision_powers():
    np.testing.assert_array_equal(grad(lambda p: np.polyval(p, 2.0))(np.ones(3)), [4.0, 2.0, 1.0])
    power = np.float_power(Value(np.float32(2.0)), np.float32(0.5))
    assert power.dtype == np.float64
    assert power.item() == 2.0**0.5


@pytest.mark.parametrize(("y", "slopes"), [(np.array([True, False]), [1, 0]), (np.array([0, 2], np.uint8), [0, 6])])
def test_exponents_may_be_booleans_and_unsigned(y, slopes):
    np.testing.assert_array_equal(grad(lambda x: (x**y).sum())(np.array([2.0, 3.0])), slopes)


@pytest.mark.parametrize("power", [np.power, np.float_power, lambda x, y: x**y])
def test_powers_are_differentiated_by_the_exponent_at_whole_exponents_too(power):
    f = lambda p: power(p[0], p[1])
    log = math.log(2.0)
    np.testing.assert_allclose(hessian(f)(np.array([2.0, 0.0])), [[0.0, 0.5], [0.5, log**2]], rtol=1e-15)
    at_one = [[0.0, 1.0 + log], [1.0 + log, 2.0 * log**2]]
    np.testing.assert_allclose(hessian(f)(np.array([2.0, 1.0])), at_one, rtol=1e-15)
    third = jacobian(hessian(f))(np.array([2.0, 1.0]))
    np.testing.assert_allclose(third[0, 0], [0.0, 0.5], rtol=1e-15)
    np.testing.assert_allclose(third, np.moveaxis(third, 0, 2), rtol=1e-14)


@pytest.mark.parametrize(("y", "mixed"), [(2.0, 0.0), (3.0, 0.0), (1.0, -np.inf)])
def test_a_power_of_zero_has_the_limits_of_its_mixed_derivative(y, mixed):
    with np.errstate(all="ignore"):
        found = hessian(lambda p: p[0] ** p[1])(np.array([0.0, y]))
    assert found[0, 1] == found[1, 0] == mixed


def test_where_a_power_of_zero_jumps_its_slope_for_the_exponent_is_infinite():
    with np.errstate(all="ignore"):
        assert grad(lambda y: 0.0**y)(0.0) == -np.inf
        assert grad(lambda y: np.inf**y)(-2.0) == 0.0
    assert grad(lambda y: 0.0**y)(0.5) == 0.0
    assert grad(lambda x: x**0.0)(5e-324) == 0.0
