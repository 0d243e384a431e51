"""Fitting: the line, the polynomial or the linear combination that comes closest to given numbers.

The solution of a least squares problem depends smoothly on its matrix while the rank is full; where it is not, the
rank jumps, and the call is refused. A polynomial is fitted by the least squares problem of its powers.

Source: Golub and Pereyra, "The differentiation of pseudo-inverses and nonlinear least squares problems whose
variables separate" (1973), equation 4.12.
"""

import numpy as np

from tinygrad_edu.inputs import arrayed, plain
from tinygrad_edu.table import REALS, REGULAR, case, implements, primitive


def least_squares_of_matrix(g, out, a, b, *, rcond=None):
    """For x = A^+ b: (b - A x) z^T - w x^T + y (g - A^T w)^T, with w = A^+^T g, z = A^+ w and y = A^+^T x."""
    inverse = np.linalg.pinv(a)
    w, y = inverse.mT @ g, inverse.mT @ out
    z = inverse @ w
    return (b - a @ out) @ z.mT - w @ out.mT + y @ (g - a.mT @ w).mT


least_squares = primitive(
    lambda a, b, rcond=None: np.linalg.lstsq(a, b, rcond=rcond)[0],
    least_squares_of_matrix,
    lambda g, out, a, b, *, rcond=None: np.linalg.pinv(a).mT @ g,
    name="least_squares",
    domain=(REGULAR, REALS),
    cases=[case((3, 2), (3, 1)), case((3, 2), (3, 2)), case((2, 3), (2, 1)), case((2, 2), (2, 1))],
    formulas=("...", "(x^+)^T g"),
)


@implements(np.linalg.lstsq)
def lstsq(a, b, rcond=None):
    """np.linalg.lstsq of a matrix of full rank: solution, squared residuals, rank and singular values."""
    a, b = arrayed(a), arrayed(b)
    m, n = np.shape(a)
    *_, rank, _ = np.linalg.lstsq(plain(a), plain(b), rcond=rcond)
    if rank < min(m, n):
        raise np.linalg.LinAlgError(
            f"the matrix {np.shape(a)} has rank {rank}: where it is not full, the solution jumps. Leave columns out, "
            "or add l * np.eye(n) to a.T @ a"
        )
    x = least_squares(a, b if np.ndim(b) == 2 else np.expand_dims(b, -1), rcond=rcond)
    x = x if np.ndim(b) == 2 else x[:, 0]
    none = np.zeros_like(plain(x), shape=0)
    residuals = np.atleast_1d(np.sum(np.square(b - a @ x), axis=0)) if rank == n < m else none
    return x, residuals, rank, np.linalg.svdvals(a)


@implements(np.vander)
def vander(x, N=None, increasing=False):
    """np.vander: the powers of x, one column each."""
    x = arrayed(x)
    if np.ndim(x) != 1:
        raise ValueError("x must be a one-dimensional array or sequence.")
    powers = np.arange(len(x) if N is None else N)
    return np.expand_dims(x, -1) ** np.expand_dims(powers if increasing else powers[::-1], 0)


@implements(np.polyfit)
def polyfit(x, y, deg, rcond=None, full=False, w=None, cov=False):
    """np.polyfit: the coefficients, highest power first, of the polynomial that is closest to y at x."""
    x, y = (np.multiply(arrayed(a), np.float64(1.0)) for a in (x, y))
    if deg < 0 or np.ndim(x) != 1 or np.size(x) == 0 or np.ndim(y) not in (1, 2) or len(x) != len(y):
        raise ValueError(
            f"a degree of 0 or more, points (n,) and numbers (n,) or (n, k); got {np.shape(x)}, {np.shape(y)}"
        )
    powers, tolerance = np.vander(x, deg + 1), len(x) * np.finfo(float).eps if rcond is None else rcond
    if w is not None:
        w = np.multiply(arrayed(w), np.float64(1.0))
        powers, y = powers * np.expand_dims(w, -1), y * (w if np.ndim(y) == 1 else np.expand_dims(w, -1))
    scale = np.sqrt(np.sum(np.square(powers), axis=0))  # columns of length 1 are better conditioned
    found, residuals, rank, s = np.linalg.lstsq(powers / scale, y, tolerance)
    column = scale if np.ndim(y) == 1 else np.expand_dims(scale, -1)
    found = found / column
    if full:
        return found, residuals, rank, s, tolerance
    if not cov:
        return found
    spread = np.linalg.inv((powers / scale).mT @ (powers / scale)) / np.outer(scale, scale)
    factor = 1.0
    if cov != "unscaled":
        if len(x) <= deg + 1:
            raise ValueError("the number of data points must exceed order to scale the covariance matrix")
        factor = residuals / (len(x) - deg - 1)
    return found, spread * factor if np.ndim(y) == 1 else np.expand_dims(spread, -1) * np.reshape(factor, (1, 1, -1))
