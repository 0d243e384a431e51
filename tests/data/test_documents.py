"""The tables: shapes, dtype, fresh copies; the numbers themselves are in test_seeds."""

import numpy as np
import pytest

from tinygrad_edu import data

SHAPES = {
    "similar_vectors": [(2,), (2,), (2,)],
    "first_prediction": [(2, 2), (2,), (2,), (1,)],
    "eight_rows": [(8, 2), (8, 1)],
    "xor": [(4, 3), (4, 1)],
}


@pytest.mark.parametrize("name", SHAPES)
def test_shapes_and_dtype(name):
    arrays = getattr(data, name)()
    assert [a.shape for a in arrays] == SHAPES[name]
    assert all(a.dtype == np.float64 for a in arrays)


@pytest.mark.parametrize("name", SHAPES)
def test_every_call_gives_fresh_arrays(name):
    first = getattr(data, name)()
    first[0][:] = 99.0
    assert not np.any(getattr(data, name)()[0] == 99.0)


def test_xor_is_what_it_says():
    x, y = data.xor()
    assert np.array_equal(y[:, 0], np.logical_xor(x[:, 0], x[:, 1]))
    assert np.all(x[:, 2] == 1.0)
