"""Folding loses no Value and makes no cycle; module calls and repetitions become one box."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from tests.viz.graphs import graphs
from tinygrad_edu import Value, nn
from tinygrad_edu.graph import toposort
from tinygrad_edu.viz.folding import folded, repetitions
from tinygrad_edu.viz.replay import consumers


def units_of(root, alone=(), few=0):
    nodes = toposort(root)
    return folded(nodes[::-1], consumers(nodes), frozenset({root, *alone}), few)


def layers(count):
    model = nn.Sequential(*[layer for i in range(count) for layer in (nn.Linear(2, 2, rng=i), nn.Tanh())])
    return model(np.ones((1, 2))).sum()


@given(graphs(size=40), st.sampled_from([0, 1000]))
def test_every_value_is_in_exactly_one_unit_and_operands_come_first(made, few):
    loss, _ = made
    units = units_of(loss, few=few)
    home = {node: i for i, unit in enumerate(units) for node in unit.nodes}
    assert sum(len(unit.nodes) for unit in units) == len(home) == len(toposort(loss))
    for node in home:
        assert all(home[arg] <= home[node] for arg in node.args if isinstance(arg, Value))
    assert units[-1].result is loss


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
    units = units_of(layers(2), few=5)
    assert [unit.title for unit in units] == [
        "layers.0 Linear",
        "layers.1 Tanh",
        "layers.2 Linear",
        "layers.3 Tanh",
        "sum",
    ]
    assert [len(unit.nodes) for unit in units] == [4, 1, 4, 1, 1]


def test_equal_layers_become_one_unit_with_a_count():
    (unit, _) = units_of(layers(16))
    assert (unit.title, unit.repeats) == ("Linear, Tanh", 16)


def test_the_steps_of_a_loop_become_one_unit_and_a_shared_weight_stays_outside():
    w, h = Value(0.9, name="w"), Value(1.0, name="h")
    x = h
    for _ in range(1000):
        x = np.sin(x * w)
    units = units_of(x + 1.0)
    assert [(unit.title, unit.repeats) for unit in units if unit.repeats > 1] == [("*, sin", 1000)]
    assert [unit.result for unit in units if unit.result.op is None] == [w, h]


def test_what_is_to_stay_alone_does():
    x = Value(1.0)
    chain = [x]
    for _ in range(20):
        chain.append(np.sin(chain[-1]))
    units = units_of(chain[-1], alone=[chain[10]])
    assert [unit.nodes for unit in units if unit.result is chain[10]] == [[chain[10]]]
    assert [unit.repeats for unit in units] == [1, 9, 1, 9, 1]


def test_many_variables_go_inside_what_uses_them():
    total = Value(0.0)
    for i in range(100):
        total = total + Value(float(i))
    units = units_of(np.square(total))
    assert [len(unit.nodes) for unit in units] == [201, 1]


def test_a_variable_alone_is_one_unit():
    x = Value(1.0)
    assert [unit.nodes for unit in units_of(x)] == [[x]]
