"""Every planted fault falls, what is no fault is counted apart, and a blind check is found out."""

import os
import warnings
from contextlib import suppress

import numpy as np
import pytest

import tinygrad_edu as te
from tinygrad_edu.table import OPERATIONS, REALS, Each, Op, Parts, arrived, case
from tinygrad_edu.testing import check_op, mutation
from tinygrad_edu.testing.mutation import (
    EQUIVALENT,
    FAULTS,
    KILLED,
    SURVIVED,
    differs,
    mutants,
    outcome,
    outcomes,
    survivors,
)

with suppress(ImportError):
    import scipy.special  # noqa: F401 - its functions are in the table then
arrived()
LONG = os.environ.get("HYPOTHESIS_PROFILE") in ("nightly", "thorough")
OPS = list(OPERATIONS.values())
CHOSEN = OPS if LONG else OPS[::8]


@pytest.mark.parametrize("op", CHOSEN, ids=lambda op: op.name)
@pytest.mark.parametrize("seed", range(3 if LONG else 1))
def test_no_mutant_of_a_rule_survives(op, seed):
    became = outcomes(op, seed)
    assert [label for label, what in became.items() if what == SURVIVED] == []
    assert KILLED in became.values()


def test_a_check_that_is_as_sharp_raises_no_false_alarm():
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", te.BroadcastWarning)
        reports = [check_op(op, order=1, repeats=1, rtol=mutation.RTOL, raises=False) for op in CHOSEN]
    assert [str(report) for report in reports if report.verdict != "PASS"] == []


def product(x, y):
    return x * y


OWN = Op(product, [lambda g, out, x, y: g * y, lambda g, out, x, y: g * x], domain=REALS)


def test_every_fault_is_planted_in_the_rule_of_every_argument():
    labels = [label for label, _ in mutants(OWN)]
    assert labels == [f"{name} in argument {k}" for k in range(2) for name in FAULTS]
    alone = [label for label, _ in mutants(np.maximum) if label.startswith("with constants: ")]
    assert len(alone) == len(labels)
    assert not [label for label, _ in mutants(np.tanh) if "swapped" in label]


def test_a_mutant_is_an_entry_beside_the_table():
    before = dict(OPERATIONS)
    found = dict(mutants(np.tanh))
    assert before == OPERATIONS
    for mutant in found.values():
        assert mutant.function is np.tanh
        assert mutant is not OPERATIONS[np.tanh]
        assert mutant.with_constants is mutant
    assert check_op(found["a factor 1 + 1e-6 in argument 0"], rtol=1e-7, raises=False).verdict == "FAIL"
    assert check_op(np.tanh, rtol=1e-7).verdict == "PASS"


def test_equal_gradients_are_no_fault():
    became = outcomes(OWN)
    assert SURVIVED not in became.values()
    assert became["arguments swapped in argument 0"] == KILLED  # y for x
    assert became["sum over copies missing in argument 0"] == KILLED
    symmetric = Op(lambda x, y: (x + y) ** 2, [lambda g, out, x, y: 2 * g * (x + y)] * 2, domain=REALS)
    assert became_of("arguments swapped in argument 0", symmetric) == EQUIVALENT
    assert became_of("sum over copies missing in argument 0", symmetric) == KILLED
    assert became_of("sum over copies missing in argument 0", OPERATIONS[np.tanh]) == EQUIVALENT  # there are none


def became_of(label, op):
    """The outcome of one mutant."""
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        return outcome(op, label, dict(mutants(op))[label], 0)


def test_mutants_survive_where_the_check_is_blind(monkeypatch):
    monkeypatch.setattr(mutation, "examine_op", lambda *args: iter(()))
    left = survivors(np.tanh)
    assert {
        "a factor 1 + 1e-6 in argument 0",
        "sign flipped in argument 0",
        "cotangent dropped in argument 0",
    } <= set(left)
    assert "sum over copies missing in argument 0" not in left


@pytest.mark.parametrize(
    "rules",
    [Each(lambda i, g, out, *xs: g * (i + 1.0)), Parts(lambda g, out, *xs: [g * (i + 1.0) for i in range(len(xs))])],
    ids=["each", "parts"],
)
def test_rules_for_any_number_of_arguments(rules):
    weighted = lambda *xs: sum((i + 1.0) * x for i, x in enumerate(xs))
    op = Op(weighted, rules, domain=REALS, cases=[case((2,), (2,), (2,))])
    became = outcomes(op)
    assert len(became) == 3 * len(FAULTS)
    assert SURVIVED not in became.values()
    assert became["sign flipped in argument 2"] == KILLED


def test_rules_are_looked_up_by_the_function_that_users_call():
    own = te.custom((lambda g, out, x: g * 3 * x**2,), domain=REALS)(lambda x: x**3)
    try:
        assert survivors(own) == []
    finally:
        OPERATIONS.pop(own)
    with pytest.raises(TypeError, match="has no entry in the table"):
        list(mutants(product))


def test_a_rule_that_changes_its_cotangent_is_a_fault_though_its_gradient_is_right():
    op = OPERATIONS[np.tanh]
    assert differs(op, dict(mutants(op))["cotangent overwritten in argument 0"], 0)
    assert not differs(op, op, 0)
