"""Reductions at ties, at their minimum, and at the ends of the floating point range."""

import numpy as np
import pytest

from tinygrad_edu import Value, grad, logsumexp


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
