"""The overview: every cell is the power of ten of its size; what has none is grey."""

import numpy as np
import pytest
from matplotlib.figure import Figure

from tests.viz.trainings import history_of, trained
from tinygrad_edu.viz.training.heatmap import COLUMNS, overview
from tinygrad_edu.viz.training.history import History


def drawn(history, *of):
    ax = Figure().subplots()
    overview(history, *of, ax=ax)
    return ax


def cells(ax):
    return np.ma.filled(ax.collections[0].get_array(), np.nan)


@pytest.mark.parametrize("of", ["gradient", "ratio", "norm"])
def test_cells_are_powers_of_ten(of):
    w = trained()
    table = {"gradient": w.history.mean_gradients, "ratio": w.history.ratios, "norm": w.history.norms}[of]
    ax = drawn(w.history, of)
    with np.errstate(divide="ignore"):
        powers = np.log10(table.T)
    np.testing.assert_allclose(cells(ax), np.where(np.isfinite(powers), powers, np.nan))
    assert [label.get_text() for label in ax.get_yticklabels()] == w.history.names
    assert ax.figure.axes[1].get_ylabel().startswith("log10 of ")


def test_what_has_no_power_is_said_to_be_grey():
    ax = drawn(history_of((1.0, [1.0, 0.0], [0, 0]), (1.0, [10.0, np.nan], [0, 0])))
    np.testing.assert_equal(cells(ax), [[0.0, 1.0], [np.nan, np.nan]])
    assert ax.get_xlabel() == "step (grey: 0, missing or not finite)"
    assert drawn(history_of((1.0, [1.0, 1.0], [0, 0]))).get_xlabel() == "step"


def test_long_trainings_are_condensed():
    ax = drawn(history_of(*[(1.0, [1.0, 100.0], [0, 0])] * (2 * COLUMNS + 1)))
    assert cells(ax).shape == (2, COLUMNS)
    np.testing.assert_allclose(cells(ax)[1], 2.0)


def test_nothing_at_all():
    ax = drawn(history_of((1.0, [np.nan, 0.0], [0, 0])))
    ax.figure.canvas.draw()
    assert [text.get_text() for text in drawn(History(["a"], [()])).texts] == ["no step was recorded"]


def test_another_size():
    with pytest.raises(ValueError, match="of is 'loss': 'gradient', 'ratio' or 'norm'"):
        drawn(history_of(), "loss")
