"""Corresponding Values of two graphs: by identity, by name, by structure; never by search."""

import numpy as np
from hypothesis import given

from tests.viz.graphs import graphs
from tinygrad_edu import Value
from tinygrad_edu.graph import toposort
from tinygrad_edu.viz.matching import matched
from tinygrad_edu.viz.naming import Names


def pairs(first, second, given=None):
    graphs = [toposort(root)[::-1] for root in (first, second)]
    names = [Names(nodes, given) for nodes in graphs]
    return matched(*graphs, *names), names


def called(found, names):
    """The pairs by name, those of the first graph first."""
    return {names[0][first]: names[1][second] for second, first in found.items()}


@given(graphs(), graphs())
def test_each_value_has_at_most_one_counterpart_and_in_its_own_graph_itself(made, others):
    (one, _), (other, _) = made, others
    a_graph_corresponds_to_itself(one)
    found, _ = pairs(one, other)
    assert len(set(found.values())) == len(found)
    for second, first in found.items():
        same = (first.op and first.op.name) == (second.op and second.op.name)
        assert same or (first is one and second is other)


def a_graph_corresponds_to_itself(loss):
    found, _ = pairs(loss, loss)
    assert all(first is second for second, first in found.items())
    assert len(found) == len(toposort(loss))


def test_a_copy_corresponds_part_by_part():
    def made():
        w, x = Value(2.0, name="w"), Value(3.0)
        return np.tanh(w * x) * np.tanh(w * x) - x

    found, names = pairs(made(), made())
    assert len(found) == len(toposort(made()))
    assert all(a == b for a, b in called(found, names).items())


def test_variables_correspond_to_themselves_whatever_their_order():
    a, b = Value(1.0), Value(2.0)
    found, _ = pairs(a - b, b - a)
    assert (found[a], found[b]) == (a, b)


def test_the_order_of_operands_matters():
    a, b = Value(1.0, name="a"), Value(2.0, name="b")
    found, _ = pairs(np.tanh(a - b), np.tanh(b - a))
    assert len(found) == 3  # the variables, and the two results as results


def test_a_name_takes_up_a_broken_chain():
    def made(middle):
        x = Value(0.5, name="x")
        h = np.tanh(middle(x))
        h.name = "h"
        return np.square(h * 2.0)

    found, names = pairs(made(np.sin), made(np.cos))
    assert called(found, names) == {"x": "x", "h": "h", "mul_1": "mul_1", "square_1": "square_1"}


def test_a_result_can_become_a_part_of_another_graph():
    w = Value(2.0, name="w")
    error = np.square(w)
    found, _ = pairs(error, error + w * 0.1)
    assert found == {w: w, error: error}


def test_fifty_thousand_equal_operations_are_no_trouble():
    def made():
        x = Value(0.5)
        for _ in range(50_000):
            x = np.sin(x)
        return x

    found, _ = pairs(made(), made())
    assert len(found) == 50_001
