"""Decompositions: determinants, inverses, factors, eigenvalues, singular values and norms, of stacks of matrices too.

A function with several results is made of primitives with one result each: every pullback stands alone, and what it
needs besides is computed again. A symmetric argument has a symmetric gradient, although NumPy reads one triangle.
Source: Giles, "Collected matrix derivative results" (2008); for QR, Walter and Lehmann, "Algorithmic differentiation
of linear algebra functions" (2010); for pinv, Golub and Pereyra (1973), equation 4.12.
"""

import numpy as np

from tinygrad_edu.inputs import plain
from tinygrad_edu.rules.indexing import scatter
from tinygrad_edu.rules.order import others
from tinygrad_edu.rules.reduction import AXES, ratio, shares, unreduce
from tinygrad_edu.table import DEFINITE, REALS, REGULAR, case, cases, differentiable, implements, primitive

# fmt: off
LARGE = 50  # rows; the n^2 minors of a singular matrix hold n^4 numbers, here 50 megabytes
SQUARE = [case((2, 2)), case((2, 3, 3))]
TALL = [case((3, 2)), case((2, 3, 2))]
WIDE = [case((2, 3))]
TRIANGLES = cases((2, 3, 3), UPLO=["L", "U"])
NAMED: dict = {name: type(getattr(np.linalg, name)(np.eye(1))) for name in ("eigh", "qr", "svd")}  # NumPy's

def where_regular(function, m, *rest):
    """`function(m, *rest)`; nan for a matrix that has no inverse, instead of an error about all of them."""
    try:
        return function(m, *rest)
    except np.linalg.LinAlgError:
        singular = np.linalg.slogdet(plain(m))[0] == 0
        factor = np.where(singular, np.nan, 1.0)[..., None, None].astype(m.dtype)  # nan in every derivative, too
        return function(m * factor, *rest)

def minors(x):
    """The determinants of x without row i and column j, with the sign of i + j; without columns, from U s V^T."""
    n = x.shape[-1]
    if n > LARGE:
        u = left_vectors(x)
        v = right_vectors(x)
        turn = np.linalg.det(plain(u)) * np.linalg.det(plain(v))  # 1 or -1
        return turn[..., None, None] * (u * others(np.linalg.svdvals(x), -1)[..., None, :]) @ v
    rest = np.array([np.delete(range(n), i) for i in range(n)], int)  # row i: every index but i
    without = x[..., rest[:, None, :, None], rest[:, None, :]]  # x without row i and column j, at [..., i, j]
    return np.linalg.det(without) * (-1.0) ** np.add.outer(range(n), range(n))

def cofactors(out, x):
    """det(X) X^-T; where X is singular, the determinants of its minors, which take longer."""
    singular = np.asarray(plain(out) == 0)
    if not np.any(singular):
        return out[..., None, None] * np.linalg.inv(x).mT
    of_minors = scatter(minors(x[singular]), index=(singular,), shape=x.shape)
    if np.all(singular):
        return of_minors
    regular = np.where(singular[..., None, None], np.eye(x.shape[-1], dtype=x.dtype), x)
    return np.where(singular, 0.0, out)[..., None, None] * np.linalg.inv(regular).mT + of_minors

def pinv_rule(g, out, x, *, rcond=None, hermitian=False, rtol=None):
    """Golub and Pereyra's derivative; nan where the rank is not full, because there is none."""
    rank = np.linalg.matrix_rank(x, rtol=rtol if rcond is None else rcond)
    h = np.where(np.expand_dims(rank, (-1, -2)) == min(x.shape[-2:]), g.mT, np.nan)
    left = h @ out @ out.mT
    right = out.mT @ out @ h
    found = left - x @ out @ left + right - right @ out @ x - out.mT @ g @ out.mT
    return symmetric(found) if hermitian else found

differentiable(np.linalg.det, lambda g, out, x: g[..., None, None] * cofactors(out, x),
               domain=REGULAR, cases=SQUARE, formulas=("cofactors(x)",))
logabsdet = primitive(lambda x: np.linalg.slogdet(x)[1], lambda g, out, x:
                      g[..., None, None] * where_regular(np.linalg.inv, x).mT,
                      name="logabsdet", domain=REGULAR, cases=SQUARE, formulas=("x^-T",))
implements(np.linalg.slogdet)(lambda a: np.linalg.slogdet(plain(a))._replace(logabsdet=logabsdet(a)))
differentiable(np.linalg.inv, lambda g, out, x: -out.mT @ g @ out.mT,
               domain=REGULAR, cases=SQUARE, formulas=("-out^T g out^T",))
differentiable(np.linalg.pinv, pinv_rule, domain=REGULAR, cases=[*TALL, *WIDE, case((3, 2), rcond=1e-9)],
               formulas=("-out^T g out^T + ...",))
solve = primitive(lambda a, b: np.linalg.solve(a, b), lambda g, out, a, b: -solve(a.mT, g) @ out.mT,
                  lambda g, out, a, b: solve(a.mT, g), domain=(REGULAR, REALS), formulas=("-x^-T g out^T", "x^-T g"),
                  name="solve", cases=[case((2, 2), (2, 3)), case((2, 3, 3), (3, 1))])
implements(np.linalg.solve)(lambda a, b: solve(a, b) if np.ndim(b) > 1 else solve(a, np.expand_dims(b, -1))[..., 0])

@implements(np.linalg.tensorsolve)
def tensorsolve(a, b):
    """np.linalg.tensorsolve: a as a matrix, from the last axes to those of b."""
    x = np.linalg.solve(np.reshape(a, (np.size(b), -1)), np.ravel(b))
    return np.reshape(x, np.shape(a)[np.ndim(b):])

@implements(np.linalg.tensorinv)
def tensorinv(a, ind=2):
    """np.linalg.tensorinv: a as a matrix, from the last axes to the first `ind`."""
    if ind <= 0:
        raise ValueError("Invalid ind argument.")
    inverse = np.linalg.inv(np.reshape(a, (int(np.prod(a.shape[:ind])), -1)))
    return np.reshape(inverse, a.shape[ind:] + a.shape[:ind])

symmetric = lambda m: 0.5 * (m + m.mT)
half = lambda m: 0.5 * (np.tril(m) + np.tril(m, -1))  # the lower triangle, with half of the diagonal

def gaps(w):
    """1 / (w_j - w_i), and 0 on the diagonal."""
    eye = np.diag(np.ones_like(w, shape=w.shape[-1:]))
    return (1.0 - eye) / (w[..., None, :] - w[..., :, None] + eye)

def singular_rule(g, out, x):
    """U g V^T, without the singular values that are 0 or rounding errors."""
    noise = np.max(out, axis=-1, keepdims=True, initial=0.0) * np.finfo(x.dtype).eps * max(x.shape[-2:])
    return (left_vectors(x) * (g * (out > noise))[..., None, :]) @ right_vectors(x)

def turned(g, u, s):
    """How singular vectors turn: among themselves, and out of their span."""
    mixed = gaps(s) / (s[..., None, :] + s[..., :, None])  # 1 / (s_j^2 - s_i^2), and 0 on the diagonal
    s = s[..., None, :]
    m = u.mT @ g
    return u @ (mixed * (m - m.mT) * s) + (g - u @ m) / s

def cholesky_rule(g, out, x, *, upper=False):
    """L^-T symmetric(half(L^T G)) L^-1, written so that it is symmetric; U is L^T."""
    factor, g = (out.mT, g.mT) if upper else (out, g)
    return symmetric(solve(factor.mT, half(factor.mT @ g)) @ np.linalg.inv(factor))

differentiable(np.linalg.cholesky, cholesky_rule, domain=DEFINITE, cases=[*SQUARE, case((3, 3), upper=True)],
               formulas=("L^-T half(L^T g) L^-1",))

def orthogonal_rule(g, out, x):
    """(G - 2 Q symmetric(half(G^T Q))) R^-T, where R = Q^T X; nan where the rank is not full."""
    turn = g - 2.0 * out @ symmetric(half(g.mT @ out))
    return where_regular(solve, out.mT @ x, turn.mT).mT

def orthogonal(x):
    """Q of a tall matrix: more columns than rows determine nothing."""
    if x.shape[-1] > x.shape[-2]:
        raise ValueError(f"a matrix of shape {x.shape[-2:]} has more columns than rows")
    return np.linalg.qr(x)[0]

orthogonal = primitive(orthogonal, orthogonal_rule, name="orthogonal", domain=REGULAR, cases=TALL,
                       glyph="Q", formulas=("(g - 2 Q symmetric(half(g^T Q))) R^-T",))

def eigenvalues_rule(g, out, x, *, UPLO="L"):
    """V diag(g) V^T."""
    v = eigenvectors(x, UPLO=UPLO)
    return (v * g[..., None, :]) @ v.mT

def eigenvectors_rule(g, out, x, *, UPLO="L"):
    """V (V^T G / (w_j - w_i)) V^T, made symmetric."""
    w = np.linalg.eigvalsh(x, UPLO)
    return symmetric(out @ (gaps(w) * (out.mT @ g)) @ out.mT)

differentiable(np.linalg.eigvalsh, eigenvalues_rule, domain=DEFINITE, cases=TRIANGLES, formulas=("V g V^T",))
eigenvectors = primitive(lambda x, UPLO="L": np.linalg.eigh(x, UPLO)[1], eigenvectors_rule, name="eigenvectors",
                         domain=DEFINITE, cases=TRIANGLES, glyph="V", formulas=("V (V^T g / gaps) V^T",))
implements(np.linalg.eigh)(lambda a, UPLO="L": NAMED["eigh"](np.linalg.eigvalsh(a, UPLO), eigenvectors(a, UPLO=UPLO)))
differentiable(np.linalg.svdvals, singular_rule, domain=REGULAR, cases=TALL + WIDE, formulas=("U g V^T",))
left_vectors = primitive(lambda x: np.linalg.svd(x, full_matrices=False)[0],
                         lambda g, out, x: turned(g, out, np.linalg.svdvals(x)) @ right_vectors(x),
                         name="left_vectors", domain=REGULAR, cases=TALL + WIDE, glyph="U",
                         formulas=("turned(g) V^T",))
right_vectors = primitive(lambda x: np.linalg.svd(x, full_matrices=False)[2],
                          lambda g, out, x: left_vectors(x) @ turned(g.mT, out.mT, np.linalg.svdvals(x)).mT,
                          name="right_vectors", domain=REGULAR, cases=TALL + WIDE, glyph="V^T",
                          formulas=("U turned(g^T)^T",))

@implements(np.linalg.qr)
def qr(a, mode="reduced"):
    """np.linalg.qr: Q of the leading columns, and R = Q^T A."""
    if mode not in ("reduced", "r") and (mode != "complete" or a.shape[-2] > a.shape[-1]):
        raise TypeError(f"mode={mode!r} has columns that x does not determine; use mode='reduced' or 'r'")
    q = orthogonal(a[..., : a.shape[-2]])
    r = np.triu(q.mT @ a)
    return r if mode == "r" else NAMED["qr"](q, r)

@implements(np.linalg.svd)
def svd(a, full_matrices=True, compute_uv=True, hermitian=False):
    """np.linalg.svd, of the vectors that the matrix determines."""
    if hermitian:
        return svd_of_symmetric(a, compute_uv)
    if compute_uv and full_matrices and a.shape[-1] != a.shape[-2]:
        raise TypeError("full_matrices=True has vectors that x does not determine; use full_matrices=False")
    s = np.linalg.svdvals(a)
    return NAMED["svd"](left_vectors(a), s, right_vectors(a)) if compute_uv else s

def svd_of_symmetric(a, compute_uv):
    """U s V^T of a symmetric matrix: its eigenvectors, by size of their values, whose signs go to V."""
    w, v = np.linalg.eigh(a)
    order = np.flip(np.argsort(np.abs(plain(w)), axis=-1), axis=-1)
    s = np.take_along_axis(np.abs(w), order, axis=-1)
    u = np.take_along_axis(v, order[..., None, :], axis=-1)
    sign = np.take_along_axis(np.sign(plain(w)), order, axis=-1)
    return NAMED["svd"](u, s, (u * sign[..., None, :]).mT) if compute_uv else s

def norm_rule(g, out, x, *, axis=None, keepdims=False, ord=2):
    """sign(x) abs(x / out)^(p - 1), written so that x = 0 may be differentiated again; an extreme for p = inf."""
    if ord == 0:
        slope = np.zeros_like(x)
    elif np.isinf(ord):
        slope = np.sign(x) * shares(out, np.abs(x), axis, keepdims, np.nan, True)
    else:
        y = ratio(x, unreduce(out, x, axis, keepdims))
        slope = y * np.abs(y) ** (ord - 2) if ord >= 2 else np.sign(y) * np.abs(y) ** (ord - 1)
    return unreduce(g, x, axis, keepdims) * slope

differentiable(np.linalg.vector_norm, norm_rule, domain=REALS, kinks=(0.0,), formulas=("(x / out)^(p - 1)",),
               cases=[*cases((2, 3), **AXES), *cases((3,), ord=[0, 1, 1.5, 3])])
# of a matrix: which of its singular values (nuc, 2, -2), column sums (1, -1) or row sums (inf, -inf) is the norm
PICKS: dict = {"nuc": np.sum, 1: np.max, 2: np.max, np.inf: np.max, -1: np.min, -2: np.min, -np.inf: np.min}

@implements(np.linalg.norm)
def norm(x, ord=None, axis=None, keepdims=False):
    """np.linalg.norm: of vectors along one axis, of matrices along two, of everything without order and axis."""
    axes = tuple(range(x.ndim)) if axis is None else tuple(np.atleast_1d(axis))
    if len(axes) not in (1, 2) and not (axis is None and ord is None):
        raise ValueError("Improper number of dimensions to norm.")
    if ord is None or (len(axes) == 1) != (ord in ("fro", "f")):
        return np.linalg.vector_norm(x, axis=axis, keepdims=keepdims, ord=2 if ord in (None, "fro", "f") else ord)
    pick = PICKS[ord if len(axes) == 2 else axes]
    x = np.moveaxis(x, axes, (-2, -1))
    sums = np.linalg.svdvals(x) if ord in (2, -2, "nuc") else np.sum(np.abs(x), axis=-2 if ord in (1, -1) else -1)
    nothing = {"initial": 0.0} if pick is np.max and sums.shape[-1] == 0 else {}
    return np.expand_dims(pick(sums, axis=-1, **nothing), axes if keepdims else ())

implements(np.linalg.matrix_norm)(lambda x, *, keepdims=False, ord="fro": np.linalg.norm(x, ord, (-2, -1), keepdims))

@implements(np.linalg.cond)
def cond(x, p=None):
    """np.linalg.cond: the norm of x times that of its inverse; for p = 2 a ratio of singular values."""
    if x.shape[-2] * x.shape[-1] == 0:
        raise np.linalg.LinAlgError("cond is not defined on empty arrays")
    with np.errstate(divide="ignore", invalid="ignore"):  # a singular matrix has the condition inf
        if p in (None, 2, -2):
            s = np.linalg.svdvals(x)
            largest = s[..., 0]
            smallest = s[..., -1]
            found = smallest / largest if p == -2 else largest / smallest
        else:
            inverse = where_regular(np.linalg.inv, x)
            found = np.linalg.norm(x, p, (-2, -1)) * np.linalg.norm(inverse, p, (-2, -1))
    unknown = np.isnan(found) & ~np.any(np.isnan(x), axis=(-2, -1))
    return np.where(unknown, np.inf, found) if np.any(unknown) else found
