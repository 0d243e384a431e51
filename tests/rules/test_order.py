"""Running sums, products and extremes, and sorting: NumPy's values, exact derivatives, zeros and ties."""

import math
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tinygrad_edu import Value, at, grad
from tinygrad_edu.testing import check_gradients

A = np.random.default_rng(0).permutation(np.linspace(-2.0, 2.0, 12)).reshape(3, 4)
C = np.random.default_rng(1).permutation(np.linspace(-2.0, 2.0, 24)).reshape(2, 3, 4)
V, HOLES = A[0], np.where(np.isin(np.arange(12), [1, 10]).reshape(3, 4), np.nan, A)
CALLS = [
    (np.cumprod, A),
    (lambda x: np.cumprod(x, axis=1), A),
    (lambda x: np.prod(x, axis=(0, 2)), C),
    (lambda x: np.multiply.accumulate(np.multiply.reduce(x)), A),
    (lambda x: np.add.accumulate(x, axis=1), A),
    (np.ptp, A),
    (lambda x: np.ptp(x, axis=1, keepdims=True), A),
    (lambda x: np.maximum.accumulate(x), A),
    (lambda x: np.minimum.accumulate(x, axis=1), A),
    (lambda x: np.logaddexp.reduce(x, axis=1), A),
]


@pytest.mark.parametrize(("f", "x"), CALLS)
def test_rewrites_have_numpys_values_and_right_derivatives(f, x):
    out = f(Value(x))
    np.testing.assert_allclose(out.data, f(x), rtol=1e-13, atol=1e-14)
    assert out.shape == np.shape(f(x))
    assert check_gradients(f, x, order=2, distance=0.04).verdict == "PASS"


@pytest.mark.parametrize("x", [[0.0, 1e200, 1e200], [1e200, 1e-200, 1e-200, 1e200]])
def test_running_products_do_not_overflow_where_numpys_do_not(x):
    np.testing.assert_array_equal(np.cumprod(Value(x)).data, np.cumprod(x))


def test_an_infinite_factor_has_a_gradient_where_the_others_have_none():
    with np.errstate(invalid="ignore"):
        found = grad(lambda x: np.cumprod(x)[0])(np.array([np.inf, 2.0, 3.0]))
    np.testing.assert_array_equal(found, [1.0, np.nan, np.nan])


@pytest.mark.parametrize("x", [[0.0], [2.0, 0.0, 3.0], [2.0, 0.0, 3.0, 0.0, 4.0], [1.5, -2.0, 0.5, 3.0]])
def test_zeros_among_the_factors_of_running_products_are_exact(x):
    x = np.array(x)
    found = grad(lambda x: np.sum(np.cumprod(x)))(x)
    expected = [sum(np.prod(np.delete(x[: j + 1], i)) for j in range(i, x.size)) for i in range(x.size)]
    np.testing.assert_allclose(found, expected, rtol=1e-14)


@pytest.mark.parametrize(
    ("call", "kind", "message"),
    [
        (lambda x: np.cumprod(x, axis=1), np.exceptions.AxisError, r"cumprod\(x\): .*axis 1 is out of bounds"),
        (lambda x: np.cumulative_sum(np.stack([x, x])), ValueError, "cumulative_sum: .*axis.* argument is required"),
        (
            lambda x: np.cumulative_prod(np.stack([x, x])),
            ValueError,
            "cumulative_prod: .*axis.* argument is required",
        ),
    ],
)
def test_what_numpy_refuses_is_refused_in_its_words(call, kind, message):
    with pytest.raises(kind, match=rf"{message}.*\(test_order\.py:\d+\)"):
        call(Value(V))


@pytest.mark.parametrize("options", [{}, {"axis": 1}, {"axis": 0, "keepdims": True}])
@pytest.mark.parametrize(
    "f", [np.nansum, np.nanprod, np.nanmean, np.nanvar, np.nanstd, np.nanmax, np.nanmin, np.nanmedian]
)
def test_nan_is_left_out(f, options):
    out = f(Value(HOLES), **options)
    np.testing.assert_allclose(out.data, f(HOLES, **options), rtol=1e-13)
    there = ~np.isnan(HOLES)
    call = lambda x: f(at(HOLES, there).set(x), **options)
    assert check_gradients(call, HOLES[there], order=2, distance=0.04).verdict == "PASS"
    assert not np.any(grad(lambda x: np.sum(f(x, **options)))(HOLES)[~there])


def test_running_values_leave_nan_out_too():
    for f in (np.nancumsum, np.nancumprod):
        np.testing.assert_allclose(f(Value(HOLES), axis=1).data, f(HOLES, axis=1), rtol=1e-14)
    assert np.isnan(np.nanmax(Value([np.nan])).data)


@pytest.mark.parametrize(
    ("x", "first", "second"),
    [
        ([2.0, 0.0, 3.0], [0.0, 6.0, 0.0], [[0.0, 3.0, 0.0], [3.0, 0.0, 2.0], [0.0, 2.0, 0.0]]),
        ([0.0, 0.0, 3.0], [0.0, 0.0, 0.0], [[0.0, 3.0, 0.0], [3.0, 0.0, 0.0], [0.0, 0.0, 0.0]]),
    ],
)
def test_a_product_with_zeros_is_exact_in_both_orders(x, first, second):
    for f in (np.prod, lambda x: np.cumprod(x)[-1], lambda x: np.prod(x, initial=2.0) / 2.0):
        np.testing.assert_array_equal(grad(f)(np.array(x)), first)
        for i, row in enumerate(second):
            np.testing.assert_array_equal(grad(lambda x, i=i, f=f: grad(f)(x)[i])(np.array(x)), row)


@pytest.mark.parametrize(
    ("f", "x", "expected"),
    [
        (lambda x: np.sum(np.sort(x) * np.arange(4.0)), [3.0, 3.0, 1.0, 3.0], [2.0, 2.0, 0.0, 2.0]),
        (lambda x: np.sum(np.sort(x, axis=0)[1]), [[3.0, 3.0], [3.0, 1.0]], [[0.5, 1.0], [0.5, 0.0]]),
        (lambda x: np.partition(x, -1)[-1], [5.0, 1.0, 5.0], [0.5, 0.0, 0.5]),
        (lambda x: np.sum(np.maximum.accumulate(x)), [1.0, 3.0, 3.0, 2.0], [1.0, 2.0, 1.0, 0.0]),
        (lambda x: np.sum(np.minimum.accumulate(x)), [3.0, 3.0, 1.0], [1.5, 0.5, 1.0]),
    ],
)
def test_equal_entries_share_their_gradient(f, x, expected):
    np.testing.assert_allclose(grad(f)(np.array(x)), expected, rtol=1e-15)


@pytest.mark.parametrize("f", [np.sort, np.cumsum, np.cumprod, np.prod, np.nansum])
def test_nothing_has_a_gradient_too(f):
    assert grad(lambda x: np.sum(f(x)))(np.ones((0, 3))).shape == (0, 3)


def exactly(x, g):
    """The gradient of sum(g * cumprod(x)), and that of prod(x), in whole fractions."""
    factors = [Fraction(float(a)) for a in x]
    others = lambda i, j: math.prod((a for k, a in enumerate(factors[: j + 1]) if k != i), start=Fraction(1))
    running = [sum(Fraction(float(g[j])) * others(i, j) for j in range(i, len(x))) for i in range(len(x))]
    return [[rounded(a) for a in running], [rounded(others(i, len(x))) for i in range(len(x))]]


def rounded(fraction):
    """The float nearest to a fraction, infinite where there is none."""
    try:
        return float(fraction)
    except OverflowError:
        return math.inf if fraction > 0 else -math.inf


HUGE = [1e-300, 1e200, 1e-200, 5.0, 0.0, 3.0, -2.0, 1e150, 1e300, -1e-160]


@settings(max_examples=300)
@given(st.data())
def test_where_factors_overflow_on_the_way_the_gradients_do_not(data):
    n = data.draw(st.integers(1, 6))
    x = np.array([data.draw(st.sampled_from(HUGE)) for _ in range(n)])
    g = np.array([data.draw(st.sampled_from([0.0, 1.0, 2.0, -1.0])) for _ in range(n)])
    running, whole = exactly(x, g)
    with np.errstate(all="ignore"):
        out = np.cumprod(x)
        lost = not np.all(np.isfinite(out)) or np.any((out == 0) & (np.cumprod(np.sign(x)) != 0))
        found = grad(lambda x: np.sum(np.cumprod(x) * g))(x)
        np.testing.assert_allclose(grad(np.prod)(x), whole, rtol=1e-12, atol=5e-324)
        off = np.abs(found - running)
    if not lost:  # else NumPy's own running product has lost them
        digits = 1e-12 * np.array(exactly(np.abs(x), np.abs(g))[0])  # of the parts, which may cancel
        known = np.isfinite(digits)  # a sum of which a part is infinite may be nan
        assert np.all(off[known] <= digits[known] + 5e-324)
        assert not np.any(np.isfinite(found[np.isinf(running)]))


def test_products_of_many_factors_neither_overflow_nor_vanish_on_the_way():
    x = np.concatenate([np.full(3000, 1.5), np.full(3000, 1 / 1.5)])
    np.testing.assert_allclose(
        x * grad(lambda x: np.prod(x[[*range(1000), *range(3000, 4000)]]))(x),
        np.where(np.arange(6000) % 3000 < 1000, 1.0, 0.0),
        rtol=1e-9,
    )


def test_a_running_extreme_of_nan_has_gradient_nan_from_there_on():
    found = grad(lambda x: np.sum(np.maximum.accumulate(x)))(np.array([1.0, 2.0, np.nan, 3.0]))
    np.testing.assert_array_equal(found, [1.0, 1.0, np.nan, np.nan])


def test_factors_that_vanish_from_the_start_on_keep_their_digits():
    g = grad(lambda x: np.cumprod(x)[-1])(np.array([-1e-160, -1e-160, 1e300, 1e-300]))
    np.testing.assert_allclose(g[3], 1e-20, rtol=1e-12)
