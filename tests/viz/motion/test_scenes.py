"""The scenes of a story in words, and a long story in about sixty of them; of random graphs too."""

import numpy as np
import pytest

from tinygrad_edu import Value, viz
from tinygrad_edu.viz.motion.scenes import scenes


def told(loss, names=None):
    return viz.trace(loss, names=names).story


def shared():
    """A weight that is used twice: its gradient grows from 0.29 to 0.7165 in the drawing of the same name."""
    w = Value(3.0, name="w")
    return (w * 2.0) * w


def chain(length):
    x = Value(0.5, name="x")
    for _ in range(length):
        x = np.sin(x)
    return x


def test_a_sum_in_the_making_is_shown_as_one():
    story = told(shared())
    grads = [text for scene in scenes(story) for box, text in scene.grads if box == "v1"]
    assert grads == ["6 + ...", "12"]
    lines = [line for scene in scenes(story) for line in scene.lines if line.startswith("w.grad")]
    assert lines == ["w.grad: 0 += 6 -> 6 (1 of 2)", "w.grad: 6 += 6 -> 12 (2 of 2)"]


def test_the_sentence_of_a_step_backward():
    x = Value(0.871, name="prediction")
    sub_1 = x - 0.0
    backward = [s for s in scenes(told(np.square(sub_1), {"sub_1": sub_1})) if s.phase == "backward"]
    assert backward[0].lines == ("dsquare_1_dsquare_1 = 1", "square_1.grad = 1")
    assert backward[1].heading == "backward 1 of 2"
    assert backward[1].lines == (
        "dsquare_1_dsub_1 = 2 * sub_1 = 1.742", "1 * 1.742 = 1.742", "sub_1.grad: 0 += 1.742 -> 1.742",
    )  # fmt: skip


def test_a_jacobian_is_told_by_its_shape_and_what_it_passes_is_said_once():
    w = Value(np.ones((3, 4)), name="w")
    step = scenes(told((np.ones((2, 3)) @ w).sum()))[-2]
    assert step.lines[0].endswith("(3, 2)")
    assert len(step.lines) == 2


def test_the_update_is_the_last_scene():
    last = scenes(told(shared()))[-1]
    assert (last.phase, last.lines) == ("update", ("w <- 3 - 0.1 * 12 = 1.8",))
    assert last.parts == ("v1",)


@pytest.mark.parametrize("length", [56, 200, 2_100, 20_000])
def test_long_stories_have_about_sixty_scenes_and_leave_out_no_step(length):
    story = told(chain(length))
    cut = scenes(story)
    assert len(cut) <= 60
    shown = {part for scene in cut if scene.phase == "backward" for part in scene.parts}
    boxes = {story.diagram.box(step.edge.operand) for step in story.backward}
    assert {box for box in boxes if box} <= shown
    headings = [scene.heading for scene in cut if scene.phase == "forward"]
    assert headings[0].startswith("forward 1 to ")
    assert headings[-1].endswith(f"{len(story.forward):,} of {len(story.forward):,}")
    assert max(len(scene.lines) for scene in cut) <= 7


def test_a_variable_alone_is_a_story():
    cut = scenes(told(Value(3.0, name="w")))
    assert [scene.phase for scene in cut] == ["given", "update"]
