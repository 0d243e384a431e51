"""What a page tells, in words, of a few graphs and of random ones."""

import numpy as np

from tinygrad_edu import Value, viz
from tinygrad_edu.viz.page.narration import NAMED, final_gradients, listed, narrated


def unpacked(table):
    return [dict(zip(table["fields"], row, strict=True)) for row in table["rows"]]


def told(loss, **options):
    story = viz.trace(loss, **options).story
    data = narrated(story)
    return story, data, {name: unpacked(phase["steps"]) for name, phase in data["phases"].items()}


def test_of_many_paths_the_rest_is_a_term_and_what_was_left_over_is_asked_about():
    x = y = Value(1.0, name="x")
    for _ in range(4):
        y = y + y
    y.backward()
    x.grad = x.grad + 5.0
    (leaf,) = unpacked(told(y)[1]["leaves"])
    assert leaf["rest"] == "+10 more paths = 10"
    assert leaf["sum"].endswith(" + 1 (6) + 10 (+10 more paths) = 16")
    assert leaf["earlier"] == "5 left over from an earlier backward: zero_grad?"


def test_sentences_of_a_product():
    w = Value(2.0, name="w")
    _, data, steps = told(w * w * 3.0, names={})
    assert steps["forward"][0]["say"] == "mul_1 = w * w = 2 * 2 = 4."
    assert [step["say"] for step in steps["backward"]] == [
        "mul_2 passes 3 to mul_1: 1 of 1 done, so it can pass its gradient on.",
        "mul_1 passes 6 to w: 1 of 2 done, so it waits.",
        "mul_1 passes 6 to w: 2 of 2 done, so its gradient is complete.",
    ]
    assert steps["update"][0]["say"] == "w <- 2 - 0.1 * 12 = 0.8."
    assert data["phases"]["backward"]["opening"].startswith("Backward starts at mul_2")


def test_the_table_of_the_graph_has_this_pass_gradients():
    x = Value(2.0, name="x")
    story, data, _ = told(x * 3.0)
    rows = {row["name"]: row for row in unpacked(data["boxes"])}
    assert (rows["x"]["grad"], rows["mul_1"]["grad"], rows["constant"]["grad"]) == ("3", "1", "")
    assert rows["mul_1"]["words"] == "x * 3"
    assert final_gradients(story) == {"v3": "1", "v1": "3"}


def test_large_graphs_say_what_is_left_out():
    x = Value(0.5, name="x")
    for _ in range(2_500):
        x = np.sin(x)
    story, data, steps = told(x)
    assert story.diagram.detail == "folded"
    assert len(steps["backward"]) == 2_000
    assert data["phases"]["backward"]["more"] == "... and 500 more steps, which are left out"
    assert unpacked(data["leaves"])[0]["sum"].startswith("dsin_2500_dx = ")


def test_a_variable_inside_a_folded_box_has_a_key_of_its_own():
    ws = [Value(0.5, name=f"w{i}") for i in range(40)]
    y = ws[0]
    for i in range(2_400):
        y = np.tanh(y + ws[i % 40])
    leaves = unpacked(told(y)[1]["leaves"])
    assert len({leaf["key"] for leaf in leaves}) == len(leaves)


def test_long_lists_are_cut():
    assert listed(["a", "b"]) == "a, b"
    assert listed([str(i) for i in range(NAMED + 2)]).endswith(", and 2 more")
