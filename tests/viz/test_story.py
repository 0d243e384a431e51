"""One story looked at from all sides: it agrees with the engine; page, animation and data tell all of it.

Drawing a graph and telling its story takes longer than looking at it; so each random story is looked at by all.
"""

import json

import numpy as np
from hypothesis import given, settings

from tests.viz.graphs import as_text, graphs
from tinygrad_edu import viz
from tinygrad_edu.viz.model import formatting
from tinygrad_edu.viz.motion.scenes import MOST, scenes
from tinygrad_edu.viz.page.narration import listed, narrated


def unpacked(table):
    return [dict(zip(table["fields"], row, strict=True)) for row in table["rows"]]


@settings(max_examples=settings().max_examples // 2)  # one graph is looked at from many sides
@given(graphs())
def test_a_story_agrees_with_the_engine_and_all_that_is_made_of_it_tells_the_same(made):
    loss, leaves = made
    loss.backward()
    held = [leaf.grad for leaf in leaves]
    told = viz.trace(loss)
    story, text = told.story, as_text(told)
    every_step_has_its_place_in_the_picture(story)
    what_is_added_up_ends_at_the_gradient(story, leaves)
    paths_go_along_drawn_arrows_and_sum_to_the_gradient(story)
    the_data_name_drawn_parts_and_hold_the_gradients(text, leaves)
    a_page_tells_what_the_pass_holds(text, narrated(story))
    scenes_tell_every_step_and_end_at_the_gradients(text, scenes(story))
    assert all(leaf.grad is grad for leaf, grad in zip(leaves, held, strict=True))


def every_step_has_its_place_in_the_picture(story):
    diagram = story.diagram
    nodes = story.replay.nodes
    assert len({diagram.box(node) for node in nodes}) == len(nodes)
    assert {diagram.operation(node) for node in story.forward} == {one.id for one in diagram.operations}
    assert {diagram.link(node) for node in story.forward} == {one.link for one in diagram.operations}
    drawn = {arrow.id: arrow for arrow in diagram.arrows}
    for step in story.backward:
        arrow = drawn[diagram.arrow(step.edge)]
        assert (arrow.tail, arrow.head) == (diagram.box(step.edge.operand), diagram.operation(step.edge.result))


def what_is_added_up_ends_at_the_gradient(story, leaves):
    last = {step.edge.operand: step for step in story.backward}
    assert all(step.complete for step in last.values())
    for leaf in leaves:
        if leaf.grad is not None:
            np.testing.assert_array_equal(last[leaf].after, leaf.grad)


def paths_go_along_drawn_arrows_and_sum_to_the_gradient(story):
    tails = {arrow.id: arrow.tail for arrow in story.diagram.arrows}
    for leaf in story.leaves:
        box = story.diagram.box(leaf.node)
        for path in leaf.paths.listed:
            parts = story.diagram.along(path)
            assert (parts[0], parts[-1]) == (story.diagram.root.id, box)
            assert tails[parts[-2]] == box
        total = sum((path.product for path in leaf.paths.listed), start=leaf.paths.rest)
        np.testing.assert_allclose(total, leaf.node.grad, rtol=1e-9, atol=1e-12)
        if not leaf.paths.more:
            room = 1e-9 * np.max(np.abs(leaf.node.grad) + 1)
            np.testing.assert_allclose(leaf.paths.rest, np.zeros_like(leaf.node.grad), atol=room)
        np.testing.assert_array_equal(leaf.paths.gradient, leaf.node.grad)


def the_data_name_drawn_parts_and_hold_the_gradients(text, leaves):
    assert (len(text.forward), len(text.backward)) == (text.total.forward, text.total.backward)
    parts = {part.id for kind in ("boxes", "operations", "arrows") for part in getattr(text.diagram, kind)}
    for step in text.backward:
        assert {step.operation, step.result, step.operand, step.arrow} <= parts
    last = {step.operand_name: step.after for step in text.backward}
    gradients = {leaf.name: formatting.array(leaf.grad) for leaf in leaves if leaf.grad is not None}
    assert gradients.items() <= last.items()
    for leaf in text.leaves:
        assert all(route.words.endswith(f" = {route.product}") for route in leaf.routes)
        if leaf.count == "1":
            assert leaf.routes[0].product == leaf.gradient
            assert leaf.rest == ""


def a_page_tells_what_the_pass_holds(story, data):
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


def scenes_tell_every_step_and_end_at_the_gradients(story, cut):
    every_step_is_a_scene_of_its_own_in_a_small_story(story, cut)
    the_last_text_of_each_gradient_is_the_gradient(story, cut)


def every_step_is_a_scene_of_its_own_in_a_small_story(story, cut):
    forward, backward = ([s for s in cut if s.phase == phase] for phase in ("forward", "backward"))
    if len(story.forward) + len(story.backward) <= MOST:
        assert [s.lines[0] for s in forward] == [f"{f.name} = {f.words}" for f in story.forward]
        assert [s.lines[0].partition(" = ")[0] for s in backward[1:]] == [b.derivative for b in story.backward]
    for step, scene in zip(story.backward, backward[1:], strict=False):
        if len(backward) == len(story.backward) + 1:
            assert {step.operation, step.arrow, step.operand, step.result} <= set(scene.parts)


def the_last_text_of_each_gradient_is_the_gradient(story, cut):
    last = {box: text for scene in cut for box, text in scene.grads}
    assert {leaf.box: leaf.gradient for leaf in story.leaves}.items() <= last.items()
