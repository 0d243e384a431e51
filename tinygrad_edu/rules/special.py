"""Functions of scipy.special; the chapter is read once the user has imported SciPy, and not before.

SciPy's ufuncs come through NumPy's protocol. Its Python functions (logsumexp, softmax, polygamma) do not speak it and
refuse a Value: take `te.logsumexp`, `te.nn` and, for polygamma, the primitive below.
Source: NIST Digital Library of Mathematical Functions, 5.2, 5.15 and 7.2 (2023).
"""

import math

import numpy as np
from scipy import special
from scipy.special import digamma, erf, erfc, expit, gammaln, logit, xlogy

from tinygrad_edu.table import POSITIVE, REALS, cases, differentiable, primitive

# fmt: off
UNIT = (0.0, 1.0)
ZERO = (0.0,)

def bell(x):
    """2 / sqrt(pi) exp(-x^2), the derivative of erf; from 40 on it is 0, and x^2 need not overflow."""
    return 2.0 / math.sqrt(math.pi) * np.exp(-np.square(np.clip(x, -40.0, 40.0)))

differentiable(erf, lambda g, out, x: g * bell(x), domain=REALS, formulas=("2 / sqrt(pi) * exp(-x^2)",))
differentiable(erfc, lambda g, out, x: -g * bell(x), domain=REALS, formulas=("-2 / sqrt(pi) * exp(-x^2)",))
differentiable(expit, lambda g, out, x: g * out * expit(-x), domain=REALS, formulas=("out * (1 - out)",))
differentiable(logit, lambda g, out, x: g / (x * (1.0 - x)),
               domain=UNIT, singular=UNIT, formulas=("1 / (x * (1 - x))",))
differentiable(xlogy, lambda g, out, x, y: g * np.log(y),
               lambda g, out, x, y: g * x / np.where((x == 0) & (y == 0), 1.0, y),
               domain=(REALS, POSITIVE), singular=ZERO, formulas=("log(y)", "x / y"))
# the n-th derivative of digamma
polygamma = primitive(lambda x, n: special.polygamma(n, x), lambda g, out, x, *, n: g * polygamma(x, n=n + 1),
                      domain=POSITIVE, singular=ZERO, name="polygamma", formulas=("out'",),
                      cases=cases((3,), n=[1, 2]))
differentiable(digamma, lambda g, out, x: g * polygamma(x, n=1),
               domain=POSITIVE, singular=ZERO, formulas=("polygamma(1, x)",))
differentiable(gammaln, lambda g, out, x: g * digamma(x), domain=POSITIVE, singular=ZERO, formulas=("digamma(x)",))
