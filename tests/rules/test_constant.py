"""Functions without a derivative give plain arrays."""

import numpy as np
import pytest

from tinygrad_edu import Value
from tinygrad_edu.table import CONSTANTS, OPERATIONS, REWRITES

V = Value([[1.5, -2.0], [0.0, 3.0]])


@pytest.mark.parametrize(
    "f",
    [
        np.sign,
        np.floor,
        np.around,
        np.isnan,
        np.isreal,
        np.imag,
        np.spacing,
        np.argmax,
        np.argsort,
        np.flatnonzero,
        np.zeros_like,
        np.shape,
        np.size,
    ],
)
def test_the_result_is_that_of_the_data(f):
    result = f(V)
    assert not isinstance(result, Value)
    np.testing.assert_array_equal(result, f(V.data))


def test_values_inside_lists_and_options_are_unwrapped():
    assert np.array_equal(V, V)
    assert np.allclose(V, V.data, atol=Value(0.1))


def test_a_filling_and_weights_are_not_constant():
    filled = np.full_like(V, Value(2.0))
    np.sum(filled * V.data).backward()
    assert filled.args[1].grad == 2.5
    np.testing.assert_array_equal(np.full_like(V, 2.0), np.full_like(V.data, 2.0))
    v = Value([1.0, 2.0, 3.0])
    counted = np.bincount([0, 2, 0], weights=v, minlength=5)
    np.testing.assert_array_equal(counted.data, np.bincount([0, 2, 0], weights=v.data, minlength=5))
    counted.backward(np.arange(5.0))
    np.testing.assert_array_equal(v.grad, [0.0, 2.0, 0.0])


def test_no_function_is_both_constant_and_differentiable():
    assert not CONSTANTS & (set(OPERATIONS) | set(REWRITES))
