"""Every operation of the table, from its entry alone: no test here names one."""

import inspect
import itertools
import warnings
from contextlib import suppress

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import tinygrad_edu as te
from tinygrad_edu import Value, entries, grad, gradients, hessian, jvp
from tinygrad_edu.table import OPERATIONS, PRIMITIVES, REWRITES, arrived
from tinygrad_edu.testing import FAIL, INCONCLUSIVE, PASS, check_op
from tinygrad_edu.testing.arguments import Drawn, caller, calls, draw, intervals, special, written
from tinygrad_edu.testing.extremes import planted
from tinygrad_edu.testing.operation import of_empty
from tinygrad_edu.value import apply

with suppress(ImportError):
    import scipy.special  # noqa: F401 - its functions are in the table then
arrived()
pytestmark = pytest.mark.no_cover
OPS = list(entries())
OWN = list(OPERATIONS.values())
IDS = [f"{op.name}{'' if te.table.OPERATIONS.get(op.function) is op else '-with constants'}" for op in OPS]
few = settings(max_examples=max(4, settings().max_examples // 40))
repeats = max(1, settings().max_examples // 200)  # one kills every mutant: test_mutation.py


def draw_case(op, data):
    """Arguments and options for a call, in the interior of what the entry declares, and how far inside."""
    rng = np.random.default_rng(data.draw(st.integers(0, 2**16)))
    small = [call for call in calls(op) if (16,) not in call[0]]
    return draw(op, rng, data.draw(st.sampled_from(small)))


@pytest.fixture(autouse=True)
def quiet():
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", te.BroadcastWarning)
        yield


@pytest.mark.parametrize("op", OPS, ids=IDS)
@few
@given(data=st.data())
def test_forward_and_reverse_can_be_nested_either_way(op, data):
    """Each of them by itself is part of `check_op`."""
    arrays, options, _ = draw_case(op, data)
    call, rng, every = caller(op, options), np.random.default_rng(0), tuple(range(len(arrays)))
    ts = tuple(rng.normal(size=a.shape) for a in arrays)
    value, tangent = jvp(call, arrays, ts)
    u = rng.normal(size=value.shape)
    assert (tangent.shape, tangent.dtype) == (value.shape, value.dtype)
    half, narrow = jvp(call, *([a.astype(np.float32) for a in group] for group in (arrays, ts)))
    assert narrow.dtype == half.dtype
    np.testing.assert_allclose(narrow, tangent, rtol=2e-4, atol=2e-4)

    def along(gs):
        return sum(np.sum(g * t) for g, t in zip(gs, ts, strict=True))

    def weighted(*xs):
        return np.sum(call(*xs) * u)

    second = grad(lambda *xs: along(grad(weighted, every)(*xs)), every)(*arrays)
    forward_over_reverse = jvp(grad(weighted, every), arrays, ts)[1]
    reverse_over_forward = grad(lambda *xs: np.sum(jvp(call, xs, ts)[1] * u), every)(*arrays)
    for expected, *found in zip(second, forward_over_reverse, reverse_over_forward, strict=True):
        for other in found:
            np.testing.assert_allclose(other, expected, rtol=1e-9, atol=1e-9)


def unknown_options(op):
    """The options of a function that its rules do not know."""
    kept = (inspect.Parameter.POSITIONAL_OR_KEYWORD, inspect.Parameter.KEYWORD_ONLY)
    named = list(op.parameters.values())[1 if op.variadic else len(op.pullbacks) :]
    return [p.name for p in named if p.kind in kept and p.name not in op.options]


def test_every_option_without_a_rule_is_refused_by_name():
    asked = [(op, name) for op in OWN for name in unknown_options(op)]
    assert len(asked) > 20
    for op, name in asked:
        arrays, options, _ = draw(op, np.random.default_rng(0), calls(op)[0])
        refusal = (
            rf"{op.name}: option {name}=<object object.* not supported here.*; supported options: .*test_table\.py"
        )
        with pytest.raises(TypeError, match=refusal):
            op.function(*map(Value, arrays), **options | {name: object()})


def test_an_infinite_entry_does_not_spoil_the_gradients_of_finite_results():
    asked = 0
    for op in (op for op in OWN if not op.elementwise):
        for call in calls(op):
            drawn, parts = draw(op, np.random.default_rng(0), call), intervals(op, len(call[0]))
            for k, part in enumerate(parts):
                for bad in (np.inf, -np.inf) if not any(isinstance(p, str) for p in parts) else ():
                    if part[0] <= bad <= part[1] and drawn.arrays[k].size:
                        xs = [Value(a) for a in planted(drawn, k, 0, bad).arrays]
                        with np.errstate(all="ignore"):
                            out = apply(op, tuple(xs), drawn.options)
                            found = gradients(np.sum(out * np.linspace(1.0, 2.0, out.size).reshape(out.shape)), xs)
                        if np.all(np.isfinite(out.data)):
                            assert all(np.all(np.isfinite(g)) for g in found), (written(op, drawn), k, bad)
                            asked += 1
    assert asked > 20


NUMBERS = (0.0, 1.0, -1.0, 2.0, 0.5)


def special_points(op):
    """Arguments with whole numbers, kinks, singular points and ends of the domain, in all places or every other."""
    shown = [(((),) * len(op.pullbacks), {})] if op.elementwise else calls(op)
    for call in shown:
        drawn, parts = draw(op, np.random.default_rng(0), call), intervals(op, len(call[0]))
        yield drawn
        if any(isinstance(part, str) for part in parts):
            continue
        ends = [end for part in parts for end in part if abs(end) < 100]
        numbers = sorted({*NUMBERS, *special(op.kinks, op.singular), *ends})
        for chosen in itertools.product(numbers, repeat=len(parts)) if len(parts) < 3 else ():
            if all(low <= number <= high for number, (low, high) in zip(chosen, parts, strict=True)):
                for every in (1, 2):
                    places = [np.indices(a.shape).sum(0) % every == 0 for a in drawn.arrays]
                    triples = zip(places, chosen, drawn.arrays, strict=True)
                    yield drawn._replace(arrays=[np.where(at, number, a) for at, number, a in triples])


def hessian_of(op, drawn):
    """All second derivatives of a weighted sum of the results, for all entries of all arguments."""
    call, ends = caller(op, drawn.options), np.cumsum([a.size for a in drawn.arrays])[:-1]

    def weighted(flat):
        parts = zip(np.split(flat, ends), drawn.arrays, strict=True)
        out = call(*(np.reshape(part, a.shape) for part, a in parts))
        return np.sum(out * np.linspace(1.0, 2.0, out.size).reshape(out.shape))

    with np.errstate(all="ignore"):
        return hessian(weighted)(np.concatenate([np.ravel(a) for a in drawn.arrays]))


@pytest.mark.parametrize("op", OPS, ids=IDS)
def test_second_derivatives_are_symmetric_at_special_points(op):
    asked = 0
    for drawn in special_points(op):
        if 0 < sum(a.size for a in drawn.arrays) <= 24:
            h = hessian_of(op, drawn)
            blank = ~np.isfinite(h)
            same = np.isclose(h, h.T, rtol=1e-9, atol=1e-9) | (blank & blank.T)
            spoilt = blank.T & (h == 0) if op.singular else np.zeros_like(blank)  # 0 * inf, in one of two orders
            assert np.all(same | spoilt | spoilt.T), (written(op, drawn), drawn.arrays, h)
            asked += 1
    assert asked or op.variadic


def ran(op, report):
    """How many of the declared calls had a slope that could be judged."""
    slopes = [f for f in report.findings if not np.isnan(f.scale) and f.verdict in (PASS, FAIL)]
    starts = [
        written(op, Drawn([np.empty(shape) for shape in shapes], options, 0.0)) for shapes, options in calls(op)
    ]
    return sum(any(f.place.startswith(f"{start}, ") for f in slopes) for start in starts)


@pytest.mark.parametrize("op", OWN, ids=lambda op: op.name)
def test_every_regime_passes_and_nearly_all_slopes_are_judged(op):
    report = check_op(op, repeats=repeats, raises=False)
    assert report.count(FAIL) == 0, str(report)
    assert report.count(INCONCLUSIVE) <= 0.01 * report.checks, str(report)
    assert 2 * ran(op, report) >= len(calls(op))


def test_nearly_every_operation_of_whole_arrays_takes_empty_ones():
    """NumPy itself complains of some, as of the largest of nothing."""
    assert sum(any(of_empty(op)) for op in OWN if not op.elementwise) > 40


def test_all_regimes_are_there():
    places = " ".join(f.place for op in (np.abs, np.sqrt, np.tanh) for f in check_op(op, repeats=1).findings)
    for regime in (
        "order 2",
        "empty",
        "layouts",
        "at a kink",
        "1e-12 beside",
        "0.001 beside",
        "x = inf",
        "x = nan",
        "x = 4.94066e-324",
    ):
        assert regime in places, regime


# What is public and no entry: it is made of entries, or changes functions.
COMPOSED = """accuracy binary_cross_entropy convolution cross_entropy log_softmax max_pool mean_pool mse_loss softmax
    tanh"""
OTHERS = """case cases checkpoint constant custom differentiable elementwise_grad entries grad gradients hessian hvp
    implements jacobian jvp load no_grad primitive save stop_gradient value_and_grad verified vjp"""


def test_every_public_function_is_in_the_table_or_made_of_entries():
    known = f"{COMPOSED} {OTHERS}".split()
    for module in (te, te.nn):
        for name in (n for n in module.__all__ if inspect.isroutine(getattr(module, n))):
            function = getattr(module, name)
            assert function in OPERATIONS or function in REWRITES or name in known, name
    for name, function in PRIMITIVES.items():
        assert function in OPERATIONS, name
    for op in OWN:
        assert calls(op), f"{op.name} shows no call, so nothing tests it"


def test_no_function_of_scipy_takes_a_value_without_an_entry():
    special = pytest.importorskip("scipy.special")
    for function in vars(special).values():
        if isinstance(function, np.ufunc) and function not in OPERATIONS and function not in REWRITES:
            with pytest.raises(TypeError):
                function(*[Value([0.5, 1.5])] * function.nin)
