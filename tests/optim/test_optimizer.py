"""The shared loop: rebinding, skipping, dtypes, and what it says when there is nothing to do."""

import numpy as np
import pytest

from tinygrad_edu import Value, nn, optim

KINDS = [
    lambda p, lr=0.1: optim.SGD(p, lr=lr),
    lambda p, lr=0.1: optim.SGD(p, lr=lr, momentum=0.9),
    lambda p, lr=0.1: optim.SGD(p, lr=lr, momentum=0.9, nesterov=True, weight_decay=0.01),
    lambda p, lr=0.1: optim.Adam(p, lr=lr),
]
every = pytest.mark.parametrize("make", KINDS)


@pytest.mark.parametrize(
    ("make", "decay"), [*((make, 0.0) for make in KINDS if make is not KINDS[2]), (KINDS[2], 0.01)]
)
def test_a_quadratic_goes_to_its_minimum(make, decay):
    goal = np.array([1.0, -2.0, 3.0])
    w = Value(np.zeros(3))
    optimizer = make([w], lr=0.02)
    for _ in range(2_000):
        loss = nn.mse_loss(w, goal)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    assert np.allclose(w.data, goal * (2 / 3) / (2 / 3 + decay), rtol=1e-6)


@every
def test_data_is_rebound_and_never_written_to(make):
    w = Value(np.array([1.0, 2.0]))
    before, gradient = w.data, np.array([1.0, -1.0])
    before.flags.writeable = gradient.flags.writeable = False
    w.grad = gradient
    optimizer = make([w])
    for _ in range(3):
        optimizer.step()
    assert w.data is not before
    assert np.array_equal(before, [1.0, 2.0])
    assert np.array_equal(gradient, [1.0, -1.0])


@every
@pytest.mark.parametrize("shape", [(), (3,), (2, 2)])
def test_float32_stays_float32(make, shape):
    w = Value(np.ones(shape, np.float32))
    optimizer = make([w], lr=np.float64(0.1))
    for _ in range(3):
        w.grad = np.ones(shape, np.float32)
        optimizer.step()
    assert w.data.dtype == np.float32
    assert np.shape(w.data) == shape


@every
def test_parameters_without_a_gradient_stay(make):
    used, unused = Value(1.0), Value(1.0)
    used.grad = np.float64(1.0)
    make([used, unused]).step()
    assert used.item() < 1.0
    assert unused.item() == 1.0


@every
def test_steps_are_against_the_gradient_and_each_parameter_has_its_own_state(make):
    one, other = Value(np.zeros(2)), Value(np.zeros(3))
    optimizer = make([one, other])
    for _ in range(5):
        one.grad, other.grad = np.array([1.0, -1.0]), np.array([-2.0, 2.0, -2.0])
        optimizer.step()
    assert np.array_equal(np.sign(one.data), [-1, 1])
    assert np.array_equal(np.sign(other.data), [1, -1, 1])


def test_zero_grad_forgets():
    w = Value(1.0)
    (w * w).backward()
    optim.SGD([w], lr=0.1).zero_grad()
    assert w.grad is None


def test_a_step_without_any_gradient_says_what_to_do():
    with pytest.raises(ValueError, match=r"none of the 2 parameters has a gradient: call loss.backward\(\) first"):
        optim.SGD([Value(1.0), Value(2.0)], lr=0.1).step()


def test_the_learning_rate_may_change_and_is_checked_again():
    w = Value(1.0)
    optimizer = optim.SGD([w], lr=0.1)
    optimizer.lr = 0.5
    w.grad = np.float64(1.0)
    optimizer.step()
    assert w.item() == 0.5
    with pytest.raises(ValueError, match=r"lr is -1\.0"):
        optimizer.lr = -1
    assert optimizer.lr == 0.5


def test_a_new_algorithm_is_a_pair_of_functions():
    signs = optim.Algorithm(lambda w: None, lambda w, g, state, lr: (w - lr * np.sign(g), None))
    w = Value([1.0, 1.0])
    w.grad = np.array([5.0, -5.0])
    optimizer = optim.Optimizer([w], 0.5, signs)
    optimizer.step()
    assert np.array_equal(w.data, [0.5, 1.5])
    assert repr(optimizer) == "Optimizer(1 parameters, lr=0.5)"
