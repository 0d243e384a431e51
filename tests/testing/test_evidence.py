"""Questions about a wrong gradient are answered with the slopes and gradients that they ask for."""

import numpy as np
import pytest

from tinygrad_edu.testing.evidence import Evidence

X, Y = np.random.default_rng(0).normal(size=(2, 3, 2))
COTANGENT = np.random.default_rng(1).normal(size=(3, 2))
PICKED = np.array([0, 3, 5])


@pytest.fixture
def case():
    found, nothing = [COTANGENT * np.cos(X) * Y, COTANGENT * np.sin(X)], np.zeros(3)
    call = lambda values: np.sin(values[0]) * values[1]
    return Evidence(0, [X, Y], ["x", "y"], found, PICKED, nothing, nothing > 0, call, COTANGENT)


def test_the_compared_entries(case):
    np.testing.assert_array_equal(case.at(X), X.ravel()[PICKED])
    np.testing.assert_array_equal(case.analytic, (COTANGENT * np.cos(X) * Y).ravel()[PICKED])


def test_slopes_for_other_weights_arguments_and_positions(case):
    np.testing.assert_allclose(case.slopes(COTANGENT, [X, Y], 0), case.analytic, rtol=1e-9)
    np.testing.assert_allclose(case.slopes(1.0, [X, Y], 0), case.at(np.cos(X) * Y), rtol=1e-9)
    np.testing.assert_allclose(case.slopes(COTANGENT, [X, Y], 1), case.at(case.found[1]), rtol=1e-9)
    np.testing.assert_allclose(case.slopes(COTANGENT, [X, 2 * Y], 0), 2 * case.analytic, rtol=1e-9)


def test_the_gradient_at_other_arguments(case):
    np.testing.assert_allclose(case.pulled([X, 3 * Y], 0), 3 * case.found[0])
    np.testing.assert_allclose(case.pulled([X, Y], 1), case.found[1])


def test_steps_stay_on_this_side_of_a_singular_point():
    x, one = np.array([1e-4, 1e-3]), np.ones(2)
    case = Evidence(0, [x], ["x"], [1 / x], np.arange(2), one, one > 0, lambda xs: np.log(xs[0]), one, reach=1e-4)
    np.testing.assert_allclose(case.slopes(1.0, [x], 0), 1 / x, rtol=1e-9)
