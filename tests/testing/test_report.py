"""What a failure prints."""

import math

import numpy as np
import pytest

from tinygrad_edu import Value
from tinygrad_edu.table import REALS, Op
from tinygrad_edu.testing import FAIL, INCONCLUSIVE, KINK, PASS, Finding, GradientReport, check_gradients
from tinygrad_edu.testing.report import condition, repeated, written
from tinygrad_edu.value import apply


def finding(analytic, numeric, verdict=FAIL, size=1):
    made = Finding("argument 0[2]", 0.5, analytic, numeric, 1e-13, 1e-6)
    made.verdict, made.size, made.scale = verdict, size, max(abs(analytic), abs(numeric))
    return made


def test_a_failure_says_where_how_far_off_and_how_to_see_it_again():
    text = str(GradientReport("loss", [finding(6.0, 3.0), finding(1.0, 1.0, PASS)], "check_gradients(loss, seed=0)"))
    assert text.splitlines() == [
        "loss: 1 PASS, 1 FAIL",
        "FAIL argument 0[2] at 0.5: analytic 6, numeric 3 (error about 1e-13)",
        "  they differ by 3, allowed 1e-06; relative error 0.5",
        "  ratio 2: exactly double: counted twice, or a factor 2 too many",
        "  no kink: left and right of it the slopes are the same",
        "again: check_gradients(loss, seed=0)",
    ]


def test_the_report_of_a_planted_fault_word_for_word():
    def square(x):
        return x * x

    wrong = Op(square, [lambda g, out, x: g * x], domain=REALS)

    def loss(p):
        return np.sum(apply(wrong, (np.tanh(p["layers"][0]["weight"]),)))

    report = check_gradients(loss, {"layers": [{"weight": np.array([[0.5, -1.0]])}]}, raises=False)
    lines = str(report).splitlines()
    assert lines[0] == "loss: 11 PASS, 2 FAIL"
    assert lines[1].startswith("FAIL argument 0 layers.0.weight[0, 0] at 0.5: analytic ")
    assert lines[3] == "  ratio 0.5: exactly half: a factor 2 is missing, as in d(x^2)/dx = 2x; or " + (
        "1/2 of it: divided by n too often; n = 2 is the size of argument 0 layers.0.weight"
    )
    assert lines[-6:] == [
        "program:",
        "  v0 = argument 0 layers.0.weight  # (1, 2)",
        "  v1 = tanh(v0)  # (1, 2)",
        "  v2 = square(v1)  # (1, 2)  <- wrong is its rule for v1: ratio 0.5, "
        "exactly half: a factor 2 is missing, as in d(x^2)/dx = 2x",
        "  v3 = sum(v2)  # ()",
        "again: check_gradients(loss, {'layers': [{'weight': np.array([[0.5, -1.0]])}]}, seed=0)",
    ]
    again = eval(lines[-1].removeprefix("again: ").replace("seed=0", "seed=0, raises=False"), globals() | locals())
    assert str(again) == str(report)


def test_many_failures_are_counted_and_the_worst_shown():
    text = str(GradientReport("f", [finding(float(i), 0.5) for i in range(9)], ""))
    assert "... and 6 more" in text
    assert "analytic 8" in text


def test_the_verdict_is_the_worst_finding():
    assert GradientReport("f", [], "").verdict == PASS
    assert GradientReport("f", [finding(1.0, 1.0, KINK), finding(1.0, 1.0, PASS)], "").verdict == KINK
    assert GradientReport("f", [finding(1.0, 1.0, KINK), finding(2.0, 1.0)], "").verdict == FAIL


def test_the_worst_error_is_not_of_comparisons_that_tell_nothing():
    tiny, blunt, exact = (finding(1e-16, 0.0, PASS) for _ in range(3))
    tiny.scale, blunt.scale, exact.scale = 1e-16, 1.0, 1.0
    tiny.allowed, blunt.allowed, exact.allowed = 1e-9, 0.5, 1e-5
    assert not tiny.sharp
    assert not blunt.sharp
    assert exact.sharp
    assert GradientReport("f", [tiny, blunt, exact], "").worst == 1e-16


def test_a_report_counts_and_knows_the_worst_of_what_was_judged():
    found = [
        finding(1.0, 1.0 + 1e-9, PASS),
        finding(4.0, 3.0),
        finding(9.0, 1.0, KINK),
        finding(9.0, 1.0, INCONCLUSIVE),
    ]
    report = GradientReport("f", found, "")
    assert (report.checks, report.count(FAIL), report.count(PASS)) == (4, 1, 1)
    assert report.worst == pytest.approx(0.25)
    assert math.isnan(GradientReport("f", [], "").worst)
    expected = "<GradientReport of f: 1 PASS, 1 FAIL, 1 KINK, 1 INCONCLUSIVE; worst relative error 0.25>"
    assert repr(report) == expected
    assert str(GradientReport("f", [], "")) == "f: nothing to check"


def test_what_the_whole_gradient_suggests_comes_before_the_ratio():
    made = finding(6.0, 3.0)
    made.hint, made.order = "transposed", 1.02
    text = str(made)
    assert "  ratio 2: transposed\n" in text
    assert text.endswith("  the Taylor remainder has order 1.02: 2 if the gradient is right, 1 if not")


def test_a_kink_and_a_rough_place_are_said_to_be_so():
    at_kink = finding(2.0, 0.5)
    at_kink.slopes = (0.0, 1.0)
    assert str(at_kink).endswith("slopes 0 on the left, 1 on the right, and the gradient is none between them")
    assert "too rough here to tell" in str(finding(2.0, 0.5, INCONCLUSIVE))


def test_what_does_not_hold_is_a_note_and_what_holds_nothing():
    assert str(condition("memory", False, "shared")) == "FAIL memory: shared"
    assert condition("memory", True, "shared").verdict == PASS
    assert condition("memory", True, "shared").relative == 0.0
    report = GradientReport("f", [condition("memory", False, "shared"), finding(9.0, 1.0)], "")
    assert str(report).splitlines()[1] == "FAIL memory: shared"


@pytest.mark.parametrize(
    "thing",
    [
        np.array([[0.1, -0.2]]), np.array(2.5), np.zeros((0, 3)), np.arange(3), np.array([0.1], np.float32),
        0.5, (1.0,), [1, (2.0, "a")], {"w": np.ones(2), "n": None}, np.float64(0.1),
    ],
)  # fmt: skip
def test_arguments_are_written_as_code_with_all_of_their_digits(thing):
    again = eval(written(thing))
    pairs = zip(thing.values(), again.values(), strict=True) if isinstance(thing, dict) else [(thing, again)]
    for a, b in pairs:
        if isinstance(a, np.ndarray):
            assert (a.dtype, a.shape) == (b.dtype, b.shape)
            np.testing.assert_array_equal(a, b)
        else:
            assert a == b


def test_the_call_is_written_if_there_is_room():
    assert repeated("check_gradients", "f", [Value(0.5)], seed=3) == "check_gradients(f, 0.5, seed=3)"
    assert repeated("check_gradients", "<lambda>", [np.ones(1000)], seed=3) == "check_gradients(f, ..., seed=3)"
    assert math.isnan(finding(1.0, 1.0).order)


def test_at_the_end_of_a_domain_nothing_is_compared_and_beside_it_everything():
    report = check_gradients(lambda x: x**1.5 * np.cbrt(x + 1.0), np.zeros(1), raises=False)
    assert report.verdict == INCONCLUSIVE
    assert "f is not finite on one side: a slope at the end of a domain is compared with nothing" in str(report)
    for x in (1e-8, 1e-300):  # inside, steps are short enough
        assert check_gradients(np.log, np.array([x])).verdict == PASS
