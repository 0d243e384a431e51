"""Running products, neighbours, sorting and quantiles: NumPy's values, exact derivatives, zeros and ties."""

import numpy as np
import pytest

from tinygrad_edu import Value, at, grad
from tinygrad_edu.testing import check_gradients

A = np.random.default_rng(0).permutation(np.linspace(-2.0, 2.0, 12)).reshape(3, 4)
C = np.random.default_rng(1).permutation(np.linspace(-2.0, 2.0, 24)).reshape(2, 3, 4)
V, HOLES = A[0], np.where(np.isin(np.arange(12), [1, 10]).reshape(3, 4), np.nan, A)
WEIGHTS = np.abs(A) + 0.3
METHODS = [
    "averaged_inverted_cdf", "closest_observation", "hazen", "higher", "interpolated_inverted_cdf", "inverted_cdf",
    "lower", "median_unbiased", "midpoint", "nearest", "normal_unbiased", "weibull",
]  # fmt: skip
CALLS = [
    (np.cumprod, A),
    (lambda x: np.cumprod(x, axis=1), A),
    (lambda x: np.prod(x, axis=(0, 2)), C),
    (lambda x: np.multiply.accumulate(np.multiply.reduce(x)), A),
    (lambda x: np.add.accumulate(x, axis=1), A),
    (np.ptp, A),
    (lambda x: np.ptp(x, axis=1, keepdims=True), A),
    (lambda x: np.average(x, axis=0), A),
    (lambda x: np.average(x, axis=1, weights=V + 3.0), A),
    (lambda x: np.average(x, weights=WEIGHTS), A),
    (lambda x: np.average(x, axis=(2, 0), weights=WEIGHTS[:2].T), C),
    (lambda w: np.average(A, axis=0, weights=w, keepdims=True), WEIGHTS),
    (lambda x: np.diff(x, 2, 0), A),
    (lambda x: np.diff(x, prepend=0.0, append=WEIGHTS), A),
    (lambda x: np.diff(A, append=x), A),
    (lambda x: np.diff([1.0, 2.5], prepend=x), V[:1]),
    (np.ediff1d, A),
    (np.trapezoid, A),
    (lambda x: np.trapezoid(A, x), V),
    (lambda x: np.trapezoid(x, WEIGHTS, axis=0), A),
    (lambda x: np.trapezoid(x, dx=0.3, axis=0), A),
    (np.gradient, V),
    (lambda x: np.gradient(x, np.array([0.0, 1.0, 3.0, 4.0]), axis=1, edge_order=2), A),
    (lambda x: np.stack(np.gradient(x, 0.5)), A),
    (lambda x: np.interp(x, [-1.0, 0.0, 1.5], [2.0, -1.0, 3.0]), A),
    (lambda x: np.interp(x, [-1.0, 0.0, 1.5], [2.0, -1.0, 3.0], left=-5.0, right=7.0), A),
    (lambda y: np.interp(A, [-1.0, 0.0, 1.5], y), V[:3]),
    (lambda x: np.interp(A, x, [2.0, -1.0, 3.0]), np.array([-1.03, 0.05, 1.55])),
    (np.median, A),
    (lambda x: np.median(x, axis=(0, 2), keepdims=True), C),
    (lambda x: np.quantile(x, [[0.1, 0.5], [0.0, 1.0]], axis=1), C),
    (lambda x: np.percentile(x, 37, axis=0, keepdims=True), A),
    *((lambda x, method=m: np.percentile(x, [0, 37, 50, 100], axis=1, method=method), A) for m in METHODS),
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
        (lambda x: np.diff(x, axis=1), np.exceptions.AxisError, "diff: axis 1 is out of bounds"),
        (lambda x: np.nanmedian(x, axis=-2), np.exceptions.AxisError, r"nan\w+: axis -2 is out of bounds"),
        (lambda x: np.cumprod(x, axis=1), np.exceptions.AxisError, r"cumprod\(x\): .*axis 1 is out of bounds"),
        (lambda x: np.gradient(x, axis=1), np.exceptions.AxisError, "gradient: axis 1 is out of bounds"),
        (lambda x: np.diff(x, n=-1), ValueError, "diff: order must be non-negative but got -1"),
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
    for method in ("linear", *METHODS):
        found = np.nanquantile(Value(HOLES), 0.3, axis=1, method=method)
        np.testing.assert_allclose(found.data, np.nanquantile(HOLES, 0.3, axis=1, method=method), rtol=1e-15)
    assert np.isnan(np.median(Value(HOLES)).data)
    assert np.isnan(np.nanmax(Value([np.nan])).data)
    assert np.isnan(grad(np.median)(np.array([1.0, np.nan]))).any()


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
        (np.median, [3.0, 3.0, 3.0], [1 / 3] * 3),
        (np.median, [1.0, 2.0, 2.0, 5.0], [0.0, 0.5, 0.5, 0.0]),
        (np.median, [1.0, 2.0, np.inf], [0.0, 1.0, 0.0]),
    ],
)
def test_equal_entries_share_their_gradient(f, x, expected):
    np.testing.assert_allclose(grad(f)(np.array(x)), expected, rtol=1e-15)


def test_between_two_slopes_interpolation_takes_the_milder():
    f = lambda x: np.interp(x, [-1.0, 0.0, 1.0, 2.0], [0.0, 0.0, 1.0, 4.0])
    assert [grad(f)(x) for x in (-9.0, -1.0, 0.0, 0.5, 1.0, 2.0, np.inf)] == [0.0, 0.0, 0.0, 1.0, 1.0, 0.0, 0.0]
    assert grad(lambda x: np.interp(x, [-1.0, 0.0, 1.0], [0.0, 1.0, 0.0]))(0.0) == 0.0
    assert np.isnan(grad(f)(np.nan))
    np.testing.assert_array_equal(np.interp(Value([1.0, 2.0]), [1.5], [7.0]).data, [7.0, 7.0])


@pytest.mark.parametrize("f", [np.sort, np.cumsum, np.cumprod, np.prod, np.nansum])
def test_nothing_has_a_gradient_too(f):
    assert grad(lambda x: np.sum(f(x)))(np.ones((0, 3))).shape == (0, 3)


def test_rows_of_which_there_are_none_have_an_empty_median():
    v = Value(np.zeros((0, 3)))
    middle = np.median(v, axis=1)
    assert middle.shape == (0,)
    assert grad(lambda x: np.median(x, axis=1).sum())(v.data).shape == (0, 3)


def test_gradient_refuses_a_variable_distance():
    with pytest.raises(TypeError, match="a Value is not a plain array"):
        np.gradient(np.arange(5.0), Value(0.5))
