"""Faults planted in the engine itself: each falls within 40 random programs, and the sound engine never does.

The backward pass is replaced by one with holes to put a fault into; without a fault it is the engine's own.
"""

import os
import warnings
from contextlib import suppress

import numpy as np
import pytest
from hypothesis import HealthCheck, Phase, find, given, seed, settings
from hypothesis.errors import Flaky

from tests.fuzz.checking import check_graph
from tests.fuzz.drafting import graphs
from tinygrad_edu import backward, value
from tinygrad_edu.graph import Node, toposort
from tinygrad_edu.table import arrived
from tinygrad_edu.testing import FAIL, INCONCLUSIVE, numeric_gradient

pytestmark = pytest.mark.no_cover

with suppress(ImportError):
    import scipy.special  # noqa: F401 - the table is the same whatever ran before
arrived()
PROFILE = os.environ.get("HYPOTHESIS_PROFILE", "ci" if os.environ.get("CI") else "dev")
LONG = PROFILE in ("nightly", "thorough")
MANY = settings(max_examples=5_000 if LONG else 100 if PROFILE == "ci" else 50)
SEEDS = range(20 if LONG else 2 if PROFILE == "ci" else 1)


def saved(node):
    """What the rules are given: the arrays of the forward pass."""
    return node.save if hasattr(node, "save") else node.saved


def engine(
    order=toposort, inputs=saved, fit=backward.unbroadcast, add=lambda a, b: a + b, key=id, start=lambda node: None
):
    """A backward pass; each argument is a place for a fault."""

    def backpropagate(root, gradient, differentiable=False, since=0):
        found = {key(root): gradient}
        nodes = order(root, since=since)
        for node in nodes:
            before = start(node)
            g = found.get(key(node))
            g = g if before is None or g is None else before + g
            if node.op is None or g is None:
                continue
            arrays = backward.current(node) if differentiable else inputs(node)
            for i, parent in enumerate(node.args):
                if isinstance(parent, Node):
                    share = fit(node.op.pullbacks[i](g, *arrays, **node.options), node.saved[i + 1])
                    place = key(parent)
                    found[place] = add(found[place], share) if place in found else share
        return {node: found[key(node)] for node in nodes if key(node) in found}

    return backpropagate


def depth_first(root, since=0):
    """Each node before its operands, but not after all of its consumers."""
    found, waiting = {}, [root]
    while waiting:
        node = waiting.pop()
        if node not in found:
            found[node] = True
            waiting += [arg for arg in node.args[::-1] if isinstance(arg, Node)]
    return list(found)


def breadth_first(root, since=0):
    """By distance from the result."""
    found = [root]
    for node in found:
        found += [arg for arg in node.args if isinstance(arg, Node) and arg not in found]
    return found


def in_place(a, b):
    """`a += b`."""
    if isinstance(a, np.ndarray) and a.flags.writeable:
        a += b
        return a
    return a + b


def by_value(node):
    """A leaf is its numbers."""
    return id(node) if node.op else (np.shape(node.data), np.asarray(node.data).tobytes())


def fitting(lead, kept):
    """`fit` with other ways to undo leading axes, and those that were of length 1."""

    def fit(g, x):
        if g.ndim > x.ndim:
            g = lead(g, tuple(range(g.ndim - x.ndim)))
        axes = tuple(i for i, n in enumerate(x.shape) if g.ndim > i and n == 1 != g.shape[i])
        return np.asarray(kept(g, axes) if axes else g).astype(x.dtype)

    return fit


summed = lambda g, axes: np.sum(g, axis=axes)
summed_and_kept = lambda g, axes: np.sum(g, axis=axes, keepdims=True)
first = lambda g, axes: np.take(g, 0, axis=axes[0]) if len(axes) == 1 else g[(0,) * len(axes)]
first_kept = lambda g, axes: g[tuple(slice(0, 1) if i in axes else slice(None) for i in range(g.ndim))]
left = lambda g, axes: g
last = lambda g, axes: np.sum(g, axis=tuple(-1 - i for i in axes))
mean_kept = lambda g, axes: np.mean(g, axis=axes, keepdims=True)


def rebound(node):
    """The data that node and operands hold now."""
    pairs = zip(node.args, node.saved[1:], strict=True)
    return (node.data, *(arg.data if isinstance(arg, Node) else array for arg, array in pairs))


FAULTS = {
    "depth-first order": {"order": depth_first},
    "breadth-first order": {"order": breadth_first},
    "aliased +=": {"add": in_place},
    "= for +=": {"add": lambda a, b: b},
    "equal leaves merged": {"key": by_value},
    "axes of length 1 are left": {"fit": fitting(summed, left)},
    "axes of length 1 take the first": {"fit": fitting(summed, first_kept)},
    "axes of length 1 take the mean": {"fit": fitting(summed, mean_kept)},
    "leading axes are left": {"fit": fitting(left, summed_and_kept)},
    "leading axes take the first": {"fit": fitting(first, summed_and_kept)},
    "the last axes summed for leading ones": {"fit": fitting(last, summed_and_kept)},
    "stale data": {"inputs": rebound},
    "inner gradients pile up": {"start": lambda node: node.grad if node.op else None},
}


class Fell(Exception):
    """A fault was seen."""


def examples_until(seeded, count=40, sound=None):
    """Which of some graphs is the first to fail its check; None if all pass."""
    sound = sound or checked
    seen = []

    @seed(seeded)
    @settings(max_examples=count, database=None, deadline=None, phases=[Phase.generate],
              suppress_health_check=list(HealthCheck), report_multiple_bugs=False)  # fmt: skip
    @given(graphs())
    def run(graph):
        if Fell not in seen:
            seen.append(graph)
        if not sound(graph):
            seen.append(Fell)
            raise Fell

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        with suppress(Fell, Flaky):
            run()
    return seen.index(Fell) if Fell in seen else None


def checked(graph):
    """Whether a graph passes the check; a fault may also break NumPy."""
    try:
        return check_graph(graph, raises=False).verdict != FAIL
    except Exception:
        return False


def right_at_leaves(graph):
    """Whether one pass leaves the right gradients on the leaves, with no look at the results between."""
    values = graph.run()
    values["out"].backward()
    for k, (name, array) in enumerate(graph.leaves.items()):
        arrays = graph.arrays
        slopes, error = numeric_gradient(lambda x, k=k, rest=arrays: graph(*rest[:k], x, *rest[k + 1 :]), array)
        grad = np.zeros(array.shape) if values[name].grad is None else values[name].grad
        if np.any(np.abs(grad - slopes) > 1e-6 * (1 + np.abs(slopes)) + 10 * error):
            return False
    return True


@pytest.fixture
def plant(monkeypatch):
    """Put a backward pass with a fault in place of the engine's."""

    def put(fault):
        made = engine(**fault)
        monkeypatch.setattr(backward, "backpropagate", made)
        monkeypatch.setattr(value, "backpropagate", made)

    return put


@pytest.mark.parametrize("fault", [fault for fault in FAULTS if LONG or " take the " not in fault])
def test_a_planted_fault_falls_within_40_programs(fault, plant):
    plant(FAULTS[fault])
    fell = [examples_until(seeded) for seeded in SEEDS]
    assert None not in fell, fell


def test_an_aliased_sum_shows_on_the_leaves_alone(plant):
    plant(FAULTS["aliased +="])
    fell = [examples_until(seeded, sound=right_at_leaves) for seeded in SEEDS]
    assert None not in fell, fell


def test_the_sound_engine_raises_no_alarm():
    rough = []

    @MANY
    @given(graphs())
    def run(graph):
        report = check_graph(graph, raises=False)
        assert report.verdict != FAIL, report
        if report.verdict == INCONCLUSIVE:
            rough.append(graph)

    run()
    assert len(rough) <= MANY.max_examples / 1_000, rough


def test_the_engine_with_holes_is_sound_without_a_fault(plant):
    plant({})
    assert examples_until(0, 15) is None


@pytest.mark.parametrize("fault", ["aliased +=", *(["= for +=", "equal leaves merged", "depth-first order"] * LONG)])
def test_what_is_left_of_a_failing_program_can_be_read_and_run(fault, plant):
    plant(FAULTS[fault])
    shortest = settings(max_examples=300, database=None, derandomize=True, phases=[Phase.generate, Phase.shrink])
    graph = find(graphs(), lambda graph: not checked(graph), settings=shortest)
    assert len(graph.lines) <= 4, graph
    assert len(str(graph).splitlines()) <= 16, graph
    scope = {}
    exec(str(graph), scope)
    assert scope["out"].item() == graph(*graph.arrays)
