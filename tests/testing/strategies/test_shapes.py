"""Shapes: small ones, those that broadcast without a warning, and those of a signature."""

import warnings
from itertools import combinations

import numpy as np
import pytest
from hypothesis import find, given
from hypothesis import strategies as st

from tinygrad_edu import BroadcastWarning, Value
from tinygrad_edu.testing.strategies import shapes, shapes_for
from tinygrad_edu.testing.strategies.shapes import calm, narrower, together


@given(st.data(), st.integers(0, 2), st.integers(2, 3), st.integers(0, 1), st.integers(1, 3))
def test_shapes_keep_to_their_bounds(data, few, many, short, long):
    shape = data.draw(shapes(few, many, short, long))
    assert few <= len(shape) <= many
    assert all(short <= n <= long for n in shape)


def test_the_simplest_shape_comes_first():
    assert find(shapes(), lambda shape: True) == ()


@given(shapes_for("(m,n),(n,p),(2),()->(m,p)"))
def test_names_of_a_signature_are_one_length_everywhere(found):
    (m, n), (same, p), two, nothing = found
    assert (same, two, nothing) == (n, (2,), ())
    assert np.matmul(np.ones((m, n)), np.ones((same, p))).shape == (m, p)


@pytest.mark.parametrize("text", ["m,n->m", "(m,n)", "", "(m;n)->()", "(m,)->()", "(m)->(m) extra"])
def test_text_that_is_no_signature_is_refused(text):
    with pytest.raises(ValueError, match=r"is not a signature: write one such as '\(m,n\),\(n,p\)->\(m,p\)'"):
        find(shapes_for(text), lambda shapes: True)


@given(st.integers(1, 4).flatmap(together))
def test_shapes_together_broadcast_and_no_pair_is_warned_of(found):
    full = np.broadcast_shapes(*found)
    assert all(shape in narrower(full) for shape in found)
    with warnings.catch_warnings():
        warnings.simplefilter("error", BroadcastWarning)
        for x, y in combinations(found, 2):
            _ = Value(np.ones(x)) * Value(np.ones(y))


@given(shapes(max_rank=3), shapes(max_rank=3))
def test_calm_is_what_the_engine_does_not_warn_of(x, y):
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", BroadcastWarning)
            _ = Value(np.ones(x)) + Value(np.ones(y))
    except (BroadcastWarning, ValueError):
        assert not calm(x, y)
    else:
        assert calm(x, y)


def test_narrower_shapes_are_all_those_that_broadcast_to_one():
    every = [(), *((n,) for n in (1, 2, 3)), *((m, n) for m in (1, 2, 3) for n in (1, 2, 3))]
    fitting = [shape for shape in every if len(shape) <= 2 and np_fits(shape, (2, 3))]
    assert sorted(narrower((2, 3))) == sorted(fitting)


def np_fits(shape, full):
    try:
        return np.broadcast_shapes(shape, full) == full
    except ValueError:
        return False
