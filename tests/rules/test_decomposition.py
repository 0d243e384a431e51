"""Decompositions put together again, and where matrices are singular, equal or zero."""

import numpy as np
import pytest

from tinygrad_edu import Value, grad, gradients, hessian
from tinygrad_edu.testing import check_gradients

A = np.array([[2.0, 0.5, -1.0], [0.3, 1.5, 0.7], [-0.4, 0.2, 3.0]])
STACK = np.stack([A, A.T @ A + np.diag([1.0, 2.0, 4.0])])
SIX = np.random.default_rng(0).normal(size=(6, 6))
B = np.array([1.0, -2.0, 0.5])
COUNTED = np.arange(1.0, 10.0).reshape(3, 3)  # singular, its smallest pivot is a rounding error


@pytest.mark.parametrize(
    ("f", "x"),
    [
        (lambda a: np.linalg.solve(a, B), STACK),
        (lambda a: np.linalg.solve(a, [[1.0], [2.0], [3.0]]), STACK),
        (lambda b: np.linalg.solve(STACK, b), B),
        (lambda b: np.linalg.solve(STACK[0], b), STACK),
        (lambda a: np.linalg.cond(a), A[:, :2]),
        (lambda a: np.linalg.cond(a, 2), STACK),
        (lambda a: np.linalg.cond(a, -2), A),
        (lambda a: np.linalg.cond(a, 1), STACK),
        (lambda a: np.linalg.cond(a, "fro"), STACK),
        (lambda a: np.linalg.tensorinv(np.reshape(a, (2, 3, 6))), SIX),
        (lambda a: np.linalg.tensorinv(np.reshape(a, (6, 2, 3)), ind=1), SIX),
        (lambda a: np.linalg.tensorsolve(np.reshape(a, (2, 3, 6)), A[:2]), SIX),
        (lambda b: np.linalg.tensorsolve(SIX.reshape(2, 3, 3, 2), b), A[:2]),
        (lambda a: np.linalg.slogdet(a)[1], STACK),
        (lambda a: np.linalg.svd(a, compute_uv=False), STACK),
        (lambda a: np.linalg.qr(a)[1], A[:, :2]),
        (lambda a: np.linalg.qr(a).R, A[:2]),
        (lambda a: np.linalg.qr(a).Q, A[:2]),
    ],
)
def test_value_and_gradients_of_what_is_made_of_others(f, x):
    np.testing.assert_allclose(f(Value(x)).data, f(x), rtol=1e-12, atol=1e-14)
    assert check_gradients(f, x, order=2).verdict == "PASS"


@pytest.mark.parametrize(("axis", "ndim"), [(None, 1), (0, 2), (-1, 3)])
@pytest.mark.parametrize("order", [None, 2, 1, 1.5, 3, 0.5, -1, 0, np.inf, -np.inf])
@pytest.mark.parametrize("keepdims", [False, True])
def test_norms_of_vectors(axis, ndim, order, keepdims):
    x = STACK[0, 0] if ndim == 1 else STACK[0] if ndim == 2 else STACK
    agree(lambda a: np.linalg.norm(a, order, axis, keepdims), x)
    agree(lambda a: np.linalg.vector_norm(a, axis=axis, ord=2 if order is None else order, keepdims=keepdims), x)


@pytest.mark.parametrize(("axis", "ndim"), [(None, 2), ((0, 1), 2), ((2, 0), 3), ((0, -1), 3)])
@pytest.mark.parametrize("order", [None, "fro", "nuc", 1, -1, 2, -2, np.inf, -np.inf])
@pytest.mark.parametrize("keepdims", [False, True])
def test_norms_of_matrices(axis, ndim, order, keepdims):
    agree(lambda a: np.linalg.norm(a, order, axis, keepdims), A[:2] if ndim == 2 else STACK)
    agree(lambda a: np.linalg.matrix_norm(a, ord=order or "fro", keepdims=keepdims), A[:2] if ndim == 2 else STACK)


def agree(f, x):
    np.testing.assert_allclose(f(Value(x)).data, f(x), rtol=1e-14)
    assert check_gradients(f, x, distance=0.1).verdict == "PASS"


def test_the_norm_of_everything():
    agree(np.linalg.norm, STACK)
    agree(np.linalg.norm, A)


@pytest.mark.parametrize("shape", [(3,), (2, 2), ()])
def test_the_smallest_norm_has_gradient_zero(shape):
    zeros = np.zeros(shape)
    for f in (np.linalg.norm, lambda x: np.linalg.norm(x) ** 2, lambda x: np.linalg.vector_norm(x, ord=1)):
        np.testing.assert_array_equal(grad(f)(zeros), zeros)


@pytest.mark.parametrize(
    ("order", "x", "expected"),
    [
        (np.inf, [3.0, -3.0, 1.0], [0.5, -0.5, 0.0]),
        (np.inf, [0.0, 0.0], [0.0, 0.0]),
        (-np.inf, [2.0, -2.0, 5.0], [0.5, -0.5, 0.0]),
        (1, [0.0, -2.0], [0.0, -1.0]),
        (0, [0.0, -2.0], [0.0, 0.0]),
        (2, [np.nan, 1.0], [np.nan, np.nan]),
        ("nuc", np.zeros((2, 2)), np.zeros((2, 2))),
        ("nuc", np.outer([3.0, 4.0], [1.0, 0.0]), np.outer([0.6, 0.8], [1.0, 0.0])),
        (2, np.eye(2), np.eye(2) / 2),
    ],
)
def test_norms_at_ties_and_at_zero(order, x, expected):
    g = grad(lambda v: np.linalg.norm(v, order))(np.array(x))
    np.testing.assert_allclose(g, expected, rtol=1e-15, atol=1e-15)


def test_the_curvature_of_a_norm_does_not_vanish_with_an_entry():
    np.testing.assert_allclose(grad(lambda x: grad(np.linalg.norm)(x)[0])(np.array([0.0, 2.0])), [0.5, 0.0])


def test_long_vectors_of_high_order_do_not_overflow():
    x = np.array([1e3, 2e3])
    np.testing.assert_allclose(grad(lambda v: np.linalg.norm(v, 60))(x), [0.5**59, 1.0], rtol=1e-12)


def test_the_determinant_of_a_singular_matrix_has_its_cofactors():
    ones = np.ones((2, 2))
    np.testing.assert_array_equal(grad(np.linalg.det)(ones), [[1.0, -1.0], [-1.0, 1.0]])
    np.testing.assert_array_equal(grad(np.linalg.det)(np.zeros((3, 3))), np.zeros((3, 3)))
    np.testing.assert_allclose(grad(np.linalg.det)(COUNTED), [[-3, 6, -3], [6, -12, 6], [-3, 6, -3]], rtol=1e-12)
    np.testing.assert_array_equal(grad(lambda x: grad(np.linalg.det)(x)[0, 0])(np.zeros((2, 2))), [[0, 0], [0, 1]])
    assert check_gradients(np.linalg.det, np.stack([A, np.diag([1.0, 0.0, 2.0])]), order=2).verdict == "PASS"
    np.testing.assert_array_equal(grad(np.linalg.det)(np.zeros((1, 1))), [[1.0]])


def test_the_pseudo_inverse_has_no_derivative_where_the_rank_is_not_full():
    f = lambda x: np.sum(np.linalg.pinv(x))
    assert np.isnan(grad(f)(np.stack([np.ones((2, 2)), A[:2, :2]]))).tolist() == [[[True] * 2] * 2, [[False] * 2] * 2]


def test_several_results_are_numpys_named_tuples():
    symmetric = A + A.T
    for f, x in (
        (np.linalg.eigh, symmetric),
        (np.linalg.slogdet, -A),
        (np.linalg.qr, A[:2]),
        (lambda a: np.linalg.svd(a, full_matrices=False), A[:2]),
        (np.linalg.svd, STACK),
    ):
        ours, numpys = f(Value(x)), f(x)
        assert type(ours) is type(numpys)
        for field, expected in numpys._asdict().items():
            got = getattr(ours, field)
            np.testing.assert_allclose(getattr(got, "data", got), expected, rtol=1e-13, atol=1e-14)
    assert not isinstance(np.linalg.slogdet(Value(A)).sign, Value)


def sqrtm(x):
    w, v = np.linalg.eigh(x)
    return (v * np.sqrt(w)[..., None, :]) @ v.mT


def polar(x):
    u, s, vt = np.linalg.svd(x, full_matrices=False)
    return u @ vt * s[0]


@pytest.mark.parametrize(
    ("f", "x"),
    [
        (lambda a: sqrtm(a @ a.mT), STACK),
        (lambda a: np.linalg.cholesky(a @ a.mT), A),
        (polar, A[:2]),
        (polar, A[:, :2]),
        (lambda a: np.matmul(*np.linalg.qr(a)), A[:, :2]),
    ],
)
def test_functions_of_matrices_by_way_of_their_factors(f, x):
    assert check_gradients(f, x, order=2).verdict == "PASS"


@pytest.mark.parametrize("f", [np.linalg.eigvalsh, lambda a: np.linalg.eigh(a, "U")[1], np.linalg.cholesky])
def test_gradients_of_symmetric_arguments_are_symmetric(f):
    x = A @ A.T
    g = grad(lambda a: np.sum(f(a) * np.resize(B, f(a).shape)))(x)
    np.testing.assert_allclose(g, g.T, rtol=1e-13)
    assert np.abs(g).max() > 0.1


@pytest.mark.parametrize("p", [None, 2, -2])
def test_the_condition_of_singular_matrices_is_numpys(p):
    for x in (np.diag([1.0, 0.0]), np.array([[1.0, 2.0], [2.0, 4.0]]), A[:2]):
        np.testing.assert_allclose(np.linalg.cond(Value(x), p).data, np.linalg.cond(x, p), rtol=1e-6)


@pytest.mark.filterwarnings("ignore:divide by zero:RuntimeWarning", "ignore:invalid value:RuntimeWarning")
def test_vectors_of_equal_values_have_no_derivative_and_their_sum_has():
    assert not np.isfinite(grad(lambda a: np.sum(np.linalg.eigh(a)[1] * A))(np.eye(3))).all()
    assert not np.isfinite(grad(lambda a: np.sum(np.linalg.svd(a)[0] * A))(np.eye(3))).all()
    np.testing.assert_array_equal(grad(lambda a: np.sum(np.linalg.eigvalsh(a)))(np.eye(3)), np.eye(3))


@pytest.mark.parametrize(
    ("call", "kind", "message"),
    [
        (lambda a: np.linalg.svd(a), TypeError, "full_matrices=False"),
        (lambda a: np.linalg.qr(a.T, mode="complete"), TypeError, "mode='reduced'"),
        (lambda a: np.linalg.tensorinv(a, ind=-1), ValueError, "tensorinv: Invalid ind argument"),
        (lambda a: np.linalg.cond(a[:0]), np.linalg.LinAlgError, "cond is not defined on empty arrays"),
        (lambda a: np.linalg.norm(a, 3), ValueError, r"norm: Invalid norm order for matrices\. \(test_decomposition"),
        (lambda a: np.linalg.norm(np.stack([a, a]), 2), ValueError, "norm: Improper number of dimensions to norm"),
        (lambda a: np.linalg.norm(a[0], "fro"), ValueError, "norm: Invalid norm order 'fro' for vectors"),
        (lambda a: np.linalg.matrix_power(a[:, :2], 0.5), TypeError, "matrix_power: exponent must be an integer"),
        (lambda a: np.linalg.inv(a[:, :2] * 0.0), np.linalg.LinAlgError, "Singular matrix"),
    ],
)
def test_refusals(call, kind, message):
    with pytest.raises(kind, match=message):
        call(Value(A[:2]))


def test_stacks_are_matrices_side_by_side():
    for f in (np.linalg.inv, np.linalg.svdvals, np.linalg.det, np.linalg.pinv, np.linalg.matrix_norm):
        vs = [Value(a) for a in STACK]
        together = grad(lambda a, f=f: np.sum(f(a)))(STACK)
        alone = gradients(sum(np.sum(f(v)) for v in vs), vs)
        np.testing.assert_allclose(together, np.stack(alone), rtol=1e-12)


def test_one_singular_matrix_in_a_stack_does_not_make_the_others_slow():
    stack = np.stack([A, COUNTED * 0.0, A.T, np.diag([1.0, 0.0, 2.0])])
    found = grad(lambda x: np.sum(np.linalg.det(x)))(stack)
    for matrix, g in zip(stack, found, strict=True):
        np.testing.assert_allclose(g, grad(np.linalg.det)(matrix), rtol=1e-12, atol=1e-14)
    assert check_gradients(np.linalg.det, stack, order=2).verdict == "PASS"


def test_a_large_singular_matrix_has_its_cofactors_too():
    x = np.random.default_rng(0).normal(size=(60, 60)) / 8.0
    x[0] = 0.0
    g, moved = grad(np.linalg.det)(x), x.copy()
    moved[0, 3] = 1.0
    assert g[0, 3] == pytest.approx(np.linalg.det(moved), rel=1e-10)


SINGULAR = np.array([[1.0, 2.0], [2.0, 4.0]])


@pytest.mark.parametrize(
    "f", [lambda x: np.linalg.slogdet(x)[1], lambda x: np.linalg.cond(x, 1), lambda x: np.sum(np.linalg.qr(x)[0])]
)
@pytest.mark.parametrize("x", [SINGULAR, np.zeros((2, 2))])
def test_what_has_no_derivative_at_a_singular_matrix_has_gradient_nan(f, x):
    with np.errstate(all="ignore"):
        np.testing.assert_array_equal(f(Value(x)).data, f(x))
        found = grad(lambda stack: f(stack[0]) + f(stack[1]))(np.stack([x, A[:2, :2]]))
        assert not np.any(np.isfinite(found[0])) or np.max(np.abs(found[0])) > 1e6  # its last pivot may be a rounding
        np.testing.assert_allclose(found[1], grad(f)(A[:2, :2]), rtol=1e-12)


@pytest.mark.parametrize("p", [None, 1, -1, 2, -2, np.inf, -np.inf, "fro", "nuc"])
def test_conditions_and_norms_are_numpys_for_singular_and_empty_matrices(p):
    unknown = [np.stack([np.eye(2), np.eye(2) * np.nan])] if p in (1, -1, np.inf, -np.inf, "fro") else []  # no SVD
    singular = (
        [SINGULAR, np.zeros((2, 2)), np.stack([SINGULAR, A[:2, :2]])] if p != "nuc" else [A[:2, :2]]
    )  # the same
    for x in (*singular, *unknown):
        with np.errstate(all="ignore"):
            np.testing.assert_allclose(np.linalg.cond(Value(x), p).data, np.linalg.cond(x, p), rtol=1e-6)
    for shape in ((0, 0), (0, 3), (3, 0), (2, 0, 3), (2, 0, 0)):
        try:
            expected = np.linalg.norm(np.zeros(shape), p, axis=(-2, -1))
        except ValueError:
            with pytest.raises(ValueError, match=r"\(test_decomposition\.py:\d+\)"):
                np.linalg.norm(Value(np.zeros(shape)), p, axis=(-2, -1))
        else:
            found = np.linalg.norm(Value(np.zeros(shape)), p, axis=(-2, -1))
            np.testing.assert_array_equal(found.data, expected)


SYMMETRIC = A + A.T - 3.0 * np.eye(3)


@pytest.mark.parametrize(
    ("f", "x"),
    [
        (lambda x: np.linalg.pinv(x, rcond=1e-9), A[:2]),
        (lambda x: np.linalg.qr(x, mode="r"), A),
        (lambda x: np.linalg.qr(x, mode="complete")[0], A[:2]),
        (lambda x: np.linalg.cholesky((x + x.T) / 2.0, upper=True), STACK[1]),
        (lambda x: np.linalg.pinv((x + x.T) / 2.0, hermitian=True), SYMMETRIC),
        (lambda x: np.linalg.svd((x + x.T) / 2.0, hermitian=True)[2], SYMMETRIC),
        (lambda x: np.linalg.svd((x + x.T) / 2.0, compute_uv=False, hermitian=True), SYMMETRIC),
    ],
)
def test_options_of_decompositions_are_numpys(f, x):
    np.testing.assert_allclose(f(Value(x)).data, f(x), rtol=1e-12, atol=1e-13)
    assert check_gradients(f, x, order=2).verdict == "PASS"


def test_a_singular_matrix_has_no_second_derivative_of_its_log_determinant_either():
    f = lambda x: np.sum(np.linalg.slogdet(x).logabsdet)
    singular = np.array([[1.0, 2.0], [2.0, 4.0]])
    assert np.all(np.isnan(hessian(f)(singular)))
    both = hessian(f)(np.stack([singular, np.eye(2)]))
    np.testing.assert_array_equal(both[1, :, :, 1], hessian(f)(np.eye(2)))
