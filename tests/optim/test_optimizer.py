"""The shared loop: rebinding, skipping, dtypes, and what it says when there is nothing to do."""

import copy
import pickle

import numpy as np
import pytest

import tinygrad_edu as te
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


# -- a training that goes on ---------------------------------------------------------------------------------

X, Y = np.linspace(-1, 1, 20).reshape(10, 2), np.linspace(0, 1, 10).reshape(10, 1)


def network(rng):
    return nn.Sequential(nn.Linear(2, 3, rng=rng), nn.Tanh(), nn.Linear(3, 1, rng=rng, dtype=np.float32))


def train(model, optimizer, steps):
    for _ in range(steps):
        optimizer.zero_grad()
        nn.mse_loss(model(X), Y).backward()
        optimizer.step()


def state(model):
    return {name: array.tobytes() for name, array in model.state_dict().items()}


def restarted(model, optimizer, make):
    """Another program that was given both states."""
    other = network(rng=9)
    again = make(other.parameters(), lr=0.7)
    other.load_state_dict(model.state_dict())
    again.load_state_dict(optimizer.state_dict())
    return other, again


def saved(model, optimizer, make, folder):
    pytest.importorskip("safetensors")
    other = network(rng=9)
    again = make(other.parameters(), lr=0.7)
    for thing, twin, file in ((model, other, "model"), (optimizer, again, "optimizer")):
        te.save(thing, folder / file)
        te.load(twin, folder / file)
    return other, again


WAYS = {
    "pickle": lambda model, optimizer, *_: pickle.loads(pickle.dumps((model, optimizer))),
    "deepcopy": lambda model, optimizer, *_: copy.deepcopy((model, optimizer)),
    "state_dict": lambda model, optimizer, make, _: restarted(model, optimizer, make),
    "save": saved,
}


@pytest.mark.parametrize("way", WAYS)
@every
@pytest.mark.parametrize("steps", [0, 1, 7])
def test_an_interrupted_training_is_bitwise_the_same(make, way, steps, tmp_path):
    model, whole = network(rng=0), network(rng=0)
    optimizer, never_stopped = make(model.parameters()), make(whole.parameters())
    train(model, optimizer, steps)
    optimizer.lr = never_stopped.lr = 0.01
    other, again = WAYS[way](model, optimizer, make, tmp_path)
    assert all(p is q for p, q in zip(again.params, other.parameters(), strict=True))
    assert all(p is not q for p, q in zip(again.params, optimizer.params, strict=True))
    train(other, again, 5)
    before = state(model)
    lr, never_stopped.lr = never_stopped.lr, 0.1
    train(whole, never_stopped, steps)
    never_stopped.lr = lr
    train(whole, never_stopped, 5)
    assert state(other) == state(whole)
    assert state(model) == before, "the twin has arrays of its own"


@every
def test_states_are_copies_of_numbers_under_names(make):
    model = network(rng=0)
    optimizer = make(model.parameters())
    train(model, optimizer, 2)
    found = optimizer.state_dict()
    assert found.pop("lr") == 0.1
    assert all(name.startswith("states.") and array.dtype.kind in "fi" for name, array in found.items())
    before = state(model)
    for array in found.values():
        array[...] = 0
    train(model, optimizer, 1)
    whole = network(rng=0)
    train(whole, make(whole.parameters()), 3)
    assert state(model) == state(whole) != before


MISFITS = {
    "missing": (lambda s: s.pop("states.0.1"), "'states.0.1' is missing"),
    "extra": (lambda s: s.update(momentum=0.9), "'momentum' is unknown here"),
    "shape": (
        lambda s: s.update({"states.1.2": np.ones(3)}),
        r"'states.1.2' is \(2,\) here and \(3,\) in the state",
    ),
    "text": (lambda s: s.update({"states.0.1": np.array("x")}), "real numbers: 'states.0.1' is <U1"),
    "rate": (lambda s: s.update(lr=-1.0), r"lr is -1\.0; it must be a finite number above 0"),
}


@pytest.mark.parametrize("fault", MISFITS)
def test_a_state_that_does_not_fit_changes_nothing(fault):
    w, b = Value(1.0), Value([1.0, 2.0])
    optimizer = optim.Adam([w, b])
    (w * b).sum().backward()
    optimizer.step()
    before = {name: array.tobytes() for name, array in optimizer.state_dict().items()}
    given = {name: array + 1 for name, array in optimizer.state_dict().items()}
    spoil, message = MISFITS[fault]
    spoil(given)
    with pytest.raises((ValueError, TypeError), match=message) as caught:
        optimizer.load_state_dict(given)
    assert "(test_optimizer.py:" in str(caught.value)
    assert {name: array.tobytes() for name, array in optimizer.state_dict().items()} == before


def test_a_state_of_another_algorithm_is_refused():
    w = Value([1.0, 2.0])
    with pytest.raises(ValueError, match=r"does not fit Adam, which is unchanged: 'states.0.0' is missing; "):
        optim.Adam([w]).load_state_dict(optim.SGD([w], lr=0.1).state_dict())
    with pytest.raises(ValueError, match=r"'states\.0' is unknown here"):
        optim.SGD([w], lr=0.1).load_state_dict(optim.SGD([w], lr=0.1, momentum=0.9).state_dict())
    with pytest.raises(TypeError, match=r"a state is a dict of arrays by path, from state_dict\(\); got list"):
        optim.SGD([w], lr=0.1).load_state_dict([])
