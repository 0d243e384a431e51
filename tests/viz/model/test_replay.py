"""The replay computes what `backward()` computes, and writes nothing."""

import numpy as np
import pytest
from hypothesis import given, settings

from tests.viz.graphs import graphs
from tinygrad_edu import Value
from tinygrad_edu.graph import toposort
from tinygrad_edu.viz.model.replay import Edge, consumers, forward_data, gradients, slope, vjp


@settings(max_examples=settings().max_examples // 2)  # one graph is looked at from many sides
@given(graphs())
def test_gradients_are_those_of_backward_and_nothing_is_written(made):
    loss, _ = made
    nodes, found = toposort(loss), gradients(loss)
    the_contributions_to_a_value_sum_to_its_gradient(consumers(nodes), found)
    assert all(node.grad is None for node in nodes)
    loss.backward()
    for node, gradient in found.items():
        np.testing.assert_array_equal(gradient, node.grad)


def the_contributions_to_a_value_sum_to_its_gradient(uses, found):
    for node, edges in uses.items():
        if edges:
            total = sum(vjp(edge, found[edge.result]) for edge in edges)
            np.testing.assert_allclose(total, found[node], rtol=1e-12, atol=1e-12)
            assert vjp(edges[0], found[edges[0].result]).shape == node.data.shape


def test_an_array_has_no_gradient_of_its_own():
    assert gradients(Value([1.0, 2.0]) * 2.0) == {}


def test_a_value_used_twice_has_two_consumers():
    x = Value(3.0)
    y = x * x
    assert consumers([y, x])[x] == [(y, 0), (y, 1)]


@pytest.mark.parametrize(
    ("compute", "expected"),
    [
        (lambda x: np.tanh(x), lambda x: 1 - np.tanh(x) ** 2),
        (lambda x: x * 3.0, lambda x: np.full(3, 3.0)),
        (lambda x: x.sum(), lambda x: np.ones(3)),
        (lambda x: x @ np.array([1.0, 2.0, 3.0]), lambda x: np.array([1.0, 2.0, 3.0])),
    ],
)
def test_a_local_derivative_has_the_shape_of_the_operand(compute, expected):
    x = np.array([0.1, -0.7, 2.0])
    np.testing.assert_allclose(slope(Edge(compute(Value(x)), 0)), expected(x))


def test_a_jacobian_has_no_single_local_derivative():
    x = Value(np.ones((2, 2)))
    assert slope(Edge(x @ np.ones((2, 2)), 0)) is None
    assert slope(Edge(Value(1.0) * np.ones(2), 0)) is None


def test_data_is_that_of_the_forward_pass_though_it_was_rebound():
    x = Value(2.0)
    y = x * 3.0
    x.data = np.float64(100.0)
    uses = consumers([y, x])
    assert (forward_data(x, uses[x]), forward_data(y, uses[y])) == (2.0, 6.0)
    assert forward_data(x, []) == 100.0


def test_overflow_is_no_warning():
    x = Value(1e-250)
    assert gradients((x * 1e200) * 1e200)[x] == np.inf
