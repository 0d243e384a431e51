"""The list of conventions is what the engine answers, and each entry says why."""

import sys

import numpy as np
import pytest

from tinygrad_edu import grad
from tinygrad_edu.table import OPERATIONS, TIES
from tinygrad_edu.testing.kink_conventions import SHARED, SMALLEST, UNBOUNDED, because, conventions

LISTED = conventions()


def test_every_declared_kink_and_singular_point_of_one_variable_is_listed():
    listed = {entry.expression.replace("abs", "absolute").partition("(")[0] for entry in LISTED}
    declared = {
        op.name
        for op in OPERATIONS.values()
        if op.elementwise and (op.kinks == TIES or (len(op.pullbacks) == 1 and (op.kinks or op.singular)))
    }
    special = vars(sys.modules.get("scipy.special", np))
    of_scipy = {op.name for f, op in OPERATIONS.items() if f is special.get(op.name) and not hasattr(np, op.name)}
    assert declared <= listed | of_scipy  # SciPy's are there if it was imported before


def test_no_gradient_is_a_guess():
    for entry in LISTED:
        size = np.max(np.abs(entry.gradient))
        assert size <= 1.0 or (size == np.inf and entry.reason == UNBOUNDED), entry


def test_variables_that_are_alike_get_alike_gradients():
    several = [entry for entry in LISTED if isinstance(entry.gradient, tuple)]
    assert len(several) >= 8
    for entry in several:
        assert len(set(entry.gradient)) == 1
        assert entry.reason == (SHARED if any(entry.gradient) else SMALLEST)


@pytest.mark.parametrize(
    ("f", "reason"),
    [
        (np.abs, "the smallest slope from -1 to 1"),
        (lambda x: 3.0 * np.abs(x) + x, "the smallest slope from -2 to 4"),
        (np.sin, "the derivative"),
        (lambda x: np.maximum(x, 0.0) - np.maximum(-x, 0.0), "what the chain rule makes"),
        (np.cbrt, UNBOUNDED),
    ],
)
def test_reasons(f, reason):
    with np.errstate(divide="ignore"):
        assert because(f, 0.0).startswith(reason)


def test_entries_read_as_sentences():
    entry = next(entry for entry in LISTED if entry.expression == "clip(x, 0.0, 1.0)" and entry.point == "x = 1")
    assert entry == ("clip(x, 0.0, 1.0)", "x = 1", 0.0, "the smallest slope from 0 to 1")
    assert grad(lambda x: np.clip(x, 0.0, 1.0))(1.0) == entry.gradient
