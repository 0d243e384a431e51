"""Dual numbers against slopes known by heart, and arrays of them against NumPy."""

import math

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from tinygrad_edu.testing.strategies.dual import Dual, depends, numbers, pulled, variable

small = st.floats(-2, 2)


@given(small, small)
def test_sums_products_and_functions_have_the_slopes_of_the_textbook(a, b):
    x, y = Dual(a, {"x": 1.0}), Dual(b, {"y": 1.0})
    assert (x + y).slopes == {"x": 1.0, "y": 1.0}
    assert (x - y).slopes == {"x": 1.0, "y": -1.0}
    assert (x * y).slopes == {"x": b, "y": a}
    assert (-x).slopes == {"x": -1.0}
    assert (3 - x).number == 3 - a
    assert (x.sin().number, x.sin().slopes) == (math.sin(a), {"x": math.cos(a)})
    np.testing.assert_allclose(x.tanh().slopes["x"], 1 - math.tanh(a) ** 2, rtol=1e-12, atol=1e-15)
    assert ((x + 1) * 2).slopes == (2 * (1 + x)).slopes == {"x": 2.0}
    assert (x * x + x).slopes == {"x": 2 * a + 1}


def test_operands_are_left_alone():
    x = Dual(2.0, {"x": 1.0})
    _ = x + x, x * x, -x
    assert (x.number, x.slopes) == (2.0, {"x": 1.0})
    assert repr(x) == "Dual(2.0, {'x': 1.0})"


def test_arrays_of_duals_broadcast_and_pull_back_as_a_jacobian_does():
    x, y = np.array([[1.0, 2.0]]), np.array([[3.0], [4.0]])
    a, b = variable(x, "a"), variable(y, "b")
    out = np.sin(a) * b
    np.testing.assert_allclose(numbers(out), np.sin(x) * y)
    c = np.array([[1.0, -2.0], [0.5, 3.0]])
    np.testing.assert_allclose(pulled(out, c, "a", x.shape), np.sum(c * y * np.cos(x), axis=0, keepdims=True))
    np.testing.assert_allclose(pulled(out, c, "b", y.shape), np.sum(c * np.sin(x), axis=1, keepdims=True))
    assert depends(out, "a")
    assert not depends(a, "b")
    assert pulled(a, np.ones((1, 2)), "b", (2, 1)).tolist() == [[0.0], [0.0]]


def test_a_result_has_a_slope_with_respect_to_itself():
    x = variable(np.array([2.0, 3.0]), "x")
    y = variable(x * x, "y")
    z = np.sum(y * y)
    assert pulled(z, 1.0, "y", (2,)).tolist() == [8.0, 18.0]
    assert pulled(z, 1.0, "x", (2,)).tolist() == [32.0, 108.0]
    assert numbers(z).shape == ()
