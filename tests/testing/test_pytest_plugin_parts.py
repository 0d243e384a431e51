"""The parts of the pytest plugin: what an item prints, how rows add up, how modules are found."""

import math
import sys
from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import tinygrad_edu as te
from tinygrad_edu.table import OPERATIONS, PRIMITIVES, REALS, Op
from tinygrad_edu.testing import (
    FAIL,
    INCONCLUSIVE,
    KINK,
    PASS,
    GradientError,
    GradientReport,
    check_gradients,
    check_op,
)
from tinygrad_edu.testing.pytest_plugin.items import SHOWN, home, load, operations, order, outside, unnoticed, within
from tinygrad_edu.testing.pytest_plugin.summary import (
    COUNTS,
    HEAD,
    NAME,
    doubt,
    enter,
    record,
    recording,
    row,
    table,
    unsettled,
)
from tinygrad_edu.testing.report import Finding, condition

# -- items ---------------------------------------------------------------------------------------------------


NAMES = st.lists(st.sampled_from(["grad", "m", "m.n", "f", "f-2"]), min_size=1, max_size=4)


@given(NAMES, NAMES, st.sampled_from(["", "::"]))
def test_an_argument_names_an_item_and_all_below_it(parts, asked, end):
    """As pytest reads `file::class::test`: whole parts only."""
    assert within("::".join(parts), "::".join(asked) + end) == (parts[: len(asked)] == asked)


@pytest.mark.parametrize("count", [1, SHOWN, SHOWN + 1, 9])
def test_survivors_are_named_and_counted(count):
    alive = [f"fault {k}" for k in range(count)]
    first, *labels, last = unnoticed("swish", {"mutants": 20}, alive).splitlines()
    assert first == f"swish: {count} of 20 planted faults are not noticed"
    more = [f"  ... and {count - SHOWN} more"] if count > SHOWN else []
    assert labels == [f"  {label}" for label in alive[:SHOWN]] + more
    assert "domain, cases or kinks" in last


def test_a_traceback_keeps_the_users_own_lines():
    def rule(g, out, x):
        raise RuntimeError("on purpose")

    with pytest.raises(RuntimeError) as caught:
        check_op(Op(lambda x: np.sin(x), [rule], domain=REALS))
    assert len(caught.traceback) > 5
    kept = outside(caught)
    assert {str(entry.path) for entry in kept} == {__file__}
    assert kept[-1].name == "rule"


def test_a_traceback_without_any_is_kept_whole():
    with pytest.raises(TypeError) as caught:
        check_op(len)
    caught.traceback[:] = caught.traceback[1:]  # the call in this file
    assert outside(caught) == caught.traceback


# -- the table -----------------------------------------------------------------------------------------------


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
    found = [finding(), finding(FAIL, 0.5), finding(KINK), finding(INCONCLUSIVE), condition("y", True, "")]
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
        (condition("y", True, ""), math.nan),
        (condition("y", False, "changed in place"), math.nan),
    ],
)
def test_the_worst_error_is_that_of_sharp_comparisons(found, worst):
    assert row("m", GradientReport("f", [found], ""))["worst"] == pytest.approx(worst, nan_ok=True)


@settings(max_examples=max(10, settings().max_examples // 4))
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


# -- modules -------------------------------------------------------------------------------------------------


MADE = "te.primitive(lambda x: x + 0.0, lambda g, out, x: g, name='{}', domain=te.REALS)\n"
SWISH = f"import tinygrad_edu as te\nswish = {MADE}"


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A folder from which modules can be imported, and forgotten again with what they have registered."""
    before = set(sys.modules), dict(OPERATIONS), dict(PRIMITIVES)
    monkeypatch.setattr(sys, "path", [str(tmp_path), *sys.path])
    yield tmp_path
    for name in set(sys.modules) - before[0]:
        del sys.modules[name]
    for now, then in zip((OPERATIONS, PRIMITIVES), before[1:], strict=True):
        now.clear()
        now.update(then)


def write(folder, name, text="x = 1\n"):
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return path


BROKEN = {
    "a typo": ("alone_heer", r"no module named 'alone_heer': did you mean alone_here\? A module is found if"),
    "a typo below": ("tinygrad_edu.nn.layer", r"'tinygrad_edu\.nn\.layer': did you mean tinygrad_edu\.nn\.layers"),
    "no package": ("qqqzzz.inner", r"no module named 'qqqzzz' \(for qqqzzz\.inner\): A module"),
    "a missing import": ("needy", r"importing needy failed at needy\.py:2: ModuleNotFoundError: No module"),
    "its own mistake": ("divides", r"importing divides failed at divides\.py:1: ZeroDivisionError"),
    "an exit": ("leaves", r"importing leaves failed at leaves\.py:2: SystemExit: 3"),
    "a syntax error": ("odd", r"importing odd failed: SyntaxError: .*odd\.py, line 1"),
    "a wrong rule": ("ruled", r"importing ruled failed at ruled\.py:2: ValueError: f is not registered"),
}


@pytest.mark.parametrize("case", BROKEN)
def test_what_cannot_be_imported_is_said(folder, case):
    write(folder, "alone_here.py")
    write(folder, "needy.py", "\nimport qq\n")
    write(folder, "divides.py", "1 / 0")
    write(folder, "leaves.py", "import sys\nsys.exit(3)")
    write(folder, "odd.py", "def f(:")
    rule = "@te.custom((lambda g, out, x: g * x,), domain=te.REALS)\ndef f(x):\n    return x * x"
    write(folder, "ruled.py", f"import tinygrad_edu as te\n{rule}")
    name, words = BROKEN[case]
    with pytest.raises(ImportError, match=words) as caught:
        load(name)
    assert type(caught.value) is ImportError
    assert caught.value.__suppress_context__ or caught.value.__context__ is None


def test_a_chapter_declares_what_its_rules_are_for():
    assert np.tanh in {op.function for op in operations(load("tinygrad_edu.rules.elementwise")).values()}
    assert "matmul" not in operations(load("tinygrad_edu.rules.elementwise"))
    assert operations(load("tinygrad_edu.nn.module")) == {}


def test_every_entry_has_a_name_and_a_home():
    ours = {function: op for function, op in OPERATIONS.items() if home(op).startswith("tinygrad_edu.")}
    found = operations(te)
    assert set(map(id, ours.values())) <= set(map(id, found.values()))
    assert all(name == op.name for name, op in found.items())


def test_a_package_declares_what_it_takes_from_its_modules_and_no_more(folder):
    write(folder, "pack_b/__init__.py", "from pack_b.inner import swish\nfrom numpy import tanh\nimport other_b\n")
    write(folder, "pack_b/inner.py", SWISH.format("b_one"))
    write(folder, "other_b.py", SWISH.format("b_two"))
    assert set(operations(load("pack_b"))) == {"b_one"}
    assert set(operations(load("other_b"))) == {"b_two"}
    write(folder, "uses_b.py", "import numpy as np\nfrom pack_b import swish\ndef plain(x):\n    return np.tanh(x)")
    assert operations(load("uses_b")) == {}


def test_two_of_a_name_are_both_kept(folder):
    write(folder, "twins.py", SWISH.format("same") + "other = " + MADE.format("same"))
    module = load("twins")
    assert {name: op.function for name, op in operations(module).items()} == {
        "same": module.swish,
        "same-2": module.other,
    }


def test_the_promised_order(folder):
    write(folder, "orders.py", SWISH.format("once") + "swish.order = 1\n")
    assert order(operations(load("orders"))["once"]) == 1
    assert order(OPERATIONS[np.tanh]) == 2


def test_a_package_declares_what_it_offers_from_beside_it(folder):
    write(folder, "pack_d/__init__.py")
    write(folder, "pack_d/hidden.py", SWISH.format("swish") + f"other = {MADE.format('other')}")
    write(folder, "pack_d/api/__init__.py", "from pack_d.hidden import swish\n")
    write(folder, "user_d.py", "from pack_d.hidden import swish\n")
    assert list(operations(load("pack_d.api"))) == ["swish"]
    assert list(operations(load("user_d"))) == []
