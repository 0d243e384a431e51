"""Reductions at ties, at their minimum, and at the ends of the floating point range."""

import warnings

import numpy as np
import pytest

from tinygrad_edu import Value, grad, log_softmax, logsumexp, softmax
from tinygrad_edu.testing import check_gradients


@pytest.mark.parametrize(
    ("f", "x", "expected"),
    [
        (np.max, [5.0, 1.0, 5.0], [0.5, 0.0, 0.5]),
        (np.min, [3.0, 3.0, 3.0, 3.0], [0.25] * 4),
        (np.std, [3.0, 3.0, 3.0], [0.0] * 3),
        (np.var, [3.0, 3.0, 3.0], [0.0] * 3),
        (logsumexp, [1000.0, 1000.0], [0.5, 0.5]),
        (logsumexp, [-1000.0, -1000.0], [0.5, 0.5]),
        (logsumexp, [-np.inf, 0.0], [0.0, 1.0]),
        (np.mean, [1.0, 2.0], [0.5, 0.5]),
    ],
)
def test_gradients(f, x, expected):
    np.testing.assert_array_equal(grad(f)(np.array(x)), expected)


def test_seventy_thousand_equal_half_floats_share_their_gradient():
    v = Value(np.ones(70_000, np.float16))
    np.max(v).backward()
    np.testing.assert_array_equal(v.grad, np.float16(1 / 70_000))
    assert v.grad[0] > 0


def test_an_extreme_of_nan_has_gradient_nan():
    g = grad(lambda x: np.sum(np.max(x, axis=1)))(np.array([[1.0, np.nan], [1.0, 2.0]]))
    assert np.isnan(g[0]).all()
    np.testing.assert_array_equal(g[1], [0.0, 1.0])


@pytest.mark.parametrize("f", [np.cumsum, np.cumprod, np.cumulative_sum, np.cumulative_prod])
def test_running_over_a_single_number(f):
    assert f(Value(2.0)).shape == (1,)
    assert grad(lambda x: np.sum(f(x)))(2.0) == grad(lambda x: np.sum(f(x, axis=0)))(2.0) == 1.0


@pytest.mark.parametrize("f", [np.sum, np.prod, np.max, np.min, np.ptp, np.nansum, np.nanmean, np.nanmax, logsumexp])
@pytest.mark.parametrize("axis", [0, -1])
def test_a_single_number_may_be_reduced_along_an_axis_that_it_does_not_have(f, axis):
    expected = grad(f)(2.0)
    assert f(Value(2.0), axis=axis).data == f(2.0, axis=axis)
    assert grad(lambda x: f(x, axis=axis))(2.0) == expected
    assert grad(lambda x: f(x, axis=axis, keepdims=True))(2.0) == expected


def test_nan_and_what_is_left_out_are_both_left_out():
    x, there = np.array([1.0, np.nan, 3.0, 5.0]), np.array([True, True, True, False])
    for f in (np.nansum, np.nanmean, np.nanvar, np.nanprod):
        np.testing.assert_allclose(f(Value(x), where=there).data, f(x, where=there))
        expected = np.insert(grad(f)(x[[0, 2]]), 1, 0.0)
        np.testing.assert_allclose(grad(lambda x, f=f: f(x, where=there))(x), [*expected, 0.0], rtol=1e-14)


def test_weights_of_several_axes_are_those_of_numpy():
    a, w = np.random.default_rng(0).normal(size=(2, 3, 4)), np.arange(1.0, 9.0).reshape(4, 2)
    found = np.average(Value(a), axis=(2, 0), weights=w)
    np.testing.assert_allclose(found.data, np.average(a, axis=(2, 0), weights=w))
    with pytest.raises(TypeError, match="average: Axis must be specified when shapes of a and weights differ"):
        np.average(Value(a), weights=w)


def test_old_names_are_the_same_functions():
    x = np.array([[1.0, 3.0], [2.0, 0.0]])
    np.testing.assert_array_equal(np.amax(Value(x), axis=0).data, [2.0, 3.0])
    np.testing.assert_array_equal(np.amin(Value(x), axis=0).data, [1.0, 0.0])


def test_logsumexp_of_nothing_is_minus_infinity():
    assert logsumexp(np.full(3, -np.inf)) == -np.inf
    assert logsumexp(np.ones((2, 3)), axis=1, keepdims=True).shape == (2, 1)


def test_an_initial_number_is_a_constant_that_wins_ties():
    for initial, expected in ((2.0, [0.0, 0.0]), (1.5, [0.0, 1.0]), (9.0, [0.0, 0.0])):
        assert grad(lambda x, i=initial: np.max(x, initial=i))(np.array([1.0, 2.0])).tolist() == expected
    assert grad(lambda x: np.min(x, initial=9.0))(np.array([2.0, 2.0])).tolist() == [0.5, 0.5]


@pytest.mark.parametrize("f", [np.sum, np.mean, np.var, np.std, np.prod])
def test_what_is_left_out_may_be_nan_and_has_gradient_zero(f):
    x, there = np.array([1.0, np.nan, 3.0, 0.5]), np.array([True, False, True, True])
    expected = grad(f)(x[there])
    np.testing.assert_allclose(grad(lambda x: f(x, where=there))(x), np.insert(expected, 1, 0.0), rtol=1e-14)


def test_a_deviation_at_its_minimum_has_gradient_zero_where_nan_is_left_out():
    np.testing.assert_array_equal(grad(np.nanstd)(np.array([3.0, 3.0, np.nan])), [0.0] * 3)


def test_logsumexp_is_quiet_about_numbers_too_small_to_count():
    with np.errstate(all="raise"):
        np.testing.assert_array_equal(grad(logsumexp)(np.array([-1000.0, 1000.0])), [0.0, 1.0])


X = np.array([[1.0, np.nan, 3.0, 5.0], [np.nan] * 4, [0.5, -1.0, 2.0, 4.0]])


@pytest.mark.parametrize("ddof", [0, 1, 3, 4, 5])
@pytest.mark.parametrize("f", [np.nanvar, np.nanstd, np.var, np.std])
@pytest.mark.parametrize("word", ["ddof", "correction"])
def test_of_too_few_numbers_the_spread_is_what_numpy_says(f, ddof, word):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        found, expected = f(Value(X), axis=1, **{word: ddof}).data, f(X, axis=1, **{word: ddof})
    np.testing.assert_allclose(found, expected, rtol=1e-13)


def test_ddof_and_correction_are_one_thing():
    for f in (np.var, np.std):
        new, old = (grad(lambda x, f=f, word=word: f(x, **{word: 1}))(X[2]) for word in ("correction", "ddof"))
        np.testing.assert_array_equal(new, old)
    with pytest.raises(ValueError, match="can't be provided simultaneously"):
        np.nanvar(Value(X), ddof=1, correction=1)


@pytest.mark.parametrize("f", [np.nanmax, np.nanmin])
def test_extremes_without_nan_take_an_initial_number_and_a_choice(f):
    x, there = X[[0, 2]], np.array([[True, True, False, True], [False, True, True, True]])
    np.testing.assert_array_equal(f(Value(x), axis=1, initial=2.5).data, f(x, axis=1, initial=2.5))
    call = lambda x: f(x, axis=1, initial=2.5, where=there)
    np.testing.assert_array_equal(call(Value(x)).data, call(x))
    with pytest.raises(ValueError, match=r"no identity.*\(test_reduction\.py:\d+\)"):
        f(Value(np.zeros(0)))


@pytest.mark.parametrize(
    "f", [np.sum, np.mean, np.cumsum, np.var, np.trace, np.exp, lambda x, dtype: np.add(x, x, dtype=dtype)]
)
def test_a_dtype_that_the_array_has_changes_nothing(f):
    for x in (np.eye(2), np.eye(2, dtype=np.float32)):
        found = f(Value(x), dtype=x.dtype)
        np.testing.assert_array_equal(found.data, f(x, dtype=x.dtype))
        with pytest.raises(TypeError, match=r"option dtype=.*astype converts"):
            f(Value(x), dtype=np.float16)


@pytest.mark.parametrize("axis", [None, 0, 1])
def test_shares_add_up_to_one_and_their_logarithms_stay_finite(axis):
    x = np.array([[1.0, 2.0], [0.5, 900.0]])
    np.testing.assert_allclose(np.sum(softmax(x, axis), axis=axis), np.ones(() if axis is None else 2))
    assert np.all(np.isfinite(log_softmax(Value(x), axis).data))
    for f in (softmax, log_softmax):
        assert check_gradients(lambda x, f=f: f(x, axis), x / 100.0, order=2).verdict == "PASS"
