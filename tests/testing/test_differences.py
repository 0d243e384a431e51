"""How exact differences are, which directions are moved, and how slopes are judged."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import tinygrad_edu as te
from tinygrad_edu import Value
from tinygrad_edu.testing import (
    FAIL,
    INCONCLUSIVE,
    KINK,
    PASS,
    Finding,
    check_gradients,
    detect_kink,
    numeric_gradient,
)
from tinygrad_edu.testing.differences.comparing import (
    DENSE,
    ONE_HOT,
    SPARSE,
    Settings,
    culprit,
    directions,
    limited,
    moving,
    one_hot,
    pushing,
    spread,
)
from tinygrad_edu.testing.differences.judging import Limits, judge
from tinygrad_edu.testing.differences.numeric import STEP, careful, confirmed, four_point, number, rounding

# -- how a slope is measured ---------------------------------------------------------------------------------


SMOOTH = [
    (np.sin, np.cos),
    (np.exp, np.exp),
    (np.tanh, lambda x: 1 / np.cosh(x) ** 2),
    (lambda x: 1 / (2 + x * x), lambda x: -2 * x / (2 + x * x) ** 2),
]


@pytest.mark.parametrize(("f", "df"), SMOOTH)
@given(x=st.floats(-2.0, 2.0))
def test_accuracy_and_the_error_estimate(f, df, x):
    line = lambda t: float(f(x + t))
    assert abs(four_point(line, STEP) - df(x)) <= 1e-10 * (1 + abs(df(x)))
    value, error = careful(line, 1.0)
    assert abs(value - df(x)) <= 10 * error + 1e-11 * (1 + abs(df(x)))  # 1e-11: what rounding leaves at worst
    assert error <= 1e-9


@pytest.mark.parametrize("method", ["auto", "4-point", "ridders", "complex"])
def test_arrays_are_moved_entry_by_entry_in_float64(method):
    x = np.array([[0.5, -1.0], [2.0, 0.1]], np.float32)
    gradient, error = numeric_gradient(lambda a: np.sum(np.sin(a) * a), x, method=method)
    wide = x.astype(float)
    np.testing.assert_allclose(gradient, np.sin(wide) + wide * np.cos(wide), rtol=1e-10)
    assert error.shape == x.shape
    assert np.all(error < 1e-8)


def test_an_unknown_method_is_refused():
    with pytest.raises(ValueError, match="'2-point', got 'best'"):
        numeric_gradient(np.sin, 1.0, method="best")


@given(a=st.floats(0.1, 10.0), b=st.floats(0.1, 10.0), x=st.floats(-3.0, 3.0))
def test_a_kink_is_found_with_both_slopes(a, b, x):
    f = lambda t: np.where(t < x, -a * (t - x), b * (t - x)) + np.sin(t)
    left, right = detect_kink(f, x)
    assert left == pytest.approx(np.cos(x) - a, abs=1e-4)
    assert right == pytest.approx(np.cos(x) + b, abs=1e-4)


@pytest.mark.parametrize(("f", "df"), SMOOTH)
@given(x=st.floats(-2.0, 2.0))
def test_smooth_points_are_no_kinks(f, df, x):
    assert detect_kink(f, x) is None


def test_the_methods_are_as_exact_as_they_are_said_to_be():
    rng, worst = np.random.default_rng(0), dict.fromkeys(("2-point", "4-point", "ridders", "complex"), 0.0)
    for method in worst:
        for x in rng.uniform(-2.0, 2.0, 100):
            value, error = numeric_gradient(lambda t: np.exp(np.sin(t)), x, method=method)
            apart = abs(value - np.cos(x) * np.exp(np.sin(x)))
            assert apart <= 10 * error + 1e-11
            worst[method] = max(worst[method], apart)
    assert worst["complex"] < 1e-15
    assert worst["ridders"] < 1e-11
    assert worst["4-point"] < 1e-10
    assert 1e-11 < worst["2-point"] < 2e-7


@pytest.mark.parametrize("f", [np.abs, lambda x: np.sqrt(np.real(x))])
def test_a_complex_step_refuses_what_is_not_analytic(f):
    with pytest.raises(TypeError, match="method='complex' needs a function"):
        numeric_gradient(f, 0.5, method="complex")


def test_a_step_is_positive_and_not_for_auto():
    assert numeric_gradient(np.sin, 0.0, method="2-point", step=1e-3)[0] == pytest.approx(1.0, abs=1e-6)
    for method, step in (("auto", 1e-3), ("ridders", 0.0), ("4-point", -1.0)):
        with pytest.raises(ValueError, match="step is positive"):
            numeric_gradient(np.sin, 0.0, method=method, step=step)


@pytest.mark.parametrize("distance", [0.0, -1.0, np.nan, np.array([1.0, 0.0])])
def test_a_distance_leaves_room(distance):
    with pytest.raises(ValueError, match="distance is how far"):
        numeric_gradient(np.sum, np.ones(2), distance=distance)


def test_steps_stay_within_half_of_the_distance():
    seen = []
    numeric_gradient(lambda t: seen.append(float(t)) or np.log(t), 1e-3, distance=1e-3)
    assert min(seen) > 0.0


@given(jump=st.floats(1e-3, 1e3), size=st.floats(0.0, 1e6), x=st.floats(-1e3, 1e3))
def test_a_kink_is_found_at_any_place_beside_a_large_value(jump, size, x):
    left, right = detect_kink(lambda t: size + 1e3 * jump * np.abs(t - x), x)
    assert right - left == pytest.approx(2e3 * jump, rel=1e-3)


def test_rounding_of_numbers_inside_is_measured():
    shown = lambda t: float(np.sin(1.0 + t))
    hidden = lambda t: float((1e6 * t + np.sin(1.0 + t)) + 1e6 - (1e6 * t + 1e6))
    assert rounding(shown, 1e-6) < 1e-15
    assert 1e-12 < rounding(hidden, 1e-6) < 1e-9


def test_rounding_is_no_kink():
    lost = lambda t: (1e6 * t + np.sin(t)) - 1e6 * t
    assert [detect_kink(lost, float(x)) for x in np.linspace(1.0, 2.0, 200)].count(None) >= 199


@pytest.mark.parametrize(
    ("line", "slope"),
    [
        (lambda t: abs(t - 1e-5), -1.0),
        (lambda t: float(np.exp(-1e6 * (1e-3 + t) ** 2)), -2e3 * np.exp(-1.0)),
        (lambda t: float(np.sin(1e5 * (0.3 + t))), 1e5 * np.cos(3e4)),
    ],
)
def test_from_near_a_slope_is_right_where_it_changes_within_a_thousandth(line, slope):
    n, error, *_ = confirmed(line, 1.0, abs(slope))
    assert abs(n - slope) <= 10 * error < 1e-5 * abs(slope)


def test_from_near_rounding_inside_a_function_is_not_overlooked():
    n, error, *_ = confirmed(lambda t: float(np.sin(np.float32(0.3 + t))), 1.0, 1.0)
    assert abs(n - np.cos(0.3)) <= 10 * error < 1e-2


def test_the_entries_of_an_array_result_are_summed():
    assert number(np.array([[1.0, 2.0], [4.0, 8.0]])) == number(Value([7.0, 8.0])) == 15.0
    assert numeric_gradient(lambda x: np.stack([x * x, 3.0 * x]), 2.0)[0] == pytest.approx(7.0)


# -- when two slopes disagree --------------------------------------------------------------------------------


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


# -- one argument after another ------------------------------------------------------------------------------


X = np.random.default_rng(0).normal(size=200)


def scalar(values):
    return np.sum(np.sin(values[0]) * values[1])


def test_a_slope_is_pushed_forward():
    side = pushing(scalar, [X, X + 1])
    d = np.random.default_rng(1).normal(size=200)
    assert side(0, d) == pytest.approx(np.sum(np.cos(X) * (X + 1) * d))
    assert side(1, d) == pytest.approx(np.sum(np.sin(X) * d))


def test_one_leaf_is_moved_along_a_direction():
    line = moving(scalar, [X, X + 1], 1, np.ones(200))
    assert line(0.5) == pytest.approx(np.sum(np.sin(X) * (X + 1.5)))
    bare = moving(scalar, [X, X + 1], 0, np.ones(200), bare=True)
    assert bare(1e-30j).imag / 1e-30 == pytest.approx(np.sum(np.cos(X) * (X + 1)))


def test_limits_are_wider_in_fewer_digits():
    g = np.array([1.0, -3.0])
    double, single, half = (limited(Settings(), np.ones(2, kind), g, 5.0) for kind in (float, np.float32, np.float16))
    assert (double.rtol, double.scale, double.largest, double.own) == (1e-5, 3.0, 5.0, True)
    assert (single.rtol, single.own) == (1e-4, False)
    assert half.rtol > 1e-3
    assert limited(Settings(rtol=0.1), np.ones(2), g, 5.0).rtol == 0.1


def test_kinks_among_many_entries_are_no_alarm_and_hide_no_fault():
    x = np.where(np.arange(200) % 50 == 0, 0.0, X)
    report = check_gradients(te.relu, x, raises=False)
    assert report.verdict == KINK
    wrong = np.where(np.arange(200) == 77, 3.0, 1.0)
    planted = lambda x: (wrong * (y := te.relu(x)) - (wrong - 1) * te.stop_gradient(y)) + x
    found = check_gradients(planted, np.abs(x), raises=False)
    assert "argument 0[77]" in {f.place for f in found.findings if f.verdict == FAIL}


def test_the_entry_behind_a_fault_is_looked_for_once():
    wrong = lambda x: 1.5 * np.tanh(x) - 0.5 * te.stop_gradient(np.tanh(x))
    found = check_gradients(wrong, np.linspace(-2.0, 2.0, 500), raises=False).findings
    slopes = [finding for finding in found if finding.verdict == FAIL]
    assert len(slopes) == ONE_HOT + SPARSE + DENSE  # all of them are wrong, and none was added


def test_both_modes_are_compared_with_the_same_difference():
    report = check_gradients(np.tanh, X, modes=("forward", "reverse"))
    assert report.verdict == PASS
    numeric = {}
    for finding in report.findings:
        mode, _, place = finding.place.partition(", ")
        numeric.setdefault(place, {})[mode] = finding.numeric
    pairs = [sides for sides in numeric.values() if len(sides) == 2]
    assert len(pairs) == 28
    assert all(sides["forward"] == sides["reverse"] for sides in pairs)


def test_many_kinks_at_one_number_hide_no_wrong_entry():
    x = np.random.default_rng(0).normal(size=1000)
    x[::5], one = 0.0, np.eye(1000)[417]

    def wrong(x):
        y = te.relu(x) + x
        return y + (y - te.stop_gradient(y)) * one

    report = check_gradients(wrong, x, raises=False)
    assert report.verdict == FAIL
    assert "argument 0[417]" in {finding.place for finding in report.findings if finding.verdict == FAIL}
