"""Batches and splits: every row once, pairs kept together."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tinygrad_edu import data

rows = st.integers(2, 40)


def pairs(n):
    return np.stack([np.arange(n), -np.arange(n)], axis=1), 10 * np.arange(n)


@given(st.integers(0, 40), st.integers(1, 50), st.integers(0, 5))
def test_batches_hold_every_row_once_with_its_partner(n, size, seed):
    batches = list(data.minibatches(*pairs(n), batch_size=size, rng=seed))
    assert [len(x) for x, _ in batches[:-1]] == [size] * (len(batches) - 1)
    assert sorted(y for _, batch in batches for y in batch) == list(10 * np.arange(n))
    assert all(np.array_equal(10 * x[:, 0], y) for x, y in batches)


def test_a_generator_gives_another_order_every_time_and_a_seed_the_same():
    x, y = pairs(50)
    rng = np.random.default_rng(0)
    orders = [next(data.minibatches(x, y, 50, r))[1].tolist() for r in (rng, rng, 7, 7)]
    assert orders[0] != orders[1]
    assert orders[2] == orders[3]
    assert orders[2] != y.tolist()


@given(rows, st.floats(0.1, 0.9), st.integers(0, 5))
def test_a_split_holds_every_row_once_with_its_partner(n, part, seed):
    aside = round(n * part)
    if not 0 < aside < n:
        return
    x_train, x_test, y_train, y_test = data.train_test_split(*pairs(n), test=part, rng=seed)
    assert len(x_test) == len(y_test) == aside
    assert sorted([*y_train, *y_test]) == list(10 * np.arange(n))
    for x, y in ((x_train, y_train), (x_test, y_test)):
        assert np.array_equal(10 * x[:, 0], y)


def test_a_split_is_random_and_repeatable():
    one, same, other = (data.train_test_split(*pairs(50), rng=seed)[3].tolist() for seed in (0, 0, 1))
    assert one == same != other


@pytest.mark.parametrize(("x", "y"), [(np.ones((3, 2)), np.ones(4)), (np.ones(()), np.ones(()))])
def test_rows_must_match(x, y):
    for call in (lambda: data.minibatches(x, y, 1), lambda: data.train_test_split(x, y)):
        with pytest.raises(ValueError, match="as many rows"):
            call()


@pytest.mark.parametrize("size", [0, -1])
def test_batch_sizes(size):
    with pytest.raises(ValueError, match=f"batch_size is {size}; it must be at least 1"):
        data.minibatches(*pairs(4), size)


@pytest.mark.parametrize("size", [None, "2", 2.0, float("nan"), True])
def test_a_batch_size_is_a_whole_number(size):
    with pytest.raises(TypeError, match=rf"batch_size is a whole number; got a {type(size).__name__} \(test_batches"):
        data.minibatches(*pairs(4), size)


def test_rows_may_be_lists():
    x, y = [[1.0, 2.0], [3.0, 4.0], [5.0, 6.0], [7.0, 8.0]], [0, 1, 2, 3]
    arrays = np.array(x), np.array(y)
    found, expected = data.minibatches(x, y, 3, rng=0), data.minibatches(*arrays, 3, rng=0)
    for some, others in zip(found, expected, strict=True):
        assert all(np.array_equal(a, b) for a, b in zip(some, others, strict=True))
    split = zip(data.train_test_split(x, y, rng=0), data.train_test_split(*arrays, rng=0), strict=True)
    assert all(np.array_equal(a, b) for a, b in split)


@pytest.mark.parametrize("test", [0, 1, -0.5, 1.5, 0.01, 0.99, float("nan")])
def test_both_parts_hold_rows(test):
    with pytest.raises(ValueError, match="both parts must hold at least one row"):
        data.train_test_split(*pairs(10), test=test)
