"""The story of a pass in words and numbers; `test_story.py` compares those of random graphs with the engine."""

import numpy as np
import pytest

from tinygrad_edu import Value, sigmoid
from tinygrad_edu.viz import wording
from tinygrad_edu.viz.teller import Teller, expression
from tinygrad_edu.viz.tracer import Tracer


def told(loss, lr=0.1, names=None):
    return Teller(Tracer(loss, None, names), lr).story()


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
