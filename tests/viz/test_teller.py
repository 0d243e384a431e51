"""The story agrees with the engine: every step, every sum and every path ends at the gradient that `.grad` holds."""

import json

import numpy as np
import pytest
from hypothesis import given

from tests.viz.graphs import graphs
from tinygrad_edu import Value, sigmoid
from tinygrad_edu.graph import backwards
from tinygrad_edu.viz import wording
from tinygrad_edu.viz.teller import Teller, expression
from tinygrad_edu.viz.tracer import Tracer


def told(loss, lr=0.1, names=None):
    return Teller(Tracer(loss, None, names), lr).story()


@given(graphs())
def test_every_operation_is_told_once_forward_and_every_operand_once_backward(made):
    loss, _ = made
    story, nodes = told(loss), backwards(loss)
    assert len(story.forward) == sum(node.op is not None for node in nodes)
    assert len(story.backward) == sum(isinstance(arg, Value) for node in nodes for arg in node.args)
    parts = {part.id for part in (*story.trace.boxes, *story.trace.steps)}
    for step in story.backward:
        assert {step.step, step.result, step.operand} <= parts


@given(graphs())
def test_what_is_added_up_step_by_step_ends_at_the_gradient(made):
    loss, leaves = made
    story = told(loss)
    loss.backward()
    last = {step.operand: step for step in story.backward}
    assert all(step.done == step.total for step in last.values())
    held = {leaf.name: wording.array(leaf.grad) for leaf in leaves if leaf.grad is not None}
    assert {step.operand_name: step.after for step in last.values() if step.operand_name in held} == held


@given(graphs())
def test_an_operand_passes_on_only_when_all_of_its_consumers_are_done(made):
    finished = set()
    story = told(made[0])
    for step in story.backward:
        assert step.result == story.trace.boxes[-1].id or step.result in finished
        if step.done == step.total:
            finished.add(step.operand)


@given(graphs())
def test_paths_go_along_drawn_edges_and_sum_to_the_gradient(made):
    story = told(made[0])
    ends = {f"e{i}": edge for i, edge in enumerate(story.trace.edges, 1)}
    for leaf in story.leaves:
        for route in leaf.routes:
            assert route.parts[0] == story.trace.boxes[-1].id
            assert route.parts[-1] == leaf.box
            assert ends[route.parts[-2]].tail == leaf.box
        if leaf.count == "1":
            assert leaf.routes[0].product == leaf.gradient
            assert leaf.rest == ""


@given(graphs())
def test_telling_changes_no_gradient_and_is_json(made):
    loss, leaves = made
    loss.backward()
    before = [leaf.grad for leaf in leaves]
    plain = told(loss).as_dict()
    assert all(leaf.grad is grad for leaf, grad in zip(leaves, before, strict=True))
    assert json.loads(json.dumps(plain, allow_nan=False))["leaves"][0]["name"] == plain["leaves"][0]["name"]


def test_the_update_takes_a_step_against_the_gradient():
    w, b = Value([1.0, 2.0], name="w"), Value(-0.5, name="b")
    story = told((w * 3.0).sum() + b * b, lr=0.1)
    assert [(u.name, u.numbers) for u in story.update] == [
        ("w", "[1, 2] - 0.1 * [3, 3] = [0.7, 1.7]"),
        ("b", "-0.5 - 0.1 * (-1) = -0.4"),
    ]


def test_after_an_update_the_story_is_still_of_its_own_forward_pass():
    w = Value(2.0, name="w")
    loss = w * w
    w.data = np.float64(100.0)
    story = told(loss)
    assert story.forward[0].numbers == "2 * 2"
    assert story.update[0].numbers == "2 - 0.1 * 4 = 1.6"


def test_what_was_left_from_an_earlier_pass_is_told():
    w = Value(3.0, name="w")
    (w * 2.0).backward()
    loss = w * 5.0
    loss.backward()
    (leaf,) = told(loss).leaves
    assert (leaf.gradient, leaf.earlier) == ("5", "2")


def test_more_paths_than_are_listed_are_counted_and_summed():
    x = Value(1.0, name="x")
    y = x
    for _ in range(70):
        y = y + y
    (leaf,) = told(y).leaves
    assert leaf.count.startswith("about 10^21")
    assert len(leaf.routes) == 6
    assert leaf.more == leaf.count
    assert leaf.gradient == wording.number(2.0**70)
    assert leaf.rest == leaf.gradient


def test_a_step_of_the_tutorials_neuron():
    w, b = Value([0.5, -0.25], name="weights"), Value(0.1, name="bias")
    layer_1 = np.array([1.66, 1.56]) @ w + b
    prediction = sigmoid(layer_1)
    story = told(np.square(prediction), names={"layer_1": layer_1, "prediction": prediction})
    step = story.backward[1]
    assert (step.derivative, step.formula, step.local) == (
        "dprediction_dlayer_1", "prediction * (1 - prediction)", "0.2326",
    )  # fmt: skip
    assert step.contribution == "1.264 * 0.2326 = 0.294"
    assert (step.before, step.share, step.after) == ("0", "0.294", "0.294")
    assert (story.forward[1].words, story.forward[1].numbers) == ("matmul_1 + bias", "0.44 + 0.1")


@pytest.mark.parametrize(
    ("mark", "operands", "written"),
    [
        ("+", ["a", "b"], "a + b"),
        ("-", ["a", "-2"], "a - (-2)"),
        ("-", ["a"], "-a"),
        ("^2", ["a"], "a^2"),
        ("^2", ["-2"], "(-2)^2"),
        ("^", ["a", "b"], "a ^ b"),
        ("tanh", ["a"], "tanh(a)"),
        ("max", ["a", "0"], "max(a, 0)"),
        ("[]", ["a"], "a[...]"),
    ],
)
def test_expressions_are_written_as_one_writes_them(mark, operands, written):
    assert expression(mark, operands) == written
