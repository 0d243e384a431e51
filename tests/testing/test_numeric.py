"""How exact the differences are, and that kinks are told from smooth points."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tinygrad_edu.testing import detect_kink, numeric_gradient
from tinygrad_edu.testing.numeric import STEP, careful, four_point

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


@pytest.mark.parametrize("method", ["auto", "4-point"])
def test_arrays_are_moved_entry_by_entry_in_float64(method):
    x = np.array([[0.5, -1.0], [2.0, 0.1]], np.float32)
    gradient, error = numeric_gradient(lambda a: np.sum(np.sin(a) * a), x, method=method)
    wide = x.astype(float)
    np.testing.assert_allclose(gradient, np.sin(wide) + wide * np.cos(wide), rtol=1e-10)
    assert error.shape == x.shape
    assert np.all(error < 1e-8)


def test_an_unknown_method_is_refused():
    with pytest.raises(ValueError, match="'auto' or '4-point', got 'best'"):
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
