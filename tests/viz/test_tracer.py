"""Every Value is a box, every operation a step, every operand an edge; and tracing changes nothing."""

import pickle

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from tests.viz.graphs import graphs
from tinygrad_edu import Value, nn, relu
from tinygrad_edu.graph import toposort
from tinygrad_edu.viz import wording
from tinygrad_edu.viz.tracer import trace


@given(graphs(), st.integers(0, 2))
def test_a_trace_is_that_of_its_graph_and_no_gradient_is_touched(made, place):
    loss, leaves = made
    nodes, found = toposort(loss), trace(loss)
    assert all(node.grad is None for node in nodes)
    boxes_steps_and_edges_are_those_of_the_graph(found, nodes)
    a_trace_is_a_function_of_the_graph(found, loss)
    healthy_graphs_have_only_flags_of_size(found)
    loss.backward()
    held = [leaf.grad for leaf in leaves]
    numbers_are_those_of_the_graph(trace(loss, to=leaves[place]), leaves)
    assert all(leaf.grad is grad for leaf, grad in zip(leaves, held, strict=True))


def boxes_steps_and_edges_are_those_of_the_graph(found, nodes):
    kinds = [box.kind for box in found.boxes]
    assert kinds.count("variable") == sum(node.op is None for node in nodes)
    assert kinds.count("result") + kinds.count("root") == len(found.steps) == sum(n.op is not None for n in nodes)
    assert len([edge for edge in found.edges if edge.live]) == sum(
        isinstance(arg, Value) for node in nodes for arg in node.args
    )
    ids = [part.id for part in (*found.boxes, *found.steps)]
    assert len(set(ids)) == len(ids)
    assert {end for edge in found.edges for end in (edge.tail, edge.head)} <= set(ids)


def a_trace_is_a_function_of_the_graph(found, loss):
    assert found == trace(loss)
    assert pickle.loads(pickle.dumps(found)).edges == found.edges


def healthy_graphs_have_only_flags_of_size(found):
    flags = {flag for box in found.boxes for flag in box.flags}
    assert flags <= {"the gradient vanishes", "the gradient explodes"}


def numbers_are_those_of_the_graph(found, leaves):
    for leaf in leaves:
        (box,) = (box for box in found.boxes if box.name == leaf.name)
        assert box.data == wording.array(leaf.data)
        assert box.grad.endswith(wording.array(leaf.grad))


def test_a_square_by_itself_has_two_edges():
    x = Value(3.0, name="x")
    found = trace(x * x)
    assert [(edge.tail, edge.head, edge.text) for edge in found.edges] == [
        ("v1", "o1", "x = 3"),
        ("v1", "o1", "x = 3"),
    ]


def test_a_difference_is_one_step():
    found = trace(Value(1.0) - Value(2.0))
    assert [step.glyph for step in found.steps] == ["-"]
    assert [edge.text for edge in found.edges] == ["1", "-1"]


def test_constants_are_boxes_and_an_array_used_twice_is_one():
    w, x = Value(np.ones(2), name="w"), np.array([1.0, 2.0])
    found = trace((w * x + x).sum() * 2.0, names={"x": x})
    assert [(box.name, box.data) for box in found.boxes if box.kind == "constant"] == [("x", "[1, 2]"), ("", "2")]
    assert [edge.live for edge in found.edges].count(False) == 3


def test_a_constant_exponent_is_in_the_glyph_only():
    found = trace(Value(3.0) ** 2)
    assert [step.glyph for step in found.steps] == ["^2"]
    assert len(found.boxes) == 2


def test_a_closed_relu_is_marked():
    closed, opened = trace(relu(Value(-1.0))), trace(relu(Value(1.0)))
    assert (closed.edges[0].closed, opened.edges[0].closed) == (True, False)


def test_the_wanted_path_is_marked_and_nothing_else():
    w, v = Value(2.0, name="w"), Value(3.0, name="v")
    found = trace(np.sin(w * v), to=w)
    assert [(edge.slope, edge.wanted) for edge in found.edges] == [
        ("dmul_1_dw", True),
        ("dmul_1_dv", False),
        ("dsin_1_dmul_1", True),
    ]
    assert all(step.wanted for step in found.steps)


def test_parameters_stand_in_the_module_that_uses_them():
    model = nn.Sequential(nn.Linear(2, 1, rng=0))
    found = trace(model(np.ones((1, 2))).sum())
    scopes = {box.name: box.scope.path if box.scope else "" for box in found.boxes}
    assert scopes["layers.0.weight"] == scopes["layers.0.bias"] == "layers.0"
    assert scopes["sum_1"] == ""


def test_levels_of_one_graph():
    model = nn.Sequential(nn.Linear(2, 2, rng=0), nn.Tanh())
    loss = model(np.ones((1, 2))).sum()
    module, tensor, scalar = (trace(loss, level=level) for level in ("module", "tensor", "scalar"))
    assert [box.name for box in module.boxes] == ["layers.0 Linear", "layers.1 Tanh", "sum_1"]
    assert [step.glyph for step in tensor.steps] == ["@", "+", "tanh", "sum"]
    assert [step.glyph for step in scalar.steps].count("*") == 4
    assert "layers.0.weight[1, 0]" in {box.name for box in scalar.boxes}


def test_names_given_reach_the_opened_numbers():
    w = Value([1.0, 2.0])
    found = trace((w * 3.0).sum(), names={"w": w}, level="scalar")
    assert {"w[0]", "w[1]"} <= {box.name for box in found.boxes}


def test_formulas_go_before_numbers_do():
    x = Value(0.5, name="x")
    for _ in range(100):
        x = np.sin(x)
    short = trace(x)
    assert short.detail == "short"
    assert {edge.slope for edge in short.edges} == {""}
    assert all(edge.text for edge in short.edges)
    for _ in range(300):
        x = np.sin(x)
    merged = trace(x)
    assert (merged.detail, merged.steps, {edge.text for edge in merged.edges}) == ("merged", (), {""})


def test_a_value_far_away_is_drawn_again():
    w, x = Value(0.5, name="w"), Value(1.0)
    for _ in range(40):
        x = np.sin(x) * w
    copies = [box for box in trace(x).boxes if box.kind == "copy"]
    assert len(copies) > 30
    assert {(box.name, box.original) for box in copies} == {("w", copies[0].original)}
