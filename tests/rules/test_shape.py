"""Joining and rearranging, in the ways the table's examples do not reach."""

import numpy as np
import pytest

from tinygrad_edu import Value


def test_joining_mixes_values_and_plain_arrays():
    x = Value([1.0, 2.0])
    joined = np.concatenate([x, np.array([5.0]), x])
    np.testing.assert_array_equal(joined.data, [1.0, 2.0, 5.0, 1.0, 2.0])
    joined.backward(np.arange(5.0))
    np.testing.assert_array_equal(x.grad, [3.0, 5.0])


def test_stacking_numbers_makes_a_vector():
    a, b = Value(1.0), Value(2.0)
    np.stack([a, b, a]).backward([1.0, 10.0, 100.0])
    assert (a.grad, b.grad) == (101.0, 10.0)


@pytest.mark.parametrize("order", ["C", "F"])
def test_methods_take_orders_and_axes(order):
    v = Value(np.arange(6.0).reshape(2, 3))
    np.testing.assert_array_equal(v.ravel(order=order).data, v.data.ravel(order=order))
    assert v.reshape((3, 2)).shape == v.reshape(3, 2).shape == (3, 2)
    assert v.transpose().shape == v.transpose((1, 0)).shape == v.transpose(1, 0).shape == (3, 2)


def test_shapes_that_do_not_fit_name_the_operation():
    with pytest.raises(ValueError, match=r"concatenate\(x, y\): x is \(2,\), y is \(1, 2\)"):
        np.concatenate([Value([1.0, 2.0]), np.ones((1, 2))])
