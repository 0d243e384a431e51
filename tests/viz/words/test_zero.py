"""Cuts: they separate a Value from the result, and each has its reason."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tinygrad_edu import Value
from tinygrad_edu.graph import Node
from tinygrad_edu.viz.model.paths import edges_between, toward
from tinygrad_edu.viz.model.replay import Edge, Replay
from tinygrad_edu.viz.words.zero import cancelled, cuts, reason, smeared, switches


def setting(loss, to):
    replay = Replay(loss)
    return replay, list(edges_between(replay.nodes, toward(replay.nodes, to)))


def why_zero(loss, to):
    replay, edges = setting(loss, to)
    table = replay.gradients
    return [reason(edge, table[edge.result], replay.names) for edge in cuts(edges, table)]


@given(st.lists(st.tuples(st.integers(0, 3), st.integers(0, 20), st.integers(0, 20)), min_size=1, max_size=12))
def test_cuts_separate_exactly_the_values_without_gradient(program):
    w = Value(-1.0)
    values = [w, Value(0.0), Value(2.0)]
    for call, i, j in program:
        x, y = values[i % len(values)], values[j % len(values)]
        values.append((x * y, x.relu(), x + y, x - y)[call])
    loss = values[-1]
    replay, edges = setting(loss, w)
    table = replay.gradients
    if w not in replay.uses:
        return
    found, reached, stack = set(cuts(edges, table)), set(), [loss]
    while stack:
        node = stack.pop()
        if node not in reached:
            reached.add(node)
            stack += [a for i, a in enumerate(node.args) if isinstance(a, Node) and Edge(node, i) not in found]
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


def test_contributions_that_cancel_are_shown_with_their_numbers():
    w = Value(3.0, name="w")
    loss = w * 2.0 - w - w
    replay, _ = setting(loss, w)
    said = cancelled(w, replay)
    assert said == "the contributions to w cancel: 2 (from mul_1) + -1 (from sub_2) + -1 (from sub_1) = 0"
    assert cancelled(replay.nodes[1], replay) == ""


def test_rounding_counts_as_cancelling_and_a_small_difference_does_not():
    w = Value(3.0, name="w")
    for last, cancels in ((0.3, True), (0.3 + 1e-9, False)):
        replay, _ = setting(w * 0.1 + w * 0.2 - w * last, w)
        assert bool(cancelled(w, replay)) == cancels


def test_what_broadcasting_sums_can_cancel():
    b = Value(1.0, name="b")
    loss = ((b + np.zeros(4)) * np.array([1.0, -1.0, 2.0, -2.0])).sum()
    replay, _ = setting(loss, b)
    product = loss.args[0]
    add = product.args[0]
    said = smeared(Edge(add, 0), replay.gradients[add], replay.names)
    assert "b is stretched to (4,) in add_1, and the contributions to its entries cancel" in said
    assert smeared(Edge(product, 0), replay.gradients[product], replay.names) == ""


def test_switches_count_what_is_closed():
    w = Value([-1.0, 2.0, -3.0, 4.0], name="w")
    _, edges = setting((w.relu() * 2.0).sum(), w)
    assert [counts for _, *counts in switches(edges)] == [[2, 4]]
