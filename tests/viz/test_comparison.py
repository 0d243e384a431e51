"""Two passes compared: nothing changes by itself; a training step changes weights by lr times their gradient."""

import xml.etree.ElementTree as ET

import numpy as np
import pytest
from hypothesis import given, settings

from tests.viz.graphs import graphs
from tinygrad_edu import Value, sigmoid, viz
from tinygrad_edu.graph import toposort
from tinygrad_edu.viz.comparison import LINES, diff, matched
from tinygrad_edu.viz.model import formatting
from tinygrad_edu.viz.model.names import Names


class Neuron:
    """A neuron whose error can be computed again after its weights have moved."""

    def __init__(self):
        self.w, self.b = Value([1.45, -0.66], name="weights"), Value(0.0, name="bias")

    def error(self, target=0.0):
        return np.square(sigmoid(np.array([2.0, 1.5]) @ self.w + self.b) - target)

    def step(self, lr):
        for value in (self.w, self.b):
            value.data = value.data - lr * value.grad


def trained(lr=0.1):
    """The passes before and after a training step."""
    neuron = Neuron()
    error = neuron.error()
    error.backward()
    before = viz.trace(error)
    neuron.step(lr)
    return before, viz.trace(neuron.error()), neuron


@settings(max_examples=settings().max_examples // 2)  # one graph is looked at from many sides
@given(graphs())
def test_nothing_changes_by_itself_and_a_training_step_changes_the_variables(made):
    loss, leaves = made
    loss.backward()
    before = viz.trace(loss)
    nothing_changes_by_itself(diff(before, viz.trace(loss)))
    after_a_step_of_training_each_variable_has_moved_by_lr_times_its_gradient(before, leaves)


def nothing_changes_by_itself(found):
    assert found.same_structure
    assert found.changes == []
    assert "the same structure" in str(found)
    assert "nothing changed" in str(found)


def after_a_step_of_training_each_variable_has_moved_by_lr_times_its_gradient(before, leaves):
    used = [leaf for leaf in leaves if leaf.grad is not None]
    # in another graph, variables are recognised by their names
    moved = {leaf.name: Value(leaf.data - 0.1 * leaf.grad, name=leaf.name) for leaf in used}
    after = viz.trace(sum((value * 1.0).sum() for value in moved.values()))
    changes = {(c.name, c.quantity): c for c in diff(before, after).changes}
    for leaf in used:
        step = -0.1 * leaf.grad
        if np.any(moved[leaf.name].data != leaf.data):
            change = changes[leaf.name, "data"]
            np.testing.assert_allclose(change.difference, step, rtol=1e-6, atol=1e-12)
            np.testing.assert_array_equal(change.after, leaf.data + step)


def test_a_training_step():
    before, after, neuron = trained()
    found = diff(before, after)
    assert found.same_structure
    changes = {(c.name, c.quantity): c for c in found.changes}
    np.testing.assert_allclose(changes["weights", "data"].difference, -0.1 * neuron.w.grad)
    np.testing.assert_allclose(changes["bias", "data"].difference, -0.1 * neuron.b.grad)
    weights = changes["weights", "data"]
    texts = [formatting.array(data) for data in (weights.before, weights.after, weights.difference)]
    assert texts == ["[1.45, -0.66]", "[1.411, -0.6894]", "[-0.03914, -0.02936]"]
    assert weights.percent == "3.071%"
    assert changes["bias", "data"].percent == "-"  # from 0
    sizes = [c.relative for c in found.changes]
    assert sizes == sorted(sizes, reverse=True)


def test_the_order_in_which_one_looks_does_not_matter():
    before, after, neuron = trained()
    text = str(diff(before, after))
    neuron.w.data = np.array([9.0, 9.0])
    assert str(diff(before, after)) == text


def test_the_table(monkeypatch):
    monkeypatch.setenv("COLUMNS", "200")
    before, after, _ = trained()
    lines = str(diff(before, after)).splitlines()
    assert lines[0] == "square_1 -> square_1: the same structure, 7 values compared, 7 changed"
    assert lines[1].split() == ["relative", "before", "after", "change"]
    row = next(line for line in lines if line.strip().startswith("weights.data"))
    assert row.split(None, 2)[1] == "3.071%"
    assert "[1.45, -0.66]" in row
    assert "[1.411, -0.6894]" in row
    assert repr(diff(before, after)) == "\n".join(lines)


def test_what_one_of_the_two_lacks_is_listed():
    neuron = Neuron()
    one, other = viz.trace(neuron.error()), viz.trace(neuron.error() + 0.01 * np.square(neuron.w).sum())
    found = diff(one, other)
    assert not found.same_structure
    assert "only after: pow_1" in str(found) or "only after: square_2" in str(found)
    assert "different structures" in str(found)
    assert {change.name for change in found.changes} == {"weights"}
    assert "only before: " in str(diff(other, one))
    assert "unchanged: " in str(found)


def test_arrays_of_another_shape_and_numbers_that_are_none():
    w = Value(2.0, name="w")
    one = viz.trace((w * np.ones(3)).sum(), names={"w": w})
    found = {(c.name, c.quantity): c for c in diff(one, viz.trace((w * np.ones(5)).sum())).changes}
    assert found["mul_1", "data"].difference is None
    assert found["mul_1", "data"].relative == float("inf")
    assert found["w", "grad"].difference == 2.0
    nan = viz.trace(w * float("nan"))
    assert diff(nan, nan).changes == []
    first = diff(viz.trace(w * 1.0), nan).changes[0]
    assert first.percent == "-"
    assert np.isnan(first.after)


def test_the_picture_has_both_numbers_and_marks_what_changed():
    before, after, _ = trained()
    drawing = diff(before, after).draw()
    boxes = {box.name: box for box in drawing.diagram.boxes}
    assert formatting.data(boxes["weights"]) == "[1.45, -0.66] -> [1.411, -0.6894]"
    assert boxes["weights"].flags[0] == "data changed: 3.071%"
    assert boxes["bias"].flags[0] == "data changed"
    assert all(not box.flags for box in drawing.diagram.boxes if box.kind == "constant")
    assert "before -> after" in drawing.source
    assert "before -> after" not in before.draw().source
    pytest.importorskip("pygraphviz")
    assert "3.071%" in "".join(ET.fromstring(drawing.svg).itertext())


def test_the_picture_of_what_is_equal_has_no_marks():
    same = viz.trace(Neuron().error())
    diagram = diff(same, same).draw().diagram
    assert all(not box.flags for box in diagram.boxes)
    grads = {box.node: box.grad for box in diagram.boxes}
    assert all(grads[leaf.node] is leaf.paths.gradient for leaf in same.story.leaves)


def test_the_picture_says_what_is_new_and_what_is_gone():
    neuron = Neuron()
    one, other = viz.trace(neuron.error()), viz.trace(neuron.error() + neuron.b)
    diagram = diff(one, other).draw().diagram
    assert [box.name for box in diagram.boxes if box.flags == ("new",)] == ["add_2"]
    assert "only before: add_2 (+)" in diff(other, one).draw().diagram.note


def chain(length, start):
    x = Value(start, name="x")
    for _ in range(length):
        x = np.sin(x)
    return viz.trace(x)


@pytest.mark.parametrize("length", [700, 5_000])
def test_large_graphs(length):
    found = diff(chain(length, 0.5), chain(length, 0.6))
    assert len(found.pairs) == length + 1
    assert f"... {len(found.changes) - LINES:,} more changes" in str(found)
    diagram = found.draw().diagram
    marked = [flag for box in diagram.boxes for flag in box.flags if "changed" in flag]
    assert marked
    if length > 2_000:
        assert any(flag.endswith("values changed") for flag in marked)


@pytest.mark.parametrize("wrong", [None, 3.0, Value(1.0)])
def test_what_is_not_a_pass_is_refused_with_what_to_write(wrong):
    with pytest.raises(TypeError, match=r"compares two backward passes, got .*: write before = viz\.trace\(loss\)"):
        diff(viz.trace(Neuron().error()), wrong)


def pairs(first, second, given=None):
    graphs = [toposort(root)[::-1] for root in (first, second)]
    names = [Names(nodes, given) for nodes in graphs]
    return matched(*graphs, *names), names


def by_name(found, names):
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
    assert all(a == b for a, b in by_name(found, names).items())


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
    assert by_name(found, names) == {"x": "x", "h": "h", "mul_1": "mul_1", "square_1": "square_1"}


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
