"""`check_graph` passes sound graphs and says what is wrong, also where no leaf shows it."""

import numpy as np
import pytest

from tinygrad_edu import Value, backward, value
from tinygrad_edu.backward import backpropagate
from tinygrad_edu.testing import FAIL, KINK, PASS, GradientError
from tinygrad_edu.testing.strategies import Graph, check_graph

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
