"""Indices: NumPy takes all of them, every kind is drawn, and gradients through them equal differences."""

import numpy as np
from hypothesis import Phase, find, given, settings
from hypothesis import strategies as st

from tinygrad_edu.testing import check_gradients
from tinygrad_edu.testing.strategies import indices, shapes

few = settings(max_examples=max(10, settings().max_examples // 4))
any_of_many = settings(max_examples=2_000, phases=[Phase.generate], database=None)


@few
@given(st.data(), shapes(max_rank=3, shortest=0))
def test_numpy_takes_every_index(data, shape):
    a = np.arange(np.prod(shape)).reshape(shape)
    assert a[data.draw(indices(shape))].ndim <= 8


@settings(max_examples=500)
@given(indices((3, 3, 1)))
def test_what_stands_after_an_ellipsis_fits_the_axes_it_is_for(index):
    assert np.zeros((3, 3, 1))[index].ndim <= 8


def test_every_kind_is_drawn():
    kinds = {
        "a number": lambda i: isinstance(i, int),
        "a slice": lambda i: isinstance(i, slice),
        "a step back": lambda i: isinstance(i, slice) and (i.step or 1) < 0,
        "repeats": lambda i: isinstance(i, list) and len(set(i)) < len(i),
        "a mask": lambda i: isinstance(i, np.ndarray) and i.dtype == bool and i.any(),
        "an ellipsis": lambda i: isinstance(i, tuple) and any(part is ... for part in i),
        "a new axis": lambda i: isinstance(i, tuple) and any(part is None for part in i),
        "both kinds": lambda i: isinstance(i, tuple) and {slice, np.ndarray} <= set(map(type, i)),
    }
    for name, drawn in kinds.items():
        assert find(indices((3, 2)), drawn, settings=any_of_many) is not None, name


@few
@given(st.data(), shapes(min_rank=1))
def test_gradients_through_indices_equal_differences(data, shape):
    index = data.draw(indices(shape))
    x = np.cos(np.arange(float(np.prod(shape)))).reshape(shape)
    check_gradients(lambda x: np.sin(x)[index], x)
