"""The handle: one replay, many views, and nothing of the graph is changed."""

import json
import re

import numpy as np
import pytest
from hypothesis import given, settings

from tests.viz.graphs import graphs
from tinygrad_edu import Value, viz


def product():
    """The pass of (w * 2)^2 at 3, and w."""
    w = Value(3.0, name="w")
    loss = (w * 2.0) ** 2
    loss.backward()
    return viz.trace(loss), w


def test_the_paths_to_any_value_on_the_way_not_only_to_variables():
    x = Value(2.0, name="x")
    y = x * 3.0
    y.name = "y"
    found = viz.trace(y * y).paths(y)
    assert (found.to, found.count, found.gradient, found.rest) == (y, 2, 12.0, 0.0)
    assert [path.product for path in found.listed] == [6.0, 6.0]


def test_json_holds_the_numbers_as_text():
    x = Value(2.0, name="x")
    plain = json.loads(viz.trace(x * x, lr=0.5).json())
    assert plain["leaves"][0]["gradient"] == "4"
    assert plain["update"][0]["numbers"] == "2 - 0.5 * 4 = 0"


def test_names_reach_every_view():
    x = Value(2.0)
    t = viz.trace(x * 3.0, names={"input": x})
    assert t.story.replay.names[t.story.leaves[0].node] == "input"
    assert "input" in t.draw().source


def test_the_replay_is_made_once():
    t = viz.trace(Value(2.0) * 3.0)
    assert t.story is t.story
    assert t.replay is t.story.replay


@pytest.mark.parametrize(("wrong", "error"), [(3.0, TypeError), (Value([1.0, 2.0]) * 2.0, ValueError)])
def test_what_has_no_backward_pass_is_refused(wrong, error):
    with pytest.raises(error):
        viz.trace(wrong)


FILES = {
    "html": b"<!DOCTYPE html>",
    "json": b'{"diagram"',
    "txt": b"pow_1 = ^2",
    "dot": b"digraph",
    "svg": b"<?xml",
    "png": b"\x89PNG",
    "gif": b"GIF89a",
}


@pytest.mark.parametrize("ending", FILES)
def test_the_ending_says_how_a_pass_is_saved(ending, tmp_path):
    for module in {"svg": ["pygraphviz"], "png": ["pygraphviz"], "gif": ["pygraphviz", "PIL"]}.get(ending, []):
        pytest.importorskip(module)
    t, _ = product()
    t.save(tmp_path / f"pass.{ending}")
    assert [path.name for path in tmp_path.iterdir()] == [f"pass.{ending}"]
    assert (tmp_path / f"pass.{ending}").read_bytes().startswith(FILES[ending])


def test_an_svg_moves_if_it_is_asked_to(tmp_path):
    pytest.importorskip("pygraphviz")
    t, _ = product()
    t.save(tmp_path / "still.svg")
    t.save(tmp_path / "moving.svg", animate=True)
    assert "@keyframes" not in (tmp_path / "still.svg").read_text(encoding="utf-8")
    assert "@keyframes" in (tmp_path / "moving.svg").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("name", "animate", "error", "message"),
    [
        ("x.bmp", False, ValueError, r"the formats are \.svg, .*\.html"),
        ("x.png", True, ValueError, r"'x\.png' cannot move: .*write \.svg, \.gif or \.html"),
        ("missing/x.html", False, FileNotFoundError, "create the folder"),
    ],
)
def test_what_cannot_be_saved_is_refused_and_nothing_is_written(name, animate, error, message, tmp_path):
    with pytest.raises(error, match=message):
        product()[0].save(tmp_path / name, animate=animate)
    assert list(tmp_path.iterdir()) == []


def test_a_failure_leaves_the_old_file_alone(tmp_path, monkeypatch):
    (tmp_path / "x.json").write_text("old", encoding="utf-8")
    t, _ = product()
    monkeypatch.setattr(t, "json", lambda: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        t.save(tmp_path / "x.json")
    assert (tmp_path / "x.json").read_text(encoding="utf-8") == "old"


def test_the_text_is_the_tree_and_then_every_step():
    t, w = product()
    tree, ledger = t.text().split("\n\n")
    assert tree.splitlines()[0].startswith("pow_1 = ^2: data 36")
    assert ledger.splitlines()[-1].strip().startswith("2 dmul_1_dw = 2 | 12 * 2 = 24 | w.grad: 0 += 24 -> 24")
    assert "<== wanted path" in t.text(w)
    assert t.text(w).count("dpow_1_dw = 24") == 1


@given(graphs(size=4))
@settings(max_examples=20)
def test_no_view_changes_a_gradient(made):
    loss, leaves = made
    loss.backward()
    before = [None if leaf.grad is None else leaf.grad.copy() for leaf in leaves]
    t = viz.trace(loss)
    for view in (t.json, t.text, lambda: t.draw().source, lambda: str(t)):
        view()
    for leaf, grad in zip(leaves, before, strict=True):
        np.testing.assert_array_equal(leaf.grad, grad)


def test_a_notebook_shows_the_explorer():
    bundle = product()[0]._repr_mimebundle_()
    assert re.search(r"<iframe[^>]*sandbox", bundle["text/html"])
    assert "pow_1" in bundle["text/plain"]


@pytest.mark.parametrize("view", ["paths", "text", "draw"])
def test_paths_to_what_is_not_behind_the_result_are_refused(view):
    ask = getattr(viz.trace(Value(2.0, name="x") * 3.0), view)
    with pytest.raises(ValueError, match=r"the result was not computed from other: no path leads"):
        ask(Value(1.0, name="other"))
    with pytest.raises(TypeError, match=r"the Value to draw the paths from, such as a weight; got float"):
        ask(1.0)


def test_another_mode_is_refused():
    with pytest.raises(ValueError, match=r"mode is 'sideways': 'forward' or 'backward'"):
        product()[0].draw(mode="sideways")
