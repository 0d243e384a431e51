"""Means, covariances and quantiles: NumPy's values and dtypes, right derivatives, for a variable q too."""

import warnings

import numpy as np
import pytest

from tinygrad_edu import Value, grad
from tinygrad_edu.testing import check_gradients

A = np.random.default_rng(0).permutation(np.linspace(-2.0, 2.0, 12)).reshape(3, 4)
C = np.random.default_rng(1).permutation(np.linspace(-2.0, 2.0, 24)).reshape(2, 3, 4)
V, WEIGHTS = A[0], np.abs(A) + 0.3
HOLES = np.where(np.isin(np.arange(12), [1, 10]).reshape(3, 4), np.nan, A)
JUMPING = ["averaged_inverted_cdf", "closest_observation", "higher", "inverted_cdf", "lower", "midpoint", "nearest"]
GLIDING = ["linear", "hazen", "interpolated_inverted_cdf", "median_unbiased", "normal_unbiased", "weibull"]
CALLS = [
    (lambda x: np.average(x, axis=0), A),
    (lambda x: np.average(x, axis=1, weights=V + 3.0), A),
    (lambda x: np.average(x, weights=WEIGHTS), A),
    (lambda x: np.average(x, axis=(2, 0), weights=WEIGHTS[:2].T), C),
    (lambda w: np.average(A, axis=0, weights=w, keepdims=True), WEIGHTS),
    (lambda w: np.average(A, axis=0, weights=w, returned=True)[1], WEIGHTS[:, 0]),
    (np.cov, A),
    (lambda x: np.cov(x, rowvar=False, bias=True), A),
    (np.cov, A[0], A[1]),
    (lambda x: np.cov(x, aweights=[1, 2, 3, 4.0], ddof=0), A),
    (lambda x: np.cov(x, fweights=[1, 2, 3, 4]), A),
    (np.cov, V),
    (np.corrcoef, A),
    (np.corrcoef, A[0], A[1]),
    (np.median, A),
    (lambda x: np.median(x, axis=(0, 2), keepdims=True), C),
    (lambda x: np.quantile(x, [[0.1, 0.5], [0.0, 1.0]], axis=1), C),
    (lambda x: np.percentile(x, 37, axis=0, keepdims=True), A),
    *((lambda x, method=m: np.percentile(x, [0, 37, 50, 100], axis=1, method=method), A) for m in JUMPING + GLIDING),
    *((lambda x, q, method=m: np.quantile(x, q, axis=1, method=method), A, np.array([0.37, 0.61])) for m in GLIDING),
    *((lambda x, q, method=m: np.nanquantile(x, q, method=method), A, np.array(0.37)) for m in GLIDING),
    (lambda x, q: np.percentile(x, q, axis=0, keepdims=True), A, np.array([37.0, 61.0])),
]


@pytest.mark.parametrize("call", CALLS)
def test_values_are_numpys_and_derivatives_are_right(call):
    f, *xs = call
    np.testing.assert_allclose(f(*map(Value, xs)).data, f(*xs), rtol=1e-13, atol=1e-14)
    assert check_gradients(f, *xs, order=2, distance=0.02).verdict == "PASS"


@pytest.mark.filterwarnings("ignore::tinygrad_edu.PromotionWarning")
@pytest.mark.parametrize("f", [np.quantile, np.nanquantile])
@pytest.mark.parametrize("q", [0.5, 1, np.float64(0.3), np.float32(0.3), [0.3, 0.7], np.array(0.3)], ids=repr)
@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
def test_dtypes_are_numpys(f, q, dtype):
    x = A.astype(dtype)
    found, expected = f(Value(x), q), f(x, q)
    assert found.dtype == expected.dtype
    np.testing.assert_array_equal(found.data, expected)


def test_on_an_entry_a_moving_quantile_has_the_smaller_slope():
    x = np.array([0.0, 1.0, 4.0])
    slopes = [grad(lambda q: np.quantile(x, q))(q) for q in (0.0, 0.25, 0.5, 0.75, 1.0)]
    np.testing.assert_allclose(slopes, [0.0, 2.0, 2.0, 6.0, 0.0])


def test_a_method_that_jumps_has_no_derivative_for_q():
    with pytest.raises(TypeError, match=r"quantile: .*method='lower' jumps with q.*\(test_statistics\.py:\d+\)"):
        np.quantile(A, Value(0.5), method="lower")


@pytest.mark.parametrize("f", [np.median, np.nanmedian, lambda x, axis=None: np.nanquantile(x, 0.5, axis=axis)])
def test_the_median_of_nothing_is_nan_as_numpy_says(f):
    for x, axis in ((np.zeros(0), None), (np.zeros((0, 3)), 0), (np.zeros((3, 0)), -1), (np.zeros((0, 3)), -1)):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            np.testing.assert_array_equal(getattr(f(Value(x), axis=axis), "data", f(x, axis=axis)), f(x, axis=axis))
    assert grad(lambda x: np.median(x, axis=1).sum())(np.zeros((0, 3))).shape == (0, 3)


def test_weights_of_several_axes_are_those_of_numpy():
    a, w = np.random.default_rng(0).normal(size=(2, 3, 4)), np.arange(1.0, 9.0).reshape(4, 2)
    np.testing.assert_allclose(
        np.average(Value(a), axis=(2, 0), weights=w).data, np.average(a, axis=(2, 0), weights=w)
    )
    counts = np.average(Value(A), axis=0, weights=[1, 2, 3], returned=True)[1]
    np.testing.assert_array_equal(counts, np.average(A, axis=0, weights=[1, 2, 3], returned=True)[1])
    np.testing.assert_array_equal(np.average(Value(A), axis=0, returned=True)[1], [3.0] * 4)


def test_nan_is_left_out_of_nanquantile_and_makes_quantile_nan():
    for method in (*JUMPING, *GLIDING):
        found = np.nanquantile(Value(HOLES), 0.3, axis=1, method=method)
        np.testing.assert_allclose(found.data, np.nanquantile(HOLES, 0.3, axis=1, method=method), rtol=1e-15)
    assert np.isnan(np.median(Value(HOLES)).data)
    np.testing.assert_array_equal(np.isnan(np.median(Value(HOLES), axis=1).data), np.isnan(np.median(HOLES, axis=1)))
    assert np.isnan(grad(np.median)(np.array([1.0, np.nan]))).any()


@pytest.mark.parametrize(
    ("x", "expected"),
    [
        ([3.0, 3.0, 3.0], [1 / 3] * 3),
        ([1.0, 2.0, 2.0, 5.0], [0.0, 0.5, 0.5, 0.0]),
        ([1.0, 2.0, np.inf], [0.0, 1.0, 0.0]),
    ],
)
def test_equal_entries_share_the_median(x, expected):
    np.testing.assert_allclose(grad(np.median)(np.array(x)), expected, rtol=1e-15)


def test_few_observations_have_no_covariance():
    for f in (lambda x: np.cov(x, ddof=5), lambda x: np.cov(x[:, :1])):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            expected = f(A)
        with pytest.warns(RuntimeWarning, match="Degrees of freedom"):
            found = f(Value(A))
        np.testing.assert_array_equal(found.data, expected)


@pytest.mark.parametrize(
    ("call", "kind", "words"),
    [
        (lambda x: np.quantile(x, 1.5), ValueError, r"must be in the range \[0, 1\]"),
        (lambda x: np.percentile(x, -1), ValueError, "must be in the range"),
        (lambda x: np.quantile(x[:0], 0.5), IndexError, "out of bounds"),
        (lambda x: np.nanmedian(x, axis=-3), np.exceptions.AxisError, "axis -3 is out of bounds"),
        (
            lambda x: np.average(x, weights=[1.0, 2.0]),
            TypeError,
            "Axis must be specified when shapes of a and weights",
        ),
        (lambda x: np.average(x, axis=1, weights=[1.0, 2.0]), ValueError, "Shape of weights must be consistent"),
        (lambda x: np.average(x, axis=0, weights=[0, 0, 0]), ZeroDivisionError, "[Ww]eights sum"),
        (lambda x: np.cov(x, ddof=0.5), ValueError, "ddof must be integer"),
        (lambda x: np.cov(x, fweights=[0.5] * 4), TypeError, "fweights must be integer"),
        (lambda x: np.cov(C + x[0]), ValueError, "m has more than 2 dimensions"),
    ],
)
def test_what_numpy_refuses_is_refused(call, kind, words):
    with pytest.raises(kind, match=words):
        call(Value(A))


@pytest.mark.parametrize("shape", [(0,), (0, 3), (3, 0)])
def test_of_nothing_nanpercentile_has_the_shape_that_numpy_gives(shape):
    nothing = np.zeros(shape)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        found, expected = (np.nanpercentile(x, [50.0], axis=0) for x in (Value(nothing), nothing))
    np.testing.assert_array_equal(found.data, expected)
