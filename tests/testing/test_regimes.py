"""At kinks the convention is checked, beside them the rule; faults that are only there are found."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import tinygrad_edu as te
from tinygrad_edu.table import OPERATIONS, REALS, TIES, Op
from tinygrad_edu.testing import FAIL
from tinygrad_edu.testing.mutation import changed
from tinygrad_edu.testing.regimes import of_kinks, smallest, spots, steps

seeds = st.integers(0, 2**16)


def broken(op, alone=False):
    """What is said about the failures."""
    findings = of_kinks(op, np.random.default_rng(0), alone)
    return "\n".join(str(finding) for finding in findings if finding.verdict == FAIL)


def slope(at, wrong):
    """The rule of abs with something else where a condition holds."""
    return [lambda g, out, x: g * np.where(at(np.abs(x)), wrong, np.sign(x))]


FAULTS = {
    "1 at 0": (np.abs, slope(lambda r: r == 0, 1.0), "at a kink: the gradient is [1.], not the smallest of all"),
    "nan at 0": (np.abs, slope(lambda r: r == 0, np.nan), "at a kink: the gradient is [nan], not the smallest"),
    "0 up to 1e-11": (np.abs, slope(lambda r: r < 1e-11, 0.0), "1e-12 beside a kink: the gradient is [0.], but"),
    "0 up to 1e-8": (np.abs, slope(lambda r: r < 1e-8, 0.0), "1e-09 beside a kink: the gradient is [0.], but"),
    "0 up to 1e-2": (np.abs, slope(lambda r: r < 1e-2, 0.0), "0.001 beside a kink, argument 0 at"),
    "all to one": (
        np.maximum, [lambda g, out, x, y: g * (x >= y), lambda g, out, x, y: g * (y > x)], "at a kink: the gradient",
    ),
    "1 to each": (
        np.maximum, [lambda g, out, x, y: g * (x >= y), lambda g, out, x, y: g * (y >= x)], "at a kink: the gradient",
    ),
    "jump": (te.relu, [lambda g, out, x: g * (x >= 0)], "at a kink: the gradient is [1.]"),
}  # fmt: skip


@pytest.mark.parametrize("fault", FAULTS)
def test_a_rule_that_is_wrong_only_at_a_kink_is_found(fault):
    function, rules, words = FAULTS[fault]
    assert not broken(OPERATIONS[function])
    assert words in broken(changed(OPERATIONS[function], pullbacks=rules))


def test_a_tie_with_a_constant_has_a_gradient_of_its_own():
    op = OPERATIONS[np.maximum]
    assert not broken(op.with_constants, alone=True)
    assert "at a kink" in broken(changed(op.with_constants, pullbacks=op.pullbacks), alone=True)  # 1/2 instead of 0


def clipped(x):
    return np.minimum(np.abs(x), 1.0)


def test_ones_own_kinks_are_checked():
    right = Op(clipped, [lambda g, out, x: g * np.sign(x) * (np.abs(x) < 1)], domain=REALS, kinks=(-1.0, 0.0, 1.0))
    assert not broken(right)
    wrong = Op(clipped, [lambda g, out, x: g * np.sign(x) * (np.abs(x) <= 1)], domain=REALS, kinks=(-1.0, 0.0, 1.0))
    assert "at a kink: the gradient is" in broken(wrong)


def test_a_function_without_kinks_has_no_such_regime():
    assert list(of_kinks(OPERATIONS[np.tanh], np.random.default_rng(0))) == []


@given(st.integers(1, 5), st.integers(1, 8), seeds)
def test_no_mixture_is_shorter_than_the_smallest(n, count, seed):
    rng = np.random.default_rng(seed)
    points = rng.normal(size=(count, n)) + rng.normal(size=n)
    found = smallest(points)
    mixtures = rng.dirichlet(np.ones(count), size=50) @ points
    assert np.linalg.norm(found) <= np.min(np.linalg.norm(mixtures, axis=1)) + 1e-9
    assert np.min(points @ found) >= found @ found - 1e-9  # no point lies on the near side of the shortest


@given(st.integers(1, 7))
def test_steps_leave_a_kink_in_every_entry_and_apart(n):
    for step in steps(n):
        assert np.min(np.abs(step)) >= 0.2 / n
        assert len(set(step)) == n


@given(seeds)
def test_spots_are_exactly_at_kinks(seed):
    rng = np.random.default_rng(seed)
    for function in (np.abs, np.hypot, np.maximum, np.max, np.sort, np.fmod):
        op = OPERATIONS[function]
        for spot in spots(op, rng):
            flat = np.concatenate([np.ravel(a) for a in spot.drawn.arrays])[spot.places]
            if op.kinks == TIES:
                assert np.ptp(flat) == 0.0
            elif function is np.fmod:
                assert np.fmod(*flat) == 0.0
            else:
                assert set(flat) <= set(op.kinks)
            moved = spot.moved(np.full(len(spot.places), 0.5))
            assert sum(np.sum(a != b) for a, b in zip(moved.drawn.arrays, spot.drawn.arrays, strict=True)) == len(
                flat
            )
