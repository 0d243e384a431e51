"""Constants give plain arrays; what is refused says why in words, and a derivative registered later counts."""

import numpy as np
import pytest

import tinygrad_edu as te
from tinygrad_edu import Value
from tinygrad_edu.table import CONSTANTS, OPERATIONS, REFUSED, REWRITES, refused

V = Value([[1.5, -2.0], [0.0, 3.0]])


@pytest.mark.parametrize(
    "f",
    [
        np.sign,
        np.floor,
        np.around,
        np.isnan,
        np.isreal,
        np.imag,
        np.spacing,
        np.argmax,
        np.argsort,
        np.flatnonzero,
        np.zeros_like,
        np.shape,
        np.size,
    ],
)
def test_the_result_is_that_of_the_data(f):
    result = f(V)
    assert not isinstance(result, Value)
    np.testing.assert_array_equal(result, f(V.data))


def test_values_inside_lists_and_options_are_unwrapped():
    assert np.array_equal(V, V)
    assert np.allclose(V, V.data, atol=Value(0.1))


def test_a_filling_and_weights_are_not_constant():
    number = Value(2.0)
    np.sum(np.full_like(V, number) * V.data).backward()
    assert number.grad == 2.5
    narrow = np.full_like(Value(np.ones(2, np.float32)), Value(2.7))
    assert narrow.dtype == np.float32
    np.testing.assert_array_equal(np.full_like(V, Value(2.7), dtype=int), np.full((2, 2), 2))
    np.testing.assert_array_equal(np.full_like(V, 2.0), np.full_like(V.data, 2.0))
    v = Value([1.0, 2.0, 3.0])
    counted = np.bincount([0, 2, 0], weights=v, minlength=5)
    np.testing.assert_array_equal(counted.data, np.bincount([0, 2, 0], weights=v.data, minlength=5))
    counted.backward(np.arange(5.0))
    np.testing.assert_array_equal(v.grad, [0.0, 2.0, 0.0])


def test_no_function_is_both_constant_and_differentiable():
    assert not CONSTANTS & (set(OPERATIONS) | set(REWRITES))


@pytest.mark.parametrize(
    ("mistake", "words"),
    [
        (lambda v: np.copyto(np.ones(2), v), r"np\.copyto .* changes an array in place; .*np\.where or te\.at"),
        (lambda v: np.fft.fft(v), r"np\.fft\.fft .* complex"),
        (lambda v: np.linalg.eigvals(te.Value(np.eye(2))), r"np\.linalg\.eigvals .* complex; .*np\.linalg\.eigh"),
        (lambda v: np.emath.sqrt(v), r"scimath\.sqrt .* complex; .*np\.sqrt"),
        (lambda v: np.histogram(v), r"np\.histogram .* how many"),
        (lambda v: np.save("never", v), r"np\.save .* file; pass value\.data"),
        (lambda v: np.polyadd(v, v), r"np\.polyadd .*\+ for sums"),
        (lambda v: np.bitwise_and(v, 1), r"np\.bitwise_and .* whole numbers"),
    ],
)
def test_reasons(mistake, words):
    with pytest.raises(TypeError, match=words):
        mistake(te.Value([1.0, 2.0]))


@pytest.mark.parametrize(
    "call",
    [
        lambda v: np.sum([v, v]),
        lambda v: np.full(3, v),
        lambda v: np.array([v, v]),
        lambda v: np.r_[v, v],
        lambda v: np.asarray(v),
    ],
)
def test_what_numpy_does_not_ask_about_names_what_joins_and_repeats(call):
    remedy = r"np\.stack\(\[v, w\]\) or np\.concatenate to join Values, np\.ones\(3\) \* v "
    words = remedy + r".*\(test_undifferentiated\.py:\d+\)"
    with pytest.raises(TypeError, match=words):
        call(te.Value(2.0))


def test_a_refused_function_may_be_given_a_derivative():
    def own(x):
        return np.floor(x) + x

    refused("it is the test's own", own)
    te.differentiable(own, lambda g, out, x: g, domain=te.table.REALS)
    try:
        np.testing.assert_array_equal(te.value.dispatch(own, (te.Value([1.5]),), {}).data, [2.5])
    finally:
        del REFUSED[own], OPERATIONS[own]
