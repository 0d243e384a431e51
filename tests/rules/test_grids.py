"""Numbers at points in order: NumPy's values and right derivatives, of distances and of points too."""

import warnings

import numpy as np
import pytest

from tinygrad_edu import Value, grad, hessian
from tinygrad_edu.testing import check_gradients

A = np.random.default_rng(0).permutation(np.linspace(-2.0, 2.0, 12)).reshape(3, 4)
V, AT = A[0], np.array([0.0, 1.0, 3.0, 4.0])
POINTS, HEIGHTS = np.array([-1.5, -0.5, 0.5, 1.7]), np.array([2.0, -1.0, 3.0, 0.5])
BETWEEN = np.array([-1.9, -0.7, 0.1, 1.2, 1.9])
TWO = np.array(1.0), np.array(3.0)
CALLS = [
    (np.linspace, *TWO),
    (lambda a, b: np.linspace(a, b, 5, endpoint=False), *TWO),
    (lambda a, b: np.linspace(a, b, 5, axis=-1), np.array([1.0, 2.0]), np.array([3.0, 5.0])),
    (lambda a, b: np.linspace(a, b, 4), np.ones((2, 1)), np.array([3.0, 5.0])),
    (lambda b: np.linspace(0, b, 3, retstep=True)[1], TWO[1]),
    (lambda a, b: np.logspace(a, b, 4), *TWO),
    (lambda a, b: np.logspace(a, b, 4, base=2.0, endpoint=False), *TWO),
    (lambda a, b: np.logspace(0.0, a, 4, base=b), *TWO),
    (lambda a, b: np.geomspace(a, b, 4), *TWO),
    (lambda a, b: np.geomspace(-a, -b, 4, endpoint=False), *TWO),
    (lambda x: np.diff(x, 2, 0), A),
    (lambda x: np.diff(x, 0, prepend=0.5), A),
    (lambda x: np.diff(x, prepend=0.0, append=np.abs(A) + 0.3), A),
    (lambda x: np.diff(A, append=x), A),
    (lambda x: np.diff([1.0, 2.5], prepend=x), V[:1]),
    (np.ediff1d, A),
    (lambda x: np.ediff1d(x, to_end=[1, 2], to_begin=3.0), A),
    (lambda x, y: np.ediff1d(x, y, 2 * y), A, V),
    (np.trapezoid, A),
    (lambda x: np.trapezoid(A, x), V),
    (lambda x: np.trapezoid(x, np.abs(A) + 0.3, axis=0), A),
    (lambda x: np.trapezoid(x, dx=0.3, axis=0), A),
    (np.gradient, V),
    (lambda x: np.stack(np.gradient(x, 0.5)), A),
    (lambda x: np.gradient(x, AT, axis=1), A),
    (lambda x: np.gradient(x, AT, axis=1, edge_order=2), A),
    (lambda x: np.gradient(x, 2.0, axis=0, edge_order=2), A),
    (np.gradient, V, np.array(0.5)),
    (np.gradient, V, AT),
    (lambda x, h: np.gradient(x, h, edge_order=2), V, AT),
    (np.interp, BETWEEN, POINTS, HEIGHTS),
    (lambda *xs: np.interp(*xs, left=-5.0, right=7.0), BETWEEN, POINTS, HEIGHTS),
    (lambda *xs: np.interp(*xs, period=3.3), BETWEEN, POINTS, HEIGHTS),
    (np.interp, BETWEEN, POINTS, np.array([2.0, 2.0, 2.0, 0.5])),
    (np.interp, BETWEEN, POINTS, np.zeros(4)),
]


@pytest.mark.parametrize("call", CALLS)
def test_values_are_numpys_and_derivatives_are_right(call):
    f, *xs = call
    out = f(*map(Value, xs))
    np.testing.assert_allclose(out.data, f(*xs), rtol=1e-13, atol=1e-14)
    assert check_gradients(f, *xs, order=2, distance=0.04).verdict == "PASS"


@pytest.mark.parametrize("f", [np.linspace, np.logspace, np.geomspace])
@pytest.mark.parametrize("options", [{"num": 0}, {"num": 1}, {"num": 1, "endpoint": False}, {"dtype": np.float32}])
def test_few_points_and_other_dtypes_are_numpys(f, options):
    found, expected = f(Value(1.0), Value(3.0), **options), f(1.0, 3.0, **options)
    np.testing.assert_allclose(found.data, expected, rtol=1e-6)
    assert (found.shape, found.dtype) == (expected.shape, expected.dtype)


def test_the_last_point_is_exact_and_steps_may_be_tiny():
    assert np.linspace(Value(0.1), Value(0.7), 7).data[-1] == 0.7
    assert np.geomspace(Value(0.1), Value(0.7), 7).data[0] == 0.1
    tiny = np.linspace(0.0, Value(5e-324), 3)
    np.testing.assert_array_equal(tiny.data, np.linspace(0.0, 5e-324, 3))


def test_slopes_of_long_arrays_take_no_matrix():
    x = np.random.default_rng(0).normal(size=200_000)  # a matrix of them would take 320 gigabytes
    np.testing.assert_allclose(grad(lambda x: np.sum(np.gradient(x) ** 2))(x).shape, x.shape)


def test_on_a_point_the_slope_is_the_smaller_one_and_beside_it_the_slope_there():
    f = lambda x: np.interp(x, [-1.0, 0.0, 1.0, 2.0], [0.0, 0.0, 1.0, 4.0])
    assert [grad(f)(x) for x in (-9.0, -1.0, 0.0, 0.5, 1.0, 2.0, np.inf)] == [0.0, 0.0, 0.0, 1.0, 1.0, 0.0, 0.0]
    assert grad(lambda x: np.interp(x, [-1.0, 0.0, 1.0], [0.0, 1.0, 0.0]))(0.0) == 0.0
    assert np.isnan(grad(f)(np.nan))
    np.testing.assert_array_equal(np.interp(Value([1.0, 2.0]), [1.5], [7.0]).data, [7.0, 7.0])


@pytest.mark.parametrize("heights", [[0.0, 0.0], [2.0, 2.0], [1.0, 3.0], [3.0, 1.0]])
def test_heights_have_their_weights_also_where_they_are_equal(heights):
    f = lambda fp: np.interp(0.25, [0.0, 1.0], fp)
    np.testing.assert_array_equal(grad(f)(np.array(heights)), [0.75, 0.25])
    mixed = hessian(lambda p: np.interp(p[0], np.array([0.0, 1.0]), p[1:]))(np.array([0.25, *heights]))
    np.testing.assert_array_equal(mixed, [[0.0, -1.0, 1.0], [-1.0, 0.0, 0.0], [1.0, 0.0, 0.0]])


def test_points_that_coincide_do_not_spoil_the_others():
    xp = np.array([0.0, 1.0, 1.0, 2.0])
    np.testing.assert_array_equal(grad(lambda fp: np.interp(0.5, xp, fp))(np.arange(4.0)), [0.5, 0.5, 0.0, 0.0])


@pytest.mark.filterwarnings("ignore::tinygrad_edu.PromotionWarning")
def test_float32_gives_what_numpy_gives():
    narrow = BETWEEN.astype(np.float32)
    assert np.interp(Value(narrow), POINTS, HEIGHTS).dtype == np.interp(narrow, POINTS, HEIGHTS).dtype == float
    assert grad(lambda x: np.sum(np.interp(x, POINTS, HEIGHTS)))(narrow).dtype == np.float32
    assert np.linspace(Value(np.float32(0)), np.float32(1), 3).dtype == float
    assert np.gradient(Value(narrow)).dtype == np.float32


@pytest.mark.parametrize(
    ("call", "kind", "words"),
    [
        (lambda v: np.linspace(v, 1.0, -1), ValueError, "linspace: Number of samples, -1"),
        (lambda v: np.geomspace(v[0], -1.0), ValueError, "geomspace: .*different signs"),
        (lambda v: np.diff(v, n=-1), ValueError, "diff: order must be non-negative but got -1"),
        (lambda v: np.diff(v, axis=1), np.exceptions.AxisError, "diff: axis 1 is out of bounds"),
        (lambda v: np.gradient(v[:1]), ValueError, "gradient: Shape of array too small"),
        (lambda v: np.gradient(v, axis=1), np.exceptions.AxisError, "gradient: axis 1 is out of bounds"),
        (lambda v: np.gradient(v, [1.0, 2.0]), ValueError, "gradient: when 1d, distances must match"),
        (lambda v: np.gradient(np.ones((3, 3)), v), TypeError, "gradient: invalid number of arguments"),
        (lambda v: np.interp(v, [], []), ValueError, "interp: array of sample points is empty"),
        (lambda v: np.interp(v, [0.0, 1.0], [1.0, 2.0], period=0), ValueError, "interp: period must be a non-zero"),
    ],
)
def test_what_numpy_refuses_is_refused(call, kind, words):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        with pytest.raises(kind, match=rf"{words}.*\(test_grids\.py:\d+\)"):
            call(Value(V))
