"""Products at every rank, by every name, against NumPy's values and against differences."""

from itertools import permutations, product

import numpy as np
import pytest

from tinygrad_edu import Value, grad
from tinygrad_edu.graph import toposort
from tinygrad_edu.testing import check_gradients

RANKS = [
    ((2, 3), (3, 4)),
    ((3,), (3,)),
    ((3,), (3, 2)),
    ((2, 3), (3,)),
    ((4, 2, 3), (3, 2)),
    ((2, 1, 2, 3), (5, 3, 2)),
]


@pytest.mark.parametrize(("left", "right"), RANKS)
def test_a_product_is_bilinear(left, right):
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=left), rng.normal(size=right)
    g = rng.normal(size=(x @ y).shape)
    gx, gy = grad(lambda a, b: np.sum((a @ b) * g), argnums=(0, 1))(x, y)
    assert (gx.shape, gy.shape) == (left, right)
    for gradient, value in ((gx, x), (gy, y)):
        assert np.sum(gradient * value) == pytest.approx(np.sum((x @ y) * g), rel=1e-12)


@pytest.mark.parametrize(
    ("left", "right"), [*RANKS[:4], ((), (3,)), ((3,), ()), ((2, 3), (4, 3, 2)), ((3,), (2, 3, 1))]
)
def test_dot_is_numpys(left, right):
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=left), rng.normal(size=right)
    np.testing.assert_allclose(np.dot(Value(x), y).data, np.dot(x, y), rtol=1e-13)
    np.testing.assert_allclose(np.dot(x, Value(y)).data, np.dot(x, y), rtol=1e-13)


X, Y = np.random.default_rng(1).normal(size=(2, 3)), np.random.default_rng(2).normal(size=(3, 3))
V, W = np.array([1.0, -2.0, 0.5]), np.array([0.3, 0.7, -1.1])
STACKS = np.arange(12.0).reshape(2, 2, 3) / 7, np.arange(6.0).reshape(2, 1, 3) - 2


def agree(f, *xs):
    """The value is NumPy's, whichever argument varies, and the gradients are right."""
    expected = f(*xs)
    for i in range(len(xs)):
        out = f(*xs[:i], Value(xs[i]), *xs[i + 1 :])
        np.testing.assert_allclose(out.data, expected, rtol=1e-13, atol=1e-14)
    assert check_gradients(f, *xs, order=2).verdict == "PASS"


@pytest.mark.parametrize(
    ("subscripts", "shapes"),
    [
        ("ij,jk", [(2, 3), (3, 2)]),
        ("ji", [(2, 3)]),
        (" b a , a ", [(2, 3), (3,)]),
        ("ii", [(3, 3)]),
        ("ii->i", [(3, 3)]),
        ("iji->j", [(2, 3, 2)]),
        ("abcd->bd", [(2, 1, 3, 2)]),
        ("abcd->", [(1, 2, 2, 1)]),
        ("i,i,i", [(3,), (3,), (3,)]),
        ("i,j,k->kji", [(2,), (1,), (3,)]),
        (",ij->ji", [(), (2, 3)]),
        ("...ij,...jk", [(2, 1, 2, 3), (3, 3, 1)]),
        ("...i->...", [(2, 3)]),
        ("i...", [(2, 3)]),
        ("...,...->...", [(2, 1), (3,)]),
        ("ii...->...", [(2, 2, 3)]),
        ("ij,ij->j", [(2, 3), (1, 3)]),
        ("z,Z->zZ", [(2,), (3,)]),
    ],
)
@pytest.mark.parametrize("optimize", [False, True])
def test_einsum(subscripts, shapes, optimize):
    rng = np.random.default_rng(0)
    agree(lambda *xs: np.einsum(subscripts, *xs, optimize=optimize), *(rng.normal(size=s) for s in shapes))


def test_einsum_takes_a_path_and_its_gradients_find_their_own():
    path = np.einsum_path("ij,jk,k->i", X, Y, V, optimize="optimal")[0]
    agree(lambda *xs: np.einsum("ij,jk,k->i", *xs, optimize=path), X, Y, V)


@pytest.mark.parametrize(
    ("call", "kind", "message"),
    [
        (lambda x: np.einsum(x, [0, 60]), (ValueError, TypeError), "einsum"),
        (lambda x: np.linalg.multi_dot([x]), ValueError, "multi_dot: Expecting at least two arrays"),
        (
            lambda x: np.linalg.multi_dot([x, np.ones((3, 2, 2)), x]),
            np.linalg.LinAlgError,
            "multi_dot: 3-dimensional",
        ),
        (lambda x: np.einsum("ijk->k", x), ValueError, "einsum"),
        (lambda x: np.einsum("ij,jk", x), ValueError, "einsum"),
        (lambda x: np.einsum("ij->ik", x), ValueError, "einsum"),
        (lambda x: np.einsum("ij,j->i", x, np.ones(2)), ValueError, "einsum"),
        (lambda x: np.einsum("ij", x, dtype=np.float32), TypeError, "dtype"),
        (lambda x: np.tensordot(x, np.ones((2, 3)), 1), ValueError, "tensordot"),
        (lambda x: np.cross(x[:, :2], x[:, :2]), (ValueError, TypeError), "cross: .*(three numbers|3-dimensional)"),
        (lambda x: np.linalg.cross(x, x, axis=0), (ValueError, TypeError), "cross: .*(three numbers|3-dimensional)"),
        (
            lambda x: np.linalg.matrix_power(x, 2),
            ValueError,
            "matrix_power: Last 2 dimensions of the array must be square",
        ),
    ],
)
def test_refusals(call, kind, message):
    with pytest.raises(kind, match=message):
        call(Value(X))


@pytest.mark.parametrize(
    ("f", "xs"),
    [
        (np.inner, (X, Y)),
        (np.inner, (V, STACKS[0])),
        (np.inner, (2.0, V)),
        (np.outer, (X, V)),
        (np.linalg.outer, (W, V)),
        (np.vdot, (X, Y[:2])),
        (np.kron, (X, V)),
        (np.kron, (X[:, :2], Y)),
        (np.kron, (V, STACKS[1])),
        (np.cross, (V, W)),
        (lambda x, y: np.cross(x, y, axis=None), (V, W)),
        (lambda x, y: np.cross(x.T, y, axisa=0, axisc=0), (X, V)),
        (lambda x, y: np.cross(x, y.T, axisb=0), (V, X)),
        (np.cross, (X, V)),
        (lambda a, b: np.cross(a, b, axis=0), (Y, Y.T)),
        (lambda a, b: np.linalg.cross(a, b, axis=0), (Y, Y.T)),
        (np.vecdot, STACKS),
        (lambda a, b: np.vecdot(a, b, axis=0), (X[0], Y)),
        (lambda a, b: np.linalg.vecdot(a, b, axis=-2), (X, STACKS[0])),
        (np.linalg.matmul, (X, Y)),
        (np.tensordot, (X, X)),
        (lambda a, b: np.tensordot(a, b, axes=([-1, 0], [0, 2])), (X, np.ones((3, 1, 2)))),
        (lambda a, b: np.linalg.tensordot(a, b, axes=0), (X, V)),
        (lambda a, b, c: np.linalg.multi_dot([a, b, c]), (V, Y, W)),
        (lambda a: np.linalg.matrix_power(a, 3), (Y,)),
        (lambda a: np.linalg.matrix_power(a, -2), (Y + 2 * np.eye(3),)),
        (np.linalg.matrix_transpose, (STACKS[0],)),
        (lambda a: np.linalg.trace(a, offset=1), (STACKS[0],)),
        (lambda a: np.linalg.diagonal(a, offset=-1), (STACKS[0],)),
    ],
)
def test_products_by_other_names(f, xs):
    agree(f, *xs)


@pytest.mark.skipif(not hasattr(np, "matvec"), reason="NumPy 2.2")
def test_products_of_stacked_matrices_and_vectors():
    agree(np.matvec, STACKS[0], V)
    agree(np.vecmat, STACKS[1], Y)


def test_the_zeroth_power_is_the_identity_and_does_not_depend_on_the_matrix():
    np.testing.assert_array_equal(np.linalg.matrix_power(Value(Y), 0), np.eye(3))


def exact(subscripts, xs, weights):
    """The gradients of a weighted einsum for every operand: it is linear in each, so unit steps are exact."""
    found = []
    for k, x in enumerate(xs):
        g = np.zeros_like(x)
        for place in np.ndindex(x.shape):
            unit = np.zeros_like(x)
            unit[place] = 1.0
            g[place] = np.sum(np.einsum(subscripts, *xs[:k], unit, *xs[k + 1 :]) * weights)
        found.append(g)
    return found


def check_einsum(subscripts, xs, rng):
    weights = rng.normal(size=np.shape(np.einsum(subscripts, *xs)))
    found = grad(lambda *xs: np.sum(np.einsum(subscripts, *xs) * weights), tuple(range(len(xs))))(*xs)
    for g, expected in zip(found, exact(subscripts, xs, weights), strict=True):
        np.testing.assert_allclose(g, expected, rtol=1e-12, atol=1e-12, err_msg=subscripts)


@pytest.mark.parametrize("count", [1, 2, 3, 4])
def test_einsum_of_one_operand_for_every_pattern(count):
    rng, asked = np.random.default_rng(0), 0
    for letters in map("".join, product("abcd", repeat=count)):
        different = list(dict.fromkeys(letters))
        if different != sorted(different) or different != list("abcd"[: len(different)]):
            continue  # the same pattern with other letters
        for n in range(len(different) + 1):
            for result in map("".join, permutations(different, n)):
                sizes = {c: 2 + "abcd".index(c) % 2 for c in letters}
                check_einsum(f"{letters}->{result}", [rng.normal(size=[sizes[c] for c in letters])], rng)
                asked += 1
    assert asked == (2, 7, 33, 198)[count - 1]


def test_einsum_for_two_thousand_random_patterns():
    rng = np.random.default_rng(1)
    for _ in range(2000):
        terms = ["".join(rng.choice(list("abcd"), rng.integers(0, 4))) for _ in range(rng.integers(1, 4))]
        letters = sorted(set("".join(terms)))
        sizes = {c: int(rng.integers(1, 4)) for c in letters}
        result = "".join(rng.permutation([c for c in letters if rng.random() < 0.5]))
        shapes = [[1 if term.count(c) == 1 and rng.random() < 0.1 else sizes[c] for c in term] for term in terms]
        check_einsum(f"{','.join(terms)}->{result}", [rng.normal(size=shape) for shape in shapes], rng)


@pytest.mark.parametrize(
    ("f", "xs"),
    [
        (lambda x: np.einsum(x, [0, 1], [1, 0]), (X,)),
        (lambda x, y: np.einsum(x, [0, 1], y, [1, 2]), (X, Y)),
        (lambda x: np.einsum(x, [0, ...]), (X,)),
        (lambda x: np.einsum(x, [1, 1, 0], [...]), (np.ones((2, 2, 3)) + Y[:2, :2, None],)),
        (lambda x: np.einsum("ij->ji", x, order="F"), (X,)),
        (lambda x: np.einsum("ij->", x, dtype=float), (X,)),
    ],
)
def test_einsum_takes_lists_of_numbers_and_options_that_change_nothing(f, xs):
    agree(f, *xs)


@pytest.mark.parametrize("n", [1, 2, 3, 5, 13, -3])
def test_powers_of_a_matrix_are_numpys(n):
    square = Y + 2.0 * np.eye(3)
    f = lambda a: np.linalg.matrix_power(a, n)
    np.testing.assert_allclose(f(Value(square)).data, f(square), rtol=1e-12)
    assert check_gradients(f, square, order=2).verdict == "PASS"


def test_a_large_power_takes_few_products():
    turn = np.array([[0.0, 1.0], [-1.0, 0.0]])
    assert len(toposort(np.linalg.matrix_power(Value(turn), 10**9))) < 60
    assert np.linalg.matrix_power(Value(np.eye(2)), 2**100).shape == (2, 2)
