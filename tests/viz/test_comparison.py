"""Two passes compared: nothing changes by itself, and a training step changes weights by lr times their gradient."""

import xml.etree.ElementTree as ET

import numpy as np
import pytest
from hypothesis import given

from tests.viz.graphs import graphs
from tinygrad_edu import Value, sigmoid, viz
from tinygrad_edu.viz import wording
from tinygrad_edu.viz.comparison import LINES, diff


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
            assert change.after == wording.array(leaf.data + step)


def test_a_training_step():
    before, after, neuron = trained()
    found = diff(before, after)
    assert found.same_structure
    changes = {(c.name, c.quantity): c for c in found.changes}
    np.testing.assert_allclose(changes["weights", "data"].difference, -0.1 * neuron.w.grad)
    np.testing.assert_allclose(changes["bias", "data"].difference, -0.1 * neuron.b.grad)
    weights = changes["weights", "data"]
    assert (weights.before, weights.after) == ("[1.45, -0.66]", "[1.411, -0.6894]")
    assert (weights.change, weights.percent) == ("[-0.03914, -0.02936]", "3.071%")
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
    assert found["w", "grad"].change == "2"
    nan = viz.trace(w * float("nan"))
    assert diff(nan, nan).changes == []
    first = diff(viz.trace(w * 1.0), nan).changes[0]
    assert (first.percent, first.after) == ("-", "nan")


def test_the_picture_has_both_numbers_and_marks_what_changed():
    before, after, _ = trained()
    drawing = diff(before, after).draw()
    boxes = {box.name: box for box in drawing.trace.boxes}
    assert boxes["weights"].data == "[1.45, -0.66] -> [1.411, -0.6894]"
    assert boxes["weights"].flags[0] == "data changed: 3.071%"
    assert boxes["bias"].flags[0] == "data changed"
    assert all(not box.flags for box in drawing.trace.boxes if box.kind == "constant")
    assert "before -> after" in drawing.source
    assert before.draw().trace != drawing.trace
    pytest.importorskip("pygraphviz")
    assert "3.071%" in "".join(ET.fromstring(drawing.svg).itertext())


def test_the_picture_of_what_is_equal_has_no_marks():
    same = viz.trace(Neuron().error())
    trace = diff(same, same).draw().trace
    assert all(not box.flags for box in trace.boxes)
    grads = {box.name: box.grad for box in trace.boxes}
    assert {leaf.name: leaf.gradient for leaf in same.story.leaves}.items() <= grads.items()


def test_the_picture_says_what_is_new_and_what_is_gone():
    neuron = Neuron()
    one, other = viz.trace(neuron.error()), viz.trace(neuron.error() + neuron.b)
    trace = diff(one, other).draw().trace
    assert [box.name for box in trace.boxes if box.flags == ("new",)] == ["add_2"]
    assert "only before: add_2 (+)" in diff(other, one).draw().trace.note


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
    trace = found.draw().trace
    marked = [flag for box in trace.boxes for flag in box.flags if "changed" in flag]
    assert marked
    if length > 2_000:
        assert any(flag.endswith("values changed") for flag in marked)


@pytest.mark.parametrize("wrong", [None, 3.0, Value(1.0)])
def test_what_is_not_a_pass_is_refused_with_what_to_write(wrong):
    with pytest.raises(TypeError, match=r"compares two backward passes, got .*: write before = viz\.trace\(loss\)"):
        diff(viz.trace(Neuron().error()), wrong)
