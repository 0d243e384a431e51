"""Histograms: lines of few entries, histograms of many, gradients by their powers of ten."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from matplotlib import pyplot as plt
from matplotlib.figure import Figure

from tests.viz.trainings import trained
from tinygrad_edu import Value
from tinygrad_edu.viz.training.histograms import BINS, FEW, PANELS, density, edges, hist
from tinygrad_edu.viz.training.history import History
from tinygrad_edu.viz.training.watch import watch

numbers = st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=30).map(np.array)


@pytest.fixture(autouse=True)
def no_figure_is_left():
    yield
    plt.close("all")


@pytest.fixture(scope="module")
def w():
    return trained(width=FEW)


def drawn(history, *args):
    ax = Figure().subplots()
    hist(history, *args, ax=ax)
    return ax


@given(numbers)
def test_every_entry_is_in_a_bin(entries):
    bins = edges(entries)
    counts, _ = np.histogram(entries, bins)
    assert counts.sum() == entries.size
    assert density(entries, bins).tolist() == (counts / counts.max()).tolist()


def test_what_is_not_finite_is_left_out():
    entries = np.array([1.0, np.nan, np.inf, 3.0])
    bins = edges(entries)
    assert 0.5 < bins[0] < 1.0 < 3.0 < bins[-1] < 3.5
    assert density(entries, bins).sum() == 2.0
    assert density(np.full(3, np.nan), bins).sum() == 0.0


def test_few_entries_are_lines(w):
    ax = drawn(w.history, "b0")
    kept = np.array([w.history.parts(snapshot.data)[1] for snapshot in w.history.snapshots])
    np.testing.assert_equal(np.array([line.get_ydata() for line in ax.lines]).T, kept)
    assert ax.lines[0].get_xdata().tolist() == list(range(8))
    assert ax.get_ylabel() == "entries"


def test_many_entries_are_histograms(w):
    ax = drawn(w.history, "w0")
    (mesh,) = ax.collections
    assert mesh.get_array().shape == (BINS, 8)
    assert np.ma.filled(mesh.get_array(), 0.0).max(axis=0).tolist() == [1.0] * 8
    assert ax.figure.axes[1].get_ylabel() == "entries, relative to the fullest bin"


def test_gradients_are_powers_of_ten(w):
    ax = drawn(w.history, "b1", "gradient")
    kept = np.array([w.history.parts(snapshot.gradient)[3] for snapshot in w.history.snapshots])
    np.testing.assert_allclose(ax.lines[0].get_ydata(), np.log10(np.abs(kept[:, 0])))
    assert ax.get_ylabel() == "log10 of |gradient|"


def test_all_parameters_have_their_panels_and_share_one_scale(w):
    figure = hist(w.history)
    assert [ax.get_title() for ax in figure.axes if ax.get_title()] == w.history.names
    assert len(figure.axes) == 4 + 1
    assert figure.get_supylabel() == "entries"


def test_of_very_many_parameters_the_first_have_panels():
    with watch({f"p{i}": Value(1.0) for i in range(PANELS + 3)}) as w:
        pass
    figure = hist(w.history)
    assert len(figure.axes) == PANELS
    assert figure.get_supylabel() == "entries (3 more parameters)"


def test_one_parameter_needs_no_name():
    v = Value(np.ones(3), name="v")
    with watch(v) as w:
        (v * v).sum().backward()
        v.data = v.data - 0.1
    assert drawn(w.history).get_title() == "v"
    assert hist(w.history).axes[0].get_title() == "v"


def test_nothing_to_draw_is_said():
    history = History(["a", "b"], [(), (2,)])
    history.add(1.0, 1, np.full(3, np.inf), np.array([np.nan, 0.0, 0.0]), np.ones(3))
    for of, said in (("data", "no finite number"), ("gradient", "no gradient")):
        assert [text.get_text() for text in drawn(history, "b", of).texts] == [said]
    assert [text.get_text() for text in drawn(History(["a"], [()])).texts] == ["no finite number"]


def test_questions_that_cannot_be_answered(w):
    with pytest.raises(ValueError, match="of is 'loss': 'data' or 'gradient'"):
        hist(w.history, of="loss")
    with pytest.raises(ValueError, match="ax= holds one parameter: name one of w0, b0, w1, b1"):
        hist(w.history, ax=Figure().subplots())
    with pytest.raises(ValueError, match="there is no parameter 'w9': name one of w0, b0, w1, b1"):
        hist(w.history, "w9")
