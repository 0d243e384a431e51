"""The tools of the fuzz tests: dual numbers, programs as text, their operands and their checks."""

import math
import re
from collections import Counter

import numpy as np
import pytest
from hypothesis import HealthCheck, Phase, find, given, seed, settings
from hypothesis import strategies as st

import tinygrad_edu as te
from tests.fuzz.adapters import LIMIT, fitted, inside, matrix, spread
from tests.fuzz.checking import check_graph
from tests.fuzz.drafting import graphs, kinds
from tests.fuzz.dual import Dual, depends, numbers, pulled, variable
from tests.fuzz.program import Graph, Line, namespace, write
from tests.fuzz.source import called, enclosed, literal, operator_of, written
from tinygrad_edu import Value, backward, value
from tinygrad_edu.backward import backpropagate
from tinygrad_edu.table import DEFINITE, MULTIPLES, OPERATIONS, PRIMITIVES, REGULAR, TIES, arrived
from tinygrad_edu.testing import FAIL, KINK, PASS, GradientError, numeric_gradient
from tinygrad_edu.testing.arguments import intervals
from tinygrad_edu.testing.strategies import tensors

# -- dual numbers --------------------------------------------------------------------------------------------


small = st.floats(-2, 2)


@given(small, small)
def test_sums_products_and_functions_have_the_slopes_of_the_textbook(a, b):
    x, y = Dual(a, {"x": 1.0}), Dual(b, {"y": 1.0})
    assert (x + y).slopes == {"x": 1.0, "y": 1.0}
    assert (x - y).slopes == {"x": 1.0, "y": -1.0}
    assert (x * y).slopes == {"x": b, "y": a}
    assert (-x).slopes == {"x": -1.0}
    assert (3 - x).number == 3 - a
    assert (x.sin().number, x.sin().slopes) == (math.sin(a), {"x": math.cos(a)})
    np.testing.assert_allclose(x.tanh().slopes["x"], 1 - math.tanh(a) ** 2, rtol=1e-12, atol=1e-15)
    assert ((x + 1) * 2).slopes == (2 * (1 + x)).slopes == {"x": 2.0}
    assert (x * x + x).slopes == {"x": 2 * a + 1}


def test_operands_are_left_alone():
    x = Dual(2.0, {"x": 1.0})
    _ = x + x, x * x, -x
    assert (x.number, x.slopes) == (2.0, {"x": 1.0})
    assert repr(x) == "Dual(2.0, {'x': 1.0})"


def test_arrays_of_duals_broadcast_and_pull_back_as_a_jacobian_does():
    x, y = np.array([[1.0, 2.0]]), np.array([[3.0], [4.0]])
    a, b = variable(x, "a"), variable(y, "b")
    out = np.sin(a) * b
    np.testing.assert_allclose(numbers(out), np.sin(x) * y)
    c = np.array([[1.0, -2.0], [0.5, 3.0]])
    np.testing.assert_allclose(pulled(out, c, "a", x.shape), np.sum(c * y * np.cos(x), axis=0, keepdims=True))
    np.testing.assert_allclose(pulled(out, c, "b", y.shape), np.sum(c * np.sin(x), axis=1, keepdims=True))
    assert depends(out, "a")
    assert not depends(a, "b")
    assert pulled(a, np.ones((1, 2)), "b", (2, 1)).tolist() == [[0.0], [0.0]]


def test_a_result_has_a_slope_with_respect_to_itself():
    x = variable(np.array([2.0, 3.0]), "x")
    y = variable(x * x, "y")
    z = np.sum(y * y)
    assert pulled(z, 1.0, "y", (2,)).tolist() == [8.0, 18.0]
    assert pulled(z, 1.0, "x", (2,)).tolist() == [32.0, 108.0]
    assert numbers(z).shape == ()


# -- programs ------------------------------------------------------------------------------------------------


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


# -- operations as text --------------------------------------------------------------------------------------


arrived()


@pytest.mark.parametrize("op", [op for op in OPERATIONS.values() if called(op)], ids=lambda op: op.name)
def test_the_name_means_the_function(op):
    assert eval(called(op), namespace()) is op.function


def test_hardly_any_operation_has_no_name():
    assert len([op for op in OPERATIONS.values() if not called(op)]) <= 0.05 * len(OPERATIONS)


@pytest.mark.parametrize(
    ("function", "options", "text"),
    [
        (np.add, {}, "a + (b + 1)"),
        (np.power, {}, "a ** (b + 1)"),
        (np.matmul, {}, "a @ (b + 1)"),
        (np.arctan2, {}, "np.arctan2(a, b + 1)"),
        (te.relu, {}, "te.relu(a, b + 1)"),
        (np.sum, {"axis": (0, 1), "keepdims": True}, "np.sum(a, b + 1, axis=(0, 1), keepdims=True)"),
        (PRIMITIVES["getitem"], {"index": (0, slice(None, 2), ..., None)}, "a[(0, slice(None, 2, None), ..., None)]"),
    ],
)
def test_calls_are_written_as_users_write_them(function, options, text):
    assert written(OPERATIONS[function], ["a", "b + 1"], options) == text


def test_a_single_operand():
    assert written(OPERATIONS[np.negative], ["a + b"], {}) in ("-(a + b)", "np.negative(a + b)")
    assert operator_of(OPERATIONS[np.tanh]) == ""


@pytest.mark.parametrize("text", ["a", "1.5", "f(a)", "a.b", "a[0]"])
def test_one_thing_needs_no_parentheses(text):
    assert enclosed(text) == text
    assert enclosed(f"{text} + a") == f"({text} + a)"


@pytest.mark.parametrize(
    "value",
    [1, -2.5, True, None, "full", (1,), (), [0, 0, 1], slice(1, None, -1), ..., (..., None, slice(0, 2)), np.float32],
)
def test_literals_come_back_the_same(value):
    assert eval(literal(value), namespace()) == value


def test_arrays_come_back_and_what_has_no_text_is_refused():
    np.testing.assert_array_equal(eval(literal(np.array([[1, 2]])), namespace()), [[1, 2]])
    with pytest.raises(ValueError, match="no literal for <object"):
        literal(object())


# -- domain adapters -----------------------------------------------------------------------------------------


arrived()
ELEMENTWISE = [op for op in OPERATIONS.values() if op.elementwise and not op.variadic]


def valued(arrays):
    return lambda text: eval(text, {"np": np}, arrays)


@few
@given(st.lists(tensors((3,), (-30.0, 30.0)), min_size=3, max_size=3))
def test_elementwise_operations_are_given_what_they_declare(arrays):
    for op in ELEMENTWISE:
        expect_declared(op, dict(zip("abc"[: len(op.pullbacks)], arrays, strict=False)))


def expect_declared(op, arrays):
    """The operands, fitted, are in the domain and away from the kinks."""
    found = [np.asarray(valued(arrays)(text)) for text in fitted(op, list(arrays), {}, valued(arrays))]
    points = [*op.singular, *(() if isinstance(op.kinks, str) else op.kinks)]
    for x, (low, high) in zip(found, intervals(op, len(found)), strict=True):
        assert np.all((low < x) & (x < high)), op
        assert all(np.all(np.abs(x - p) > 0.01) for p in points), op
    if op.kinks == TIES and len(found) == 2:
        assert np.all(np.abs(found[0] - found[1]) > 0.05)
    if op.kinks == MULTIPLES:
        assert np.all(np.abs(np.round(found[0] / found[1]) - found[0] / found[1]) > 0.02)


@pytest.mark.parametrize(
    ("value", "domain", "points", "text"),
    [
        (1.0, (0.0, np.inf), (), "v"),
        (-1.0, (0.0, np.inf), (), "np.log1p(np.exp(v)) + 0.1"),
        (1.0, (-np.inf, 0.0), (), "-0.1 - np.log1p(np.exp(v))"),
        (0.99, (-1.0, 1.0), (), "0.8 * np.tanh(v)"),
        (0.5, (-np.inf, np.inf), (0.5,), "np.log1p(np.exp(v)) + 0.6"),
        (50.0, (-np.inf, np.inf), (), "0.04 * v"),
    ],
)
def test_what_fits_is_left_and_what_does_not_is_mapped(value, domain, points, text):
    assert inside("v", np.array(value), domain, points) == text


@few
@given(tensors((2, 3), (-30.0, 30.0)))
def test_spread_entries_differ_from_each_other_and_from_negatives(a):
    found = valued({"a": a})(spread("a", a, [0.5]))
    sizes = np.sort(np.abs([0.0, 0.5, *np.ravel(found)]))
    assert np.min(np.diff(sizes)) > 0.05
    assert np.max(sizes) < 2 * LIMIT + 4


@few
@given(tensors((3, 3)), st.sampled_from([REGULAR, DEFINITE]))
def test_matrices_are_far_from_singular(a, kind):
    found = valued({"a": a})(matrix("a", a, kind))
    assert np.min(np.linalg.svd(found, compute_uv=False)) > 0.3
    if kind == DEFINITE:
        np.testing.assert_allclose(found, found.mT, atol=0.02)


def test_unknown_kinds_of_matrices_are_refused():
    with pytest.raises(ValueError, match="no such domain: 'orthogonal'"):
        matrix("a", np.eye(2), "orthogonal")


# -- graphs() ------------------------------------------------------------------------------------------------


arrived()


def drawn(count, seeded=0, **options):
    found = []

    @seed(seeded)
    @settings(max_examples=count, database=None, phases=[Phase.generate], suppress_health_check=list(HealthCheck))
    @given(graphs(**options))
    def run(graph):
        found.append(graph)

    run()
    return found


@pytest.fixture(scope="module")
def many():
    return drawn(100)


def test_nothing_is_thrown_away_and_every_program_is_finite(many):
    assert len(many) == 100
    with np.errstate(all="raise", under="ignore"):
        assert all(np.isfinite(graph(*graph.arrays)) for graph in many)


def test_the_simplest_program_is_one_operation_of_one_number():
    (graph,) = drawn(1)  # hypothesis begins with the simplest
    assert graph.text == "a = Value(1.0)\nm = a + a\nout = 1.84 * m"


def test_results_are_shared_leaves_are_equal_and_shapes_broadcast(many):
    long = [graph for graph in many if len(graph.lines) > 4]
    assert len(long) > 25
    seen = Counter()
    for graph in long:
        texts = [line.expression for line in graph.lines]
        names = [line.name for line in graph.lines]
        arrays = list(graph.leaves.values())
        seen["shared"] += any(sum(name in text.split() or f"({name}" in text for text in texts) > 1 for name in names)
        seen["equal"] += any(np.array_equal(a, b) for i, a in enumerate(arrays) for b in arrays[:i])
        seen["moved"] += any(line.moved for line in graph.lines)
        seen["passed"] += any(line.passed for line in graph.lines)
        seen["shapes"] += len({a.shape for a in arrays}) > 1
        seen["adapted"] += any("np.log1p(np.exp(" in text or "np.tanh(" in text for text in texts)
        seen["constants"] += any("np.array(" in text for text in texts)
    assert min(seen.values()) > 0.15 * len(long), seen
    assert len(seen) == 7


def test_every_result_is_used(many):
    for graph in many:
        texts = [set(re.findall(r"\w+", line.expression)) for line in graph.lines]
        for i, line in enumerate(graph.lines[:-1]):
            assert any(line.name in words for words in texts[i + 1 :]), graph


def writable(op):
    return called(op) and not op.variadic and op.domain != DEFINITE


def test_the_operations_are_those_of_the_table():
    written = {op for kind in kinds(None) for op in kind}
    assert written <= set(OPERATIONS.values())
    assert [op for op in OPERATIONS.values() if writable(op) and op not in written] == []


def test_an_operation_that_is_new_in_the_table_takes_part(monkeypatch):
    only = lambda op: op.function in (np.arctan2, np.linalg.inv)
    texts = " ".join(graph.text for graph in drawn(30, operations=only))
    assert "np.arctan2(" in texts
    assert "np.linalg.inv(" in texts
    assert "np.sin" not in texts


@few
@given(graphs(max_steps=3))
def test_programs_have_at_most_the_steps_that_were_asked_for(graph):
    assert len([line for line in graph.lines if line.name != "out"]) <= 3


@pytest.mark.parametrize("options", [{"max_steps": 0}, {"max_steps": 13}, {"operations": lambda op: False}])
def test_what_cannot_be_drawn_is_refused(options):
    with pytest.raises(ValueError, match=r"graphs\(\) needs an operation, and 1 to 12 steps"):
        find(graphs(**options), lambda graph: True)


# -- check_graph ---------------------------------------------------------------------------------------------


GRAPH = Graph("a = Value([0.5, 1.5])\nb = Value(2.0)\nm = a * b\nn = m + m\nout = np.sum(n * np.sin(m) * [1.0, 2.0])")


def test_a_sound_graph_passes():
    report = check_graph(GRAPH, order=2)
    assert report.verdict == PASS
    assert {"leaf a", "leaf b", "result m", "result n", "results, along a direction"} <= {
        finding.place for finding in report.findings
    }
    assert check_graph(Graph("a = Value(0.0)\nout = te.relu(a)")).verdict == KINK


def passes(monkeypatch, change):
    def changed(root, gradient, *args, **options):
        return change(backpropagate(root, gradient, *args, **options))

    monkeypatch.setattr(value, "backpropagate", changed)
    monkeypatch.setattr(backward, "backpropagate", changed)


def inner(factor):
    return lambda found: {v: g if v.op is None else factor * g for v, g in found.items()}


def test_a_gradient_of_a_result_between_is_judged(monkeypatch):
    passes(monkeypatch, inner(1.01))
    report = check_graph(GRAPH, raises=False)
    assert [f.place for f in report.findings if f.verdict == FAIL] == ["results, along a direction"]


def test_a_result_without_gradient_or_with_another_shape(monkeypatch):
    passes(monkeypatch, lambda found: {v: g for v, g in found.items() if v.op is None})
    assert "result m: its gradient is None" in str(check_graph(GRAPH, raises=False))
    passes(monkeypatch, lambda found: {v: g if v.op is None else np.sum(g) for v, g in found.items()})
    assert "its shape is (2,)" in str(check_graph(GRAPH, raises=False))


def test_a_second_pass_doubles_leaves_and_nothing_else(monkeypatch):
    real = Value.backward

    def again(self, gradient=None):
        before = {v: v.grad for v in backpropagate(self, np.ones(self.shape)) if v.op}
        real(self, gradient)
        for v, g in before.items():
            v.grad = v.grad if g is None else v.grad + g

    monkeypatch.setattr(Value, "backward", again)
    report = check_graph(GRAPH, raises=False)
    assert {f.place for f in report.findings if f.verdict == FAIL} == {"result m", "result n", "result out"}


def test_the_error_holds_the_program(monkeypatch):
    passes(monkeypatch, lambda found: {v: 2 * g for v, g in found.items()})
    with pytest.raises(GradientError, match=r"(?s)FAIL.*check_graph\(Graph\('''\n    a = Value\(\[0.5, 1.5\]\)\n"):
        check_graph(GRAPH)


def test_a_dtype_that_is_not_the_leaf_s(monkeypatch):
    passes(monkeypatch, lambda found: {v: np.asarray(g, np.float32) for v, g in found.items()})
    assert "float32; it is (), float64 itself" in str(check_graph(Graph("a = Value(1.0)\nout = a * a"), raises=False))
