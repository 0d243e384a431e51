"""The pulls of a backward pass: all of them, in order, and their sums are the gradients."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tinygrad_edu import Value
from tinygrad_edu.graph import toposort
from tinygrad_edu.viz import line_of, recording, steps, wording
from tinygrad_edu.viz.journal import pulls
from tinygrad_edu.viz.naming import Names
from tinygrad_edu.viz.replay import consumers, gradients

CALLS = (np.add, np.subtract, np.multiply, np.maximum, lambda x, y: np.tanh(x), lambda x, y: x @ y)


@st.composite
def losses(draw):
    """A number computed from two variables, single numbers or matrices, with results used again."""
    shape = draw(st.sampled_from([(), (2, 2), (3, 3)]))
    calls = CALLS if shape else CALLS[:-1]
    values = [
        Value(np.full(shape, 0.5), name="v"),
        Value(np.reshape(np.linspace(-1, 1, 9)[: int(np.prod(shape))], shape)),
    ]
    for _ in range(draw(st.integers(1, 8))):
        x, y = draw(st.sampled_from(values)), draw(st.sampled_from(values))
        values.append(draw(st.sampled_from(calls))(x, y))
    return np.sum(values[-1])


def journal(loss, **given):
    nodes = toposort(loss)
    return nodes, pulls(nodes, gradients(loss), consumers(nodes), Names(nodes[::-1], given))


@given(losses())
def test_the_pulls_are_those_of_the_graph_and_no_gradient_is_written(loss):
    nodes, found = journal(loss)
    every_edge_is_pulled_once_after_everything_that_reaches_its_result(nodes, found)
    sums_begin_at_nothing_continue_and_end_at_the_gradient(gradients(loss), found)
    steps(loss)
    assert all(node.grad is None for node in toposort(loss))


def every_edge_is_pulled_once_after_everything_that_reaches_its_result(nodes, found):
    assert len(found) == sum(len(uses) for uses in consumers(nodes).values())
    assert len({(p.step, p.place) for p in found}) == len(found)
    for k, p in enumerate(found):
        assert nodes[p.step] is p.node
        assert nodes[p.target] is p.operand is p.node.args[p.place]
        assert all(later.operand is not p.node for later in found[k:])


def sums_begin_at_nothing_continue_and_end_at_the_gradient(table, found):
    sums, done = {}, {}
    for p in found:
        assert p.before == sums.get(p.operand, "0")
        assert p.upstream == wording.array(table[p.node])
        sums[p.operand] = p.after
        done[p.operand] = done.get(p.operand, 0) + 1
        assert p.done == done[p.operand]
    assert sums == {node: wording.array(table[node]) for node in sums}
    assert all(p.total == done[p.operand] for p in found)


def test_a_pull_of_numbers_in_words():
    w = Value(1.45)
    z = w * 1.66 + w * w
    _, found = journal(z, w=w, z=z)
    last = found[-1]
    assert (last.derivative, last.formula, last.local, last.glyph) == ("dmul_1_dw", "1.66", "1.66", "*")
    assert (last.upstream, last.contribution, last.progress) == ("1", "1 * 1.66 = 1.66", "3 of 3")
    assert last.accumulation == "w.grad: 2.9 += 1.66 -> 4.56"


def test_negative_factors_are_bracketed_and_matrices_told_by_shape_and_norm():
    x, w = np.ones((4, 3)), Value(np.ones((3, 2)), name="w")
    _, found = journal((-(x @ w)).sum(), x=x)
    assert found[1].contribution == "(4, 2), norm 2.828 * (-1) = (4, 2), norm 2.828"
    assert (found[2].formula, found[2].local, found[2].contribution) == ("x^T", "(3, 4)", "(3, 2), norm 9.798")


def test_an_array_and_a_variable_have_no_pulls():
    assert journal(Value(np.ones(3)) * 2.0)[1] == []
    assert journal(Value(1.0))[1] == []


def test_steps_are_one_line_each():
    w = Value(0.5, name="w")
    text = steps(w * w)
    assert text.splitlines() == [
        "backward from mul_1: 2 steps, each after all steps that reach its result",
        "   1 dmul_1_dw = w = 0.5 | 1 * 0.5 = 0.5 | w.grad: 0 += 0.5 -> 0.5 (1 of 2)",
        "   2 dmul_1_dw = w = 0.5 | 1 * 0.5 = 0.5 | w.grad: 0.5 += 0.5 -> 1 (2 of 2)",
    ]


def test_steps_name_the_line_of_the_program_inside_recording():
    with recording():
        x = Value(2.0, name="x")
        y = x * x
    told = steps(y + 1.0).splitlines()
    assert "test_journal.py" not in told[1]  # y + 1.0 was computed outside
    assert all(line.endswith(f"| {line_of(y)}") for line in told[2:])
    assert len(told) == 4


def test_many_steps_are_cut_short_and_counted():
    v = Value(1.0)
    for _ in range(5_000):
        v = v * 1.0
    lines = steps(v).splitlines()
    assert len(lines) == 202
    assert lines[-1] == " ... 4,800 more steps"


def test_steps_refuse_what_has_no_gradient():
    with pytest.raises(TypeError, match="computed from constants only"):
        steps(1.0)
    with pytest.raises(ValueError, match=r"shape \(3,\)"):
        steps(Value(np.ones(3)))
