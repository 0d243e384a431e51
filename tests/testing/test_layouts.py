"""Layouts change where numbers lie, and nothing else."""

import numpy as np
import pytest

from tinygrad_edu.testing.layouts import read_only, strided, turned

ARRAYS = [np.float64(1.5), np.array(2.0), np.arange(3.0), np.arange(6.0).reshape(2, 3), np.zeros((0, 3))]


@pytest.mark.parametrize("layout", [read_only, strided, turned])
@pytest.mark.parametrize("a", ARRAYS, ids=lambda a: str(np.shape(a)))
def test_the_numbers_stay_the_same(layout, a):
    np.testing.assert_array_equal(layout(a), a)
    assert layout(a).dtype == a.dtype


def test_they_lie_somewhere_else():
    a = np.arange(6.0).reshape(2, 3)
    assert strided(a).strides == (48, 16)
    assert turned(a).strides == (-24, 8)


def test_what_is_read_only_refuses_and_the_original_does_not():
    a = np.zeros(2)
    with pytest.raises(ValueError, match="read-only"):
        read_only(a)[0] = 1.0
    a[0] = 1.0
    assert read_only(2.5) == 2.5
