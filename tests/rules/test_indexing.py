"""Picking and putting back."""

import tracemalloc

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as npst

from tinygrad_edu import Value, at, grad, gradients
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


INDICES = [0, -1, slice(1, None), ([0, 0, 1],), (0, [1, 1]), (..., None, 2), np.array([True, False])]


@given(st.lists(st.sampled_from(range(len(INDICES))), min_size=1, max_size=6), st.booleans())
def test_gradients_of_many_picks_add_up_as_those_of_single_ones(chosen, whole):
    v = Value(ARRAY)
    picks = [np.sum(v[INDICES[i]] * float(k + 1)) for k, i in enumerate(chosen)]
    parts = [np.sum(v * v), *picks] if whole else picks
    (found,) = gradients(sum(parts), [v])
    expected = 2.0 * ARRAY if whole else np.zeros_like(ARRAY)
    for k, i in enumerate(chosen):
        expected = expected + scatter(np.full(np.shape(ARRAY[INDICES[i]]), k + 1.0), INDICES[i], ARRAY.shape)
    np.testing.assert_allclose(found, expected, rtol=1e-14)
    (twice,) = gradients(np.sum(gradients(sum(p * p for p in picks), [v], differentiable=True)[0]), [v])
    assert twice.shape == ARRAY.shape


def test_many_entries_of_a_long_array_take_no_array_each():
    v = Value(np.ones(20_000))
    total = sum(entry * entry for entry in v)
    tracemalloc.start()
    (found,) = gradients(total, [v])
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    np.testing.assert_array_equal(found, np.full(20_000, 2.0))
    assert peak < 40e6  # an array for each would take 3.2e9 in turn; the nodes' own gradients stay
