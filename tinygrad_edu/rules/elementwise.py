"""Elementwise functions: each line is a function, its derivative, and where that holds.

A pullback is `g` times the derivative, in NumPy: the same line runs on arrays and on Values. Broadcasting is undone
by the backward pass, so no rule mentions shapes. At kinks: the minimum-norm subgradient over the variables.
Source: for the stable forms, Blanchard, Higham and Higham, "Accurately computing the log-sum-exp and softmax
functions" (2021).
"""

import math
import operator
from functools import cache, reduce

import numpy as np

from tinygrad_edu.inputs import plain
from tinygrad_edu.numeric_warnings import told_at_users_line
from tinygrad_edu.rules.reduction import ratio
from tinygrad_edu.table import MULTIPLES, POSITIVE, REALS, TIES, case, cases, differentiable, implements, primitive
from tinygrad_edu.typed import Like

# fmt: off
LN2 = math.log(2.0)
LN10 = math.log(10.0)
QUARTER = (-math.pi / 2, math.pi / 2)
UNIT = (-1.0, 1.0)
ZERO = (0.0,)

# -- arithmetic -------------------------------------------------------------------------------------------
differentiable(np.add, lambda g, out, x, y: g, lambda g, out, x, y: g,
               domain=REALS, glyph="+", formulas=("1", "1"), compute=operator.add)
differentiable(np.subtract, lambda g, out, x, y: g, lambda g, out, x, y: -g,
               domain=REALS, glyph="-", formulas=("1", "-1"), compute=operator.sub)
differentiable(np.multiply, lambda g, out, x, y: g * y, lambda g, out, x, y: g * x,
               domain=REALS, glyph="*", formulas=("y", "x"), compute=operator.mul)
differentiable(np.divide, lambda g, out, x, y: g / y, lambda g, out, x, y: -g * out / y,
               domain=REALS, singular=ZERO, glyph="/", formulas=("1 / y", "-out / y"), compute=operator.truediv)
differentiable(np.negative, lambda g, out, x: -g, domain=REALS, glyph="-", formulas=("-1",), compute=operator.neg)

@told_at_users_line("power")
def power_log(x, y, n):
    """x^y log(x)^n, with its limit where 0 meets infinity: for x = 0 < y, and for x = inf, y < 0."""
    flat = ((x == 0) & (y > 0)) | ((x == math.inf) & (y < 0))
    return np.where(flat, 0.0, x**y * np.log(np.where(flat, 1.0, x)) ** n)

# the derivatives of x^y for y, a primitive because of their limits; y = -inf were inf * 0
power_log = primitive(power_log, lambda g, out, x, y, *, n:
                      g * (y * power_log(x, y - 1, n=n) + n * power_log(x, y - 1, n=n - 1)),
                      lambda g, out, x, y, *, n: g * power_log(x, y, n=n + 1),
                      domain=(POSITIVE, (-1e3, 1e3)), singular=ZERO, cases=cases((3,), (3,), n=[1, 2]),
                      formulas=("(y * out + n * x^y * log(x)^(n - 1)) / x", "out * log(x)"))

def lowered(x, y):
    """The exponent y - 1; but 0 for y = 0 where 1 / x is infinite, because x^0 is flat there as well."""
    zero = y == 0
    return y - 1 + (zero & (np.abs(plain(x)) < np.finfo(x.dtype).tiny)) if np.any(zero) else y - 1

differentiable(np.power, lambda g, out, x, y: g * y * x ** lowered(x, y),
               lambda g, out, x, y: g * power_log(x, y, n=1), domain=(POSITIVE, REALS), singular=ZERO,
               glyph="^", formulas=("y * x^(y - 1)", "out * log(x)"), compute=operator.pow)
implements(np.float_power)(lambda x, y: np.power(np.multiply(x, np.float64(1.0)), y))
differentiable(np.square, lambda g, out, x: g * 2.0 * x, domain=REALS, glyph="^2", formulas=("2 * x",))
differentiable(np.sqrt, lambda g, out, x: g * 0.5 / out, domain=POSITIVE, singular=ZERO, formulas=("1 / (2 * out)",))
differentiable(np.cbrt, lambda g, out, x: g / (3.0 * np.square(out)),
               domain=REALS, singular=ZERO, formulas=("1 / (3 * out^2)",))
differentiable(np.reciprocal, lambda g, out, x: -g * out * out, domain=REALS, singular=ZERO, formulas=("-out^2",))
differentiable(np.abs, lambda g, out, x: g * np.sign(x), domain=REALS, kinks=ZERO, glyph="abs", formulas=("sign(x)",))
differentiable(np.positive, lambda g, out, x: g, domain=REALS, glyph="+", formulas=("1",))
implements(np.real)(lambda val: np.positive(val))
implements(np.real_if_close)(lambda a, tol=100: np.positive(a))
differentiable(np.copysign, lambda g, out, x, y: g * np.sign(x) * np.sign(out), lambda g, out, x, y: np.zeros_like(g),
               domain=REALS, kinks=ZERO, formulas=("sign(x) * sign(y)", "0"))
# at the origin hypot is smallest, and its gradient is 0
differentiable(np.hypot, lambda g, out, x, y: g * ratio(x, out), lambda g, out, x, y: g * ratio(y, out),
               domain=REALS, kinks=ZERO, formulas=("x / out", "y / out"))
# the whole number of times that y fits into x, a constant, as the remainder itself has rounded it
for remainder in (np.remainder, np.fmod):
    differentiable(remainder, lambda g, out, x, y: g, lambda g, out, x, y: -g * np.rint((x - out) / y),
                   domain=REALS, kinks=MULTIPLES, singular=ZERO, formulas=("1", "-(x - out) / y"),
                   glyph="%" if remainder is np.remainder else "fmod")
implements(np.polyval)(lambda p, x: reduce(lambda y, c: y * x + c, p, np.zeros_like(x)))  # Horner's rule
implements(np.divmod)(lambda x, y: (np.floor_divide(x, y), np.remainder(x, y)))
implements(np.modf)(lambda x: (x - np.trunc(x), np.trunc(x)))
differentiable(np.nan_to_num, lambda g, out, x, *, copy=True, nan=0.0, posinf=None, neginf=None:
               np.where(np.isfinite(x), g, 0.0), domain=REALS, formulas=("[finite]",), cases=cases((3,), nan=[1.0]),
               compute=lambda x, copy=True, **numbers: np.nan_to_num(x, **numbers))  # never in place

# -- exponentials and logarithms --------------------------------------------------------------------------
differentiable(np.exp, lambda g, out, x: g * out, domain=REALS, formulas=("out",))
differentiable(np.exp2, lambda g, out, x: g * out * LN2, domain=REALS, formulas=("out * log(2)",))
differentiable(np.expm1, lambda g, out, x: g * np.exp(x), domain=REALS, formulas=("exp(x)",))
differentiable(np.log, lambda g, out, x: g / x, domain=POSITIVE, singular=ZERO, formulas=("1 / x",))
differentiable(np.log2, lambda g, out, x: g / x / LN2, domain=POSITIVE, singular=ZERO, formulas=("1 / (log(2) * x)",))
differentiable(np.log10, lambda g, out, x: g / (x * LN10),
               domain=POSITIVE, singular=ZERO, formulas=("1 / (x * log(10))",))
differentiable(np.log1p, lambda g, out, x: g / (1.0 + x),
               domain=(-1.0, math.inf), singular=(-1.0,), formulas=("1 / (1 + x)",))

def sigmoid(x: Like) -> Like:
    """The sigmoid, 1 / (1 + exp(-x)): a primitive, so that large inputs give 0 without a warning.

    Parameters
    ----------
    x
        A number, an array or a Value, of any shape.
    """
    with np.errstate(over="ignore", under="ignore"):
        return 1.0 / (1.0 + np.exp(-x))

# s(x) s(-x) keeps its digits where s (1 - s) has lost them: 9.36e-14 at x = 30
sigmoid = primitive(sigmoid, lambda g, out, x: g * out * sigmoid(-x), domain=REALS, formulas=("out * (1 - out)",))

def sech_squared(x):
    """1 / cosh(x)^2: a primitive, so that large inputs give 0 without a warning, in any derivative."""
    with np.errstate(over="ignore", under="ignore"):
        return 1.0 / np.square(np.cosh(x))

sech_squared = primitive(sech_squared, lambda g, out, x: g * -2.0 * out * np.tanh(x),
                         domain=REALS, glyph="sech^2", formulas=("-2 * out * tanh(x)",))
# 1 / cosh(x)^2 keeps its digits where 1 - out^2 has lost them: 1.699e-17 at x = 20
differentiable(np.tanh, lambda g, out, x: g * sech_squared(x), domain=REALS, formulas=("1 - out^2",))

@told_at_users_line("softplus")
def softplus(x: Like) -> Like:
    """The smooth ramp log(1 + exp(x)): a primitive, so that 800 gives 800.

    Parameters
    ----------
    x
        A number, an array or a Value, of any shape.
    """
    with np.errstate(under="ignore"):
        return np.logaddexp(0.0, x)

softplus = primitive(softplus, lambda g, out, x: g * sigmoid(x), domain=REALS, formulas=("sigmoid(x)",))
differentiable(np.logaddexp, lambda g, out, x, y: g * sigmoid(x - y), lambda g, out, x, y: g * sigmoid(y - x),
               domain=REALS, formulas=("sigmoid(x - y)", "sigmoid(y - x)"))
differentiable(np.logaddexp2, lambda g, out, x, y: g * sigmoid((x - y) * LN2), lambda g, out, x, y:
               g * sigmoid((y - x) * LN2), domain=REALS, formulas=("1 / (1 + 2^(y - x))", "1 / (1 + 2^(x - y))"))

def relu(x: Like) -> Like:
    """The positive part, max(x, 0): a primitive, because its slope is the sign of its result.

    Parameters
    ----------
    x
        A number, an array or a Value, of any shape.
    """
    return np.maximum(x, 0.0)

relu = primitive(relu, lambda g, out, x: g * np.sign(out), domain=REALS, kinks=ZERO, formulas=("[x > 0]",))
# how the argument of a transformed function joins the graph around it
identity = primitive(lambda x: x, lambda g, out, x: g, name="identity", domain=REALS, formulas=("1",))

# -- angles and hyperbolic functions ----------------------------------------------------------------------
# hypot(1, x) and products of factors keep what 1 + x^2 and 1 - x^2 would lose, or overflow
differentiable(np.sin, lambda g, out, x: g * np.cos(x), domain=REALS, formulas=("cos(x)",))
differentiable(np.cos, lambda g, out, x: -g * np.sin(x), domain=REALS, formulas=("-sin(x)",))
differentiable(np.tan, lambda g, out, x: g * (1.0 + np.square(out)), domain=QUARTER, formulas=("1 + out^2",))
differentiable(np.arcsin, lambda g, out, x: g / np.sqrt((1.0 - x) * (1.0 + x)),
               domain=UNIT, singular=UNIT, formulas=("1 / sqrt(1 - x^2)",))
differentiable(np.arccos, lambda g, out, x: -g / np.sqrt((1.0 - x) * (1.0 + x)),
               domain=UNIT, singular=UNIT, formulas=("-1 / sqrt(1 - x^2)",))
differentiable(np.arctan, lambda g, out, x: g * np.square(1.0 / np.hypot(1.0, x)),
               domain=REALS, formulas=("1 / (1 + x^2)",))
differentiable(np.arctan2, lambda g, out, x, y: g * (y / np.hypot(x, y)) / np.hypot(x, y),
               lambda g, out, x, y: -g * (x / np.hypot(x, y)) / np.hypot(x, y),
               domain=REALS, singular=ZERO, formulas=("y / (x^2 + y^2)", "-x / (x^2 + y^2)"))
differentiable(np.sinh, lambda g, out, x: g * np.cosh(x), domain=REALS, formulas=("cosh(x)",))
differentiable(np.cosh, lambda g, out, x: g * np.sinh(x), domain=REALS, formulas=("sinh(x)",))
differentiable(np.arcsinh, lambda g, out, x: g / np.hypot(1.0, x), domain=REALS, formulas=("1 / sqrt(x^2 + 1)",))
differentiable(np.arccosh, lambda g, out, x: g / (np.sqrt(x - 1.0) * np.sqrt(x + 1.0)),
               domain=(1.0, math.inf), singular=(1.0,), formulas=("1 / sqrt(x^2 - 1)",))
differentiable(np.arctanh, lambda g, out, x: g / ((1.0 - x) * (1.0 + x)),
               domain=UNIT, singular=UNIT, formulas=("1 / (1 - x^2)",))
differentiable(np.degrees, lambda g, out, x: np.degrees(g), domain=REALS, formulas=("180 / pi",))
differentiable(np.radians, lambda g, out, x: np.radians(g), domain=REALS, formulas=("pi / 180",))
for alias, of in ((np.fabs, np.abs), (np.conjugate, np.positive), (np.rad2deg, np.degrees),
                  (np.deg2rad, np.radians), (np.amax, np.max), (np.amin, np.min)):
    implements(alias)(of)
differentiable(np.unwrap, lambda g, out, x, *, discont=None, axis=-1, period=2.0 * math.pi: g, domain=REALS,
               formulas=("1",), cases=[case((2, 3), discont=9.0, axis=0), case((4,), discont=9.0, period=1.0)])

@cache
def gauss_legendre():
    """20 nodes and weights for integrals from -1 to 1."""
    return [part.tolist() for part in np.polynomial.legendre.leggauss(20)]

@told_at_users_line("sinc")
def sinc_derivative(x, n):
    """The n-th derivative of np.sinc: near 0 of its integral, cos(pi x t) over t in (0, 1), else by a recurrence."""
    nodes, weights = gauss_legendre()
    near = sum(0.5 * w * (math.pi * t) ** n * (1j**n * np.exp(1j * math.pi * t * x)).real
               for t, w in zip(nodes, weights, strict=True))
    far = np.sinc(x)
    safe = np.where(np.abs(x) < 1.0, 1.0, x)
    for k in range(1, n + 1):  # the k-th derivative of x sinc(x) = sin(pi x) / pi
        far = (math.pi ** (k - 1) * (1j**k * np.exp(1j * math.pi * x)).imag - k * far) / safe
    return np.where(np.abs(x) < 1.0, near, far)

sinc_derivative = primitive(sinc_derivative, lambda g, out, x, *, n: g * sinc_derivative(x, n=n + 1),
                            domain=REALS, cases=cases((3,), n=[1, 2]), formulas=("out'",))
differentiable(np.sinc, lambda g, out, x: g * sinc_derivative(x, n=1),
               domain=REALS, formulas=("(cos(pi * x) - out) / x",))

# -- choices ----------------------------------------------------------------------------------------------
def shared(out, x, y):
    """1 where x was chosen over y, 0 where y was, 1/2 where they are equal; nan where either is nan."""
    return np.where(out == out, (x == out) - 0.5 * (x == y), np.nan)

def won(out, y):
    """1 where the other argument was chosen over the constant y, 0 where not or both are equal; nan as above."""
    return np.where(out == out, y != out, np.nan)

CHOICE = (lambda g, out, x, y: g * shared(out, x, y), lambda g, out, x, y: g * shared(out, y, x))
WITH_CONSTANTS = (lambda g, out, x, y: g * won(out, y), lambda g, out, x, y: g * won(out, x))
for choice, name in ((np.maximum, "max"), (np.minimum, "min"), (np.fmax, "fmax"), (np.fmin, "fmin")):
    sign = ">" if "max" in name else "<"
    differentiable(choice, *CHOICE, with_constants=WITH_CONSTANTS, domain=REALS, kinks=TIES, glyph=name,
                   formulas=(f"[x {sign} y]", f"[y {sign} x]"))
select = primitive(lambda x, y, *, condition: np.where(condition, x, y),
                   lambda g, out, x, y, *, condition: np.where(condition, g, 0.0),
                   lambda g, out, x, y, *, condition: np.where(condition, 0.0, g), name="select", domain=REALS,
                   glyph="where", formulas=("[condition]", "[not condition]"), cases=[
                       *cases((3,), (3,), condition=[np.array([True, False, True])]),
                       *cases((2, 1), (), condition=[np.array([True, False, False])])])

@implements(np.where)
def where(condition, x=None, y=None):
    """np.where: the condition is a constant, and alone it gives places."""
    if (x is None) != (y is None):
        raise ValueError("x and y are given both, or none of them")
    return np.nonzero(condition) if x is None else select(x, y, condition=condition)

@implements(np.clip)
def clip(a, a_min=None, a_max=None, *, min=None, max=None):
    """np.clip by its own definition; at a bound the gradient is 0."""
    low = a_min if min is None else min
    high = a_max if max is None else max
    a = a if low is None else np.maximum(a, low)
    return a if high is None else np.minimum(a, high)
