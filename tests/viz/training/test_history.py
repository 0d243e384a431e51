"""What is kept of a training: every size of every step, and evenly spread snapshots, bounded in number."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tinygrad_edu.viz.training import history as module
from tinygrad_edu.viz.training.history import FEWEST, PATIENCE, SNAPSHOTS, History, condensed, magnitudes

shapes = st.lists(st.sampled_from([(), (1,), (3,), (2, 3), (4, 1, 2)]), min_size=1, max_size=5)


@settings(max_examples=settings().max_examples // 2)
@given(shapes, st.integers(1, 6), st.integers(0, 99))
def test_sizes_are_those_of_each_parameter_alone(shapes, steps, seed):
    rng = np.random.default_rng(seed)
    history = History([f"p{i}" for i in range(len(shapes))], shapes)
    vectors = [rng.normal(size=(3, history.sizes.sum())) for _ in range(steps)]
    for k, (data, gradient, after) in enumerate(vectors):
        history.add(float(k), k + 1, data, gradient, after)
    assert history.losses.tolist() == list(range(steps))
    assert history.passes.tolist() == list(range(1, steps + 1))
    for k, (data, gradient, after) in enumerate(vectors):
        for i, shape in enumerate(shapes):
            own, g, new = (history.parts(vector)[i] for vector in (data, gradient, after))
            assert own.shape == shape
            assert history.norms[k, i] == pytest.approx(np.sqrt(np.sum(own**2)))
            assert history.mean_gradients[k, i] == pytest.approx(np.mean(np.abs(g)))
            assert history.max_gradients[k, i] == np.max(np.abs(g))
            assert history.updates[k, i] == pytest.approx(np.sqrt(np.sum((new - own) ** 2)))
            assert history.ratios[k, i] == pytest.approx(history.updates[k, i] / history.norms[k, i])


def test_snapshots_are_bounded_even_and_begin_at_the_start():
    history = History(["p"], [()])
    for steps in range(1, 1501):
        history.add(0.0, 1, np.array([steps - 1.0]), np.zeros(1), np.zeros(1))
        kept = [snapshot.step for snapshot in history.snapshots]
        assert kept == list(range(0, steps, history.stride))
        assert len(kept) <= SNAPSHOTS
        assert len(kept) == steps or len(kept) > SNAPSHOTS // 2 - 1
        assert [snapshot.data[0] for snapshot in history.snapshots] == kept


def test_large_parameters_leave_room_for_few_snapshots(monkeypatch):
    monkeypatch.setattr(module, "BUDGET", 16 * 1000 * 10)
    assert History(["p"], [(1000,)]).most == 10
    assert History(["p"], [(100_000,)]).most == FEWEST
    assert History(["p"], [(3,)]).most == SNAPSHOTS


def test_a_ratio_to_nothing_is_no_number():
    history = History(["p"], [(2,)])
    history.add(0.0, 1, np.zeros(2), np.ones(2), np.ones(2))
    assert np.isnan(history.ratios).all()


def open_in(history, *steps):
    """The dead units after steps, each with the units that were open in it."""
    for units in steps:
        history.add(1.0, 1, np.ones(2), np.ones(2), np.ones(2))
        history.add_units({name: np.array(flags) for name, flags in units.items()})
    return history.dead


def test_dead_units_are_in_line_with_the_steps():
    units, counts = open_in(History(["p"], [(2,)]), {}, {"relu": [True, False, False, False]}, {})["relu"]
    assert units == 4
    np.testing.assert_equal(counts, [np.nan, 3, np.nan])


def test_a_unit_is_dead_while_it_never_opened_or_has_not_for_a_while():
    first_open = [{"relu": [False, True]}] * PATIENCE
    _, counts = open_in(History(["p"], [(2,)]), {"relu": [True, False]}, *first_open, {"relu": [True] * 3})["relu"]
    assert counts == [1] + [0] * (PATIENCE - 1) + [1, 0]


@given(st.integers(1, 60), st.integers(1, 20))
def test_condensed_spans_cover_every_step_once(steps, most):
    rows = np.arange(2.0 * steps).reshape(steps, 2)
    edges, means = condensed(rows, most)
    assert edges[0] == 0
    assert edges[-1] == steps
    assert len(means) == min(steps, most)
    assert np.all(np.diff(edges) > 0)
    np.testing.assert_allclose(np.diff(edges) @ means, rows.sum(axis=0))


def test_condensed_leaves_out_what_is_not_finite():
    _, means = condensed(np.array([[1.0, np.nan], [np.nan, np.nan], [3.0, np.inf], [5.0, 2.0]]), 2)
    np.testing.assert_equal(means, [[1.0, np.nan], [4.0, 2.0]])


def test_magnitudes():
    np.testing.assert_equal(magnitudes(np.array([100.0, 0.0, np.nan, np.inf])), [2.0, np.nan, np.nan, np.nan])


def test_an_empty_history_has_empty_tables():
    history = History(["a", "b"], [(), (2,)])
    assert history.steps == 0
    assert history.losses.shape == (0,)
    assert history.ratios.shape == (0, 2)
    assert repr(history) == "<History of 0 steps, 2 parameters>"
