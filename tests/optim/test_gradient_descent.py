"""SGD against the equations of its papers, line by line."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from tinygrad_edu import Value, optim

gradients = hnp.arrays(float, st.tuples(st.integers(1, 6), st.just(3)), elements=st.floats(-10, 10))
rates, momenta = st.floats(1e-3, 1.0), st.floats(0.01, 0.99)


def run(optimizer, w, gradient_at, steps):
    path = []
    for t in range(steps):
        w.grad = gradient_at(t, w.data)
        optimizer.step()
        path.append(w.data)
    return np.array(path)


@given(gradients, rates)
def test_plain_steps_are_exact(gs, lr):
    w = Value(np.ones(3))
    path = run(optim.SGD([w], lr=lr), w, lambda t, _: gs[t], len(gs))
    expected = np.ones(3)
    for t, g in enumerate(gs):
        expected = expected - lr * g
        assert np.array_equal(path[t], expected)


@given(gradients, rates, momenta)
def test_momentum_is_sutskevers_equations_1_and_2(gs, lr, mu):
    w = Value(np.ones(3))
    path = run(optim.SGD([w], lr=lr, momentum=mu), w, lambda t, _: gs[t], len(gs))
    theta, v = np.ones(3), np.zeros(3)
    for t, g in enumerate(gs):
        v = mu * v - lr * g
        theta = theta + v
        assert np.allclose(path[t], theta, rtol=1e-12, atol=1e-12)


@given(hnp.arrays(float, 3, elements=st.floats(0.1, 2.0)), st.floats(0.01, 0.5), momenta)
def test_nesterov_is_sutskevers_equations_3_and_4_seen_from_the_look_ahead(curvature, lr, mu):
    """The gradient of a quadratic is taken at theta + mu v, which is where our parameters stand."""
    w = Value(np.ones(3))
    path = run(optim.SGD([w], lr=lr, momentum=mu, nesterov=True), w, lambda _, x: curvature * x, 8)
    theta, v = np.ones(3), np.zeros(3)
    for ahead in path:
        v = mu * v - lr * curvature * (theta + mu * v)
        theta = theta + v
        assert np.allclose(ahead, theta + mu * v, rtol=1e-9, atol=1e-9)


@given(gradients, rates, st.floats(0.001, 1.0), st.sampled_from([(0.0, False), (0.9, False), (0.9, True)]))
def test_weight_decay_is_the_gradient_of_half_the_squared_norm(gs, lr, decay, kind):
    momentum, nesterov = kind
    decayed, penalised = Value(np.ones(3)), Value(np.ones(3))
    options = {"lr": lr, "momentum": momentum, "nesterov": nesterov}
    one = run(optim.SGD([decayed], weight_decay=decay, **options), decayed, lambda t, _: gs[t], len(gs))
    two = run(optim.SGD([penalised], **options), penalised, lambda t, x: gs[t] + decay * x, len(gs))
    assert np.array_equal(one, two)
