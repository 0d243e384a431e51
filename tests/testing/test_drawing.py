"""Drawn arguments are where the entry says, with room on all sides."""

from itertools import product

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tinygrad_edu import Value, entries
from tinygrad_edu.table import DEFINITE, REGULAR, TIES, Op, case
from tinygrad_edu.testing.drawing import caller, calls, draw, draw_array, draw_matrix, gap, intervals

seeds = st.integers(0, 2**16)
PARTS = [(-np.inf, np.inf), (0.0, np.inf), (-1.0, 1.0), (0.0, 0.2), (1.0, np.inf)]
SHAPES = [(), (3,), (2, 2), (16,), (4, 5), (0, 3)]


def room(part, points, array, margin):
    """Whether an array keeps its distance from the ends and from points."""
    ends = [end for end in part if np.isfinite(end)]
    return all(np.min(np.abs(array - point), initial=np.inf) >= margin - 1e-12 for point in (*ends, *points))


@given(seed=seeds)
def test_numbers_are_in_the_interval_with_room_and_apart(seed):
    for part, shape in product(PARTS, SHAPES):
        points = (0.5,) if part[1] > 1 else ()
        array, margin = draw_array(np.random.default_rng(seed), shape, part, points)
        assert array.shape == shape
        assert np.all((part[0] < array) & (array < part[1]))
        assert room(part, points, array, margin)
        if array.size > 1:
            assert np.min(np.diff(np.sort(array.ravel()))) >= gap(part, shape) - 1e-12


def test_many_numbers_come_from_all_over_the_domain():
    array, _ = draw_array(np.random.default_rng(0), (16,), (-np.inf, np.inf))
    assert array.min() < -2.0
    assert array.max() > 2.0
    assert np.max(np.diff(np.sort(array))) < 1.0


@given(seed=seeds)
def test_matrices_are_regular_and_definite(seed):
    rng = np.random.default_rng(seed)
    singular = np.linalg.svd(draw_matrix(rng, (2, 4, 3), REGULAR), compute_uv=False)
    np.testing.assert_allclose(np.sort(singular), [[0.6, 1.1, 1.6]] * 2)
    definite = draw_matrix(rng, (3, 3), DEFINITE)
    np.testing.assert_allclose(definite, definite.T, atol=1e-15)
    assert np.linalg.eigvalsh(definite).min() == pytest.approx(0.6)
    with pytest.raises(ValueError, match="no such domain: 'nice'"):
        draw_matrix(rng, (2, 2), "nice")


@pytest.mark.parametrize("op", list(entries()), ids=lambda op: op.name)
def test_every_entry_can_be_drawn_and_called(op):
    rng = np.random.default_rng(0)
    for call in calls(op):
        arrays, options, distance = draw(op, rng, call)
        assert [np.shape(a) for a in arrays] == list(call[0])
        assert 0.0 < distance <= 0.15
        assert np.all(np.isfinite(caller(op, options)(*map(Value, arrays)).data))
        if op.kinks == TIES and len(arrays) == 2:
            assert np.min(np.abs(np.subtract.outer(*arrays))) >= 1.3 * distance


def test_any_number_of_arguments_can_be_declared():
    three = Op(
        lambda x, y, z: x * y * z,
        [lambda g, out, x, y, z: g * y * z, lambda g, out, x, y, z: g * x * z, lambda g, out, x, y, z: g * x * y],
        domain=[(0.0, 1.0), (1.0, 2.0), (-1.0, 1.0)],
    )
    assert [shapes for shapes, _ in calls(three)] == [((), (), ()), ((2, 3), (3,), (3,))]
    assert intervals(three, 3)[1] == (1.0, 2.0)
    shown = Op(three.function, three.pullbacks, domain=(0.0, 1.0), cases=[case((2,), (2,), (2,))])
    assert calls(shown) == [case((2,), (2,), (2,))]
