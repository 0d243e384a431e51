"""Layers, networks and trainings: printed as code, the same each time, and keeping what networks promise."""

import pickle

import numpy as np
import pytest
from hypothesis import Phase, find, given, settings
from hypothesis import strategies as st

from tinygrad_edu import nn, optim
from tinygrad_edu.testing import FAIL, check_module
from tinygrad_edu.testing.strategies import Network, TrainingSteps, layers, networks, training_steps
from tinygrad_edu.testing.strategies.networks import known, layer_code, needed

few = settings(max_examples=max(5, settings().max_examples // 20))
some = settings(max_examples=max(10, settings().max_examples // 4))
any_of_many = settings(max_examples=2_000, phases=[Phase.generate])


@few
@given(layers())
def test_layers_keep_the_promises_of_modules(layer):
    assert check_module(layer, *layer.inputs, raises=False).verdict != FAIL


@few
@given(networks())
def test_networks_keep_the_promises_of_modules(network):
    assert check_module(network, *network.inputs, raises=False).verdict != FAIL


@some
@given(networks(depth=3))
def test_a_network_is_its_code(network):
    first, second = network(), network()
    assert len(first.layers) <= 3
    assert isinstance(first.layers[-1], nn.Linear)
    out = first(*network.inputs)
    assert out.ndim == 2
    np.testing.assert_array_equal(out.data, second(*network.inputs).data)
    again = eval(repr(network), {"Network": Network, "array": np.array})
    np.testing.assert_array_equal(again()(*again.inputs).data, out.data)


def test_every_layer_and_optimiser_takes_part():
    for name in known(nn, nn.Module):
        if name != "Sequential":
            assert find(layers(), lambda layer, name=name: layer.code.startswith(f"nn.{name}("), settings=any_of_many)
    for name in known(optim, optim.Optimizer):
        taken = lambda steps, name=name: f"optim.{name}(" in steps.optimizer
        assert find(training_steps(), taken, settings=any_of_many)
    assert (needed(nn.Linear), needed(nn.Tanh), needed(nn.Sequential)) == (2, 0, 9)


@some
@given(training_steps(), st.integers(0, 4))
def test_a_training_is_the_same_twice_and_when_it_is_interrupted(steps, stop):
    model, losses = steps.run()
    again, same = steps.run()
    assert losses == same
    assert len(losses) == steps.times
    assert np.all(np.isfinite(losses))
    other, optimizer = steps.start()
    for i in range(steps.times):
        if i == stop:
            other, optimizer = pickle.loads(pickle.dumps((other, optimizer)))
        assert steps.step(other, optimizer) == losses[i]
    for a, b, c in zip(model.parameters(), again.parameters(), other.parameters(), strict=True):
        np.testing.assert_array_equal(a.data, b.data)
        np.testing.assert_array_equal(a.data, c.data)


def test_a_training_goes_down():
    network = Network("nn.Linear(2, 1, rng=0)", (np.array([[1.0, 2.0], [0.5, -1.0]]),))
    steps = TrainingSteps(network, "nn.mse_loss", np.ones((2, 1)), "optim.SGD(parameters, lr=0.1)", 20)
    _, losses = steps.run()
    assert losses[-1] < 0.1 * losses[0]


def test_what_cannot_be_drawn_is_refused():
    with pytest.raises(ValueError, match="a network has one layer or more, got depth=0"):
        find(networks(depth=0), lambda network: True)
    with pytest.raises(ValueError, match="a training has one step or more, got longest=0"):
        find(training_steps(longest=0), lambda steps: True)


@given(data=st.data(), width=st.integers(1, 3), out=st.integers(4, 9))
def test_a_width_that_is_asked_for_is_given(data, width, out):
    code, found = data.draw(st.composite(lambda draw: layer_code(draw, width, out))())
    assert found == out
    assert code.startswith(f"nn.Linear({width}, {out}, ")
