"""The handle: one replay, many views, and nothing of the graph is changed."""

import json

import pytest

from tinygrad_edu import Value, viz


def test_the_paths_to_any_value_on_the_way_not_only_to_variables():
    x = Value(2.0, name="x")
    y = x * 3.0
    y.name = "y"
    found = viz.trace(y * y).paths(y)
    assert (found.name, found.count, found.gradient) == ("y", "2", "12")


def test_json_holds_the_numbers_as_text():
    x = Value(2.0, name="x")
    plain = json.loads(viz.trace(x * x, lr=0.5).json())
    assert plain["leaves"][0]["gradient"] == "4"
    assert plain["update"][0]["numbers"] == "2 - 0.5 * 4 = 0"


def test_names_reach_every_view():
    x = Value(2.0)
    t = viz.trace(x * 3.0, names={"input": x})
    assert t.story.leaves[0].name == "input"
    assert "input" in t.draw().source


def test_the_replay_is_made_once():
    t = viz.trace(Value(2.0) * 3.0)
    assert t.story is t.story
    assert t.teller is t.teller


@pytest.mark.parametrize(("wrong", "error"), [(3.0, TypeError), (Value([1.0, 2.0]) * 2.0, ValueError)])
def test_what_has_no_backward_pass_is_refused(wrong, error):
    with pytest.raises(error):
        viz.trace(wrong)
