"""The order of the remainder is 2 for right gradients and 1 for wrong ones."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import tinygrad_edu as te
from tinygrad_edu import stop_gradient
from tinygrad_edu.testing import FAIL, INCONCLUSIVE, KINK, PASS, GradientError, check_taylor
from tinygrad_edu.testing.taylor import direction, observed_order, rounding

X = np.random.default_rng(0).normal(size=(3, 4))


def off(f, factor):
    """The same values, with the gradient multiplied."""
    return lambda *xs: factor * (out := f(*xs)) - (factor - 1.0) * stop_gradient(out)


SMOOTH = [np.tanh, np.exp, lambda x: np.sin(x) * x, lambda x: np.log(1.0 + x * x), lambda x: te.logsumexp(x, axis=-1)]


@given(f=st.sampled_from(SMOOTH), seed=st.integers(0, 2**16))
def test_right_gradients_have_order_two(f, seed):
    report = check_taylor(f, np.random.default_rng(seed).normal(size=3), seed=seed)
    assert report.verdict == PASS
    assert all(finding.order > 1.6 for finding in report.findings)


@pytest.mark.parametrize("factor", [1 - 1e-4, 1 + 1e-3, 0.5, 2.0, -1.0, 0.0])
@pytest.mark.parametrize("f", SMOOTH)
def test_wrong_gradients_have_order_one(f, factor):
    report = check_taylor(off(f, factor), X, raises=False)
    assert report.verdict == FAIL
    assert all(0.6 < finding.order < 1.5 for finding in report.findings if finding.verdict == FAIL)
    with pytest.raises(GradientError, match=r"the Taylor remainder has order (1|0\.9)"):
        check_taylor(off(f, factor), X)


@pytest.mark.parametrize("f", SMOOTH)
def test_an_error_of_a_hundred_thousandth_is_seen(f):
    assert check_taylor(off(f, 1 + 1e-5), X, raises=False).verdict == FAIL


@pytest.mark.parametrize("size", [1e-9, 1.0, 1e9])
def test_the_size_of_the_function_makes_no_difference(size):
    assert check_taylor(lambda x: size * np.sin(x), X).verdict == PASS
    assert check_taylor(lambda x: size * off(np.sin, 1.001)(x), X, raises=False).verdict == FAIL


@pytest.mark.parametrize("f", [lambda x: 3.0 * x, lambda x: x @ np.ones((4, 2)), lambda x: x.T, lambda x: 5.0])
def test_a_linear_function_leaves_nothing_and_passes(f):
    report = check_taylor(f, X)
    assert (report.verdict, {finding.order for finding in report.findings}) == (PASS, {np.inf})


def test_a_wrong_linear_rule_fails():
    assert check_taylor(off(lambda x: 3.0 * x, 1.01), X, raises=False).verdict == FAIL


def test_each_argument_is_checked_by_itself():
    wrong = lambda x, p: np.sin(x) * off(np.exp, 2.0)(p["w"])
    report = check_taylor(wrong, X, {"w": X[0]}, raises=False)
    assert {f.place.partition(" along")[0]: f.verdict for f in report.findings} == {
        "argument 0": PASS,
        "argument 1 w": FAIL,
    }
    assert "ratio 2: exactly double" in str(report)
    assert check_taylor(wrong, X, {"w": X[0]}, wrt=[0]).verdict == PASS


def test_a_flat_point_has_a_higher_order():
    (finding,) = check_taylor(lambda x: x**3, np.zeros(1), directions=1).findings
    assert finding.order == pytest.approx(3.0, abs=0.1)


@pytest.mark.parametrize("f", [np.abs, te.relu, lambda x: np.maximum(x, 0.0)])
def test_a_convention_at_a_kink_is_no_false_alarm(f):
    assert check_taylor(f, np.zeros(3), raises=False).verdict == KINK


def test_a_rule_outside_the_slopes_at_a_kink_fails():
    shifted = lambda x: te.relu(x) + 2.0 * (x - stop_gradient(x))
    assert check_taylor(shifted, np.zeros(3), raises=False).verdict == FAIL


def test_a_kink_nearby_is_no_false_alarm():
    for distance in 10.0 ** np.arange(-8.0, 0.0, 0.25):
        assert check_taylor(te.relu, np.array([distance, -distance])).verdict == PASS
        assert check_taylor(np.abs, np.array([distance, -distance])).verdict == PASS


def test_noise_is_measured_and_not_blamed_on_the_gradient():
    noisy = lambda x: np.sin(x) + stop_gradient(np.sin(1e15 * (x + 1.0))) * 1e-7
    assert check_taylor(noisy, X).verdict == PASS
    hopeless = lambda x: 1e-3 * np.sin(x) + stop_gradient(np.sin(1e15 * (x + 1.0))) * 1e-3
    assert check_taylor(hopeless, X, raises=False).verdict == INCONCLUSIVE
    line = lambda t: np.sin(t) + 1e-6 * np.sin(1e16 * t)
    assert 1e-6 < rounding(line)[0] < 1e-5


def test_float32_is_moved_in_float64():
    x = X.astype(np.float32)
    assert check_taylor(np.tanh, x).verdict == PASS
    assert check_taylor(off(np.tanh, 1.01), x, raises=False).verdict == FAIL


def test_the_order_of_a_ladder():
    h = 0.5 ** np.arange(40)
    limits = np.full(40, 1e-16)
    assert observed_order(h, limits) == pytest.approx(1.0)
    assert observed_order(3 * h**2, limits) == pytest.approx(2.0)
    assert observed_order(1e-4 * h + h**2, limits) == pytest.approx(1.0, abs=0.01)
    assert observed_order(0 * h, limits) == np.inf
    assert observed_order(np.where(h > 1e-3, h, 0.0), limits) == np.inf


def test_nothing_to_check_is_an_error():
    with pytest.raises(TypeError, match="no floating point argument"):
        check_taylor(np.tanh, np.arange(3))
    assert check_taylor(np.tanh, np.zeros((0, 3))).findings == []


def test_a_check_without_directions_is_an_error():
    for count in (0, -1):
        with pytest.raises(ValueError, match="directions is 1 or more"):
            check_taylor(off(np.tanh, 2.0), X, directions=count)


def test_uphill_no_share_of_the_slope_hides_another():
    rng = np.random.default_rng(0)
    for _ in range(20):
        g = np.where(rng.random(30) < 0.2, 0.0, rng.normal(size=30))
        d = direction(rng, g, uphill=True)
        assert np.all(g * d >= 0)
        assert np.max(np.abs(d)) == 1.0
