"""What a failure prints."""

from tinygrad_edu.testing import FAIL, KINK, PASS, Finding, GradientReport


def finding(analytic, numeric, verdict=FAIL, size=1):
    made = Finding("argument 0[2]", 0.5, analytic, numeric, 1e-13, 1e-6)
    made.verdict, made.size = verdict, size
    return made


def test_a_failure_says_where_how_far_off_and_how_to_see_it_again():
    text = str(GradientReport("loss", [finding(6.0, 3.0), finding(1.0, 1.0, PASS)], "check_gradients(loss, seed=0)"))
    assert text.splitlines()[0] == "loss: 1 PASS, 1 FAIL"
    assert "FAIL argument 0[2] at 0.5: analytic 6, numeric 3 (error about 1e-13); they differ by 3" in text
    assert "ratio 2: exactly double" in text
    assert "again: check_gradients(loss, seed=0)" in text


def test_many_failures_are_counted_and_the_worst_shown():
    text = str(GradientReport("f", [finding(float(i), 0.5) for i in range(9)], ""))
    assert "... and 6 more" in text
    assert "analytic 8" in text


def test_the_verdict_is_the_worst_finding():
    assert GradientReport("f", [], "").verdict == PASS
    assert GradientReport("f", [finding(1.0, 1.0, KINK), finding(1.0, 1.0, PASS)], "").verdict == KINK
    assert GradientReport("f", [finding(1.0, 1.0, KINK), finding(2.0, 1.0)], "").verdict == FAIL


def test_what_the_whole_gradient_suggests_comes_before_the_ratio():
    made = finding(6.0, 3.0)
    made.hint, made.order = "transposed", 1.02
    assert "ratio 2: transposed\n  the Taylor remainder has order 1.02: 2 if the gradient is right, 1 if not" in str(
        made
    )
