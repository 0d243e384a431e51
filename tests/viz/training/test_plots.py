"""Plots hold the numbers of the history, by what matplotlib was given; what has no place in them is said."""

import numpy as np
import pytest
from matplotlib.figure import Figure

from tests.viz.trainings import history_of, trained
from tinygrad_edu.viz.training import plots
from tinygrad_edu.viz.training.history import History
from tinygrad_edu.viz.training.plots import COLUMNS, GUIDE, POINTS


def drawn(plot, history, *of):
    ax = Figure().subplots()
    plot(history, *of, ax=ax)
    return ax


def words(ax):
    return [text.get_text() for text in ax.texts]


def legend(ax):
    return [text.get_text() for text in ax.get_legend().get_texts()]


def row_names(ax):
    return [label.get_text() for label in ax.get_yticklabels()]


def steady(*losses):
    return history_of(*((loss, [1, 1], [0.1, 0.01]) for loss in losses))


def test_the_loss_is_drawn_step_by_step():
    ax = drawn(plots.loss, steady(3.0, 2.0, 1.0))
    (line,) = ax.lines
    assert line.get_xdata().tolist() == [0, 1, 2]
    assert line.get_ydata().tolist() == [3.0, 2.0, 1.0]
    assert (ax.get_xlabel(), ax.get_ylabel(), ax.get_yscale()) == ("step", "loss", "linear")


@pytest.mark.parametrize(
    ("losses", "scale"),
    [([100.0, 1.0], "log"), ([10.0, 1.0], "linear"), ([100.0, 0.0], "linear"), ([100.0, np.nan, 1.0], "log")],
)
def test_a_loss_over_decades_has_a_logarithmic_axis(losses, scale):
    assert drawn(plots.loss, steady(*losses)).get_yscale() == scale


@pytest.mark.parametrize(("losses", "first"), [([1.0, np.nan, 1.0], 1), ([np.inf], 0), ([1.0] * 5 + [-np.inf], 5)])
def test_the_first_loss_that_is_not_finite_is_marked(losses, first):
    ax = drawn(plots.loss, steady(*losses))
    assert ax.lines[-1].get_xdata()[0] == first
    assert words(ax) == [f"not finite: step {first}"]


def test_of_many_steps_the_mean_is_drawn_over_the_pale_line():
    losses = np.random.default_rng(0).uniform(1.0, 2.0, 3 * POINTS)
    pale, mean = drawn(plots.loss, steady(*losses)).lines
    assert pale.get_ydata().tolist() == losses.tolist()
    assert pale.get_alpha() < 1
    assert len(mean.get_ydata()) == POINTS // 2
    assert mean.get_ydata().mean() == pytest.approx(losses.mean())


def test_the_ratio_is_a_power_of_ten_beside_the_guide_line():
    ax = drawn(plots.ratio, steady(1.0, 1.0))
    a, b, guide = ax.lines
    np.testing.assert_allclose(a.get_ydata(), [-1, -1])
    np.testing.assert_allclose(b.get_ydata(), [-2, -2])
    assert guide.get_ydata() == [GUIDE, GUIDE]
    assert words(ax) == ["1e-3"]
    assert legend(ax) == ["a", "b"]


def test_weights_are_solid_and_biases_dashed():
    w = trained()
    ax = drawn(plots.ratio, w.history)
    assert [line.get_linestyle() for line in ax.lines[:4]] == ["-", "--", "-", "--"]
    assert np.isnan(ax.lines[1].get_ydata()[0])  # a bias of 0 has no ratio


def test_curves_are_thinned():
    ax = drawn(plots.ratio, steady(*[1.0] * (5 * POINTS)))
    assert len(ax.lines[0].get_ydata()) == POINTS


def test_dead_units_in_percent():
    history = steady(1.0, 1.0)
    history.dead = {"relu": (4, [0.0, 1.0]), "relu 2": (2, [2.0, np.nan])}
    ax = drawn(plots.dead, history)
    assert ax.lines[0].get_ydata().tolist() == [0.0, 25.0]
    np.testing.assert_equal(ax.lines[1].get_ydata(), [100.0, np.nan])
    assert legend(ax) == ["relu (4 units)", "relu 2 (2 units)"]


def points(ax):
    return {line.get_label(): (line.get_xdata().tolist(), line.get_ydata().tolist()) for line in ax.lines}


HISTORY = history_of((1.0, [1.0, 0.01], [0, 0]), (1.0, [3.0, 0.02], [0, 0]), (1.0, [2.0, 0.5], [0, 0]))


def test_the_flow_shows_the_medians_of_all_steps():
    ax = drawn(plots.flow, HISTORY)
    assert points(ax) == {"mean |gradient|": ([2.0, 0.02], [0, 1]), "largest |gradient|": ([2.0, 0.02], [0, 1])}
    assert ax.get_xlabel() == "|gradient|, median of 3 steps"
    assert ax.get_xscale() == "log"


def test_or_that_of_one_step():
    ax = drawn(plots.flow, HISTORY, 1)
    assert points(ax)["mean |gradient|"] == ([3.0, 0.02], [0, 1])
    assert ax.get_xlabel() == "|gradient|, step 1"


@pytest.mark.parametrize("step", [-1, 3])
def test_a_step_that_was_not_recorded(step):
    with pytest.raises(ValueError, match=f"step {step} was not recorded: there are 3, counted from 0"):
        plots.flow(HISTORY, step)


def test_mean_and_largest_differ_and_the_first_layer_is_on_top():
    w = trained(depth=3)
    ax = drawn(plots.flow, w.history, 0)
    (means, rows), (largest, _) = points(ax).values()
    assert means == w.history.mean_gradients[0].tolist()
    assert largest == w.history.max_gradients[0].tolist()
    assert rows == list(range(6))
    assert row_names(ax) == w.history.names
    assert ax.get_ylim()[0] > ax.get_ylim()[1]


def test_what_has_no_place_is_said():
    history = history_of((1.0, [1.0, 0.0, np.nan, np.inf], [0] * 4), names="abcd")
    ax = drawn(plots.flow, history)
    assert points(ax)["mean |gradient|"] == ([1.0], [0])
    assert words(ax) == ["gradient 0", "no gradient", "not finite"]


def test_the_axis_spans_whole_decades():
    low, high = drawn(plots.flow, HISTORY).get_xlim()
    assert low < 0.01 <= 0.02
    assert 2.0 < 10.0 < high


def cells(ax):
    return np.ma.filled(ax.collections[0].get_array(), np.nan)


@pytest.mark.parametrize("of", ["gradient", "ratio", "norm"])
def test_cells_of_the_overview_are_powers_of_ten(of):
    w = trained()
    table = {"gradient": w.history.mean_gradients, "ratio": w.history.ratios, "norm": w.history.norms}[of]
    ax = drawn(plots.overview, w.history, of)
    with np.errstate(divide="ignore"):
        powers = np.log10(table.T)
    np.testing.assert_allclose(cells(ax), np.where(np.isfinite(powers), powers, np.nan))
    assert row_names(ax) == w.history.names
    assert ax.figure.axes[1].get_ylabel().startswith("log10 of ")


def test_what_has_no_power_is_said_to_be_grey():
    ax = drawn(plots.overview, history_of((1.0, [1.0, 0.0], [0, 0]), (1.0, [10.0, np.nan], [0, 0])))
    np.testing.assert_equal(cells(ax), [[0.0, 1.0], [np.nan, np.nan]])
    assert ax.get_xlabel() == "step (grey: 0, missing or not finite)"
    assert drawn(plots.overview, history_of((1.0, [1.0, 1.0], [0, 0]))).get_xlabel() == "step"


def test_long_trainings_are_condensed():
    ax = drawn(plots.overview, history_of(*[(1.0, [1.0, 100.0], [0, 0])] * (2 * COLUMNS + 1)))
    assert cells(ax).shape == (2, COLUMNS)
    np.testing.assert_allclose(cells(ax)[1], 2.0)


def test_an_overview_without_any_size_can_be_drawn():
    ax = drawn(plots.overview, history_of((1.0, [np.nan, 0.0], [0, 0])))
    ax.figure.canvas.draw()


def test_another_size():
    with pytest.raises(ValueError, match="of is 'loss': 'gradient', 'ratio' or 'norm'"):
        drawn(plots.overview, history_of(), "loss")


@pytest.mark.parametrize("gradient", [[0.0, 0.0], [np.nan, np.nan]])
def test_a_flow_without_any_gradient_says_so_in_each_row(gradient):
    assert len(words(drawn(plots.flow, history_of((1.0, gradient, [0, 0]))))) == 2


@pytest.mark.parametrize("plot", [plots.loss, plots.ratio, plots.dead, plots.flow, plots.overview])
def test_nothing_to_draw_is_said(plot):
    ax = drawn(plot, History(["a"], [()]))
    assert "was recorded" in words(ax)[0]
    assert list(ax.lines) == []
