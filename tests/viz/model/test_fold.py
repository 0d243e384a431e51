"""Folding loses no Value and makes no cycle; module calls and repetitions become one box, and few are drawn."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.viz.graphs import diagram, graphs
from tinygrad_edu import Value, nn
from tinygrad_edu.graph import toposort
from tinygrad_edu.viz.model import formatting
from tinygrad_edu.viz.model.fold import MOST, repetitions, units
from tinygrad_edu.viz.model.replay import consumers, operand_edges


def units_of(root, alone=(), few=0):
    nodes = toposort(root)
    return units(nodes[::-1], consumers(nodes), frozenset({root, *alone}), few)


def layers(count):
    model = nn.Sequential(*[layer for i in range(count) for layer in (nn.Linear(2, 2, rng=i), nn.Tanh())])
    return model(np.ones((1, 2))).sum()


@given(graphs(size=40), st.sampled_from([0, 1000]))
def test_every_value_is_in_exactly_one_unit_and_operands_come_first(made, few):
    loss, _ = made
    found = units_of(loss, few=few)
    home = {node: i for i, unit in enumerate(found) for node in unit.nodes}
    assert sum(len(unit.nodes) for unit in found) == len(home) == len(toposort(loss))
    for node in home:
        assert all(home[arg] <= home[node] for arg in node.args if isinstance(arg, Value))
    assert found[-1].result is loss


@given(
    st.lists(st.integers(0, 2), max_size=8), st.lists(st.integers(0, 9), min_size=1, max_size=5), st.integers(4, 9)
)
def test_a_repetition_is_found_wherever_it_begins(before, pattern, count):
    signs = np.array([n + 10 for n in before] + pattern * count + [99])
    for first, period, times in repetitions(signs):
        block = signs[first : first + period * times].reshape(times, period)
        assert (block == block[0]).all()
        assert times >= 4
    covered = sum(period * times for _, period, times in repetitions(signs))
    assert covered >= len(pattern) * (count - 1)


def test_three_times_is_not_yet_a_repetition():
    assert repetitions(np.array([1, 2, 1, 2, 1, 2, 7])) == []


def test_a_module_call_is_one_unit_with_its_parameters():
    found = units_of(layers(2), few=5)
    assert [unit.title for unit in found] == [
        "layers.0 Linear",
        "layers.1 Tanh",
        "layers.2 Linear",
        "layers.3 Tanh",
        "sum",
    ]
    assert [len(unit.nodes) for unit in found] == [4, 1, 4, 1, 1]


def test_equal_layers_become_one_unit_with_a_count():
    (unit, _) = units_of(layers(16))
    assert (unit.title, unit.repeats) == ("Linear, Tanh", 16)


def test_the_steps_of_a_loop_become_one_unit_and_a_shared_weight_stays_outside():
    w, h = Value(0.9, name="w"), Value(1.0, name="h")
    x = h
    for _ in range(1000):
        x = np.sin(x * w)
    found = units_of(x + 1.0)
    assert [(unit.title, unit.repeats) for unit in found if unit.repeats > 1] == [("*, sin", 1000)]
    assert [unit.result for unit in found if unit.result.op is None] == [w, h]


def test_what_is_to_stay_alone_does():
    x = Value(1.0)
    chain = [x]
    for _ in range(20):
        chain.append(np.sin(chain[-1]))
    found = units_of(chain[-1], alone=[chain[10]])
    assert [unit.nodes for unit in found if unit.result is chain[10]] == [[chain[10]]]
    assert [unit.repeats for unit in found] == [1, 9, 1, 9, 1]


def test_many_variables_go_inside_what_uses_them():
    total = Value(0.0)
    for i in range(100):
        total = total + Value(float(i))
    found = units_of(np.square(total))
    assert [len(unit.nodes) for unit in found] == [201, 1]


def test_a_variable_alone_is_one_unit():
    x = Value(1.0)
    assert [unit.nodes for unit in units_of(x)] == [[x]]


def loop(steps):
    w, x = Value(0.9, name="w"), Value(1.0, name="x")
    for _ in range(steps):
        x = np.sin(x * w)
    return x, w


@pytest.mark.parametrize("steps", [1_100, 25_000])
def test_a_large_loop_is_one_box(steps):
    loss, _ = loop(steps)
    found = diagram(loss)
    assert found.detail == "folded"
    assert len(found.boxes) < 8
    (box,) = (box for box in found.boxes if box.kind == "module")
    assert (box.name, box.repeats) == ("*, sin", steps - 1)
    assert f"{2 * steps + 2:,} values" in found.note


def test_arrows_connect_what_is_drawn():
    loss, w = loop(2_000)
    found = diagram(loss, to=w)
    ids = {box.id for box in found.boxes}
    assert all({arrow.tail, arrow.head} <= ids for arrow in found.arrows)
    weight = next(box for box in found.boxes if box.name == "w")
    assert weight.id in {arrow.tail for arrow in found.arrows if arrow.wanted}
    assert found.chain.lines()


def test_a_module_says_what_comes_out_of_it_and_its_gradient():
    model = nn.Sequential(nn.Linear(3, 2, rng=0), nn.Tanh())
    loss = model(np.ones((1, 3))).sum()
    loss.backward()
    first = diagram(loss, level="module").boxes[0]
    assert (first.kind, first.name, formatting.folded_count(first)) == ("module", "layers.0 Linear", "4 values")
    assert first.data.shape == first.grad.shape == (1, 2)


def test_the_wanted_path_goes_through_the_modules():
    model = nn.Sequential(nn.Linear(3, 2, rng=0), nn.Tanh())
    loss = model(np.ones((1, 3))).sum()
    found = diagram(loss, to=model.layers[0].bias, level="module")
    assert [box.name for box in found.boxes] == ["layers.0.bias", "layers.0 Linear", "layers.1 Tanh", "sum_1"]
    assert all(arrow.wanted for arrow in found.arrows)


def test_of_what_cannot_be_folded_the_nearest_is_drawn():
    rng = np.random.default_rng(0)
    values = [Value(1.0, name="a"), Value(2.0, name="b")]
    functions = [np.sin, np.cos, np.tanh, np.abs, lambda x: -x]
    for _ in range(3_000):
        x, y = (values[-1 - rng.integers(min(len(values), 4))] for _ in range(2))
        values.append(
            0.1 * functions[rng.integers(5)](x) + 0.1 * y if rng.integers(2) else functions[rng.integers(3)](x)
        )
    found = diagram(sum(values[-10:]))
    assert len(found.boxes) == MOST
    assert "more values, farther from" in found.note
    assert found.boxes[-1].kind == "root"


def test_in_a_folded_picture_values_share_boxes_and_edges_share_arrows():
    x = y = Value(0.5, name="x")
    for _ in range(1_100):
        y = np.tanh(y) * x
    found = diagram(y)
    nodes = toposort(y)
    drawn = {box.id: box for box in found.boxes}
    assert {found.box(node) for node in nodes} == set(drawn)
    assert drawn[found.box(y)].kind == "root"
    arrows = {arrow.id: arrow for arrow in found.arrows}
    shared = {edge: arrows[found.arrow(edge)] for node in nodes for edge in operand_edges(node) if found.arrow(edge)}
    for edge, arrow in shared.items():
        assert (arrow.tail, arrow.head) == (found.box(edge.operand), found.box(edge.result))
    assert set(shared.values()) == set(found.arrows)
    assert len(shared) > len(found.arrows)


def test_what_is_not_drawn_has_no_place():
    x = Value(0.5)
    found = diagram(np.tanh(x))
    elsewhere = np.sin(x)
    (edge,) = operand_edges(elsewhere)
    assert {found.box(elsewhere), found.operation(elsewhere), found.link(elsewhere), found.arrow(edge)} == {""}
