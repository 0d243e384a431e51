"""How much is said of each Value: all of it in small graphs, less in larger ones, and in words what is left out."""

import numpy as np
import pytest

from tinygrad_edu import Value
from tinygrad_edu.graph import toposort
from tinygrad_edu.viz.extent import EVERYTHING, SHORT, Extent, far_hops


def chain(length):
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
    assert chain(length).detail == detail


def test_constants_count():
    x = Value(0.5)
    for _ in range(EVERYTHING // 3):
        x = x * 2.0
    assert Extent(toposort(x)).detail == "short"


def test_what_is_left_out_is_said():
    assert chain(10).note == ""
    assert chain(100).note == "101 values: formulas and gradients are left out"
    assert chain(1000).note == "1,001 values: numbers, constants and separate operations are left out"


def test_operands_are_drawn_first():
    drawn = chain(20).drawn
    assert all(drawn.index(arg) < i for i, node in enumerate(drawn) for arg in node.args)


def recurrent(steps):
    w, x = Value(0.5), Value(1.0)
    for _ in range(steps):
        x = np.sin(x) * w
    return w, toposort(x)[::-1]


def test_a_weight_used_at_every_step_is_drawn_again_where_lines_would_be_long():
    w, nodes = recurrent(40)
    far = far_hops(nodes)
    assert {hop[0].args[hop[1]] for hop in far} == {w}
    assert 30 < len(far) < 40
    assert "a value that is drawn elsewhere" in Extent(nodes[::-1]).note


def test_few_long_lines_are_drawn():
    _, nodes = recurrent(5)
    assert far_hops(nodes) == frozenset()
    assert Extent(nodes[::-1]).note == ""
