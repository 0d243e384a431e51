"""How exact the differences are, and that kinks are told from smooth points."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tinygrad_edu import Value
from tinygrad_edu.testing import detect_kink, numeric_gradient
from tinygrad_edu.testing.numeric import STEP, careful, closer, displaced, four_point, number, rounding

SMOOTH = [
    (np.sin, np.cos),
    (np.exp, np.exp),
    (np.tanh, lambda x: 1 / np.cosh(x) ** 2),
    (lambda x: 1 / (2 + x * x), lambda x: -2 * x / (2 + x * x) ** 2),
]


@pytest.mark.parametrize(("f", "df"), SMOOTH)
@given(x=st.floats(-2.0, 2.0))
def test_accuracy_and_the_error_estimate(f, df, x):
    line = lambda t: float(f(x + t))
    assert abs(four_point(line, STEP) - df(x)) <= 1e-10 * (1 + abs(df(x)))
    value, error = careful(line, 1.0)
    assert abs(value - df(x)) <= 10 * error + 1e-11 * (1 + abs(df(x)))  # 1e-11: what rounding leaves at worst
    assert error <= 1e-9


@pytest.mark.parametrize("method", ["auto", "4-point", "ridders", "complex"])
def test_arrays_are_moved_entry_by_entry_in_float64(method):
    x = np.array([[0.5, -1.0], [2.0, 0.1]], np.float32)
    gradient, error = numeric_gradient(lambda a: np.sum(np.sin(a) * a), x, method=method)
    wide = x.astype(float)
    np.testing.assert_allclose(gradient, np.sin(wide) + wide * np.cos(wide), rtol=1e-10)
    assert error.shape == x.shape
    assert np.all(error < 1e-8)


def test_an_unknown_method_is_refused():
    with pytest.raises(ValueError, match="'2-point', got 'best'"):
        numeric_gradient(np.sin, 1.0, method="best")


@given(a=st.floats(0.1, 10.0), b=st.floats(0.1, 10.0), x=st.floats(-3.0, 3.0))
def test_a_kink_is_found_with_both_slopes(a, b, x):
    f = lambda t: np.where(t < x, -a * (t - x), b * (t - x)) + np.sin(t)
    left, right = detect_kink(f, x)
    assert left == pytest.approx(np.cos(x) - a, abs=1e-4)
    assert right == pytest.approx(np.cos(x) + b, abs=1e-4)


@pytest.mark.parametrize(("f", "df"), SMOOTH)
@given(x=st.floats(-2.0, 2.0))
def test_smooth_points_are_no_kinks(f, df, x):
    assert detect_kink(f, x) is None


def test_the_methods_are_as_exact_as_they_are_said_to_be():
    rng, worst = np.random.default_rng(0), dict.fromkeys(("2-point", "4-point", "ridders", "complex"), 0.0)
    for method in worst:
        for x in rng.uniform(-2.0, 2.0, 100):
            value, error = numeric_gradient(lambda t: np.exp(np.sin(t)), x, method=method)
            apart = abs(value - np.cos(x) * np.exp(np.sin(x)))
            assert apart <= 10 * error + 1e-11
            worst[method] = max(worst[method], apart)
    assert worst["complex"] < 1e-15
    assert worst["ridders"] < 1e-11
    assert worst["4-point"] < 1e-10
    assert 1e-11 < worst["2-point"] < 2e-7


@pytest.mark.parametrize("f", [np.abs, lambda x: np.sqrt(np.real(x))])
def test_a_complex_step_refuses_what_is_not_analytic(f):
    with pytest.raises(TypeError, match="method='complex' needs a function"):
        numeric_gradient(f, 0.5, method="complex")


def test_a_step_is_positive_and_not_for_auto():
    assert numeric_gradient(np.sin, 0.0, method="2-point", step=1e-3)[0] == pytest.approx(1.0, abs=1e-6)
    for method, step in (("auto", 1e-3), ("ridders", 0.0), ("4-point", -1.0)):
        with pytest.raises(ValueError, match="step is positive"):
            numeric_gradient(np.sin, 0.0, method=method, step=step)


@pytest.mark.parametrize("distance", [0.0, -1.0, np.nan, np.array([1.0, 0.0])])
def test_a_distance_leaves_room(distance):
    with pytest.raises(ValueError, match="distance is how far"):
        numeric_gradient(np.sum, np.ones(2), distance=distance)


def test_steps_stay_within_half_of_the_distance():
    seen = []
    numeric_gradient(lambda t: seen.append(float(t)) or np.log(t), 1e-3, distance=1e-3)
    assert min(seen) > 0.0


@given(jump=st.floats(1e-3, 1e3), size=st.floats(0.0, 1e6), x=st.floats(-1e3, 1e3))
def test_a_kink_is_found_at_any_place_beside_a_large_value(jump, size, x):
    left, right = detect_kink(lambda t: size + 1e3 * jump * np.abs(t - x), x)
    assert right - left == pytest.approx(2e3 * jump, rel=1e-3)


def test_rounding_of_numbers_inside_is_measured():
    shown = lambda t: float(np.sin(1.0 + t))
    hidden = lambda t: float((1e6 * t + np.sin(1.0 + t)) + 1e6 - (1e6 * t + 1e6))
    assert rounding(shown, 1e-6) < 1e-15
    assert 1e-12 < rounding(hidden, 1e-6) < 1e-9


def test_rounding_is_no_kink():
    lost = lambda t: (1e6 * t + np.sin(t)) - 1e6 * t
    assert [detect_kink(lost, float(x)) for x in np.linspace(1.0, 2.0, 200)].count(None) >= 199


@pytest.mark.parametrize(
    ("line", "slope"),
    [
        (lambda t: abs(t - 1e-5), -1.0),
        (lambda t: float(np.exp(-1e6 * (1e-3 + t) ** 2)), -2e3 * np.exp(-1.0)),
        (lambda t: float(np.sin(1e5 * (0.3 + t))), 1e5 * np.cos(3e4)),
    ],
)
def test_from_nearer_a_slope_is_right_where_it_changes_within_a_thousandth(line, slope):
    n, error = closer(line, 1.0)
    assert abs(n - slope) <= 10 * error < 1e-5 * abs(slope)


def test_from_nearer_rounding_inside_a_function_is_not_overlooked():
    _, error = closer(lambda t: float(np.sin(np.float32(0.3 + t))), 1.0)
    assert error > 0.01


def test_what_rounding_an_argument_does_to_a_slope_is_the_curvature_times_it():
    eps = np.finfo(float).eps
    assert displaced(lambda t: 3 * (0.5 + t) ** 2, 1.0) == pytest.approx(6 * eps)
    assert displaced(lambda t: 3 * (100.0 + t) ** 2, 100.0) == pytest.approx(600 * eps)
    assert displaced(lambda t: 2.0 * t, 1.0) <= eps**1.5
    assert displaced(lambda t: np.inf if t > 0 else 0.0, 1.0) == 0.0  # a domain may end there


def test_the_entries_of_an_array_result_are_summed():
    assert number(np.array([[1.0, 2.0], [4.0, 8.0]])) == number(Value([7.0, 8.0])) == 15.0
    assert numeric_gradient(lambda x: np.stack([x * x, 3.0 * x]), 2.0)[0] == pytest.approx(7.0)
