"""Axes given or new; names that hold formulas, controls, or too much; matplotlib missing."""

import sys
from io import BytesIO

import numpy as np
import pytest
from matplotlib import pyplot as plt
from matplotlib.figure import Figure

from tests.viz.trainings import trained
from tinygrad_edu.viz.saving import DrawingError
from tinygrad_edu.viz.training import plots as module

PICTURES = ("loss", "ratio", "dead", "flow", "overview", "hist")


@pytest.fixture(scope="module")
def w():
    return trained()


def test_given_axes_are_used_and_no_figure_is_made(w):
    before = plt.get_fignums()
    figure = Figure()
    ax = figure.subplots()
    assert module.axes(ax) == (figure, ax)
    for name in PICTURES:
        options = {"parameter": "w0"} if name == "hist" else {}
        assert getattr(w, name)(ax=figure.add_subplot(), **options) is figure
    assert plt.get_fignums() == before


def test_a_new_figure_is_known_to_pyplot(w):
    for name in PICTURES:
        assert getattr(w, name)() is plt.gcf()


def test_without_matplotlib_the_remedy_is_named_and_the_words_are_there(w, monkeypatch, tmp_path):
    for missing in ("matplotlib", "matplotlib.backends.backend_agg"):
        monkeypatch.setitem(sys.modules, missing, None)
    for name in PICTURES:
        with pytest.raises(DrawingError, match=r'no matplotlib found: pip install "tinygrad_edu\[viz\]"'):
            getattr(w, name)()
    with pytest.raises(DrawingError, match="no matplotlib found"):
        w.boundary(np.eye(2), [0, 1])
    with pytest.raises(DrawingError, match="no matplotlib found"):
        w.animate(tmp_path / "a.gif")
    assert "8 steps" in str(w)


def test_names_are_no_formulas_and_are_kept_short():
    figure = Figure()
    ax = figure.subplots()
    names = ["$x^$", "_hidden", "a\nb‮", "n" * 100_000]
    lines = [ax.plot([0, 1])[0] for _ in names]
    module.name_lines(ax, lines, names)
    texts = ax.get_legend().get_texts()
    expected = ["$x^$", "_hidden", "a b", "n" * 25 + "..."]
    assert [text.get_text() for text in texts] == expected
    module.row_axes(ax, names, 6.0)
    assert [label.get_text() for label in ax.get_yticklabels()] == expected
    figure.savefig(BytesIO())  # "$x^$" as a formula would be an error


def test_of_very_many_rows_some_are_named():
    ax = Figure().subplots()
    module.row_axes(ax, [f"p{i}" for i in range(100)], 6.0)
    labels = [label.get_text() for label in ax.get_yticklabels()]
    assert labels == [f"p{i}" for i in range(0, 100, 3)]
    assert ax.get_ylim() == (99.5, -0.5)


def test_steps_are_whole_numbers():
    ax = Figure().subplots()
    module.count_steps(ax, 3)
    assert ax.get_xlim() == (-0.5, 2.5)
    assert all(tick == round(tick) for tick in ax.get_xticks())
