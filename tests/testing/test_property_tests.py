"""`gradient_test` passes right functions, shrinks wrong ones to a small call, and refuses what it cannot test."""

import re
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from hypothesis import Phase, example, settings
from hypothesis import strategies as st
from hypothesis.errors import DeadlineExceeded

from tinygrad_edu import jacobian, stop_gradient
from tinygrad_edu.inputs import plain
from tinygrad_edu.testing import GradientError, check_gradients, gradient_test
from tinygrad_edu.testing.pytest_plugin import hooks
from tinygrad_edu.testing.report import called
from tinygrad_edu.testing.strategies import indices, tensors

pytest_plugins = "pytester"

FEW = settings(max_examples=20, database=None, deadline=None, derandomize=True)
SHRUNK = settings(max_examples=100, database=None, deadline=None, derandomize=True, report_multiple_bugs=False,
                  phases=[Phase.generate, Phase.shrink])  # fmt: skip


def gelu(x):
    return 0.5 * x * (1 + np.tanh(0.8 * (x + 0.045 * x**3)))


def half(x, y):
    """Right in value, and half of its gradient is lost."""
    return stop_gradient(x * y) * 0.5 + 0.5 * x * y


def wrong_when_large(x):
    return np.where(stop_gradient(x > 2.5), x * stop_gradient(x), x * x)


test_gelu = FEW(gradient_test(gelu))
test_of_two_arguments = FEW(gradient_test(lambda x, y: np.sin(x) * y))
test_of_numpy = FEW(gradient_test(np.hypot))
test_of_numpy_with_a_domain = FEW(gradient_test(np.log))
test_of_matrices = FEW(gradient_test(np.linalg.inv))
test_second_order = FEW(gradient_test(np.tanh, order=2, modes=("reverse", "forward")))
test_a_kink_is_no_failure = FEW(gradient_test(abs))


def test_named_arguments_of_any_kind_in_any_order():
    seen = []

    def f(x, index, *, scale=1.0, power=2):
        seen.append((np.shape(x), power))
        return scale * x[index] ** power

    args = {"scale": tensors((), domain=(1, 2)), "index": indices((3,)), "x": tensors((3,), domain=(0, np.inf))}
    FEW(gradient_test(f, args=args))()
    assert {shape for shape, _ in seen} == {(3,)}
    FEW(gradient_test(f, args=args | {"power": st.just(3)}))()
    assert {power for _, power in seen} == {2, 3}


def test_structures():
    pair = st.fixed_dictionaries({"w": tensors((2,)), "b": tensors(())})
    FEW(gradient_test(lambda p, x: np.sum(p["w"] * x) + p["b"], args={"p": pair, "x": tensors((2,))}))()
    with pytest.raises(GradientError, match="argument 0 b"):
        SHRUNK(gradient_test(lambda p: np.sum(p["w"]) + stop_gradient(p["b"]) * 1.0, args={"p": pair}))()


def test_a_wrong_gradient_is_reported_at_the_smallest_call():
    with pytest.raises(GradientError) as caught:
        SHRUNK(gradient_test(half))()
    text = str(caught.value)
    assert "exactly half" in text
    assert "check_gradients(half, np.array(0.0), np.array(1.0), seed=0)" in text


def test_what_is_wrong_in_a_part_of_the_domain_is_found_and_shrunk():
    with pytest.raises(GradientError, match=r"check_gradients\(wrong_when_large, np.array\(3.0\), seed=0\)"):
        SHRUNK(gradient_test(wrong_when_large))()
    FEW(gradient_test(wrong_when_large, args={"x": tensors(domain=(-2, 2))}))()


def test_keyword_arguments_are_in_the_line_that_repeats_the_check():
    def f(x, *, k):
        return half(x, k)

    with pytest.raises(GradientError, match=r"check_gradients\(lambda x, k: f\(x=x, k=k\), np.array\("):
        SHRUNK(gradient_test(f, args={"k": tensors(()), "x": tensors(())}))()


def lambda_of(error):
    """The line that repeats a check, run."""
    line = str(error).partition("again: ")[2].partition("\n")[0]
    return line, eval(
        line.replace("seed=0", "seed=0, raises=False"), globals() | {"check_gradients": check_gradients}
    )


@pytest.mark.parametrize(
    "f",
    [
        lambda x: x * stop_gradient(x),
        lambda x, power=2: stop_gradient(x) * x ** (power - 1), lambda x: x * stop_gradient(x) * 1.0,
        lambda x: (lambda y: y * stop_gradient(x))(x),
    ],
    ids=range(4),
)  # fmt: skip
def test_the_line_that_repeats_the_check_of_a_lambda_can_be_pasted(f):
    with pytest.raises(GradientError) as caught:
        SHRUNK(gradient_test(f))()
    line, again = lambda_of(caught.value)
    assert line.startswith("check_gradients(lambda x")
    assert again.verdict == "FAIL"
    with pytest.raises(GradientError) as caught:
        SHRUNK(gradient_test(f, args={"x": tensors(())}, order=2))()
    assert lambda_of(caught.value)[1].verdict == "FAIL"
    named = {"power": st.just(2), "x": tensors(())} if "power" in f.__code__.co_varnames else {"x": tensors(())}
    with pytest.raises(GradientError) as caught:
        SHRUNK(gradient_test(f, args=named))()
    assert lambda_of(caught.value)[1].verdict == "FAIL"


def test_what_cannot_be_read_or_is_long_is_f():
    for text in ("lambda x: x", f"lambda x: {'x + ' * 60} x"):
        assert called(eval(text)) == "f"
    long = lambda argument: (argument + argument + argument + argument + argument + argument + argument + argument
                             + argument + argument + argument + argument + argument + argument)  # fmt: skip
    assert called(long) == "f"
    assert [called(f) for f in (np.tanh, np.linalg.inv, gelu, abs)] == ["np.tanh", "np.linalg.inv", "gelu", "abs"]


def slow(x):
    time.sleep(0.01)
    return np.tanh(x)


def test_a_slow_function_has_no_deadline_unless_one_is_set():
    usual = settings(settings.get_profile("default"), max_examples=3, database=None, derandomize=True)
    assert usual.deadline is not None
    usual(gradient_test(slow))()
    with pytest.raises(DeadlineExceeded):
        settings(usual, deadline=1)(gradient_test(slow))()


def test_a_failure_is_not_explained_by_lines_of_numpy():
    test = settings(settings.get_profile("default"), max_examples=20, database=None, derandomize=True)(
        gradient_test(half)
    )
    with pytest.raises(GradientError) as caught:
        test()
    assert not any("Explanation" in note or "site-packages" in note for note in caught.value.__notes__)
    assert any("test_half(" in note for note in caught.value.__notes__)


def test_decorators_hold_for_what_is_run():
    seen = []
    test = gradient_test(lambda x: seen.append(x) or x * x)
    example(arguments={"x": np.array(17.0)})(settings(max_examples=1, database=None, phases=[Phase.explicit])(test))()
    assert 17.0 in [float(plain(x)) for x in seen if plain(x).ndim == 0]


class TestClass:
    test_tanh = FEW(gradient_test(np.tanh))

    def test_it_is_run_with_an_instance(self):
        with pytest.raises(GradientError):
            type("Tests", (), {"test": SHRUNK(gradient_test(half))})().test()


IN_A_FILE = """
import numpy as np
import tinygrad_edu as te
from tinygrad_edu.testing import gradient_test

test_wrong = gradient_test(lambda x: te.stop_gradient(x) * x)

class TestIt:
    test_right = gradient_test(np.tanh)
    test_wrong = gradient_test(
        lambda x: te.stop_gradient(x) * x,
    )
"""


def test_pytest_shows_the_line_at_which_the_test_is_made(pytester):
    pytester.makepyfile(IN_A_FILE)
    options = ("-pno:tinygrad_edu", "-pno:pytest_cov", "-pno:xdist", "-pno:cacheprovider", "-Wignore")
    result = pytester.runpytest_inprocess(*options, plugins=[hooks])
    result.assert_outcomes(passed=1, failed=2)
    file = "test_pytest_shows_the_line_at_which_the_test_is_made.py"
    result.stdout.fnmatch_lines([">*test_wrong = gradient_test(*", "E*tinygrad_edu.testing.GradientError: *"])
    result.stdout.fnmatch_lines([f"{file}:5: GradientError", f"{file}:9: GradientError"])
    shown = {Path(found[1]).name for line in result.outlines if (found := re.match(r"(\S+\.py):\d+: ", line))}
    assert shown == {file}
    items = pytester.inline_run("--collect-only", *options, plugins=[hooks]).getcalls("pytest_itemcollected")
    assert [call.item.location[:2] for call in items] == [(file, 4), (file, 7), (file, 8)]


def test_random_functions_are_no_pass():
    with pytest.raises(GradientError, match="two calls with the same arguments give different"):
        SHRUNK(gradient_test(lambda x: x * np.random.random()))()


def test_outside_of_the_domain_the_remedy_is_named():
    with pytest.raises(
        ValueError, match=r"is nan or inf at x=np.array.*args=\{\"x\": tensors\(domain=\(0.0, np.inf\)"
    ):
        SHRUNK(gradient_test(lambda x: np.log(x)))()
    FEW(gradient_test(lambda x: np.log(x), args={"x": tensors(domain=(0, np.inf))}))()


def test_shapes_that_do_not_fit_have_a_note():
    with pytest.raises(ValueError, match=r"use \* instead of @") as caught:
        SHRUNK(gradient_test(lambda x, W: x @ W))()
    assert any("say shapes and domains, args={...}" in note for note in caught.value.__notes__)


def test_too_much_that_cannot_be_judged_fails():
    with pytest.raises(Exception, match=r"filter|satisfy|Unsatisfiable|inputs|assum"):
        SHRUNK(gradient_test(lambda x: x**1.5 * np.cbrt(x + 1.0), args={"x": st.just(np.array(0.0))}))()


def test_it_is_a_hypothesis_test_with_a_name():
    test = gradient_test(gelu)
    assert test.__name__ == "test_gelu"
    assert test.is_hypothesis_test
    assert gradient_test(lambda x: x).__name__ == "test_gradient"
    assert jacobian(gelu)(0.0) == 0.5


@pytest.mark.parametrize(
    ("f", "options", "error", "text"),
    [
        (3.0, {}, TypeError, r"takes a function, got float: gradient_test\(f\), not f\(x\)"),
        (gelu, {"args": {"x": 3}}, TypeError, r"args\['x'\] is of type int: give a strategy, tensors\("),
        (gelu, {"args": {"y": tensors()}}, TypeError, r"gelu\(x\): no strategy for 'x', no parameter 'y'"),
        (gelu, {"args": [tensors()]}, TypeError, "args is a dict from names to strategies"),
        (gelu, {"args": {}}, TypeError, "args is a dict from names to strategies"),
        (lambda *xs: xs, {}, TypeError, "tells no parameters that need a value: say them"),
        (lambda: 1.0, {}, TypeError, "tells no parameters that need a value"),
        (np.linalg.cholesky, {}, TypeError, r"check_op\(cholesky\)"),
        (gelu, {"order": 0}, ValueError, "order is 1, or 2"),
        (gelu, {"orders": 2}, ValueError, "no option orders: gradient_test has order, modes"),
        (gelu, {"method": "exact"}, ValueError, "method is one of"),
    ],
)
def test_mistakes_are_refused_before_anything_is_drawn(f, options, error, text):
    with pytest.raises(error, match=text):
        gradient_test(f, **options)


def test_functions_of_any_number_of_arguments_take_them_in_order():
    FEW(gradient_test(lambda *xs: xs[0] / xs[1], args={"a": tensors(()), "b": tensors((), domain=(1, 2))}))()
    FEW(gradient_test(np.divide, args={"numerator": tensors((3,)), "b": tensors((), domain=(1, 2))}))()


def test_without_hypothesis_the_rest_works_and_the_message_says_what_to_install():
    code = """
import sys
sys.modules["hypothesis"] = None
import numpy as np
from tinygrad_edu.testing import check_gradients, gradient_test
check_gradients(np.tanh, 0.5)
for use in (lambda: gradient_test(np.tanh), lambda: __import__("tinygrad_edu.testing.strategies")):
    try:
        use()
    except ImportError as error:
        print(error)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.count('pip install "tinygrad_edu[testing]"') == 2
