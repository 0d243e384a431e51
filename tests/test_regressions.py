"""Mistakes that other frameworks have made, each with the answer expected here."""

import numpy as np
import pytest

from tinygrad_edu import Value, grad, logsumexp, relu, sigmoid, softplus

# -- reductions, indexing, accumulation -------------------------------------------------------------------

ONES = np.ones(3)
BACKWARDS = np.arange(6.0).reshape(2, 3)[::-1, ::-2]


@pytest.mark.parametrize(
    ("f", "x", "expected"),
    [
        (np.max, [5.0, 1.0, 5.0], [0.5, 0.0, 0.5]),
        (np.min, [3.0] * 4, [0.25] * 4),
        (np.std, [3.0, 3.0, 3.0], [0.0] * 3),
        (np.prod, [2.0, 0.0, 3.0], [0.0, 6.0, 0.0]),
        (np.prod, [0.0, 0.0, 3.0], [0.0] * 3),
        (logsumexp, [1000.0, 1000.0], [0.5, 0.5]),
        (lambda x: x[[0, 0, 1]].sum(), ONES, [2.0, 1.0, 0.0]),
        (lambda x: (x[::-1] * np.arange(3.0)).sum(), ONES, [2.0, 1.0, 0.0]),
        (lambda x: np.sum(x * x), BACKWARDS, 2.0 * BACKWARDS),
        (lambda x: x[::-1, ::-1][0, 0], BACKWARDS, [[0.0, 0.0], [0.0, 1.0]]),
    ],
)
def test_gradient(f, x, expected):
    np.testing.assert_array_equal(grad(f)(np.asarray(x)), expected)


@pytest.mark.parametrize("f", [np.max, np.min, np.median, np.prod, np.mean, np.sum, np.std])
def test_nan_in_nan_gradient_out(f):
    assert np.isnan(grad(lambda x: f(x) ** 2)(np.array([1.0, np.nan, 2.0]))).any()


def test_half_precision_shares_do_not_vanish():
    g = grad(np.max)(np.ones(70_000, np.float16))
    assert g.dtype == np.float16
    np.testing.assert_array_equal(g, np.float16(1 / 70_000))


@pytest.mark.parametrize(
    "f",
    [np.max, np.mean, np.prod, np.median, np.sort, np.cumsum, lambda x: 2 * x + 1.5, lambda x: x * np.float64(2.0)],
)
@pytest.mark.filterwarnings("ignore::tinygrad_edu.PromotionWarning")
def test_single_precision_comes_out_as_it_went_in(f):
    x = Value(np.array([0.5, 2.0, 1.5], np.float32))
    np.sum(f(x)).backward()
    assert x.grad.dtype == np.float32


@pytest.mark.parametrize(
    ("left", "right"), [((3, 1), (1, 2)), ((), (2,)), ((1,), (5, 4)), ((2, 3), (3,)), ((1, 1), (2, 2))]
)
@pytest.mark.filterwarnings("ignore::tinygrad_edu.BroadcastWarning")
def test_broadcasting_is_undone(left, right):
    x, y = Value(np.full(left, 2.0)), Value(np.full(right, 3.0))
    product = x * y
    product.sum().backward()
    np.testing.assert_array_equal(x.grad, np.full(left, 3.0 * product.size / x.size))
    np.testing.assert_array_equal(y.grad, np.full(right, 2.0 * product.size / y.size))


def test_an_inner_result_used_twice_counts_twice():
    x = Value(3.0)
    a = x + x
    b = a * a
    (a + b).backward()
    assert (x.grad, a.grad, b.grad) == (26.0, 13.0, 1.0)


def test_backward_twice_doubles_the_variables_only():
    x = Value([1.0, 2.0])
    inner = x * x
    loss = inner.sum()
    for times in (1, 2):
        loss.backward()
        np.testing.assert_array_equal(x.grad, times * 2.0 * x.data)
        np.testing.assert_array_equal(inner.grad, [1.0, 1.0])


def test_changing_one_gradient_in_place_leaves_the_others_alone():
    a, b = Value(ONES), Value(ONES)
    for _ in range(2):
        (a + b).sum().backward()
        a.grad *= 10.0
    np.testing.assert_array_equal(b.grad, [2.0] * 3)


def test_equal_variables_keep_separate_gradients():
    x, y = Value(2.0), Value(2.0)
    (3.0 * x + x * y).backward()
    assert (x.grad, y.grad) == (5.0, 2.0)


def test_a_list_as_constant_does_not_disturb_the_second_derivative():
    f = lambda x: np.sum(np.concatenate([x, [1.0]]) ** 3)
    np.testing.assert_array_equal(grad(lambda x: np.sum(grad(f)(x)))(np.array([2.0, 3.0])), [12.0, 18.0])


# -- elementwise functions --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("f", "x", "expected"),
    [
        (lambda x: np.maximum(x, x), 3.0, 1.0),
        (lambda x: np.minimum(x, x), 3.0, 1.0),
        (lambda x: np.fmax(x, x), 3.0, 1.0),
        (lambda x: np.maximum(x, 0.0), 0.0, 0.0),
        (relu, 0.0, 0.0),
        (np.abs, 0.0, 0.0),
        (np.fabs, 0.0, 0.0),
        (lambda x: np.clip(x, 0.0, 1.0), 0.0, 0.0),
        (lambda x: np.clip(x, 0.0, 1.0), 1.0, 0.0),
        (lambda x: np.clip(x, 0.0, 1.0), 0.5, 1.0),
        (lambda x: x**0, 0.0, 0.0),
        (lambda x: x**0.0, 0.0, 0.0),
        (lambda x: x**1, 0.0, 1.0),
        (lambda x: x**3, -2.0, 12.0),
        (lambda y: 0.0**y, 2.0, 0.0),
        (lambda x: x**0.5, 0.0, np.inf),
        (np.sinc, 0.0, 0.0),
        (np.arccos, 1.0, -np.inf),
        (np.arccosh, 1.0, np.inf),
        (sigmoid, 1000.0, 0.0),
        (sigmoid, -1000.0, 0.0),
        (softplus, 800.0, 1.0),
    ],
)
def test_slope(f, x, expected):
    with np.errstate(divide="ignore"):
        assert grad(f)(x) == expected


def test_four_derivatives_of_the_bell_at_zero():
    f, orders = lambda x: np.exp(-(x**2)), []
    for _ in range(4):
        f = grad(f)
        orders.append(f(0.0))
    assert orders == [0.0, -2.0, 0.0, 12.0]


def test_a_square_root_squared_has_no_finite_guess_at_zero():
    with np.errstate(all="ignore"):
        slope = grad(lambda x: np.sqrt(x) ** 2)(0.0)
    assert np.isnan(slope) or slope == 1.0


@pytest.mark.parametrize("f", [relu, np.abs, np.fabs, lambda x: np.maximum(x, 0.0), lambda x: np.clip(x, -1.0, 1.0)])
def test_nan_is_not_hidden(f):
    assert np.isnan(grad(f)(np.nan))


def test_where_hides_no_nan_and_the_double_where_does():
    with np.errstate(invalid="ignore"):
        assert np.isnan(grad(lambda x: np.where(x > 0, np.sqrt(x), 0.0))(-1.0))
    assert grad(lambda x: np.where(x > 0, np.sqrt(np.where(x > 0, x, 1.0)), 0.0))(-1.0) == 0.0


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_tails_keep_their_digits(dtype):
    eps = float(np.finfo(dtype).eps)
    assert softplus(dtype(800.0)) == 800.0
    assert grad(sigmoid)(dtype(30.0)) == pytest.approx(9.357622968839299e-14, rel=40 * eps)
    assert grad(np.tanh)(dtype(20.0)) == pytest.approx(1.6993417021166355e-17, rel=40 * eps)
    assert grad(np.expm1)(dtype(-20.0)) == pytest.approx(2.061153622438558e-09, rel=40 * eps)


def test_the_slope_of_gelu_far_left():
    special = pytest.importorskip("scipy.special")
    gelu = lambda x: 0.5 * x * special.erfc(-x * np.sqrt(0.5))
    x, density = -6.0, np.exp(-18.0) / np.sqrt(2.0 * np.pi)
    assert grad(gelu)(x) == pytest.approx(special.ndtr(x) + x * density, rel=1e-12)


@pytest.mark.parametrize("x", [1e-20, 1e20])
def test_a_quotient_in_single_precision_at_both_ends(x):
    x = np.float32(x)
    assert grad(lambda y: x / y)(x) == -1.0 / x
    assert grad(lambda y: y / x)(x) == 1.0 / x


@pytest.mark.parametrize(
    "f", [np.arctan, np.arcsinh, np.tanh, sigmoid, softplus, np.sinc, np.cbrt, np.log1p, np.exp2]
)
def test_single_precision_in_single_precision_out(f):
    x = Value(np.array([0.5, 2.0], np.float32))
    out = f(x) * 2.0 + 1
    assert out.dtype == np.float32
    out.sum().backward()
    assert x.grad.dtype == np.float32


# -- linear algebra ---------------------------------------------------------------------------------------

SQUARE = np.arange(4.0).reshape(2, 2)
REVERSED = np.arange(6.0).reshape(2, 3)[::-1, ::-1]


@pytest.mark.parametrize(
    ("f", "x", "expected"),
    [
        (lambda x: np.einsum("i,i->", x, x), ONES, [2.0] * 3),
        (lambda x: np.einsum("ij,jk->", x, x), SQUARE, [[3.0, 7.0], [5.0, 9.0]]),
        (lambda x: np.einsum("ii->i", x)[1], SQUARE, [[0.0, 0.0], [0.0, 1.0]]),
        (lambda x: np.einsum("ii", x), SQUARE, np.eye(2)),
        (lambda x: np.einsum("abcd->bd", x)[0, 1], np.ones((2, 1, 2, 2)), [[[[0.0, 1.0]] * 2]] * 2),
        (np.linalg.norm, np.zeros(3), np.zeros(3)),
        (lambda x: np.linalg.norm(x) ** 2, np.zeros(3), np.zeros(3)),
        (lambda x: np.sum(np.matmul([[1.0, 2.0]], x)), REVERSED, [[1.0] * 3, [2.0] * 3]),
        (lambda x: np.sum(np.einsum("ij,i->j", x, [1.0, 2.0])), REVERSED, [[1.0] * 3, [2.0] * 3]),
        (lambda x: np.tensordot(x, REVERSED), REVERSED, REVERSED),
        (lambda x: np.convolve(x, [1.0, 2.0], "valid")[0], np.arange(3.0)[::-1], [2.0, 1.0, 0.0]),
    ],
)
def test_gradient_of_products_and_norms(f, x, expected):
    np.testing.assert_array_equal(grad(f)(x), expected)
