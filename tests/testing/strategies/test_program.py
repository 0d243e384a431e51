"""A program is its text: read, written, run with Values, and evaluated on arrays, it is the same function."""

import numpy as np
import pytest
from hypothesis import Phase, given, settings

from tinygrad_edu import Value
from tinygrad_edu.testing import numeric_gradient
from tinygrad_edu.testing.strategies import Graph, graphs
from tinygrad_edu.testing.strategies.program import Line, write

few = settings(phases=[Phase.generate], max_examples=max(10, settings().max_examples // 4))
TEXT = """
    a = Value([1.0, 2.0])
    kept, a.data = a.data, a.data + 0.5
    m = a * a
    a.data = kept
    m.backward(np.ones(m.shape))
    n = m + a
    a.grad = None
    out = np.sum(n * [2.0, 3.0])
"""


def test_a_program_is_read_line_by_line():
    graph = Graph(TEXT)
    assert list(graph.leaves) == ["a"]
    assert graph.lines == [
        Line("m", "a * a", "a", True), Line("n", "m + a"), Line("out", "np.sum(n * [2.0, 3.0])"),
    ]  # fmt: skip
    assert graph == Graph(TEXT)
    assert hash(graph) == hash(Graph(TEXT))
    assert graph != Graph("a = Value(1.0)\nout = a")
    again = Graph(write(graph.leaves, graph.lines))
    assert (again.lines, list(again.leaves)) == (graph.lines, ["a"])


def test_what_happens_around_a_graph_leaves_no_trace():
    graph = Graph(TEXT)
    values = graph.run()
    assert values["a"].grad is None
    assert values["a"].data.tolist() == [1.0, 2.0]
    assert values["out"].item() == graph(np.array([1.0, 2.0])) == 2 * (1.5**2 + 1) + 3 * (2.5**2 + 2)
    values["out"].backward()
    np.testing.assert_allclose(values["a"].grad, numeric_gradient(graph, np.array([1.0, 2.0]))[0])


@few
@given(graphs())
def test_text_is_the_program(graph):
    assert eval(repr(graph), {"Graph": Graph}) == graph
    assert Graph(graph.text) == graph
    scope = {}
    exec(str(graph), scope)
    expected = graph(*graph.arrays)
    assert scope["out"].item() == graph.run()["out"].item() == expected
    for name, array in graph.leaves.items():
        assert scope[name].grad is None
        np.testing.assert_array_equal(scope[name].data, array)
    np.testing.assert_array_equal(graph(*map(Value, graph.arrays)).data, expected)


def test_other_leaves_and_shifted_results():
    graph = Graph("a = Value(3.0)\nm = a * a\nout = m + a")
    assert graph(2.0) == 6.0
    assert graph.run(2.0)["out"].item() == 6.0
    assert graph.shifted([2.0], {"m": 0.5}) == 6.5
    np.testing.assert_allclose(graph(2.0 + 1e-30j).imag, 5e-30)
    graph.arrays[0] += 1
    assert graph.arrays[0] == 3.0


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a = Value(1.0)\nprint(a)\nout = a", "not a line of a graph: 'print.a.'"),
        ("a = Value(1.0)", "a graph ends with its result, a single number: `out = ...`"),
        ("", "a graph ends with its result"),
        ("a = Value(1.0)\nout = a\nb = a", "a graph ends with its result"),
    ],
)
def test_what_is_no_program_is_refused(text, message):
    with pytest.raises(ValueError, match=message):
        Graph(text)
