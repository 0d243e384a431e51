"""Curves hold the numbers of the history."""

import numpy as np
import pytest
from matplotlib.figure import Figure

from tests.viz.trainings import history_of, trained
from tinygrad_edu.viz.training import curves
from tinygrad_edu.viz.training.curves import GUIDE, POINTS
from tinygrad_edu.viz.training.history import History


def drawn(picture, history):
    ax = Figure().subplots()
    picture(history, ax)
    return ax


def words(ax):
    return " ".join(text.get_text() for text in ax.texts)


def steady(*losses):
    return history_of(*((loss, [1, 1], [0.1, 0.01]) for loss in losses))


def test_the_loss_is_drawn_step_by_step():
    ax = drawn(curves.loss, steady(3.0, 2.0, 1.0))
    (line,) = ax.lines
    assert line.get_xdata().tolist() == [0, 1, 2]
    assert line.get_ydata().tolist() == [3.0, 2.0, 1.0]
    assert (ax.get_xlabel(), ax.get_ylabel(), ax.get_yscale()) == ("step", "loss", "linear")


@pytest.mark.parametrize(
    ("losses", "scale"),
    [([100.0, 1.0], "log"), ([10.0, 1.0], "linear"), ([100.0, 0.0], "linear"), ([100.0, np.nan, 1.0], "log")],
)
def test_a_loss_over_decades_has_a_logarithmic_axis(losses, scale):
    assert drawn(curves.loss, steady(*losses)).get_yscale() == scale


@pytest.mark.parametrize(("losses", "first"), [([1.0, np.nan, 1.0], 1), ([np.inf], 0), ([1.0] * 5 + [-np.inf], 5)])
def test_the_first_loss_that_is_not_finite_is_marked(losses, first):
    ax = drawn(curves.loss, steady(*losses))
    assert ax.lines[-1].get_xdata()[0] == first
    assert words(ax) == f"not finite: step {first}"


def test_of_many_steps_the_mean_is_drawn_over_the_pale_line():
    losses = np.random.default_rng(0).uniform(1.0, 2.0, 3 * POINTS)
    pale, mean = drawn(curves.loss, steady(*losses)).lines
    assert pale.get_ydata().tolist() == losses.tolist()
    assert pale.get_alpha() < 1
    assert len(mean.get_ydata()) == POINTS // 2
    assert mean.get_ydata().mean() == pytest.approx(losses.mean())


def test_the_ratio_is_a_power_of_ten_beside_the_guide_line():
    ax = drawn(curves.ratio, steady(1.0, 1.0))
    a, b, guide = ax.lines
    np.testing.assert_allclose(a.get_ydata(), [-1, -1])
    np.testing.assert_allclose(b.get_ydata(), [-2, -2])
    assert guide.get_ydata() == [GUIDE, GUIDE]
    assert words(ax) == "1e-3"
    assert [text.get_text() for text in ax.get_legend().get_texts()] == ["a", "b"]


def test_weights_are_solid_and_biases_dashed():
    w = trained()
    ax = drawn(curves.ratio, w.history)
    assert [line.get_linestyle() for line in ax.lines[:4]] == ["-", "--", "-", "--"]
    assert np.isnan(ax.lines[1].get_ydata()[0])  # a bias of 0 has no ratio


def test_curves_are_thinned():
    ax = drawn(curves.ratio, steady(*[1.0] * (5 * POINTS)))
    assert len(ax.lines[0].get_ydata()) == POINTS


def test_dead_units_in_percent():
    history = steady(1.0, 1.0)
    history.dead = {"relu": (4, [0.0, 1.0]), "relu 2": (2, [2.0, np.nan])}
    ax = drawn(curves.dead, history)
    assert ax.lines[0].get_ydata().tolist() == [0.0, 25.0]
    np.testing.assert_equal(ax.lines[1].get_ydata(), [100.0, np.nan])
    assert [text.get_text() for text in ax.get_legend().get_texts()] == ["relu (4 units)", "relu 2 (2 units)"]


@pytest.mark.parametrize("picture", [curves.loss, curves.ratio, curves.dead])
def test_nothing_to_draw_is_said(picture):
    ax = drawn(picture, History(["a"], [()]))
    assert "was recorded" in words(ax)
    assert list(ax.lines) == []
