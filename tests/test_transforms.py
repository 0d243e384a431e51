"""grad: nested, closed over, through structures, and against differences on random programs."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tinygrad_edu import Value, grad, no_grad, value_and_grad

UNARY = [np.tanh, np.sin, np.exp, lambda x: x * x, lambda x: 1.0 / (1.0 + x * x), lambda x: 0.5 * x]


def compose(program):
    """A smooth function of one number from a list of choices."""

    def f(x):
        results = [x, x * 0.3]
        for unary, i, j in program:
            a, b = results[-1 - i % len(results)], results[-1 - j % len(results)]
            results.append(np.tanh(UNARY[unary](np.tanh(a)) + 0.5 * b))
        return results[-1]

    return f


programs = st.lists(st.tuples(st.integers(0, 5), st.integers(0, 5), st.integers(0, 5)), min_size=1, max_size=6)


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


def test_a_gradient_penalty_reaches_outer_variables():
    w = Value([1.0, 2.0])
    x = np.array([0.3, 0.4])
    slope = grad(lambda z: np.sum(np.tanh(z * w)))(x)
    assert isinstance(slope, Value)
    np.sum(slope**2).backward()
    t = np.tanh(x * w.data)
    s = 1 - t**2
    np.testing.assert_allclose(w.grad, 2 * s * w.data * (s - 2 * w.data * t * s * x), rtol=1e-12)


def test_plain_arguments_give_plain_gradients():
    value, gradient = value_and_grad(lambda x: np.sum(x**2))(np.array([1.0, 2.0]))
    assert type(value) is np.float64
    assert type(gradient) is np.ndarray
    np.testing.assert_array_equal(gradient, [2.0, 4.0])


def test_a_value_argument_gives_a_value_and_is_differentiable():
    x = Value(3.0)
    slope = grad(lambda y: y**3)(x)
    slope.backward()
    assert (slope.item(), x.grad) == (27.0, 18.0)


def test_structures_and_argnums():
    def loss(parameters, scale):
        return np.sum(parameters["layers"][0] * scale) + parameters["bias"] ** 2

    parameters = {"layers": (np.array([1.0, 2.0]),), "bias": 3.0}
    g = grad(loss)(parameters, 2.0)
    np.testing.assert_array_equal(g["layers"][0], [2.0, 2.0])
    assert g["bias"] == 6.0
    first, second = grad(loss, argnums=(0, 1))(parameters, 2.0)
    assert second == 3.0
    assert first["bias"] == 6.0
    assert grad(loss, argnums=1)(parameters, 2.0) == 3.0


def test_a_constant_function_has_gradient_zero():
    np.testing.assert_array_equal(grad(lambda x: 5.0)(np.ones(3)), np.zeros(3))
    assert grad(grad(lambda x: 2.0 * x))(1.0) == 0.0


def test_grad_works_inside_no_grad_and_leaves_grads_alone():
    x = Value(2.0)
    with no_grad():
        slope = grad(lambda y: y * y)(x)
    assert slope == 4.0
    assert x.grad is None


def test_an_array_result_is_refused():
    with pytest.raises(ValueError, match=r"has shape \(2,\): call .mean\(\) or .sum\(\) first"):
        grad(lambda x: x * 2.0)(np.ones(2))


def test_the_function_keeps_its_name():
    def energy(x):
        """Half the square."""
        return 0.5 * x * x

    assert (grad(energy).__name__, grad(energy).__doc__) == ("energy", "Half the square.")
