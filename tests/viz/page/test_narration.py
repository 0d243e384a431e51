"""What a page tells, in words, of a few graphs and of random ones."""

import json

import numpy as np
from hypothesis import given

from tests.viz.graphs import as_text, graphs
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


@given(graphs())
def test_a_page_tells_what_the_pass_holds(made):
    loss, _ = made
    loss.backward()
    told = viz.trace(loss)
    story, data = as_text(told), narrated(told.story)
    steps = {name: unpacked(phase["steps"]) for name, phase in data["phases"].items()}
    every_step_has_a_sentence_and_every_field_of_the_page_exists(story, data, steps)
    who_waits_are_those_with_some_but_not_all_consumers_done(story, steps["backward"])
    the_sum_of_a_leaf_names_all_of_its_terms(story, unpacked(data["leaves"]))


def every_step_has_a_sentence_and_every_field_of_the_page_exists(story, data, steps):
    assert [len(steps[name]) for name in data["phases"]] == [len(getattr(story, name)) for name in data["phases"]]
    for name, phase in data["phases"].items():
        fields = {field for _, field in (*phase["card"], *phase["columns"])}
        assert fields <= set(phase["steps"]["fields"])
        assert all(
            step["say"].endswith(".") and isinstance(step[field], str) for step in steps[name] for field in fields
        )
        assert phase["more"] == ""
    assert json.loads(json.dumps(data))["root"] == story.diagram.boxes[-1].name


def who_waits_are_those_with_some_but_not_all_consumers_done(story, backward):
    open_sums = {}
    for step, shown in zip(story.backward, backward, strict=True):
        open_sums[step.operand] = f"{step.operand_name} ({step.done} of {step.total})"
        if step.done == step.total:
            del open_sums[step.operand]
        assert shown["waiting"] == listed(list(open_sums.values()))
        assert (
            shown["accumulation"] == f"{step.operand_name}.grad: {step.before} += {step.contribution} -> {step.after}"
        )
        assert ("waits" in shown["progress"]) == (step.done < step.total)
    assert backward[-1]["waiting"] == ""


def the_sum_of_a_leaf_names_all_of_its_terms(story, leaves):
    for leaf, shown in zip(story.leaves, leaves, strict=True):
        terms = [f"{route.product} ({k})" for k, route in enumerate(leaf.routes, 1)]
        assert shown["sum"].startswith(leaf.derivative)
        assert shown["sum"].endswith(f" = {leaf.gradient}")
        assert all(term in shown["sum"] for term in terms) or leaf.count == "1"
        assert shown["key"] == leaf.box
