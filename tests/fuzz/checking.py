"""`check_graph`: a program of Values against differences, and what a backward pass promises besides.

A checker of functions looks at leaves. A graph shows more: the gradients that a pass leaves on the results between,
that a second pass doubles those of the leaves and no others, and that what happened around the graph, rebound data
or another pass, leaves no trace.
Source: Griewank and Walther, "Evaluating Derivatives" (2008), section 3.2: an adjoint of every intermediate value.
"""

from __future__ import annotations

import math
import warnings
from collections.abc import Iterator
from typing import Any

import numpy as np

from tests.fuzz.program import Graph
from tinygrad_edu.backward import gradients
from tinygrad_edu.errors import StaleGraphWarning
from tinygrad_edu.testing.differences.comparing import spread
from tinygrad_edu.testing.differences.judging import Limits, judge
from tinygrad_edu.testing.differences.numeric import number
from tinygrad_edu.testing.function import check_gradients
from tinygrad_edu.testing.report import Finding, GradientReport, concluded, condition
from tinygrad_edu.value import Value

Array = np.ndarray[Any, Any]

REACH, SAME, RTOL = 0.05, 1e-9, 1e-5


def check_graph(graph: Graph, *, raises: bool = True, **options: Any) -> GradientReport:
    """Check a graph against differences, and what a backward pass promises besides.

    Parameters
    ----------
    graph
        A program, such as `graphs()` draws.
    raises
        Whether FAIL and INCONCLUSIVE raise; the report is returned otherwise.
    options
        As for `check_gradients`.

    Returns
    -------
    GradientReport
        The gradient of every leaf by differences; that `backward()` on the program as it is written gives the same,
        of the shape and dtype of the leaf; that every result between holds its gradient; and that a second pass
        doubles the gradients of the leaves and changes nothing else.

    Raises
    ------
    GradientError
        If something is wrong, with the program's text.
    """
    report = check_gradients(graph, *graph.arrays, raises=False, **{"distance": REACH, **options})
    findings = [*report.findings, *of_backward(graph)]
    return concluded(GradientReport(graph.__name__, findings, f"check_graph({graph!r})"), raises)


def of_backward(graph: Graph) -> Iterator[Finding]:
    """What `backward()` leaves in `.grad` after one pass and after two."""
    fresh = [Value(array) for array in graph.arrays]
    expected = gradients(graph(*fresh), fresh)
    values = graph.run()
    values["out"].backward()
    first = {name: value.grad for name, value in values.items()}
    yield of_results(graph, values)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", StaleGraphWarning)  # programs rebind data on purpose
        values["out"].backward()
    scale = max(float(np.max(np.abs(g), initial=0.0)) for g in expected)
    for name, g in zip(graph.leaves, expected, strict=True):
        yield from of_leaf(f"leaf {name}", values[name], first[name], g, SAME * scale)
    for name in values.keys() - graph.leaves.keys():
        same = np.array_equal(first[name], values[name].grad)
        note = "" if same else f"a second backward() gives {values[name].grad}, not {first[name]}"
        yield condition(f"result {name}", same, note)


def of_leaf(place: str, leaf: Value, once: Any, g: Array, slack: float) -> Iterator[Finding]:
    """One leaf, with its gradient after one pass, and what that should be."""
    same = np.shape(once) == np.shape(g) == leaf.shape and once.dtype == leaf.dtype
    note = f"its gradient is {np.shape(once)}, {np.result_type(once)}; it is {leaf.shape}, {leaf.dtype} itself"
    yield condition(place, same, note)
    close = same and bool(np.allclose(once, g, rtol=SAME, atol=slack))
    note = "" if close else f"backward() gives {once}, the program without rebinding and passes {g}"
    yield condition(place, close, note)
    twice = same and bool(np.allclose(leaf.grad, 2 * once, rtol=SAME, atol=slack))
    yield condition(place, twice, "" if twice else f"a second backward() gives {leaf.grad}, not twice {once}")


def of_results(graph: Graph, values: dict[str, Value]) -> Finding:
    """The gradients of the results between, all at once: a bit of a random direction is added to every line."""
    rng = np.random.default_rng(0)
    arrays = graph.arrays
    between = {name: values[name] for name in values if name != "out" and name not in graph.leaves}
    ways = {name: spread(rng, value.shape) for name, value in between.items()}
    for name, value in between.items():
        if value.grad is None or np.shape(value.grad) != value.shape:
            return condition(f"result {name}", False, f"its gradient is {value.grad}; its shape is {value.shape}")
    analytic = sum(float(np.sum(value.grad * ways[name])) for name, value in between.items())
    scale = max((float(np.max(np.abs(value.grad), initial=0.0)) for value in between.values()), default=0.0)
    finding = Finding("results, along a direction", math.nan, analytic, 0.0, 0.0, 0.0)

    def line(t: float) -> Any:
        return number(graph.shifted(arrays, {name: t * way for name, way in ways.items()}))

    judge([finding], line, 0.5 * REACH, Limits(RTOL, scale, scale, single=False))
    return finding
