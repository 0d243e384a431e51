"""check_op passes right entries and names what a planted fault breaks."""

import numpy as np
import pytest

import tinygrad_edu as te
from tinygrad_edu.inputs import plain
from tinygrad_edu.table import OPERATIONS, POSITIVE, REALS, Each, Op, case
from tinygrad_edu.testing import FAIL, PASS, GradientError, check_op

pytestmark = pytest.mark.usefixtures("table")


NAMED = [np.log, np.maximum, np.linalg.inv]  # all of them: tests/test_table.py


@pytest.mark.parametrize("function", NAMED, ids=lambda f: f.__name__)
def test_entries_of_the_table_pass(function):
    report = check_op(function, repeats=1)
    assert (report.verdict, report.count(PASS)) == (PASS, len(report.findings))
    assert len(report.findings) > 40


def cube(x):
    return x * x * x


def product(x, y):
    return x * y


CUBE = lambda g, out, x: g * 3 * x**2


def test_operations_of_ones_own_pass():
    own = te.custom((CUBE,), domain=REALS)(cube)
    assert check_op(own).verdict == PASS
    assert check_op(OPERATIONS[own]).verdict == PASS
    first = te.primitive(product, lambda g, out, x, y: g * y, lambda g, out, x, y: g * x, domain=POSITIVE)
    assert check_op(first).verdict == PASS


def test_rules_of_first_order_only():
    once = te.primitive(cube, lambda g, out, x: g * 3 * plain(x) ** 2, domain=REALS)
    assert check_op(once, order=1).verdict == PASS
    assert ", order 2, argument 0" in str(check_op(once, raises=False))


def test_one_rule_for_any_number_of_arguments():
    total = lambda *xs: sum(xs[1:], xs[0])
    op = te.primitive(
        total, Each(lambda i, g, out, *xs: g), name="total", domain=REALS, cases=[case((2,), (2,), (2,))]
    )
    assert check_op(op).verdict == PASS
    shown = Op(total, Each(lambda i, g, out, *xs: g), domain=REALS)
    with pytest.raises(TypeError, match="total takes any number of arguments: its entry shows none"):
        check_op(shown)


class Twice:
    """A rule that gives something else the second time."""

    calls = 0

    def __call__(self, g, x):
        Twice.calls += 1
        return g * 3 * x**2 * (1.0 + 1e-9 * Twice.calls)


def overwrite(g, x):
    if isinstance(g, np.ndarray) and g.shape:
        g *= 3.0
        return g * x**2
    return g * 3.0 * x**2


def in_place(g, x):
    if isinstance(x, np.ndarray) and x.shape and x.flags.writeable:
        x *= 1.0 + 1e-13
    return g * 3.0 * x**2


def layout(x):
    if not isinstance(x, np.ndarray) or not x.ndim or x.strides[0] >= 0:
        return 1.0
    return 1.0 + 1e-6


FAULTS = {
    "value": (lambda g, out, x: g * 3 * x**2, {"compute": lambda x: x * x * x * (1 + 1e-9)}, "value: "),
    "sign": (lambda g, out, x: -3 * g * x**2, {}, "ratio -1: the sign is flipped"),
    "one in a million": (lambda g, out, x: g * 3 * x**2 * (1 + 1e-4), {}, "FAIL cube((3,)), order 1, argument 0[0]"),
    "second order": (lambda g, out, x: g * 3 * x * plain(x), {}, "FAIL cube((3,)), order 2, argument 0"),
    "forward": (
        CUBE, {"linear": True}, "forward: forward and reverse disagree: is the entry wrongly declared linear?",
    ),
    "single": (
        lambda g, out, x: g * 3 * x**2 * (1.01 if x.dtype == np.float32 else 1.0), {},
        "float32: the gradient of argument 0 in float32 is far from the one in float64",
    ),
    "affine": (
        lambda g, out, x: g * 3 * x**2 + 1e-9, {},
        "zero: the rule of cube for argument 0 gives something else than 0 for a gradient of 0",
    ),
    "not linear": (
        lambda g, out, x: g * 3 * x**2 + 1e-10 * np.abs(g), {},
        "linear: the rule of cube for argument 0 is not linear in the gradient: it is g times something",
    ),
    "unsteady": (
        lambda g, out, x: Twice()(g, x), {},
        "repeated: the same cotangent gives another gradient the second time",
    ),
    "overwrites": (
        lambda g, out, x: overwrite(g, x), {},
        "in place: the rule of cube for argument 0 writes to its incoming gradient or its arguments",
    ),
    "in place": (
        lambda g, out, x: in_place(g, x), {},
        "arguments: the backward pass changes the arguments in place: a rule works on what it was given",
    ),
    "layout": (
        lambda g, out, x: g * 3 * x**2 * layout(x), {},
        "layouts: arrays with a negative stride give another result",
    ),
    "empty": (
        lambda g, out, x: g * 3 * x**2 + 0 * np.reshape(x, (x.size, -1))[:1].sum() if x.size else g[:, :2], {},
        "empty: arrays of shape (0, 3) have gradients",
    ),
}  # fmt: skip


@pytest.mark.parametrize("fault", FAULTS)
def test_what_is_broken_is_named(fault):
    rule, declared, words = FAULTS[fault]
    wrong = Op(cube, [rule], domain=REALS, **declared)
    report = check_op(wrong, repeats=1, raises=False)
    assert report.verdict == FAIL
    assert words in "\n".join(str(finding) for finding in report.findings if finding.verdict == FAIL)


def test_a_failure_is_raised_with_the_line_that_repeats_it():
    with pytest.raises(GradientError, match="again: check_op\\(cube, order=1, seed=0\\)"):
        check_op(Op(cube, [lambda g, out, x: -3 * g * x**2], domain=REALS), order=1, repeats=1)


def test_a_fault_in_the_one_variable_form_is_found():
    wrong = te.primitive(
        product,
        lambda g, out, x, y: g * y,
        lambda g, out, x, y: g * x,
        with_constants=(lambda g, out, x, y: g * y * 2.0, lambda g, out, x, y: g * x),
        domain=REALS,
    )
    assert "FAIL with constants: product(" in str(check_op(wrong, repeats=1, raises=False))


def test_what_is_not_in_the_table_is_refused_with_a_remedy():
    with pytest.raises(TypeError, match=r"cube has no entry in the table: check_op\(te.custom"):
        check_op(cube)


@pytest.mark.parametrize(("options", "words"), [({"repeats": 0}, "repeats is 1 or"), ({"order": 0}, "order is 1")])
def test_options_that_leave_nothing_to_check_are_refused(options, words):
    with pytest.raises(ValueError, match=words):
        check_op(np.tanh, **options)


def test_extremes_are_part_of_the_check():
    swallows = Op(cube, [lambda g, out, x: g * 3 * np.nan_to_num(x) ** 2], domain=REALS)
    report = check_op(swallows, order=1, raises=False)
    assert {finding.place for finding in report.findings if finding.verdict == FAIL} == {"cube(x), x = nan"}
