"""On the stage everything is seen when it is known, and not before."""

import numpy as np
import pytest
from hypothesis import given, settings

from tests.viz.graphs import graphs
from tinygrad_edu import Value, viz
from tinygrad_edu.viz.model.formatting import array
from tinygrad_edu.viz.motion.stage import back_arrow, lengthened
from tinygrad_edu.viz.motion.view import Mark, points

pytest.importorskip("pygraphviz")


def staged(loss, names=None):
    return viz.trace(loss, names=names).stage()


def seen(mark, k):
    return mark.opacity(k) == 1.0


def texts(stage, part, k):
    """The lines of a part that are seen in a scene."""
    return [mark.text for mark in stage.graph if mark.part == part and mark.tag == "text" and seen(mark, k)]


def lit(stage, k):
    """The parts that are lit up in a scene."""
    return {mark.part for mark in stage.graph if mark.look.get("stroke-width") == "3.5" and seen(mark, k)}


@settings(max_examples=8)
@given(graphs(size=5))
def test_every_scene_lights_up_its_parts_and_shows_the_gradients_known_by_then(made):
    stage = staged(made[0])
    if stage.story.diagram.detail != "everything":
        return
    known = {box.id: "-" for box in stage.story.diagram.boxes if box.kind not in ("constant", "copy")}
    born = {box.id for box in stage.story.diagram.boxes if box.kind == "variable"}
    for k, scene in enumerate(stage.scenes):
        born |= set(scene.parts)
        known |= dict(scene.grads)
        assert lit(stage, k) == set(scene.parts) & stage.layout.parts.keys()
        for box, grad in known.items():
            lines = [line for line in texts(stage, box, k) if line.startswith("grad ")]
            assert lines == ([f"grad {grad}"] if box in born else [])
    found = {stage.story.diagram.box(leaf.node): array(leaf.paths.gradient) for leaf in stage.story.leaves}
    assert found.items() <= known.items()


def test_data_appears_with_its_step_and_the_local_derivative_after_its_pull():
    w = Value(3.0, name="w")
    stage = staged(np.square(w * 2.0), {"w": w})
    result = next(box.id for box in stage.story.diagram.boxes if box.name == "mul_1")
    phases = [scene.phase for scene in stage.scenes]
    assert phases == ["given", "forward", "forward", *["backward"] * 3, "update"]
    assert [texts(stage, result, k) for k in (0, 1, 3, 4, 6)] == [
        [],
        ["mul_1", "data 6", "grad -"],
        ["mul_1", "data 6", "grad -"],
        ["mul_1", "data 6", "grad 12"],
        ["mul_1", "data 6", "grad 12"],
    ]
    edge = next(stage.story.diagram.arrow(step.edge) for step in stage.story.backward if step.edge.operand is w)
    words = [[line.strip() for line in texts(stage, edge, k)] for k in (4, 5, 6)]
    assert words == [[], *[["dmul_1_dw", "2"]] * 2]


def test_the_longest_gradient_has_room():
    w = Value([1.0, 1.0], name="w")
    stage = staged((w * np.array([0.12345, 123456.0])).sum())
    (outline, *_), text = stage.layout.parts["v1"], "grad [0.1235, 1.235e+05]"
    xs = [x for x, _ in points(outline)]
    assert any(mark.text == text for mark in stage.graph)
    assert max(xs) - min(xs) > 6.0 * len(text)


def test_a_closed_relu_passes_zero_and_constants_keep_their_arrow():
    w = Value(-1.0, name="w")
    stage = staged((w * 3.0).relu())
    last = len(stage.scenes) - 1
    dead = [arrow.id for arrow in stage.story.diagram.arrows if not arrow.live]
    arrows = [m for m in stage.graph if m.part in dead and m.tag == "polygon" and seen(m, last)]
    assert len(dead) == len(arrows) == 1
    assert "grad 0" in texts(stage, "v1", last)


def test_an_arrow_that_turns_around():
    line = Mark("path", {"d": "M0,0C0,0 0,5 0,10"}, part="e1")
    arrow = Mark("polygon", {"points": "-3,10 0,20 3,10 -3,10"}, part="e1")
    assert points(lengthened(line, arrow))[-1] == (0.0, 20.0)
    tip, left, right = points(back_arrow(line, "red"))
    assert tip == (0.0, 0.0)
    assert left[1] == right[1] > 0.0
    assert left[0] == -right[0]


@pytest.mark.parametrize("length", [700, 2_500, 20_000])
def test_graphs_without_room_for_numbers_are_refused(length):
    x = Value(0.5, name="x")
    for _ in range(length):
        x = np.sin(x)
    with pytest.raises(viz.DrawingError, match=rf"{length + 1:,} values are too many to animate.*viz\.steps\(loss\)"):
        staged(x)
