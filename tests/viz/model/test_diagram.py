"""Every Value is a box, every operation a hexagon, every operand an arrow; how much is said; and nothing changes."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.viz.graphs import diagram, graphs
from tinygrad_edu import Value, nn, relu
from tinygrad_edu.graph import toposort
from tinygrad_edu.viz.model import formatting
from tinygrad_edu.viz.model.detail import EVERYTHING, SHORT, Extent, far_edges
from tinygrad_edu.viz.model.formula import arrow_texts, glyph
from tinygrad_edu.viz.picture import boxes_and_hexagons


def texts(found):
    """What stands at the arrows: the name of the derivative, and formula and number."""
    return [arrow_texts(arrow, found.detail) for arrow in found.arrows]


def glyphs(found):
    return [glyph(operation.node) for operation in found.operations]


@settings(max_examples=settings().max_examples // 2)  # one graph is looked at from many sides
@given(graphs(), st.integers(0, 2))
def test_a_diagram_is_that_of_its_graph_and_no_gradient_is_touched(made, place):
    loss, leaves = made
    nodes = toposort(loss)
    found = diagram(loss)
    assert all(node.grad is None for node in nodes)
    boxes_operations_and_arrows_are_those_of_the_graph(found, nodes)
    a_diagram_is_a_function_of_the_graph(found, loss)
    healthy_graphs_have_only_flags_of_size(found)
    loss.backward()
    held = [leaf.grad for leaf in leaves]
    numbers_are_those_of_the_graph(diagram(loss, to=leaves[place]), leaves)
    assert all(leaf.grad is grad for leaf, grad in zip(leaves, held, strict=True))


def boxes_operations_and_arrows_are_those_of_the_graph(found, nodes):
    kinds = [box.kind for box in found.boxes]
    assert kinds.count("variable") == sum(node.op is None for node in nodes)
    assert (
        kinds.count("result") + kinds.count("root") == len(found.operations) == sum(n.op is not None for n in nodes)
    )
    assert len([arrow for arrow in found.arrows if arrow.live]) == sum(
        isinstance(arg, Value) for node in nodes for arg in node.args
    )
    ids = [part.id for part in (*found.boxes, *found.operations, *found.arrows)]
    assert len(set(ids)) == len(ids)
    assert {end for arrow in found.arrows for end in (arrow.tail, arrow.head)} <= set(ids)


def a_diagram_is_a_function_of_the_graph(found, loss):
    assert boxes_and_hexagons.source(found) == boxes_and_hexagons.source(diagram(loss))


def healthy_graphs_have_only_flags_of_size(found):
    flags = {flag for box in found.boxes for flag in box.flags}
    assert flags <= {"the gradient vanishes", "the gradient explodes"}


def numbers_are_those_of_the_graph(found, leaves):
    for leaf in leaves:
        (box,) = (box for box in found.boxes if box.name == leaf.name)
        assert box.data is leaf.array
        assert box.grad is leaf.grad
        assert formatting.gradient(box).endswith(formatting.array(leaf.grad))


def test_a_square_by_itself_has_two_arrows():
    x = Value(3.0, name="x")
    found = diagram(x * x)
    assert [(arrow.tail, arrow.head) for arrow in found.arrows] == [("v1", "o1"), ("v1", "o1")]
    assert texts(found) == [("dmul_1_dx", "x = 3")] * 2


def test_a_difference_is_one_operation():
    found = diagram(Value(1.0) - Value(2.0))
    assert glyphs(found) == ["-"]
    assert [text for _, text in texts(found)] == ["1", "-1"]


def test_constants_are_boxes_and_an_array_used_twice_is_one():
    w, x = Value(np.ones(2), name="w"), np.array([1.0, 2.0])
    found = diagram((w * x + x).sum() * 2.0, names={"x": x})
    constants = [(box.name, formatting.data(box)) for box in found.boxes if box.kind == "constant"]
    assert constants == [("x", "[1, 2]"), ("", "2")]
    assert [arrow.live for arrow in found.arrows].count(False) == 3


def test_a_constant_exponent_is_in_the_glyph_only():
    found = diagram(Value(3.0) ** 2)
    assert glyphs(found) == ["^2"]
    assert len(found.boxes) == 2


def test_a_closed_relu_is_marked():
    closed, opened = (diagram(relu(Value(x))).arrows[0].derivative for x in (-1.0, 1.0))
    assert (closed.closed, opened.closed) == (True, False)


def test_the_wanted_path_is_marked_and_nothing_else():
    w, v = Value(2.0, name="w"), Value(3.0, name="v")
    found = diagram(np.sin(w * v), to=w)
    assert [(name, arrow.wanted) for arrow, (name, _) in zip(found.arrows, texts(found), strict=True)] == [
        ("dmul_1_dw", True),
        ("dmul_1_dv", False),
        ("dsin_1_dmul_1", True),
    ]
    assert all(operation.wanted for operation in found.operations)


def test_parameters_stand_in_the_module_that_uses_them():
    model = nn.Sequential(nn.Linear(2, 1, rng=0))
    found = diagram(model(np.ones((1, 2))).sum())
    scopes = {box.name: box.scope.path if box.scope else "" for box in found.boxes}
    assert scopes["layers.0.weight"] == scopes["layers.0.bias"] == "layers.0"
    assert scopes["sum_1"] == ""


def test_levels_of_one_graph():
    model = nn.Sequential(nn.Linear(2, 2, rng=0), nn.Tanh())
    loss = model(np.ones((1, 2))).sum()
    module, tensor, scalar = (diagram(loss, level=level) for level in ("module", "tensor", "scalar"))
    assert [box.name for box in module.boxes] == ["layers.0 Linear", "layers.1 Tanh", "sum_1"]
    assert glyphs(tensor) == ["@", "+", "tanh", "sum"]
    assert glyphs(scalar).count("*") == 4
    assert "layers.0.weight[1, 0]" in {box.name for box in scalar.boxes}


def test_names_given_reach_the_opened_numbers():
    w = Value([1.0, 2.0])
    found = diagram((w * 3.0).sum(), names={"w": w}, level="scalar")
    assert {"w[0]", "w[1]"} <= {box.name for box in found.boxes}


def test_formulas_go_before_numbers_do():
    x = Value(0.5, name="x")
    for _ in range(100):
        x = np.sin(x)
    short = diagram(x)
    assert short.detail == "short"
    assert {name for name, _ in texts(short)} == {""}
    assert all(text for _, text in texts(short))
    for _ in range(300):
        x = np.sin(x)
    merged = diagram(x)
    assert (merged.detail, merged.operations, set(texts(merged))) == ("merged", (), {("", "")})


def test_a_value_far_away_is_drawn_again():
    w, x = Value(0.5, name="w"), Value(1.0)
    for _ in range(40):
        x = np.sin(x) * w
    copies = [box for box in diagram(x).boxes if box.kind == "copy"]
    assert len(copies) > 30
    assert {(box.name, box.original) for box in copies} == {("w", copies[0].original)}


def extent(length):
    x = Value(0.5)
    for _ in range(length):
        x = np.sin(x)
    return Extent(toposort(x))


@pytest.mark.parametrize(
    ("length", "detail"),
    [
        ((EVERYTHING - 1) // 2, "everything"),
        (EVERYTHING // 2, "short"),
        ((SHORT - 1) // 2, "short"),
        (SHORT // 2, "merged"),
    ],
)
def test_boxes_and_steps_are_counted(length, detail):
    assert extent(length).detail == detail


def test_constants_count():
    x = Value(0.5)
    for _ in range(EVERYTHING // 3):
        x = x * 2.0
    assert Extent(toposort(x)).detail == "short"


def test_what_is_left_out_is_said():
    assert extent(10).note == ""
    assert extent(100).note == "101 values: formulas and gradients are left out"
    assert extent(1000).note == "1,001 values: numbers, constants and separate operations are left out"


def test_operands_are_drawn_first():
    drawn = extent(20).drawn
    assert all(drawn.index(arg) < i for i, node in enumerate(drawn) for arg in node.args)


def recurrent(steps):
    w, x = Value(0.5), Value(1.0)
    for _ in range(steps):
        x = np.sin(x) * w
    return w, toposort(x)[::-1]


def test_a_weight_used_at_every_step_is_drawn_again_where_lines_would_be_long():
    w, nodes = recurrent(40)
    far = far_edges(nodes)
    assert {edge.operand for edge in far} == {w}
    assert 30 < len(far) < 40
    assert "a value that is drawn elsewhere" in Extent(nodes[::-1]).note


def test_few_long_lines_are_drawn():
    _, nodes = recurrent(5)
    assert far_edges(nodes) == frozenset()
    assert Extent(nodes[::-1]).note == ""


def flagged(loss):
    """The flags of a diagram, by the names of the boxes they stand on."""
    return {box.name: list(box.flags) for box in diagram(loss).boxes if box.flags}


def test_nan_is_flagged_where_it_begins_and_not_after():
    with np.errstate(invalid="ignore"):
        x = Value(-1.0, name="x")
        y = np.log(x)
        y.name = "y"
        loss = y * 2.0 + 1.0
    assert flagged(loss) == {"y": ["nan begins here"]}


def test_an_infinite_slope_is_flagged_at_the_operand_it_reaches():
    x = Value(0.0, name="x")
    loss = np.sqrt(x * 1.0)
    assert list(flagged(loss).values()) == [["infinity in the gradient begins here"]]


def test_a_variable_that_holds_nan_is_where_it_begins():
    assert flagged(Value(np.nan, name="x") * 2.0)["x"] == ["nan begins here", "nan in the gradient begins here"][:1]


@pytest.mark.parametrize(
    ("factor", "flag"),
    [(1e-8, "the gradient vanishes"), (1e-6, None), (0.0, None), (1e3, None), (1e5, "the gradient explodes")],
)
def test_only_extremes_of_size_are_flagged(factor, flag):
    x = Value(2.0, name="x")
    assert flagged(x * factor) == ({"x": [flag]} if flag else {})


def test_an_array_without_entries_has_no_flags():
    assert flagged(Value(np.ones(0)).sum()) == {}


def gradient_line(root, value):
    """The line of a Value's box that says what its gradient is made of."""
    found = diagram(root)
    return formatting.gradient(next(box for box in found.boxes if box.node is value))


def test_before_backward_there_is_no_gradient():
    x = Value(2.0)
    assert gradient_line(x * x, x) == "-"


@pytest.mark.parametrize(
    ("compute", "line"),
    [
        (lambda x: x * 3.0, "3"),
        (lambda x: x * x, "2 + 2 = 4"),
        (lambda x: x * 3.0 + x * 5.0, "5 + 3 = 8"),
        (lambda x: x + x + x + x + x + x, "1 + 1 + 1 + 1 + 2 more 2 = 6"),
    ],
)
def test_contributions_the_largest_first(compute, line):
    x = Value(2.0)
    root = compute(x)
    root.backward()
    assert gradient_line(root, x) == line


def test_what_was_left_from_earlier_is_a_term():
    x = Value(2.0)
    (x * 7.0).backward()
    root = x * 3.0
    root.backward()
    assert gradient_line(root, x) == "3 + 7 left from earlier = 10"


def test_results_hold_only_this_pass():
    x = Value(2.0)
    y = x * 3.0
    root = y + y
    root.backward()
    root.backward()
    assert gradient_line(root, y) == "1 + 1 = 2"
    assert gradient_line(root, x) == "6 + 6 left from earlier = 12"


def test_another_results_gradients_are_shown_without_a_sum():
    x = Value(2.0)
    y = x * x
    (y * 5.0).backward()
    assert gradient_line(y, x) == "20"


def test_large_arrays_are_not_written_as_sums():
    x = Value(np.ones(9))
    root = (x * x).sum()
    root.backward()
    assert gradient_line(root, x) == "(9,), norm 6"
