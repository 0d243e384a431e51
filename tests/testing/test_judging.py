"""Which directions are moved, what is allowed, and how the entry behind a disagreement is found."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tinygrad_edu.testing import FAIL, INCONCLUSIVE, KINK, PASS, Finding
from tinygrad_edu.testing.judging import DENSE, ONE_HOT, SPARSE, Limits, culprit, directions, judge, one_hot, spread

RNG = np.random.default_rng(0)


def judged(analytic, line, limits=None, s=1.0):
    finding = Finding("argument 0", 0.0, analytic, 0.0, 0.0, 0.0)
    judge([finding], line, s, limits or Limits(1e-5, abs(analytic), abs(analytic)))
    return finding


def test_every_entry_of_a_small_array_is_moved_by_itself():
    found = list(directions((4, 16), RNG))
    assert [name for name, _ in found[:2]] == ["[0, 0]", "[0, 1]"]
    np.testing.assert_array_equal(sum(d for _, d in found), np.ones((4, 16)))
    assert [name for name, _ in directions((), RNG)] == [""]
    assert list(directions((0, 3), RNG)) == []


@pytest.mark.parametrize("size", [65, 1000, 100_000])
def test_of_a_large_array_a_sample_and_random_directions_are_moved(size):
    found = [d for _, d in directions((size,), RNG)]
    counts = [np.count_nonzero(d) for d in found]
    assert counts[:ONE_HOT] == [1] * ONE_HOT
    assert all(0 < count < size / 4 for count in counts[ONE_HOT : ONE_HOT + SPARSE])
    assert counts[ONE_HOT + SPARSE :] == [size] * DENSE


def test_weights_have_both_signs_and_none_is_near_zero():
    weights = spread(RNG, (1000,))
    assert 0.5 <= np.min(np.abs(weights)) <= np.max(np.abs(weights)) <= 1.5
    assert 400 < np.count_nonzero(weights > 0) < 600
    assert not np.all(weights == weights[0])


@given(a=st.floats(1e-9, 1e3), error=st.floats(1e-4, 1.0))
def test_a_slope_passes_if_it_is_right_and_fails_if_not(a, error):
    line = lambda t: float(a * np.sin(t))
    assert judged(a, line).verdict == PASS
    assert judged(a * (1 + error), line).verdict == FAIL


def test_the_tolerance_is_relative_and_never_constant():
    for size in (1e-12, 1e-6, 1.0, 1e6):
        assert judged(1.0001 * size, lambda t, size=size: size * float(np.sin(t))).verdict == FAIL
        assert judged(size, lambda t, size=size: size * float(np.sin(t))).verdict == PASS


def test_a_thousandth_part_of_the_largest_gradient_is_judged_by_itself():
    assert judged(1e-3 * 1.001, lambda t: 1e-3 * float(np.sin(t)), Limits(1e-5, 1.0, 1.0)).verdict == FAIL
    assert judged(1e-12, lambda t: 0.0, Limits(1e-5, 1.0, 1.0)).verdict == PASS  # 1e-9 of it is nothing


@pytest.mark.parametrize(("slope", "verdict"), [(0.0, KINK), (1.0, KINK), (0.7, KINK), (-0.1, FAIL), (1.1, FAIL)])
def test_a_kink_is_judged_by_the_slopes_on_both_sides(slope, verdict):
    finding = judged(slope, lambda t: max(t, 0.0))
    assert (finding.verdict, finding.slopes) == (verdict, pytest.approx((0.0, 1.0)))


def test_the_mean_of_both_sides_agrees_with_differences():
    assert judged(0.5, lambda t: max(t, 0.0)).verdict in (KINK, PASS)


def test_what_cannot_be_differenced_is_inconclusive():
    noise = np.random.default_rng(0)
    assert judged(1.0, lambda t: t + float(noise.normal())).verdict == INCONCLUSIVE
    assert judged(1.0, lambda t: float("nan")).verdict == INCONCLUSIVE


@given(st.floats(-2.0, 2.0), st.floats(1.001, 2.0))
def test_a_right_slope_takes_four_calls_a_wrong_one_a_hundred_at_most_and_none_twice(x, factor):
    asked = []

    def line(t):
        asked.append(t)
        return float(np.exp(x + t))

    assert judged(np.exp(x), line).verdict == PASS
    assert len(asked) == 4
    asked.clear()
    assert judged(factor * np.exp(x), line).verdict == FAIL
    assert len(set(asked)) == len(asked) <= 100


def test_rounding_inside_a_function_counts_as_rounding():
    lost = lambda t: float((1e8 * t + np.sin(t)) + 1e8 - (1e8 * t + 1e8))
    assert judged(1.0, lost).verdict != FAIL


@given(st.floats(-9.0, -2.0), st.sampled_from([-1.0, 1.0]), st.sampled_from([0.0, 100.0]))
def test_beside_a_kink_a_right_slope_is_never_wrong_at_any_distance(exponent, side, offset):
    x = side * 10**exponent
    line = lambda t: 3.0 * max(x + t, 0.0) + (x + t) ** 2 + offset
    assert judged(2.0 * x + 3.0 * (x > 0), line).verdict in (PASS, KINK)
    assert judged(2.0 * x + 3.03, line).verdict != PASS or x > 0
    assert judged(2.0 * x + 3.0 * (x > 0) + 4.0, line).verdict == FAIL


@given(st.floats(-2.0, 2.0), st.integers(5, 7), st.sampled_from([0.0, 0.9, -1.0]))
def test_a_function_in_stairs_is_not_flat(x, digits, factor):
    line = lambda t: float(np.round(np.exp(x + t), digits))
    assert judged(factor * np.exp(x), line).verdict != PASS


@given(size=st.integers(2, 300), seed=st.integers(0, 2**16))
def test_the_wrong_entry_is_found_by_halving(size, seed):
    rng = np.random.default_rng(seed)
    x, entry, direction = rng.normal(size=size), int(rng.integers(size)), spread(rng, (size,))
    g = np.cos(x)
    g[entry] *= -1.0
    moves = lambda d: lambda t: float(np.sum(np.sin(x + t * d)))
    assert culprit(moves, direction, g, 1.0) == entry


def test_the_name_of_an_entry():
    name, direction = one_hot((2, 3), 4)
    assert (name, direction.tolist()) == ("[1, 1]", [[0, 0, 0], [0, 1, 0]])


def test_a_jump_that_is_tiny_beside_the_gradient_excuses_nothing_along_a_direction():
    many = Limits(1e-5, 1.0, 1.0, single=False)
    finding = judged(1.0 + 1e-4, lambda t: t + 2.5e-4 * abs(t), many)
    assert (finding.verdict, finding.slopes) == (FAIL, None)
    assert judged(1.0 + 1e-4, lambda t: t + 2.5e-4 * abs(t), many._replace(single=True)).verdict == KINK


def test_what_few_digits_lose_is_allowed_along_a_direction():
    few = Limits(1e-4, 1.0, 1.0, rounded=1e-2, single=False, own=False)
    assert judged(1.005, lambda t: t, few).verdict == PASS
    assert judged(1.005, lambda t: t, few._replace(rounded=0.0)).verdict == FAIL


SQUARES = [
    lambda p, t: (p - t) ** 2,
    lambda p, t: 0.5 * (p - t) * (p - t),
    lambda p, t: (np.tanh(p) - np.tanh(t)) ** 2,
    lambda p, t: (np.exp(p) - np.exp(t)) ** 2,
]


@pytest.mark.parametrize("f", SQUARES)
@given(x=st.floats(-2.0, 2.0))
def test_nothing_but_rounding_is_left_at_a_minimum_of_squares(f, x):
    """The function and all slopes are 0 there, and differences are not: x + h is rounded."""
    found = judged(0.0, lambda t: float(f(x + t, x)), s=max(1.0, abs(x)))
    assert found.verdict == PASS, found


@given(x=st.floats(-2.0, 2.0), apart=st.sampled_from([1e-6, 1e-4, 1e-2]))
def test_a_wrong_slope_near_a_minimum_is_found(x, apart):
    line = lambda t: float((x + t - (x - apart)) ** 2)
    right = 2 * (x - (x - apart))
    assert judged(right, line, s=max(1.0, abs(x))).verdict == PASS
    for factor in (1.0001, 2.0, -1.0, 0.0):
        assert judged(factor * right, line, Limits(1e-5, right, right), s=max(1.0, abs(x))).verdict == FAIL
