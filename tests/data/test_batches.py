"""Batches and splits: every row once, pairs kept together."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tinygrad_edu import data

rows = st.integers(2, 40)


def pairs(n):
    return np.stack([np.arange(n), -np.arange(n)], axis=1), 10 * np.arange(n)


@given(st.integers(1, 40), st.integers(1, 50), st.integers(0, 5))
def test_batches_hold_every_row_once_with_its_partner(n, size, seed):
    made = data.minibatches(*pairs(n), batch_size=size, rng=seed)
    batches = list(made)
    assert len(made) == len(batches)
    assert [len(x) for x, _ in batches[:-1]] == [size] * (len(batches) - 1)
    assert sorted(y for _, batch in batches for y in batch) == list(10 * np.arange(n))
    assert all(np.array_equal(10 * x[:, 0], y) for x, y in batches)


def test_a_generator_gives_another_order_every_time_and_a_seed_the_same():
    x, y = pairs(50)
    rng = np.random.default_rng(0)
    orders = [next(iter(data.minibatches(x, y, batch_size=50, rng=r)))[1].tolist() for r in (rng, rng, 7, 7)]
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
    for call in (lambda: data.minibatches(x, y, batch_size=1), lambda: data.train_test_split(x, y)):
        with pytest.raises(ValueError, match="as many rows"):
            call()


@pytest.mark.parametrize("size", [0, -1])
def test_batch_sizes(size):
    with pytest.raises(ValueError, match=f"batch_size is {size}; it must be at least 1"):
        data.minibatches(*pairs(4), batch_size=size)


@pytest.mark.parametrize("size", [None, "2", 2.0, float("nan"), True])
def test_a_batch_size_is_a_whole_number(size):
    with pytest.raises(TypeError, match=rf"batch_size is a whole number; got a {type(size).__name__} \(test_batches"):
        data.minibatches(*pairs(4), batch_size=size)


def test_rows_may_be_lists():
    x, y = [[1.0, 2.0], [3.0, 4.0], [5.0, 6.0], [7.0, 8.0]], [0, 1, 2, 3]
    arrays = np.array(x), np.array(y)
    found, expected = (data.minibatches(*a, batch_size=3, rng=0) for a in ((x, y), arrays))
    for some, others in zip(found, expected, strict=True):
        assert all(np.array_equal(a, b) for a, b in zip(some, others, strict=True))
    split = zip(data.train_test_split(x, y, rng=0), data.train_test_split(*arrays, rng=0), strict=True)
    assert all(np.array_equal(a, b) for a, b in split)


@pytest.mark.parametrize("test", [0, 1, -0.5, 1.5, 0.01, 0.99, float("nan")])
def test_both_parts_hold_rows(test):
    with pytest.raises(ValueError, match="both parts must hold at least one row"):
        data.train_test_split(*pairs(10), test=test)


@given(rows, st.integers(1, 10), st.booleans(), st.booleans())
def test_batches_can_be_looped_over_again_and_again(n, size, shuffle, drop):
    if drop and n < size:
        return
    made = data.minibatches(*pairs(n), np.arange(n), batch_size=size, shuffle=shuffle, drop_last=drop, rng=0)
    passes = [list(made) for _ in range(3)]
    for batches in passes:
        assert len(batches) == len(made) == (n // size if drop else -(-n // size))
        found = sorted(row for _, _, batch in batches for row in batch)
        assert found == sorted(set(found))
        assert len(found) == (n // size * size if drop else n)
        assert all(np.array_equal(10 * i, y) and np.array_equal(i, x[:, 0]) for x, y, i in batches)
    orders = [[row for _, _, batch in batches for row in batch] for batches in passes]
    if not shuffle:
        assert orders[0] == orders[1] == sorted(orders[0])
    elif n > 20:
        assert orders[0] != orders[1] != orders[2]


def test_a_seed_repeats_all_passes_and_two_loops_at_a_time_are_two_passes():
    one, same = (data.minibatches(np.arange(9), batch_size=4, rng=3) for _ in range(2))
    assert [[b.tolist() for b in one] for _ in range(3)] == [[b.tolist() for b in same] for _ in range(3)]
    pairs_of_batches = list(zip(one, one, strict=True))
    assert sorted(row for batch, _ in pairs_of_batches for row in batch) == list(range(9))


def test_one_array_gives_its_batches_themselves():
    batches = list(data.minibatches([[1.0], [2.0], [3.0]], batch_size=2, shuffle=False))
    assert [b.shape for b in batches] == [(2, 1), (1, 1)]


REFUSED = {
    "no rows": (
        lambda: data.minibatches(np.ones((0, 2)), np.ones(0), batch_size=1),
        r"\(0, 2\), \(0,\): there are no rows",
    ),
    "no array": (lambda: data.minibatches(batch_size=1), "no arrays were given"),
    "a number": (
        lambda: data.minibatches(np.ones(3), 3, batch_size=1),
        r"the arrays are \(3,\), \(\); they must have as many rows",
    ),
    "three": (
        lambda: data.minibatches(np.ones(3), np.ones(3), np.ones(2), batch_size=1),
        "as many rows as each other",
    ),
    "none left": (lambda: data.minibatches(np.ones(3), batch_size=4, drop_last=True), "leaves no batch of 3 rows"),
    "ragged": (lambda: data.minibatches([[1.0], [1.0, 2.0]], batch_size=1), "this is not an array of numbers"),
    "split of nothing": (lambda: data.train_test_split(np.ones((0, 2)), np.ones(0)), "there are no rows"),
}


@pytest.mark.parametrize("kind", REFUSED)
def test_what_has_no_rows_is_refused_at_the_call(kind):
    call, message = REFUSED[kind]
    with pytest.raises((ValueError, TypeError), match=rf"{message}.*\(test_batches\.py:"):
        call()


class Table:
    """An array under labels, as a column of a table is: `[0]` is the row that is called 0."""

    dtype = np.dtype(float)

    def __array__(self, dtype=None, copy=None):
        return np.array([1.0, 2.0, 3.0])

    def __getitem__(self, labels):
        raise AssertionError("rows are taken by place")


def test_rows_of_a_table_are_taken_by_place_and_not_by_label():
    x, y = next(iter(data.minibatches(Table(), [1.0, 2.0, 3.0], batch_size=3, shuffle=False)))
    assert x.tolist() == y.tolist() == [1.0, 2.0, 3.0]


@pytest.mark.parametrize("arrays", [(np.ones((4, 2)), np.ones((4, 2))), (np.ones(3), [1.0, 2.0, 3.0])])
def test_a_tuple_of_arrays_is_no_array(arrays):
    with pytest.raises(TypeError, match=r"use minibatches\(\*arrays, batch_size=32\) \(test_batches"):
        data.minibatches(arrays, batch_size=2)
    assert len(data.minibatches((1.0, 2.0, 3.0), batch_size=2)) == 2
