"""Rows add up in any order, the limit is 1 %, and the table's columns stand straight."""

import math
from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tinygrad_edu.testing import FAIL, INCONCLUSIVE, KINK, PASS, GradientError, GradientReport, check_gradients
from tinygrad_edu.testing.report import Finding, promise
from tinygrad_edu.testing.summary import COUNTS, HEAD, NAME, doubt, enter, record, recording, row, table, unsettled


def finding(verdict=PASS, relative=0.0, allowed=1e-5, scale=1.0, slopes=None):
    found = Finding("x", 0.0, scale * (1 + relative), scale, 0.0, allowed)
    found.verdict, found.scale, found.slopes = verdict, scale, slopes
    return found


def a_row(operation="f", place="m", **numbers):
    zero = dict.fromkeys(COUNTS, 0) | {"worst": math.nan}
    return {"in": place, "operation": operation} | zero | numbers


@st.composite
def rows(draw):
    counts = {name: draw(st.integers(0, 9)) for name in COUNTS}
    worst = draw(st.sampled_from([math.nan, 0.0, 1e-12, 1.0]))
    return a_row(draw(st.sampled_from("fg")), draw(st.sampled_from("mn")), worst=worst, **counts)


def test_a_report_becomes_plain_numbers():
    found = [finding(), finding(FAIL, 0.5), finding(KINK), finding(INCONCLUSIVE), promise("y", True, "")]
    made = row("module", GradientReport("f", found, ""))
    assert made == a_row("f", "module", checks=5, worst=0.5, inconclusive=1, kinks=1)
    assert {type(value) for value in made.values()} == {str, int, float}


@pytest.mark.parametrize("x", [1.0, np.ones(2)], ids=["a number", "an array"])
def test_what_is_found_is_made_of_pythons_own_numbers(x):
    """The numbers of NumPy stop a worker of pytest-xdist."""
    for f in (np.tanh, lambda x: x * x):
        made = row("module", check_gradients(f, x, raises=False))
        assert {type(value) for value in made.values()} == {str, int, float}


@pytest.mark.parametrize(
    ("found", "worst"),
    [
        (finding(relative=1e-7), 1e-7),
        (finding(FAIL, relative=2.0, allowed=9.0), 2.0),
        (finding(relative=0.5, allowed=1.0), math.nan),  # differences too rough to say anything
        (finding(relative=0.5, scale=1e-17), math.nan),  # nothing but rounding
        (finding(relative=0.5, slopes=(0.0, 1.0)), math.nan),
        (finding(INCONCLUSIVE, relative=0.5), math.nan),
        (promise("y", True, ""), math.nan),
        (promise("y", False, "changed in place"), math.nan),
    ],
)
def test_the_worst_error_is_that_of_sharp_comparisons(found, worst):
    assert row("m", GradientReport("f", [found], ""))["worst"] == pytest.approx(worst, nan_ok=True)


@given(st.lists(rows()), st.randoms())
def test_rows_add_up_and_a_test_keeps_one_for_each_function(found, random):
    expect_sums_in_any_order(found, random)
    expect_one_for_each_function(found)


def expect_sums_in_any_order(found, random):
    """Workers report in any order: what is shown does not depend on it."""
    shuffled = list(found)
    random.shuffle(shuffled)
    one, other = {}, {}
    for some in found:
        enter(one, [(NAME, some), ("of another plugin", 3)])
    enter(other, [(NAME, some) for some in shuffled])
    assert repr(sorted(one.items())) == repr(sorted(other.items()))
    for name in COUNTS:
        assert sum(total[name] for total in one.values()) == sum(some[name] for some in found)


def expect_one_for_each_function(found):
    """Whoever checks a function twice in a test has one row of it."""
    item = SimpleNamespace(user_properties=[("of another plugin", 3)])
    for some in found:
        record(item, dict(some))
    kept = [value for name, value in item.user_properties if name == NAME]
    assert len(kept) == len({(some["in"], some["operation"]) for some in found})
    assert sum(some["checks"] for some in kept) == sum(some["checks"] for some in found)


def test_what_was_entered_is_not_changed_later():
    some, total = a_row(checks=1), {}
    enter(total, [(NAME, some), (NAME, some)])
    assert (some["checks"], total["m", "f"]["checks"]) == (1, 2)


@pytest.mark.parametrize(("inconclusive", "checks", "fails"), [(1, 100, 0), (1, 99, 1), (0, 0, 0), (1, 1, 1)])
def test_the_limit_is_one_percent(inconclusive, checks, fails):
    found = a_row(checks=checks, inconclusive=inconclusive)
    assert (doubt(found) != "") == fails
    assert len(unsettled({("m", "f"): found, ("m", "g"): a_row("g", checks=9)})) == fails


def test_the_table_is_aligned_and_says_what_fails():
    found = [
        a_row("f", checks=12345, worst=1e-9, killed=3, mutants=4),
        a_row("a_long_name", "package.module", checks=7, inconclusive=7),
    ]
    lines = list(table({(some["in"], some["operation"]): some for some in found}))
    assert lines[:3] == [
        "operation    checks  worst error  inconclusive  kinks  mutants  in",
        "f             12345      1.0e-09             0      0      3/4  m",
        "a_long_name       7            -             7      0        -  package.module",
    ]
    assert lines[3].startswith("FAILED a_long_name: 7 of 7 checks are inconclusive, more than 1 %: keep")
    assert len(lines) == 4
    assert len(HEAD) == 7


def test_the_fixture_is_check_gradients():
    item = SimpleNamespace(user_properties=[], nodeid="tests/test_me.py::test_it[3]")
    gradcheck = recording(lambda: item)
    x = np.array([0.5, 2.0])
    report = gradcheck(np.tanh, x, seed=3)
    assert report.checks == check_gradients(np.tanh, x, seed=3).checks
    ((name, found),) = item.user_properties
    assert (name, found["in"], found["operation"]) == (NAME, "tests/test_me.py", "tanh")
    with pytest.raises(GradientError, match=r"INCONCLUSIVE|FAIL"):
        gradcheck(lambda v: v + 1e-3 * np.sin(1e6 * v.data), x)
    assert len(item.user_properties) == 2  # what fails is in the table, too
    with pytest.raises(TypeError):
        gradcheck(np.tanh, x, no_such_option=1)
    assert len(item.user_properties) == 2
