"""Transforms: closed over, through structures, dataclasses and modules, and what they refuse."""

from dataclasses import dataclass

import numpy as np
import pytest

from tinygrad_edu import (
    Value,
    elementwise_grad,
    grad,
    hessian,
    hvp,
    jacobian,
    jvp,
    nn,
    no_grad,
    stop_gradient,
    value_and_grad,
    vjp,
)


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


def test_the_outermost_gradient_is_plain_however_deep_variables_were_nested():
    slope = grad(lambda w: grad(lambda y: np.sin(y * w))(0.5) * grad(lambda y: Value(2.0) * y * w)(w))(0.7)
    assert type(slope) is np.float64


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


# -- what is not one number ---------------------------------------------------------------------------------


def test_several_results_have_no_gradient():
    with pytest.raises(ValueError, match="the function gives 2 results: a gradient is of one"):
        grad(lambda x: (x, x * 2.0))(1.0)


def test_vjp_pulls_back_as_often_as_asked_and_runs_f_once():
    calls = []

    def f(x, y):
        calls.append(1)
        return {"product": x * y, "sum": (x + y, np.sum(x))}

    x, y = np.array([1.0, 2.0]), np.array([3.0, 4.0])
    value, pull = vjp(f, x, y)
    np.testing.assert_array_equal(value["product"], [3.0, 8.0])
    assert type(value["sum"][0]) is np.ndarray
    first = pull({"sum": (np.zeros(2), 1.0), "product": np.array([1.0, 0.0])})
    again = pull({"product": np.array([0.0, 1.0]), "sum": (np.array([10.0, 0.0]), 0)})
    np.testing.assert_array_equal(first, [[4.0, 1.0], [1.0, 0.0]])
    np.testing.assert_array_equal(again, [[10.0, 4.0], [10.0, 2.0]])
    assert calls == [1]


@pytest.mark.filterwarnings("ignore::tinygrad_edu.PromotionWarning")
def test_vjp_and_jvp_have_the_dtype_of_what_they_belong_to():
    x = np.array([1.0, 2.0], np.float32)
    value, pull = vjp(lambda x: (x * 2.0, np.float64(3.0) * np.sum(x)), x)
    (gradient,) = pull((np.ones(2), 1.0))
    assert value[0].dtype == gradient.dtype == np.float32
    assert jvp(lambda x: x * 2.0, (x,), (np.ones(2),))[1].dtype == np.float32
    assert jvp(lambda n: n**2, (3,), (0.5,))[1] == 3.0
    assert jacobian(lambda x: x * x)(x).dtype == np.float32


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: vjp(np.tanh, np.ones(2))[1](np.ones(3)), r"the gradient has shapes .*\(3,\).* it needs .*\(2,\)"),
        (lambda: jvp(np.tanh, (np.ones(2),), (1.0,)), r"the tangent has shapes .*\(\).* it needs .*\(2,\)"),
        (lambda: jvp(lambda d: d["a"], ({"a": 1.0},), ({"b": 1.0},)), "'0.b'.* it needs .*'0.a'"),
    ],
)
def test_gradients_and_tangents_of_another_shape_are_refused(call, message):
    with pytest.raises(ValueError, match=message):
        call()


# -- matrices of derivatives --------------------------------------------------------------------------------


@pytest.mark.parametrize(("rows", "columns"), [(2, 5), (5, 2), (3, 3), (1, 1), (0, 2), (2, 0), (0, 0)])
def test_a_jacobian_of_a_linear_map_is_its_matrix(rows, columns):
    matrix = np.random.default_rng(0).normal(size=(rows, columns))
    np.testing.assert_array_equal(jacobian(lambda x: matrix @ x)(np.ones(columns)), matrix)


def test_the_jacobian_takes_the_cheaper_direction(monkeypatch):
    from tinygrad_edu.transforms import Run

    passes = []
    for name in ("pull", "push"):
        method = getattr(Run, name)
        monkeypatch.setattr(
            Run, name, lambda self, g, method=method, name=name: passes.append(name) or method(self, g)
        )
    jacobian(lambda x: np.sum(x) * np.ones(1))(np.ones(7))
    jacobian(lambda x: x * np.ones(7))(1.0)
    assert passes == ["pull", "push"]


def test_a_jacobian_of_structures():
    x = {"w": np.array([[1.0, 2.0, 3.0]]), "b": 2.0}
    found = jacobian(lambda x: (np.sum(x["w"]), x["w"][0, :2] * x["b"]))(x)
    np.testing.assert_array_equal(found[0]["w"], np.ones((1, 3)))
    assert found[0]["b"] == 0.0
    np.testing.assert_array_equal(found[1]["w"], [[[2.0, 0.0, 0.0]], [[0.0, 2.0, 0.0]]])
    np.testing.assert_array_equal(found[1]["b"], [1.0, 2.0])
    a, b = jacobian(lambda x, y: x * y, (0, 1))(2.0, np.array([3.0, 4.0]))
    np.testing.assert_array_equal(a, [3.0, 4.0])
    np.testing.assert_array_equal(b, [[2.0, 0.0], [0.0, 2.0]])


def test_the_hessian_of_a_quadratic_form_and_its_product():
    a = np.random.default_rng(0).normal(size=(4, 4))
    f = lambda x: 0.5 * x @ a @ x
    x, v = np.ones(4), np.arange(4.0)
    np.testing.assert_allclose(hessian(f)(x), (a + a.T) / 2, rtol=1e-14)
    np.testing.assert_allclose(hvp(f, x, v), (a + a.T) / 2 @ v, rtol=1e-14)
    assert hessian(lambda x: x**3)(2.0) == 12.0


def test_the_derivative_of_every_entry():
    x = np.linspace(-2.0, 2.0, 5)
    np.testing.assert_array_equal(elementwise_grad(lambda x, k: k * x**2, 0)(x, 3.0), 6.0 * x)
    np.testing.assert_array_equal(elementwise_grad(elementwise_grad(lambda x: x**3))(x), 6.0 * x)


# -- dataclasses and modules --------------------------------------------------------------------------------


@dataclass
class Ball:
    position: object
    velocity: object


def test_a_dataclass_has_a_gradient_of_its_own_kind():
    energy = lambda ball: 9.81 * ball.position + 0.5 * np.sum(ball.velocity**2)
    found = grad(energy)(Ball(2.0, np.array([3.0, 4.0])))
    assert isinstance(found, Ball)
    assert found.position == 9.81
    np.testing.assert_array_equal(found.velocity, [3.0, 4.0])
    turned = jvp(lambda ball: Ball(ball.velocity, -ball.position), (Ball(1.0, 2.0),), (Ball(3.0, 4.0),))[1]
    assert turned == Ball(4.0, -3.0)


@pytest.fixture
def net():
    return nn.Sequential(nn.Linear(2, 3, rng=0), nn.Tanh(), nn.Linear(3, 1, rng=1))


X, Y = np.random.default_rng(0).normal(size=(5, 2)), np.ones((5, 1))


def test_a_module_has_gradients_under_its_parameters_paths(net):
    loss = lambda net, scale: nn.mse_loss(net(X), Y) * scale
    found, slope = grad(loss, (0, 1))(net, 2.0)
    loss(net, 2.0).backward()
    assert found.keys() == net.state_dict().keys()
    for name, parameter in net.named_parameters():
        np.testing.assert_array_equal(found[name].data, parameter.grad)
    assert slope.item() == nn.mse_loss(net(X), Y).item()
    with no_grad():
        plain = grad(loss)(net, 2.0)
    assert {type(g) for g in plain.values()} == {np.ndarray}
    np.testing.assert_array_equal(plain["layers.0.weight"], net.layers[0].weight.grad)


def test_a_modules_curvature_along_its_gradient(net):
    loss = lambda net: nn.mse_loss(net(X), Y)
    g = stop_gradient(grad(loss)(net))
    curved, start = stop_gradient(hvp(loss, net, g)), net.state_dict()

    def slope(h):
        net.load_state_dict({name: start[name] + h * g[name] for name in g})
        return stop_gradient(grad(loss)(net))

    ahead, behind = slope(1e-4), slope(-1e-4)
    for name in g:
        np.testing.assert_allclose(curved[name], (ahead[name] - behind[name]) / 2e-4, rtol=1e-5, atol=1e-8)


def test_stop_gradient_gives_the_same_numbers_as_constants():
    x = {"a": Value([1.0, 2.0]), "b": [Value(3.0), 4.0]}
    still = stop_gradient(x)
    assert still["a"].tolist() == [1.0, 2.0]
    assert not np.shares_memory(still["a"], x["a"].data)
    assert still["b"] == [3.0, 4.0]
    assert grad(lambda x: x * stop_gradient(x))(3.0) == 3.0


@pytest.mark.parametrize(
    ("f", "error", "words"),
    [
        (lambda x: "text", TypeError, "a text was given where numbers are expected"),
        (lambda x: np.ones(3), ValueError, r"shape \(3,\)"),
        (lambda x: None, TypeError, "returns None: is a `return` missing"),
        (lambda x: [], ValueError, "gives 0 results"),
    ],
)
def test_what_is_no_single_number_has_no_gradient_even_if_it_is_constant(f, error, words):
    with pytest.raises(error, match=words):
        grad(f)(1.0)


def test_a_constant_number_has_the_gradient_zero():
    for result in (3, 3.0, np.float32(3.0), np.array([3.0]), True):
        assert grad(lambda x, result=result: result)(1.0) == 0.0


def test_a_single_primal_needs_no_tuple():
    x, t = np.array([0.3, 0.7]), np.array([1.0, -2.0])
    for found in (jvp(np.sin, x, t), jvp(np.sin, (x,), (t,)), jvp(np.sin, [x], [t])):
        assert np.array_equal(found[0], np.sin(x))
        assert np.allclose(found[1], np.cos(x) * t, rtol=1e-12, atol=0.0)
