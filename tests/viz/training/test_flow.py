"""Gradient flow: the medians, one step, and parameters without a place on a logarithmic axis."""

import numpy as np
import pytest
from matplotlib.figure import Figure

from tests.viz.trainings import history_of, trained
from tinygrad_edu.viz.training.flow import flow
from tinygrad_edu.viz.training.history import History


def drawn(history, step=None):
    ax = Figure().subplots()
    flow(history, step, ax)
    return ax


def points(ax):
    return {line.get_label(): (line.get_xdata().tolist(), line.get_ydata().tolist()) for line in ax.lines}


def words(ax):
    return [text.get_text() for text in ax.texts]


HISTORY = history_of((1.0, [1.0, 0.01], [0, 0]), (1.0, [3.0, 0.02], [0, 0]), (1.0, [2.0, 0.5], [0, 0]))


def test_medians_of_all_steps():
    ax = drawn(HISTORY)
    assert points(ax) == {"mean |gradient|": ([2.0, 0.02], [0, 1]), "largest |gradient|": ([2.0, 0.02], [0, 1])}
    assert ax.get_xlabel() == "|gradient|, median of 3 steps"
    assert ax.get_xscale() == "log"


def test_one_step():
    ax = drawn(HISTORY, 1)
    assert points(ax)["mean |gradient|"] == ([3.0, 0.02], [0, 1])
    assert ax.get_xlabel() == "|gradient|, step 1"


@pytest.mark.parametrize("step", [-1, 3])
def test_a_step_that_was_not_recorded(step):
    with pytest.raises(ValueError, match=f"step {step} was not recorded: there are 3, counted from 0"):
        flow(HISTORY, step)


def test_mean_and_largest_differ_and_the_first_layer_is_on_top():
    w = trained(depth=3)
    ax = drawn(w.history, 0)
    (means, rows), (largest, _) = points(ax).values()
    assert means == w.history.mean_gradients[0].tolist()
    assert largest == w.history.max_gradients[0].tolist()
    assert rows == list(range(6))
    assert [label.get_text() for label in ax.get_yticklabels()] == w.history.names
    assert ax.get_ylim()[0] > ax.get_ylim()[1]


def test_what_has_no_place_is_said():
    history = history_of((1.0, [1.0, 0.0, np.nan, np.inf], [0] * 4), names="abcd")
    ax = drawn(history)
    assert points(ax)["mean |gradient|"] == ([1.0], [0])
    assert words(ax) == ["gradient 0", "no gradient", "not finite"]


def test_the_axis_spans_whole_decades():
    low, high = drawn(HISTORY).get_xlim()
    assert low < 0.01 <= 0.02
    assert 2.0 < 10.0 < high


@pytest.mark.parametrize("gradient", [[0.0, 0.0], [np.nan, np.nan]])
def test_nothing_at_all(gradient):
    assert len(words(drawn(history_of((1.0, gradient, [0, 0]))))) == 2
    assert words(drawn(History(["a"], [()]))) == ["no step was recorded"]
