"""Adam against Algorithm 1, line by line."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from tinygrad_edu import Value, optim

gradients = hnp.arrays(float, st.tuples(st.integers(1, 8), st.just(3)), elements=st.floats(-10, 10))


def algorithm_1(theta, gs, alpha, beta1, beta2, eps):
    m, v = np.zeros_like(theta), np.zeros_like(theta)
    for t, g in enumerate(gs, start=1):
        m = beta1 * m + (1 - beta1) * g
        v = beta2 * v + (1 - beta2) * g**2
        theta = theta - alpha * (m / (1 - beta1**t)) / (np.sqrt(v / (1 - beta2**t)) + eps)
    return theta


@given(gradients, st.floats(1e-4, 1.0), st.floats(0, 0.99), st.floats(0, 0.9999), st.floats(1e-10, 1e-2))
def test_algorithm_1(gs, lr, beta1, beta2, eps):
    w = Value(np.ones(3))
    optimizer = optim.Adam([w], lr=lr, betas=(beta1, beta2), eps=eps)
    for g in gs:
        w.grad = g
        optimizer.step()
    assert np.allclose(w.data, algorithm_1(np.ones(3), gs, lr, beta1, beta2, eps), rtol=1e-9, atol=1e-12)


@given(st.floats(1e-3, 1e3), st.floats(1e-4, 1.0))
def test_the_first_step_is_the_learning_rate_whatever_the_scale(scale, lr):
    w = Value(np.zeros(2))
    w.grad = np.array([scale, -scale])
    optim.Adam([w], lr=lr).step()
    assert np.allclose(w.data, [-lr, lr], rtol=1e-4)


def test_the_defaults_are_the_papers():
    assert optim.Adam([Value(1.0)]).lr == 1e-3
    w = Value(np.ones(3))
    optimizer, gs = optim.Adam([w]), np.array([[1.0, -2.0, 1e-8], [0.5, 3.0, 0.0]])
    for g in gs:
        w.grad = g
        optimizer.step()
    assert w.data == pytest.approx(algorithm_1(np.ones(3), gs, 1e-3, 0.9, 0.999, 1e-8), rel=1e-14)
