"""Functions of scipy.special; the chapter is read once the user has imported SciPy, and not before.

SciPy's ufuncs come through NumPy's protocol. Its Python functions (logsumexp, softmax, polygamma) do not speak it and
refuse a Value: take `te.logsumexp`, `te.softmax`, `te.log_softmax` and, for polygamma, the primitive below.
Source: NIST Digital Library of Mathematical Functions, 5.2, 5.15 and 7.2 (2023).
"""

import math

import numpy as np
from scipy import special
from scipy.special import (
    beta,
    betaln,
    digamma,
    entr,
    erf,
    erfc,
    erfinv,
    expit,
    gamma,
    gammaln,
    log_expit,
    logit,
    ndtr,
    ndtri,
    rel_entr,
    xlog1py,
    xlogy,
)  # fmt: skip

from tinygrad_edu.inputs import plain
from tinygrad_edu.table import INF, POSITIVE, REALS, cases, differentiable, primitive

# fmt: off
UNIT = (0.0, 1.0)
ZERO = (0.0,)
HALF_ROOT = math.sqrt(0.5)
STEPS = 30  # from there on the next term of the series, z^-10 / 132, is below the rounding of 1 / z

def bell(x):
    """2 / sqrt(pi) exp(-x^2), the derivative of erf; from 40 on it is 0, and x^2 need not overflow."""
    return 2.0 / math.sqrt(math.pi) * np.exp(-np.square(np.clip(x, -40.0, 40.0)))

differentiable(erf, lambda g, out, x: g * bell(x), domain=REALS, formulas=("2 / sqrt(pi) * exp(-x^2)",))
differentiable(erfc, lambda g, out, x: -g * bell(x), domain=REALS, formulas=("-2 / sqrt(pi) * exp(-x^2)",))
differentiable(expit, lambda g, out, x: g * out * expit(-x), domain=REALS, formulas=("out * (1 - out)",))
differentiable(logit, lambda g, out, x: g / (x * (1.0 - x)),
               domain=UNIT, singular=UNIT, formulas=("1 / (x * (1 - x))",))
def above(x, y, low):
    """y - low; but the least of all numbers for x = 0 and y = low, so that x / y is 0 and its slope infinite."""
    least = np.finfo(np.result_type(plain(y))).smallest_subnormal
    return np.where((x == 0) & (y == low), least, y - low)

differentiable(xlogy, lambda g, out, x, y: g * np.log(y), lambda g, out, x, y: g * x / above(x, y, 0.0),
               domain=(REALS, POSITIVE), singular=ZERO, formulas=("log(y)", "x / y"))
# the n-th derivative of digamma
polygamma = primitive(lambda x, n: special.polygamma(n, x), lambda g, out, x, *, n: g * polygamma(x, n=n + 1),
                      domain=POSITIVE, singular=ZERO, name="polygamma", formulas=("out'",),
                      cases=cases((3,), n=[1, 2]))
differentiable(digamma, lambda g, out, x: g * polygamma(x, n=1),
               domain=POSITIVE, singular=ZERO, formulas=("polygamma(1, x)",))
differentiable(gammaln, lambda g, out, x: g * digamma(x), domain=POSITIVE, singular=ZERO, formulas=("digamma(x)",))
differentiable(gamma, lambda g, out, x: g * out * digamma(x),
               domain=POSITIVE, singular=ZERO, formulas=("out * digamma(x)",))

def rise(x, y):
    """digamma(x + y) - digamma(x) for x, y > 0, without the difference: digits are kept for tiny y and for huge x.

    By the recurrence digamma(x + 1) = digamma(x) + 1 / x to where the asymptotic series is exact (5.5.2, 5.11.2).
    """
    found = sum(y / (x + k) / (x + y + k) for k in range(STEPS))
    z, w = x + STEPS, x + y + STEPS
    p, q = 1.0 / np.square(z), 1.0 / np.square(w)
    apart = y / z / w * (1.0 / z + 1.0 / w)  # p - q
    squares = p * p + q * q
    series = (1.0 / 12.0 - (p + q) / 120.0 + (squares + p * q) / 252.0 - (p + q) * squares / 240.0) * apart
    return found + np.log1p(y / z) + 0.5 * y / z / w + series

differentiable(beta, lambda g, out, x, y: -g * out * rise(x, y), lambda g, out, x, y: -g * out * rise(y, x),
               domain=POSITIVE, singular=ZERO, formulas=("out * (digamma(x) - digamma(x + y))",
                                                         "out * (digamma(y) - digamma(x + y))"))
differentiable(betaln, lambda g, out, x, y: -g * rise(x, y), lambda g, out, x, y: -g * rise(y, x),
               domain=POSITIVE, singular=ZERO, formulas=("digamma(x) - digamma(x + y)",
                                                         "digamma(y) - digamma(x + y)"))

# -- probabilities: of the normal distribution, of odds, and entropies ------------------------------------
differentiable(ndtr, lambda g, out, x: g * bell(x * HALF_ROOT) * (0.5 * HALF_ROOT),
               domain=REALS, formulas=("exp(-x^2 / 2) / sqrt(2 * pi)",))
differentiable(ndtri, lambda g, out, x: g * math.sqrt(2.0 * math.pi) * np.exp(0.5 * np.square(out)),
               domain=UNIT, singular=UNIT, formulas=("sqrt(2 * pi) * exp(out^2 / 2)",))
differentiable(erfinv, lambda g, out, x: g * (0.5 * math.sqrt(math.pi)) * np.exp(np.square(out)),
               domain=(-1.0, 1.0), singular=(-1.0, 1.0), formulas=("sqrt(pi) / 2 * exp(out^2)",))
differentiable(log_expit, lambda g, out, x: g * expit(-x), domain=REALS, formulas=("expit(-x)",))
differentiable(xlog1py, lambda g, out, x, y: g * np.log1p(y),
               lambda g, out, x, y: g * x / above(x, y, -1.0),
               domain=(REALS, (-1.0, INF)), singular=(-1.0,), formulas=("log(1 + y)", "x / (1 + y)"))
differentiable(entr, lambda g, out, x: g * (-1.0 - np.log(x)),
               domain=POSITIVE, singular=ZERO, formulas=("-1 - log(x)",))
differentiable(rel_entr, lambda g, out, x, y: g * (1.0 + np.log(x / y)), lambda g, out, x, y: -g * x / y,
               domain=POSITIVE, singular=ZERO, formulas=("1 + log(x / y)", "-x / y"))
