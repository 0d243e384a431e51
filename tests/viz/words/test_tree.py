"""The tree: each Value once, its uses pointed to, ASCII only, never too deep and never too long."""

import numpy as np
from hypothesis import given, settings

from tests.viz.graphs import diagram, graphs
from tinygrad_edu import Value
from tinygrad_edu.viz.words.tree import DEEPEST, LINES, tree


@settings(max_examples=settings().max_examples // 2)  # one graph is looked at from many sides
@given(graphs(size=5))
def test_every_value_and_every_operand_has_a_line(made):
    found = diagram(made[0])
    text = tree(found)
    lines = text.split("\n\n")[0].splitlines()
    assert len(lines) == len(found.arrows) + 1
    assert text.isascii()
    assert all(any(line.strip().startswith(box.name) for line in lines) for box in found.boxes if box.name)


def test_a_shared_value_is_written_out_once():
    x = Value(2.0, name="x")
    y = np.sin(x)
    y.name = "y"
    lines = tree(diagram(y * y)).splitlines()
    assert [line.split("  |")[0].strip() for line in lines] == [
        "mul_1 = *: data 0.8268",
        "y = sin: data 0.9093",
        "x: data 2",
        "y = sin: data 0.9093",
    ]
    assert lines[3].endswith("(above)")
    assert not lines[1].endswith("(above)")


def test_a_line_holds_data_gradient_and_local_derivative():
    x = Value(2.0, name="x")
    y = x * 3.0
    y.backward()
    lines = tree(diagram(y, to=x)).splitlines()
    assert lines[1] == "  x: data 2  |  grad 3  |  dmul_1_dx: 3  |  <== wanted path"
    assert lines[2] == "  constant: data 3"
    assert lines[-1] == "dmul_1_dx = 3"


def test_a_deep_chain_is_numbered_and_cut():
    x = Value(0.5)
    for _ in range(400):
        x = np.sin(x)
    lines = tree(diagram(x)).splitlines()
    assert lines[DEEPEST + 1].startswith("  " * DEEPEST + f"[{DEEPEST + 1}] ")
    assert lines[LINES] == "... 201 more lines"
    assert lines[-1].startswith("401 values: ")


def test_other_alphabets_are_escaped():
    assert "\\u03bb" in tree(diagram(Value(1.0, name="λ") * 2.0))
