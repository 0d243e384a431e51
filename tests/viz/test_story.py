"""A story agrees with the engine and is plain data; what is made of it, a page and an animation, tells all of it.

Drawing a graph and telling its story takes longer than looking at it; so one story is looked at from all sides.
"""

import json

import numpy as np
from hypothesis import given

from tests.viz.graphs import graphs
from tinygrad_edu import Value, nn
from tinygrad_edu.viz import wording
from tinygrad_edu.viz.motion.scenes import EDGES, MOST, scenes
from tinygrad_edu.viz.narration import listed, narrated
from tinygrad_edu.viz.teller import Teller
from tinygrad_edu.viz.tracer import Tracer


def unpacked(table):
    return [dict(zip(table["fields"], row, strict=True)) for row in table["rows"]]


@given(graphs())
def test_the_story_its_page_and_its_scenes_agree_with_the_engine_and_change_no_gradient(made):
    loss, leaves = made
    loss.backward()
    before = [leaf.grad for leaf in leaves]
    teller = Teller(Tracer(loss, None, None), 0.1)
    story, nodes = teller.story(), teller.tracer.nodes
    everything_has_a_box_and_a_step(teller.places, nodes)
    every_operation_is_told_once_forward_and_every_operand_once_backward(story, nodes)
    what_is_added_up_step_by_step_ends_at_the_gradient(story, leaves)
    an_operand_passes_on_only_when_all_of_its_consumers_are_done(story)
    paths_go_along_drawn_edges_and_sum_to_the_gradient(story)
    a_story_is_json(story.as_dict())
    a_page_tells_what_the_story_holds(story, narrated(story))
    scenes_tell_every_step_and_end_at_the_gradients(story, scenes(story))
    assert all(leaf.grad is grad for leaf, grad in zip(leaves, before, strict=True))


def everything_has_a_box_and_a_step(places, nodes):
    assert len({places.box(node) for node in nodes}) == len(nodes)
    results = [node for node in nodes if node.op is not None]
    assert {places.step(node) for node in results} == {step.id for step in places.trace.steps}


def every_operation_is_told_once_forward_and_every_operand_once_backward(story, nodes):
    assert len(story.forward) == sum(node.op is not None for node in nodes)
    assert len(story.backward) == sum(isinstance(arg, Value) for node in nodes for arg in node.args)
    parts = {part.id for part in (*story.trace.boxes, *story.trace.steps)}
    for step in story.backward:
        assert {step.step, step.result, step.operand} <= parts


def what_is_added_up_step_by_step_ends_at_the_gradient(story, leaves):
    last = {step.operand: step for step in story.backward}
    assert all(step.done == step.total for step in last.values())
    held = {leaf.name: wording.array(leaf.grad) for leaf in leaves if leaf.grad is not None}
    assert {step.operand_name: step.after for step in last.values() if step.operand_name in held} == held


def an_operand_passes_on_only_when_all_of_its_consumers_are_done(story):
    finished = set()
    for step in story.backward:
        assert step.result == story.trace.boxes[-1].id or step.result in finished
        if step.done == step.total:
            finished.add(step.operand)


def paths_go_along_drawn_edges_and_sum_to_the_gradient(story):
    ends = {f"e{i}": edge for i, edge in enumerate(story.trace.edges, 1)}
    for leaf in story.leaves:
        for route in leaf.routes:
            assert route.parts[0] == story.trace.boxes[-1].id
            assert route.parts[-1] == leaf.box
            assert ends[route.parts[-2]].tail == leaf.box
            assert route.words.endswith(f" = {route.product}")
        if leaf.count == "1":
            assert leaf.routes[0].product == leaf.gradient
            assert leaf.rest == ""


def a_story_is_json(plain):
    assert json.loads(json.dumps(plain, allow_nan=False))["leaves"][0]["name"] == plain["leaves"][0]["name"]


def a_page_tells_what_the_story_holds(story, data):
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
    assert json.loads(json.dumps(data))["root"] == story.trace.boxes[-1].name


def who_waits_are_those_with_some_but_not_all_consumers_done(story, backward):
    open_sums = {}
    for step, shown in zip(story.backward, backward, strict=True):
        open_sums[step.operand] = f"{step.operand_name} ({step.done} of {step.total})"
        if step.done == step.total:
            del open_sums[step.operand]
        assert shown["waiting"] == listed(list(open_sums.values()))
        assert shown["accumulation"] == f"{step.operand_name}.grad: {step.before} += {step.share} -> {step.after}"
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
    if len(story.forward) + len(story.backward) <= MOST - EDGES:
        assert [s.lines[0] for s in forward] == [f"{f.name} = {f.words}" for f in story.forward]
        assert [s.lines[0].partition(" = ")[0] for s in backward[1:]] == [b.derivative for b in story.backward]
    for step, scene in zip(story.backward, backward[1:], strict=False):
        if len(backward) == len(story.backward) + 1:
            assert {step.step, step.edge, step.operand, step.result} <= set(scene.parts)


def the_last_text_of_each_gradient_is_the_gradient(story, cut):
    last = {box: text for scene in cut for box, text in scene.grads}
    assert {leaf.box: leaf.gradient for leaf in story.leaves}.items() <= last.items()


def test_a_story_becomes_json_with_module_calls_as_text():
    model = nn.Sequential(nn.Linear(2, 1, rng=0), nn.Sigmoid())
    story = Teller(Tracer(model(np.ones((1, 2))).sum(), None, None), 0.1).story()
    plain = json.loads(json.dumps(story.as_dict()))
    assert set(plain) == {"trace", "forward", "backward", "update", "leaves", "total", "images"}
    assert [step["scope"] for step in plain["trace"]["steps"]] == [
        "layers.0 Linear",
        "layers.0 Linear",
        "layers.1 Sigmoid",
        "",
    ]
    assert plain["backward"][0]["done"] == 1
