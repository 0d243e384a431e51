"""Cuts: they separate a Value from the result, and each has its reason."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tinygrad_edu import Value
from tinygrad_edu.graph import Node, toposort
from tinygrad_edu.viz.answers.cut import cancelled, cuts, reason, smeared, switches
from tinygrad_edu.viz.naming import Names
from tinygrad_edu.viz.paths import toward
from tinygrad_edu.viz.replay import consumers, gradients


def setting(loss, to):
    nodes = toposort(loss)
    return nodes, toward(nodes, to), gradients(loss), Names(nodes[::-1], None)


def why_zero(loss, to):
    nodes, between, table, names = setting(loss, to)
    return [reason(hop, table[hop[0]], names) for hop in cuts(nodes, between, table)]


@given(st.lists(st.tuples(st.integers(0, 3), st.integers(0, 20), st.integers(0, 20)), min_size=1, max_size=12))
def test_cuts_separate_exactly_the_values_without_gradient(program):
    w = Value(-1.0)
    values = [w, Value(0.0), Value(2.0)]
    for call, i, j in program:
        x, y = values[i % len(values)], values[j % len(values)]
        values.append((x * y, x.relu(), x + y, x - y)[call])
    loss = values[-1]
    nodes, between, table, _ = setting(loss, w)
    if w not in nodes:
        return
    found, reached, stack = set(cuts(nodes, between, table)), set(), [loss]
    while stack:
        node = stack.pop()
        if node not in reached:
            reached.add(node)
            stack += [a for i, a in enumerate(node.args) if isinstance(a, Node) and (node, i) not in found]
    if not np.any(table[w]):
        assert found
        assert w not in reached
    else:
        assert w in reached


@pytest.mark.parametrize(
    ("compute", "said"),
    [
        (lambda w: w.relu().sum(), "relu closed for 3 of 3 entries: drelu_1_dw = [w > 0] = 0; w is from -3 to -1"),
        (lambda w: (w * np.zeros(3)).sum(), "zero for 3 of 3 entries: dmul_1_dw = "),
        (lambda w: (w * Value(np.zeros(3), name="u")).sum(), "zero for 3 of 3 entries: dmul_1_dw = u = 0"),
        (
            lambda w: np.maximum(w, -2.5)[2],
            "maximum closed for 1 of 3 entries, and nothing comes from above at the others",
        ),
        (lambda w: (w @ Value(np.zeros((3, 2)), name="u")).sum(), "dmatmul_1_dw = u^T, and u is 0 everywhere"),
        (
            lambda w: np.sum(w * 1e-300) * 1e-300,
            "underflow: the product [1e-300, 1e-300, 1e-300] * [1e-300, 1e-300, 1e-300] is too small",
        ),
        (lambda w: np.where(w.data > 0, w, 0.0).sum(), "dwhere_1_dw = [condition] is 0 wherever the gradient from"),
        (lambda w: np.sum(w).sigmoid() * 0.0, "dmul_1_dsigmoid_1 = 0"),
        (lambda w: np.tanh(w * 1e3).sum(), "dtanh_1_dmul_1 = 1 - tanh_1^2 = 0; tanh_1 is -1"),
    ],
)
def test_reasons(compute, said):
    w = Value([-1.0, -2.0, -3.0], name="w")
    found = why_zero(compute(w), w)
    assert len(found) == 1
    assert said in found[0]


def test_cancelling_shares_are_shown_with_their_numbers():
    w = Value(3.0, name="w")
    loss = w * 2.0 - w - w
    nodes, _, table, names = setting(loss, w)
    said = cancelled(w, table, consumers(nodes)[w], names)
    assert said == "the shares of w cancel: 2 (from mul_1) + -1 (from sub_2) + -1 (from sub_1) = 0"
    assert cancelled(nodes[1], table, consumers(nodes)[nodes[1]], names) == ""


def test_rounding_counts_as_cancelling_and_a_small_difference_does_not():
    w = Value(3.0, name="w")
    for last, cancels in ((0.3, True), (0.3 + 1e-9, False)):
        nodes, _, table, names = setting(w * 0.1 + w * 0.2 - w * last, w)
        assert bool(cancelled(w, table, consumers(nodes)[w], names)) == cancels


def test_what_broadcasting_sums_can_cancel():
    b = Value(1.0, name="b")
    loss = ((b + np.zeros(4)) * np.array([1.0, -1.0, 2.0, -2.0])).sum()
    _, _, table, names = setting(loss, b)
    add = loss.args[0].args[0]
    assert "b is stretched to (4,) in add_1, and the shares of its entries cancel" in smeared(
        (add, 0), table[add], names
    )
    assert smeared((loss.args[0], 0), table[loss.args[0]], names) == ""


def test_switches_count_what_is_closed():
    w = Value([-1.0, 2.0, -3.0, 4.0], name="w")
    loss = (w.relu() * 2.0).sum()
    nodes, between, _, _ = setting(loss, w)
    assert [counts for _, *counts in switches(nodes, between)] == [[2, 4]]
