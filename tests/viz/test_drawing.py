"""A drawing: files in four formats, a picture in notebooks, a tree in terminals, and no Graphviz is no disaster."""

import sys
import xml.etree.ElementTree as ET

import numpy as np
import pytest

from tinygrad_edu import Value, viz
from tinygrad_edu.viz.picture import graphviz


@pytest.fixture
def neither(monkeypatch):
    """A machine without Graphviz."""
    monkeypatch.setenv("PATH", "")
    monkeypatch.setitem(sys.modules, "pygraphviz", None)


def product():
    x = Value(2.0, name="x")
    return x * x, x


@pytest.mark.parametrize(
    ("ending", "start"), [(".svg", b"<?xml"), (".PNG", b"\x89PNG"), (".pdf", b"%PDF"), (".dot", b"digraph")]
)
def test_files(ending, start, tmp_path):
    pytest.importorskip("pygraphviz")
    path = tmp_path / f"x{ending}"
    viz.draw(product()[0]).save(path)
    assert path.read_bytes().startswith(start)
    viz.draw(product()[0]).save(str(path))


@pytest.mark.parametrize("name", ["x.jpg", "x", "x.svg.exe"])
def test_another_ending_is_refused_with_the_formats(name, tmp_path):
    with pytest.raises(ValueError, match=r"the formats are \.svg, \.png, \.pdf, \.dot"):
        viz.draw(product()[0]).save(tmp_path / name)
    assert list(tmp_path.iterdir()) == []


def test_a_missing_folder_is_named(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"create the folder .*missing.* first"):
        viz.draw(product()[0]).save(tmp_path / "missing" / "x.svg")


def test_without_graphviz_there_is_the_tree_and_the_dot_text(neither, tmp_path):
    drawing = viz.draw(product()[0])
    with pytest.raises(viz.DrawingError, match=r'pip install "tinygrad_edu\[viz\]"'):
        drawing.save(tmp_path / "x.svg")
    assert list(tmp_path.iterdir()) == []
    drawing.save(tmp_path / "x.dot")
    assert (tmp_path / "x.dot").read_text(encoding="utf-8") == drawing.source
    assert "mul_1 = *" in str(drawing)
    shown = drawing._repr_mimebundle_()
    assert set(shown) == {"text/plain"}
    assert shown["text/plain"].startswith("no Graphviz found")
    assert str(drawing) in shown["text/plain"]
    assert drawing._repr_svg_() is None


def test_notebooks_get_the_picture_and_the_tree():
    pytest.importorskip("pygraphviz")
    root, x = product()
    drawing = viz.draw(root, to=x)
    shown = drawing._repr_mimebundle_()
    picture = ET.fromstring(shown["image/svg+xml"])
    assert picture.get("aria-label").startswith("dmul_1_dx = 2 (1) + 2 (2) = 4")
    assert shown["text/plain"] == str(drawing) == repr(drawing)
    assert drawing._repr_svg_() == shown["image/svg+xml"]


def test_when_time_is_up_the_folded_graph_is_drawn(monkeypatch):
    sources = []

    def slow(source, form, seconds=0.0):
        sources.append(source)
        if len(sources) == 1:
            raise graphviz.LayoutTimeout("too slow")
        return b"<svg></svg>"

    monkeypatch.setattr(graphviz, "render", slow)
    x = Value(0.5)
    for _ in range(700):
        x = np.sin(x)
    assert viz.draw(x).laid_out("svg") == b"<svg></svg>"
    assert len(sources[1]) < len(sources[0]) / 10


def test_when_time_is_up_for_a_small_graph_that_is_the_error(monkeypatch):
    def slow(source, form, seconds=0.0):
        raise graphviz.LayoutTimeout("too slow")

    monkeypatch.setattr(graphviz, "render", slow)
    with pytest.raises(graphviz.LayoutTimeout):
        viz.draw(product()[0]).laid_out("svg")


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"mode": "sideways"}, ValueError, "'forward' or 'backward'"),
        ({"level": "atom"}, ValueError, "'module', 'tensor' or 'scalar'"),
        ({"to": 3.0}, TypeError, "such as a weight; got float"),
        ({"to": Value(1.0, name="other")}, ValueError, "was not computed from other"),
    ],
)
def test_mistakes_are_explained(options, error, message):
    with pytest.raises(error, match=message):
        viz.draw(product()[0], **options)


def test_mistakes_about_the_result():
    x = Value([1.0, 2.0], name="x")
    with pytest.raises(TypeError, match="constants only"):
        viz.draw(3.0)
    with pytest.raises(ValueError, match=r"shape \(2,\)"):
        viz.draw(x * 2.0, to=x)
    with pytest.raises(ValueError, match="leave out one of them"):
        viz.draw((x * 2.0).sum(), to=x, level="scalar")
    assert "data [2, 4]" in str(viz.draw(x * 2.0))


def test_fifty_thousand_values_draw_and_print(tmp_path):
    pytest.importorskip("pygraphviz")
    x = Value(0.5)
    for _ in range(50_000):
        x = np.sin(x)
    drawing = viz.draw(x)
    drawing.save(tmp_path / "x.svg")
    assert "x49,999" in (tmp_path / "x.svg").read_text(encoding="utf-8")
    assert len(str(drawing)) < 1_000


def test_three_hundred_squarings_are_no_explosion():
    x = y = Value(1.0, name="x")
    for _ in range(300):
        y = y * y
    source = viz.draw(y, to=x).source
    assert "about 10^90 more paths" in source
    assert len(source) < 100_000
