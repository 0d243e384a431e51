"""The page of conventions at kinks says what the engine does."""

import numpy as np
import pytest

import tinygrad_edu as te
from tinygrad_edu import grad, relu

CONVENTIONS = {
    "abs": (np.abs, 0.0, 0.0),
    "relu": (relu, 0.0, 0.0),
    "maximum with a constant": (lambda x: np.maximum(x, 0.0), 0.0, 0.0),
    "clip at its lower bound": (lambda x: np.clip(x, 0.0, 1.0), 0.0, 0.0),
    "clip at its upper bound": (lambda x: np.clip(x, 0.0, 1.0), 1.0, 0.0),
    "max with two of three largest": (np.max, np.array([2.0, 2.0, 1.0]), [0.5, 0.5, 0.0]),
    "x ** 0": (lambda x: x**0, 0.0, 0.0),
    "std at its minimum": (np.std, np.ones(3), [0.0, 0.0, 0.0]),
    "a composition": (lambda x: relu(x) - relu(-x), 0.0, 0.0),
}


@pytest.mark.parametrize("case", CONVENTIONS)
def test_convention(case):
    function, x, expected = CONVENTIONS[case]
    np.testing.assert_array_equal(grad(function)(x), expected)


def test_a_tie_of_two_variables_splits_evenly():
    assert grad(np.maximum, (0, 1))(1.0, 1.0) == (0.5, 0.5)


def test_where_there_is_no_subgradient_the_slope_is_infinite():
    with np.errstate(divide="ignore"):
        assert grad(np.sqrt)(0.0) == np.inf


def test_the_list_is_public_and_agrees_with_this_file():
    listed = {(entry.expression, entry.point): entry.gradient for entry in te.conventions()}
    assert listed["abs(x)", "x = 0"] == listed["relu(x)", "x = 0"] == listed["maximum(x, 0.0)", "x = 0"] == 0.0
    assert listed["maximum(x, y)", "x = y"] == listed["max(x)", "x[0] = x[1]"] == (0.5, 0.5)
    assert listed["sqrt(x)", "x = 0"] == np.inf
