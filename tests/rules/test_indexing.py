"""Picking and putting back."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis.extra import numpy as npst

from tinygrad_edu import Value, at, grad
from tinygrad_edu.rules.indexing import scatter

ARRAY = np.arange(24.0).reshape(2, 3, 4)


@settings(max_examples=settings().max_examples // 2)
@given(npst.basic_indices((2, 3, 4), allow_newaxis=True))
def test_basic_indexing_marks_what_was_picked(index):
    v = Value(ARRAY)
    v[index].sum().backward()
    marked = np.zeros_like(ARRAY)
    marked[index] += 1
    np.testing.assert_array_equal(v.grad, marked)


@settings(max_examples=settings().max_examples // 2)
@given(npst.integer_array_indices((2, 3, 4)))
def test_fancy_indexing_counts_repeats(index):
    v = Value(ARRAY)
    v[index].sum().backward()
    counts = np.zeros_like(ARRAY)
    np.add.at(counts, index, 1)
    np.testing.assert_array_equal(v.grad, counts)


def test_repeats_masks_and_values_as_indices():
    np.testing.assert_array_equal(grad(lambda x: x[[0, 0, 1]].sum())(np.ones(3)), [2.0, 1.0, 0.0])
    v = Value([1.0, -2.0, 3.0])
    v[v > 0].sum().backward()
    np.testing.assert_array_equal(v.grad, [1.0, 0.0, 1.0])


def test_scatter_is_the_mirror_image():
    np.testing.assert_array_equal(scatter(np.array([1.0, 2.0, 3.0]), index=[0, 0, 1], shape=(2,)), [3.0, 3.0])


def test_at_builds_a_new_array():
    v, y = Value([1.0, 2.0, 3.0]), Value(10.0)
    new = at(v, 1).set(y)
    np.testing.assert_array_equal(new.data, [1.0, 10.0, 3.0])
    np.testing.assert_array_equal(v.data, [1.0, 2.0, 3.0])
    (new * np.array([1.0, 2.0, 3.0])).sum().backward()
    np.testing.assert_array_equal(v.grad, [1.0, 0.0, 3.0])
    assert y.grad == 2.0


def test_at_adds():
    v = Value([1.0, 2.0, 3.0])
    more = at(v, slice(1, None)).add(5.0)
    np.testing.assert_array_equal(more.data, [1.0, 7.0, 8.0])
    more.sum().backward()
    np.testing.assert_array_equal(v.grad, np.ones(3))


def test_what_is_put_may_have_more_axes_of_size_one():
    for shape in ((4,), (1, 4), (1, 1, 4)):
        for change in (lambda y: at(Value(ARRAY), (0, 1)).set(y), lambda y: at(Value(ARRAY), (0, 1)).add(y)):
            y = Value(np.ones(shape))
            (change(y) * 2.0).sum().backward()
            np.testing.assert_array_equal(y.grad, np.full(shape, 2.0))


def test_an_index_out_of_range_says_so():
    with pytest.raises(IndexError, match="out of bounds"):
        Value(ARRAY)[2]


def test_places_alone_are_constant():
    (places,) = np.where(Value([0.0, 2.0, 3.0]))
    np.testing.assert_array_equal(places, [1, 2])


def test_of_an_entry_set_twice_only_the_last_one_counts():
    weights = np.array([1.0, 2.0, 4.0])
    f = lambda y: (at(Value(np.zeros(3)), [0, 2, 0]).set(y) * weights).sum()
    np.testing.assert_array_equal(grad(f)(np.array([5.0, 6.0, 7.0])), [0.0, 4.0, 1.0])
    assert grad(f)(5.0) == 5.0
