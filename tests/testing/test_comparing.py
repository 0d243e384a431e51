"""Slopes along directions: each mode, the entry to blame, kinks among many entries."""

import numpy as np
import pytest

import tinygrad_edu as te
from tinygrad_edu.testing import FAIL, KINK, PASS, check_gradients
from tinygrad_edu.testing.comparing import Options, limited, moving, pushing
from tinygrad_edu.testing.judging import DENSE, ONE_HOT, SPARSE

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
    double, single, half = (limited(Options(), np.ones(2, kind), g, 5.0) for kind in (float, np.float32, np.float16))
    assert (double.rtol, double.scale, double.largest, double.own) == (1e-5, 3.0, 5.0, True)
    assert (single.rtol, single.own) == (1e-4, False)
    assert half.rtol > 1e-3
    assert limited(Options(rtol=0.1), np.ones(2), g, 5.0).rtol == 0.1


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
