"""The table refuses what is incomplete, twice, or at odds with itself."""

import gc
import sys
import warnings
import weakref
from functools import partial

import numpy as np
import pytest

import tinygrad_edu as te
from tinygrad_edu.table import (
    CONSTANTS,
    OPERATIONS,
    REALS,
    REWRITES,
    SAME_NAME,
    Each,
    Op,
    Parts,
    case,
    cases,
    declared_by,
    entries,
    lookup,
    primitive,
)
from tinygrad_edu.value import Value, apply


def cube(x):
    """A function of the test's own."""
    return x**3


@pytest.fixture
def table():
    before = dict(OPERATIONS), dict(REWRITES), set(CONSTANTS)
    yield
    for now, then in zip((OPERATIONS, REWRITES, CONSTANTS), before, strict=True):
        now.clear()
        now.update(then)


@pytest.mark.usefixtures("table")
def test_a_primitive_of_ones_own_takes_arrays_and_values():
    own = te.primitive(cube, lambda g, out, x: g * 3 * x**2, domain=REALS)
    assert own(2.0) == 8.0
    v = te.Value([1.0, 2.0])
    own(v).sum().backward()
    np.testing.assert_array_equal(v.grad, [3.0, 12.0])
    assert te.grad(te.grad(lambda x: own(x=x)))(2.0) == 12.0


@pytest.mark.usefixtures("table")
def test_a_function_is_entered_once():
    te.differentiable(cube, lambda g, out, x: g, domain=REALS)
    for again in (
        lambda: te.differentiable(cube, lambda g, out, x: g, domain=REALS),
        lambda: te.implements(cube)(cube),
        lambda: te.implements(np.sign)(cube),
        lambda: te.differentiable(np.clip, lambda g, out, x: g, domain=REALS),
    ):
        with pytest.raises(ValueError, match="in the table already"):
            again()


def test_an_operation_without_a_domain_cannot_be_made():
    with pytest.raises(TypeError, match="domain"):
        te.differentiable(cube, lambda g, out, x: g)
    assert cube not in OPERATIONS


@pytest.mark.parametrize(
    ("pullbacks", "message"),
    [
        ((lambda g, out, x, y: g,), "1 pullbacks for 2 array arguments"),
        ((lambda g, out, x: g, lambda g, out, x: g), "2 pullbacks for 1 array arguments"),
        ((lambda g, out, x, *, speed=1: g,), "no option speed"),
    ],
)
def test_rules_that_do_not_fit_the_function_are_refused(pullbacks, message):
    with pytest.raises(TypeError, match=message):
        te.differentiable(cube, *pullbacks, domain=REALS)
    assert cube not in OPERATIONS


def test_options_are_refused_at_the_call_with_what_is_supported():
    v = te.Value([1.0, 2.0])
    with pytest.raises(TypeError, match=r"sum: option dtype=.*supported options: axis, initial, keepdims, where"):
        np.sum(v, dtype=np.float32)
    with pytest.raises(TypeError, match=r"exp: option where=.*supported options: none"):
        np.exp(v, where=np.array([True, False]))
    assert np.sum(v, out=None, dtype=None).item() == 3.0
    with pytest.raises(TypeError, match=r"median: option overwrite_input=True .*supported options: axis, keepdims "):
        np.median(v, overwrite_input=True)
    with pytest.raises(TypeError, match=r"modf: option dtype=.*supported options: none"):
        np.modf(v, dtype=np.float32)
    assert np.median(a=v, axis=0, out=None, overwrite_input=False).item() == 1.5
    with pytest.raises(TypeError, match=r"clip: option dtype=.*supported options: a_max, a_min, max, min"):
        np.clip(v, 0.0, 1.0, dtype=np.float32)


@pytest.mark.parametrize(
    "call",
    [
        lambda v: np.median(v, 0, None, False),
        lambda v: np.ptp(v, 0, None),
        lambda v: np.clip(v, 0, 2, None),
        lambda v: np.outer(v, v, None),
        lambda v: np.quantile(v, 0.3, 0, None, False, "lower"),
    ],
)
def test_options_by_position_are_those_of_numpy(call):
    x = np.array([1.0, 2.0])
    np.testing.assert_array_equal(call(te.Value(x)).data, call(x))


def test_an_option_by_position_that_no_rule_knows_is_refused_by_its_name():
    with pytest.raises(TypeError, match=r"median: option out=array.*is not supported here; supported options"):
        np.median(te.Value([1.0, 2.0]), 0, np.zeros(()))


@pytest.mark.skipif(not declared_by(np.dot), reason="this NumPy does not tell the signature of np.dot")
def test_options_by_position_of_functions_in_c():
    v = te.Value([1.0, 2.0])
    assert np.dot(v, [1.0, 2.0], None).item() == 5.0
    assert np.concatenate([v, v], 0, None).shape == (4,)


@pytest.mark.usefixtures("table")
@pytest.mark.parametrize("kind", [lambda f: f, partial])
def test_anything_that_can_be_called_is_a_rewrite(kind):
    te.implements(cube)(kind(lambda x, power=3: x**power))
    assert te.table.REWRITES[cube](te.Value(2.0)).item() == 8.0
    assert te.table.REWRITES[cube](te.Value(2.0), power=2).item() == 4.0


def test_a_refusal_leaves_the_settings_of_warnings_alone():
    before = list(warnings.filters)
    with pytest.raises(np.exceptions.AxisError), np.errstate(all="raise"):
        np.diff(te.Value([1.0, 2.0]), axis=5)
    assert warnings.filters == before
    with pytest.raises(TypeError, match="in place has no derivative"), np.errstate(all="raise"):
        np.pad(te.Value([1e308, 1e308]), 1, lambda *_: None)


@pytest.mark.usefixtures("table")
def test_a_rewrite_that_fails_where_the_function_does_not_says_so_with_the_users_line():
    te.implements(cube)(lambda x: x.cubed)
    call = te.table.REWRITES[cube]
    with pytest.raises(
        AttributeError, match=r"cube: these arguments have no derivative here: .*'cubed'.*\(test_table_"
    ):
        call(te.Value(2.0))
    with pytest.raises(TypeError, match=r"cube: unsupported operand .*\(test_table_entry\.py:"):
        call("two")


@pytest.mark.parametrize("call", [lambda a: np.sum(a, 0), lambda a: np.sum(axis=0, a=a), lambda a: np.sum(a, axis=0)])
def test_positions_and_names_are_the_same(call):
    np.testing.assert_array_equal(call(te.Value(np.ones((2, 3)))).data, [2.0, 2.0, 2.0])


@pytest.mark.usefixtures("table")
def test_a_refusal_keeps_its_reason_and_a_derivative_comes_first():
    te.table.refused("it is the test's own", cube)
    with pytest.raises(TypeError, match=r"cube has no derivative here: it is the test's own; pass value\.data"):
        te.value.dispatch(cube, (te.Value(2.0),), {})
    te.differentiable(cube, lambda g, out, x: g * 3 * x**2, domain=REALS)
    assert te.value.dispatch(cube, (te.Value(2.0),), {}).item() == 8.0
    del te.table.REFUSED[cube]


def test_a_chapter_that_waits_is_read_once_its_library_is_there(monkeypatch):
    monkeypatch.setitem(te.later.CHAPTERS, "a_library", "data.documents")
    monkeypatch.delitem(sys.modules, "tinygrad_edu.data.documents", raising=False)
    te.table.arrived()
    assert "a_library" in te.later.CHAPTERS
    monkeypatch.setitem(sys.modules, "a_library", np)
    assert te.table.arrived()
    assert "tinygrad_edu.data.documents" in sys.modules
    assert not te.table.arrived()


def test_each_gives_the_rule_its_position():
    assert Each(lambda i, g, out, *arrays, k=0: (i, g, k))[2](5.0, None, k=1) == (2, 5.0, 1)


def test_parts_are_listed_once_for_all_arguments():
    runs = []

    def rule(g, out, *arrays):
        runs.append(len(arrays))
        return [k * g for k in range(len(arrays))]

    assert Parts(rule)[2](5.0, None, 0, 0, 0) == 10.0
    op, xs = Op(lambda *arrays: sum(arrays), Parts(rule), domain=REALS), [te.Value(1.0) for _ in range(50)]
    apply(op, tuple(xs)).backward(5.0)
    assert [x.grad for x in xs] == [5.0 * k for k in range(50)]
    assert runs == [3, 50]


def test_cases_are_all_combinations():
    assert case((2,), axis=0) == (((2,),), {"axis": 0})
    assert len(cases((2, 3), axis=[0, 1], keepdims=[False, True])) == 4


def test_every_entry_shows_a_glyph_and_one_formula_per_argument():
    for op in entries():
        assert op.glyph
        assert len(op.formulas) == (
            1 if op.variadic or not hasattr(op.pullbacks, "__len__") else len(op.pullbacks)
        ), op


def test_an_entry_finds_itself_again_after_pickling():
    import pickle

    for op in entries():
        assert pickle.loads(pickle.dumps(op)) is op
    assert repr(Op(cube, [lambda g, out, x: g], domain=REALS)) == "<Op cube>"


def define_again(i):
    def cubed(x):
        return x * x * x + i

    return primitive(cubed, lambda g, out, x: g * 3 * x**2, domain=REALS)


def test_operations_that_are_defined_again_and_again_need_bounded_memory(table):
    before = len(OPERATIONS)
    first = define_again(0)
    kept = [weakref.ref(define_again(i)) for i in range(1, 3 * SAME_NAME)]
    assert len(OPERATIONS) == before + SAME_NAME
    gc.collect()
    assert sum(made() is not None for made in kept) == SAME_NAME
    v = Value(2.0)
    out = first(v)
    out.backward()
    assert (out.item(), v.grad) == (8.0, 12.0)
    assert lookup(first) is out.op
    assert np.array_equal(first(np.ones(2)), np.ones(2))
