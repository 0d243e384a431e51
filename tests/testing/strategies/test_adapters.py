"""Domain adapters: whatever they are given, what they write is in the domain and away from the kinks."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tinygrad_edu.table import DEFINITE, MULTIPLES, OPERATIONS, REGULAR, TIES, arrived
from tinygrad_edu.testing.drawing import intervals
from tinygrad_edu.testing.strategies import tensors
from tinygrad_edu.testing.strategies.adapters import LIMIT, fitted, inside, matrix, spread

arrived()
ELEMENTWISE = [op for op in OPERATIONS.values() if op.elementwise and not op.variadic]
few = settings(max_examples=max(5, settings().max_examples // 4))


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


@given(tensors((2, 3), (-30.0, 30.0)))
def test_spread_entries_differ_from_each_other_and_from_negatives(a):
    found = valued({"a": a})(spread("a", a, [0.5]))
    sizes = np.sort(np.abs([0.0, 0.5, *np.ravel(found)]))
    assert np.min(np.diff(sizes)) > 0.05
    assert np.max(sizes) < 2 * LIMIT + 4


@given(tensors((3, 3)), st.sampled_from([REGULAR, DEFINITE]))
def test_matrices_are_far_from_singular(a, kind):
    found = valued({"a": a})(matrix("a", a, kind))
    assert np.min(np.linalg.svd(found, compute_uv=False)) > 0.3
    if kind == DEFINITE:
        np.testing.assert_allclose(found, found.mT, atol=0.02)


def test_unknown_kinds_of_matrices_are_refused():
    with pytest.raises(ValueError, match="no such domain: 'orthogonal'"):
        matrix("a", np.eye(2), "orthogonal")
