"""Every operation of the table, from its entry alone: no test here names one."""

import warnings
from contextlib import suppress

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import tinygrad_edu as te
from tinygrad_edu import Value, entries, grad, gradients, jvp
from tinygrad_edu.op import arrived
from tinygrad_edu.testing import check_gradients
from tinygrad_edu.testing.drawing import caller, calls, draw
from tinygrad_edu.testing.operation import LAYOUTS
from tinygrad_edu.value import apply

with suppress(ImportError):
    import scipy.special  # noqa: F401 - its functions are in the table then
arrived()
OPS = list(entries())
IDS = [f"{op.name}{'' if te.op.OPERATIONS.get(op.function) is op else '-alone'}" for op in OPS]
few = settings(max_examples=max(5, settings().max_examples // 10))


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
def test_the_value_is_that_of_the_function(op, data):
    arrays, options, _ = draw_case(op, data)
    expected = op.function(*arrays, **options)
    out = op.function(*map(Value, arrays), **options)
    assert isinstance(out, Value)
    np.testing.assert_array_equal(out.data, expected)
    np.testing.assert_allclose(op.compute(*arrays, **options), expected, rtol=4e-16)


@pytest.mark.parametrize("op", OPS, ids=IDS)
@few
@given(data=st.data())
def test_first_and_second_derivatives_equal_differences(op, data):
    arrays, options, far = draw_case(op, data)
    report = check_gradients(caller(op, options), *arrays, order=2, distance=far)
    assert report.verdict == "PASS"


@pytest.mark.parametrize("op", OPS, ids=IDS)
@few
@given(data=st.data())
def test_forward_agrees_with_reverse_in_first_and_second_order(op, data):
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

    first = along(grad(weighted, every)(*arrays))
    np.testing.assert_allclose(np.sum(tangent * u), first, rtol=1e-9, atol=1e-9)
    second = grad(lambda *xs: along(grad(weighted, every)(*xs)), every)(*arrays)
    forward_over_reverse = jvp(grad(weighted, every), arrays, ts)[1]
    reverse_over_forward = grad(lambda *xs: np.sum(jvp(call, xs, ts)[1] * u), every)(*arrays)
    for expected, *found in zip(second, forward_over_reverse, reverse_over_forward, strict=True):
        for other in found:
            np.testing.assert_allclose(other, expected, rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("op", OPS, ids=IDS)
@few
@given(data=st.data())
def test_float32_in_float32_gradients_out(op, data):
    arrays, options, _ = draw_case(op, data)
    wide = [Value(a) for a in arrays]
    narrow = [Value(a.astype(np.float32)) for a in arrays]
    outs = [np.sum(apply(op, tuple(vs), options) * 1.5) for vs in (wide, narrow)]
    for v, w, full, half in zip(wide, narrow, gradients(outs[0], wide), gradients(outs[1], narrow), strict=True):
        assert (half.dtype, half.shape) == (np.float32, w.shape)
        assert (full.dtype, full.shape) == (np.float64, v.shape)
        np.testing.assert_allclose(half, full, rtol=2e-4, atol=2e-4)


@pytest.mark.parametrize("op", OPS, ids=IDS)
@few
@given(data=st.data())
def test_nothing_is_mutated_and_gradients_are_linear_and_repeatable(op, data):
    arrays, options, _ = draw_case(op, data)
    kept = [a.copy() for a in arrays]
    values = [Value(a) for a in arrays]
    out = apply(op, tuple(values), options)
    rng = np.random.default_rng(0)
    u, v = rng.normal(size=out.shape), rng.normal(size=out.shape)
    seed = u.copy()

    def pull(cotangent):
        for value in values:
            value.grad = None
        out.backward(cotangent)
        return [value.grad for value in values]

    first, again, other, both, none = pull(u), pull(u), pull(v), pull(2 * u + 3 * v), pull(np.zeros(out.shape))
    np.testing.assert_array_equal(u, seed)
    for i, kept_array in enumerate(kept):
        np.testing.assert_array_equal(arrays[i], kept_array)
        np.testing.assert_array_equal(first[i], again[i])
        np.testing.assert_allclose(both[i], 2 * first[i] + 3 * other[i], rtol=1e-12, atol=1e-12)
        assert not np.any(none[i])
        assert not any(np.shares_memory(first[i], a) for a in (*arrays, u, *first[:i]))


@pytest.mark.parametrize("op", OPS, ids=IDS)
@few
@given(data=st.data())
def test_the_layout_in_memory_makes_no_difference(op, data):
    arrays, options, _ = draw_case(op, data)

    def results(layout):
        values = [Value(layout(a)) for a in arrays]
        out = apply(op, tuple(values), options)
        weights = np.random.default_rng(0).normal(size=out.shape)
        return [out.data, *gradients(np.sum(out * weights), values)]

    layout = data.draw(st.sampled_from(list(LAYOUTS.values())))
    for found, expected in zip(results(layout), results(np.array), strict=True):
        np.testing.assert_allclose(found, expected, rtol=1e-11, atol=1e-11)


@pytest.mark.parametrize(
    "op", [op for op in OPS if op.elementwise], ids=[i for i, op in zip(IDS, OPS, strict=True) if op.elementwise]
)
def test_empty_arrays_have_empty_gradients(op):
    empty = [Value(np.ones((0, 3))) for _ in op.pullbacks]
    out = apply(op, tuple(empty))
    assert out.shape == (0, 3)
    for g in gradients(np.sum(out), empty):
        assert g.shape == (0, 3)


def emptied(shapes):
    """The shapes with every axis empty that is as long as the last of the first argument with axes."""
    length = next((shape[-1] for shape in shapes if shape), None)
    return [tuple(0 if n == length else n for n in shape) for shape in shapes]


def test_what_numpy_computes_of_empty_arrays_has_empty_gradients():
    covered = set()
    for op in (op for op in OPS if not op.elementwise):
        for shapes, options in op.cases:
            empty = [np.ones(shape) for shape in emptied(shapes)]
            try:
                op.compute(*empty, **options)
            except (ValueError, IndexError, np.linalg.LinAlgError, RuntimeWarning):
                continue  # NumPy itself complains, as of the largest or the mean of nothing
            values = [Value(a) for a in empty]
            found = gradients(np.sum(apply(op, tuple(values), options)), values)
            assert [g.shape for g in found] == [a.shape for a in empty], (op.name, shapes, options)
            covered.add(op.name)
    assert len(covered) > 40


@pytest.mark.parametrize(
    "op", [op for op in OPS if op.elementwise and len(op.pullbacks) == 2], ids=lambda op: op.name
)
def test_the_same_variable_twice_has_the_sum_of_both_gradients(op):
    x, y = Value([0.7, 1.9]), Value([0.7, 1.9])
    z = Value([0.7, 1.9])
    (once,) = gradients(np.sum(apply(op, (z, z))), [z])
    np.testing.assert_allclose(once, sum(gradients(np.sum(apply(op, (x, y))), [x, y])), rtol=1e-15, atol=1e-15)
