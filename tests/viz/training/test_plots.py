"""Plots hold the numbers of the history, by what matplotlib was given; what has no place in them is said."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from matplotlib.figure import Figure

from tests.viz.trainings import history_of, trained
from tinygrad_edu import Value
from tinygrad_edu.viz.training.history import History
from tinygrad_edu.viz.training.plots import BINS, COLUMNS, FEW, GUIDE, PANELS, POINTS, Plots, density, edges
from tinygrad_edu.viz.training.watch import watch


def drawn(plot, history, *of):
    ax = Figure().subplots()
    getattr(Plots(history), plot)(*of, ax=ax)
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
    ax = drawn("loss", steady(3.0, 2.0, 1.0))
    (line,) = ax.lines
    assert line.get_xdata().tolist() == [0, 1, 2]
    assert line.get_ydata().tolist() == [3.0, 2.0, 1.0]
    assert (ax.get_xlabel(), ax.get_ylabel(), ax.get_yscale()) == ("step", "loss", "linear")


@pytest.mark.parametrize(
    ("losses", "scale"),
    [([100.0, 1.0], "log"), ([10.0, 1.0], "linear"), ([100.0, 0.0], "linear"), ([100.0, np.nan, 1.0], "log")],
)
def test_a_loss_over_decades_has_a_logarithmic_axis(losses, scale):
    assert drawn("loss", steady(*losses)).get_yscale() == scale


@pytest.mark.parametrize(("losses", "first"), [([1.0, np.nan, 1.0], 1), ([np.inf], 0), ([1.0] * 5 + [-np.inf], 5)])
def test_the_first_loss_that_is_not_finite_is_marked(losses, first):
    ax = drawn("loss", steady(*losses))
    assert ax.lines[-1].get_xdata()[0] == first
    assert words(ax) == [f"not finite: step {first}"]


def test_of_many_steps_the_mean_is_drawn_over_the_pale_line():
    losses = np.random.default_rng(0).uniform(1.0, 2.0, 3 * POINTS)
    pale, mean = drawn("loss", steady(*losses)).lines
    assert pale.get_ydata().tolist() == losses.tolist()
    assert pale.get_alpha() < 1
    assert len(mean.get_ydata()) == POINTS // 2
    assert mean.get_ydata().mean() == pytest.approx(losses.mean())


def test_the_ratio_is_a_power_of_ten_beside_the_guide_line():
    ax = drawn("ratio", steady(1.0, 1.0))
    a, b, guide = ax.lines
    np.testing.assert_allclose(a.get_ydata(), [-1, -1])
    np.testing.assert_allclose(b.get_ydata(), [-2, -2])
    assert guide.get_ydata() == [GUIDE, GUIDE]
    assert words(ax) == ["1e-3"]
    assert legend(ax) == ["a", "b"]


def test_weights_are_solid_and_biases_dashed():
    w = trained()
    ax = drawn("ratio", w.history)
    assert [line.get_linestyle() for line in ax.lines[:4]] == ["-", "--", "-", "--"]
    assert np.isnan(ax.lines[1].get_ydata()[0])  # a bias of 0 has no ratio


def test_curves_are_thinned():
    ax = drawn("ratio", steady(*[1.0] * (5 * POINTS)))
    assert len(ax.lines[0].get_ydata()) == POINTS


def test_dead_units_in_percent():
    history = steady(1.0, 1.0)
    history.dead = {"relu": (4, [0.0, 1.0]), "relu 2": (2, [2.0, np.nan])}
    ax = drawn("dead", history)
    assert ax.lines[0].get_ydata().tolist() == [0.0, 25.0]
    np.testing.assert_equal(ax.lines[1].get_ydata(), [100.0, np.nan])
    assert legend(ax) == ["relu (4 units)", "relu 2 (2 units)"]


def points(ax):
    return {line.get_label(): (line.get_xdata().tolist(), line.get_ydata().tolist()) for line in ax.lines}


HISTORY = history_of((1.0, [1.0, 0.01], [0, 0]), (1.0, [3.0, 0.02], [0, 0]), (1.0, [2.0, 0.5], [0, 0]))


def test_the_flow_shows_the_medians_of_all_steps():
    ax = drawn("flow", HISTORY)
    assert points(ax) == {"mean |gradient|": ([2.0, 0.02], [0, 1]), "largest |gradient|": ([2.0, 0.02], [0, 1])}
    assert ax.get_xlabel() == "|gradient|, median of 3 steps"
    assert ax.get_xscale() == "log"


def test_or_that_of_one_step():
    ax = drawn("flow", HISTORY, 1)
    assert points(ax)["mean |gradient|"] == ([3.0, 0.02], [0, 1])
    assert ax.get_xlabel() == "|gradient|, step 1"


@pytest.mark.parametrize("step", [-1, 3])
def test_a_step_that_was_not_recorded(step):
    with pytest.raises(ValueError, match=f"step {step} was not recorded: there are 3, counted from 0"):
        Plots(HISTORY).flow(step)


def test_mean_and_largest_differ_and_the_first_layer_is_on_top():
    w = trained(depth=3)
    ax = drawn("flow", w.history, 0)
    (means, rows), (largest, _) = points(ax).values()
    assert means == w.history.mean_gradients[0].tolist()
    assert largest == w.history.max_gradients[0].tolist()
    assert rows == list(range(6))
    assert row_names(ax) == w.history.names
    assert ax.get_ylim()[0] > ax.get_ylim()[1]


def test_what_has_no_place_is_said():
    history = history_of((1.0, [1.0, 0.0, np.nan, np.inf], [0] * 4), names="abcd")
    ax = drawn("flow", history)
    assert points(ax)["mean |gradient|"] == ([1.0], [0])
    assert words(ax) == ["gradient 0", "no gradient", "not finite"]


def test_the_axis_spans_whole_decades():
    low, high = drawn("flow", HISTORY).get_xlim()
    assert low < 0.01 <= 0.02
    assert 2.0 < 10.0 < high


def cells(ax):
    return np.ma.filled(ax.collections[0].get_array(), np.nan)


@pytest.mark.parametrize("of", ["gradient", "ratio", "norm"])
def test_cells_of_the_overview_are_powers_of_ten(of):
    w = trained()
    table = {"gradient": w.history.mean_gradients, "ratio": w.history.ratios, "norm": w.history.norms}[of]
    ax = drawn("overview", w.history, of)
    with np.errstate(divide="ignore"):
        powers = np.log10(table.T)
    np.testing.assert_allclose(cells(ax), np.where(np.isfinite(powers), powers, np.nan))
    assert row_names(ax) == w.history.names
    assert ax.figure.axes[1].get_ylabel().startswith("log10 of ")


def test_what_has_no_power_is_said_to_be_grey():
    ax = drawn("overview", history_of((1.0, [1.0, 0.0], [0, 0]), (1.0, [10.0, np.nan], [0, 0])))
    np.testing.assert_equal(cells(ax), [[0.0, 1.0], [np.nan, np.nan]])
    assert ax.get_xlabel() == "step (grey: 0, missing or not finite)"
    assert drawn("overview", history_of((1.0, [1.0, 1.0], [0, 0]))).get_xlabel() == "step"


def test_long_trainings_are_condensed():
    ax = drawn("overview", history_of(*[(1.0, [1.0, 100.0], [0, 0])] * (2 * COLUMNS + 1)))
    assert cells(ax).shape == (2, COLUMNS)
    np.testing.assert_allclose(cells(ax)[1], 2.0)


def test_an_overview_without_any_size_can_be_drawn():
    ax = drawn("overview", history_of((1.0, [np.nan, 0.0], [0, 0])))
    ax.figure.canvas.draw()
    assert np.all(np.isnan(cells(ax)))


def test_another_size():
    with pytest.raises(ValueError, match="of is 'loss': 'gradient', 'ratio' or 'norm'"):
        drawn("overview", history_of(), "loss")


@pytest.mark.parametrize("gradient", [[0.0, 0.0], [np.nan, np.nan]])
def test_a_flow_without_any_gradient_says_so_in_each_row(gradient):
    assert len(words(drawn("flow", history_of((1.0, gradient, [0, 0]))))) == 2


@pytest.mark.parametrize("plot", ["loss", "ratio", "dead", "flow", "overview"])
def test_nothing_to_draw_is_said(plot):
    ax = drawn(plot, History(["a"], [()]))
    assert "was recorded" in words(ax)[0]
    assert list(ax.lines) == []


numbers = st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=30).map(np.array)


@pytest.fixture(scope="module")
def w():
    return trained(width=FEW)


def histogram(history, parameter, of):
    ax = Figure().subplots()
    Plots(history).hist(parameter, of=of, ax=ax)
    return ax


@given(numbers)
def test_every_entry_is_in_a_bin(entries):
    bins = edges(entries)
    counts, _ = np.histogram(entries, bins)
    assert counts.sum() == entries.size
    assert density(entries, bins).tolist() == (counts / counts.max()).tolist()


def test_what_is_not_finite_is_in_no_bin():
    entries = np.array([1.0, np.nan, np.inf, 3.0])
    bins = edges(entries)
    assert 0.5 < bins[0] < 1.0 < 3.0 < bins[-1] < 3.5
    assert density(entries, bins).sum() == 2.0
    assert density(np.full(3, np.nan), bins).sum() == 0.0


def test_few_entries_are_lines(w):
    ax = drawn("hist", w.history, "b0")
    kept = np.array([w.history.parts(snapshot.data)[1] for snapshot in w.history.snapshots])
    np.testing.assert_equal(np.array([line.get_ydata() for line in ax.lines]).T, kept)
    assert ax.lines[0].get_xdata().tolist() == list(range(8))
    assert ax.get_ylabel() == "entries"


def test_many_entries_are_histograms(w):
    ax = drawn("hist", w.history, "w0")
    (mesh,) = ax.collections
    assert mesh.get_array().shape == (BINS, 8)
    assert np.ma.filled(mesh.get_array(), 0.0).max(axis=0).tolist() == [1.0] * 8
    assert ax.figure.axes[1].get_ylabel() == "entries, relative to the fullest bin"


def test_gradients_are_powers_of_ten(w):
    ax = histogram(w.history, "b1", "gradient")
    kept = np.array([w.history.parts(snapshot.gradient)[3] for snapshot in w.history.snapshots])
    np.testing.assert_allclose(ax.lines[0].get_ydata(), np.log10(np.abs(kept[:, 0])))
    assert ax.get_ylabel() == "log10 of |gradient|"


def test_all_parameters_have_their_panels_and_share_one_scale(w):
    figure = Plots(w.history).hist()
    assert [ax.get_title() for ax in figure.axes if ax.get_title()] == w.history.names
    assert len(figure.axes) == 4 + 1
    assert figure.get_supylabel() == "entries"


def test_of_very_many_parameters_the_first_have_panels():
    with watch({f"p{i}": Value(1.0) for i in range(PANELS + 3)}) as w:
        pass
    figure = Plots(w.history).hist()
    assert len(figure.axes) == PANELS
    assert figure.get_supylabel() == "entries (3 more parameters)"


def test_one_parameter_needs_no_name():
    v = Value(np.ones(3), name="v")
    with watch(v) as w:
        (v * v).sum().backward()
        v.data = v.data - 0.1
    assert drawn("hist", w.history).get_title() == "v"
    assert Plots(w.history).hist().axes[0].get_title() == "v"


def test_a_histogram_of_nothing_says_so():
    history = History(["a", "b"], [(), (2,)])
    history.add(1.0, 1, np.full(3, np.inf), np.array([np.nan, 0.0, 0.0]), np.ones(3))
    for of, said in (("data", "no finite number"), ("gradient", "no gradient")):
        assert [text.get_text() for text in histogram(history, "b", of).texts] == [said]
    assert [text.get_text() for text in drawn("hist", History(["a"], [()])).texts] == ["no finite number"]


def test_questions_to_histograms_that_cannot_be_answered(w):
    with pytest.raises(ValueError, match="of is 'loss': 'data' or 'gradient'"):
        Plots(w.history).hist(of="loss")
    with pytest.raises(ValueError, match="ax= holds one parameter: name one of w0, b0, w1, b1"):
        Plots(w.history).hist(ax=Figure().subplots())
    with pytest.raises(ValueError, match="there is no parameter 'w9': name one of w0, b0, w1, b1"):
        Plots(w.history).hist("w9")
