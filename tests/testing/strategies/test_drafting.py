"""`graphs()`: what it draws is legal, varied, made from the table alone, and simplest first."""

import re
from collections import Counter

import numpy as np
import pytest
from hypothesis import HealthCheck, Phase, find, given, seed, settings

from tinygrad_edu.table import DEFINITE, OPERATIONS, arrived
from tinygrad_edu.testing.strategies import graphs
from tinygrad_edu.testing.strategies.drafting import kinds
from tinygrad_edu.testing.strategies.wording import called

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
    return drawn(200)


def test_nothing_is_thrown_away_and_every_program_is_finite(many):
    assert len(many) == 200
    with np.errstate(all="raise", under="ignore"):
        assert all(np.isfinite(graph(*graph.arrays)) for graph in many)


def test_the_simplest_program_is_one_operation_of_one_number():
    (graph,) = drawn(1)  # hypothesis begins with the simplest
    assert graph.text == "a = Value(1.0)\nm = a + a\nout = 1.84 * m"


def test_results_are_shared_leaves_are_equal_and_shapes_broadcast(many):
    long = [graph for graph in many if len(graph.lines) > 4]
    assert len(long) > 50
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


@given(graphs(max_steps=3))
def test_programs_have_at_most_the_steps_that_were_asked_for(graph):
    assert len([line for line in graph.lines if line.name != "out"]) <= 3


@pytest.mark.parametrize("options", [{"max_steps": 0}, {"max_steps": 13}, {"operations": lambda op: False}])
def test_what_cannot_be_drawn_is_refused(options):
    with pytest.raises(ValueError, match=r"graphs\(\) needs an operation, and 1 to 12 steps"):
        find(graphs(**options), lambda graph: True)
