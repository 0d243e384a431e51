"""Derivatives of derivatives: every order is the slope of the one below, and no two variables are confused."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.compositions import compose, programs
from tinygrad_edu import checkpoint, grad, hvp, jacobian, jvp, stop_gradient, vjp


@given(programs, st.floats(-1.0, 1.0))
def test_every_order_is_the_slope_of_the_one_below(program, x):
    f = compose(program)
    for _ in range(3):
        df = grad(f)
        h = 1e-3
        slope = (8 * (f(x + h) - f(x - h)) - (f(x + 2 * h) - f(x - 2 * h))) / (12 * h)
        assert abs(df(x) - slope) < 1e-8 * max(1.0, abs(slope))
        f = df


def test_orders_of_a_gaussian_at_zero():
    f = lambda x: np.exp(-(x**2))
    for expected in (0.0, -2.0, 0.0, 12.0):
        f = grad(f)
        assert f(0.0) == expected


def test_no_perturbation_confusion():
    assert grad(lambda x: x * grad(lambda y: x + y)(2.0))(1.0) == 1.0
    assert grad(lambda x: x * grad(lambda y: x * y)(2.0))(3.0) == 6.0
    assert grad(lambda x: grad(lambda y: x * y * y)(x))(3.0) == 12.0


SLOPES = {
    "grad": lambda f: grad(f),
    "jvp": lambda f: lambda x: jvp(f, (x,), (1.0,))[1],
    "vjp": lambda f: lambda x: vjp(f, x)[1](1.0)[0],
    "jacobian": lambda f: jacobian(f),
    "hvp": lambda f: lambda x: hvp(lambda x: f(x) * x, x, 1.0) * 0.5 - 0.5 * x * grad(grad(f))(x),
    "checkpoint": lambda f: grad(checkpoint(f)),
}


@pytest.mark.parametrize("outer", SLOPES)
@pytest.mark.parametrize("inner", SLOPES)
def test_no_combination_confuses_its_variables(outer, inner):
    outer, inner = SLOPES[outer], SLOPES[inner]
    assert outer(lambda x: x * inner(lambda y: x + y)(2.0))(1.0) == pytest.approx(1.0)
    assert outer(lambda x: x * inner(lambda y: x * y)(2.0))(3.0) == pytest.approx(6.0)
    assert outer(lambda x: inner(lambda y: x * y * y)(x))(3.0) == pytest.approx(12.0)
    assert outer(lambda x: inner(lambda y: x * y * stop_gradient(x))(x))(3.0) == pytest.approx(3.0)


@given(programs, st.floats(-1.0, 1.0), st.lists(st.sampled_from(sorted(SLOPES)), min_size=2, max_size=2))
def test_random_programs_have_the_same_slopes_by_every_way(program, x, names):
    f = compose(program)
    g = lambda y: y * SLOPES[names[0]](lambda z: f(z * y) * y)(y)
    expected = grad(lambda y: y * grad(lambda z: f(z * y) * y)(y))(x)
    assert SLOPES[names[1]](g)(x) == pytest.approx(expected, rel=1e-9, abs=1e-9)


def test_a_pull_stays_right_when_an_outer_variable_is_involved():
    def f(x):
        value, pull = vjp(lambda y: y * x, x)
        return pull(1.0)[0] * value

    assert grad(f)(2.0) == 12.0  # the slope of x * x^2
