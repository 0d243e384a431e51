"""The tests of `activations.py`: a line or two for each."""

import activations
import numpy as np
from hypothesis import given

from tinygrad_edu.testing import check_module, check_op, check_taylor, gradient_test
from tinygrad_edu.testing.strategies import tensors

test_entropy = gradient_test(activations.entropy, args={"p": tensors(domain=(0, 1))})


def test_swish():
    """Everything that the declaration of an operation promises."""
    check_op(activations.swish)


@given(x=tensors(domain=(-3, 3)))
def test_swish_is_below_relu(x):
    """A property of the values, for arrays of any small shape."""
    assert np.all(activations.swish(x) <= np.maximum(x, 0))


def test_gate():
    """Parameters and inputs, in train and eval mode, and the state."""
    x = np.random.default_rng(0).normal(size=(4, 3))
    check_module(lambda: activations.Gate(3), x)


def test_entropy_of_many():
    """A large argument, without a step to choose."""
    check_taylor(activations.entropy, np.linspace(0.1, 0.9, 10_000))


def test_entropy_of_pairs(gradcheck):
    """Its findings stand in the table."""
    p = np.array([[0.2, 0.8], [0.5, 0.5]])
    gradcheck(activations.entropy, p, order=2)
