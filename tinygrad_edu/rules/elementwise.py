"""Elementwise functions: each line is a function, its derivative, and where that holds.

A pullback is `g` times the derivative, in NumPy: the same line runs on arrays and on Values. Broadcasting is undone
by the backward pass, so no rule mentions shapes. At kinks: the minimum-norm subgradient over the variables.

Source: any table of derivatives; for the stable forms, Blanchard, Higham and Higham, "Accurately computing the
log-sum-exp and softmax functions" (2021).
"""

import operator

import numpy as np

from tinygrad_edu.op import POSITIVE, REALS, TIES, case, differentiable, implements, primitive

# fmt: off

# -- arithmetic -------------------------------------------------------------------------------------------

differentiable(np.add, lambda g, out, x, y: g, lambda g, out, x, y: g,
               domain=REALS, glyph="+", formulas=("1", "1"), compute=operator.add)
differentiable(np.subtract, lambda g, out, x, y: g, lambda g, out, x, y: -g,
               domain=REALS, glyph="-", formulas=("1", "-1"), compute=operator.sub)
differentiable(np.multiply, lambda g, out, x, y: g * y, lambda g, out, x, y: g * x,
               domain=REALS, glyph="*", formulas=("y", "x"), compute=operator.mul)
differentiable(np.divide, lambda g, out, x, y: g / y, lambda g, out, x, y: -g * out / y,
               domain=REALS, singular=(0.0,), glyph="/", formulas=("1 / y", "-out / y"),
               compute=operator.truediv)
differentiable(np.negative, lambda g, out, x: -g,
               domain=REALS, glyph="-", formulas=("-1",), compute=operator.neg)


def log_base(x, y):
    """log x, and 0 where x^y is flat in y: at x = 0 with y >= 0."""
    return np.log(np.where((x == 0) & (y >= 0), 1.0, x))


# the exponent stays 0 where y is 0, so that x^0 has slope 0 also at x = 0
differentiable(np.power, lambda g, out, x, y: g * y * x ** (y - (y != 0)),
               lambda g, out, x, y: g * out * log_base(x, y), domain=(POSITIVE, REALS), singular=(0.0,),
               glyph="^", formulas=("y * x^(y - 1)", "out * log(x)"), compute=operator.pow)
differentiable(np.square, lambda g, out, x: g * 2.0 * x,
               domain=REALS, glyph="^2", formulas=("2 * x",))
differentiable(np.sqrt, lambda g, out, x: g * 0.5 / out,
               domain=POSITIVE, singular=(0.0,), formulas=("1 / (2 * out)",))
differentiable(np.abs, lambda g, out, x: g * np.sign(x),
               domain=REALS, kinks=(0.0,), glyph="abs", formulas=("sign(x)",))

# -- exponentials and trigonometry ------------------------------------------------------------------------

differentiable(np.exp, lambda g, out, x: g * out, domain=REALS, formulas=("out",))
differentiable(np.log, lambda g, out, x: g / x,
               domain=POSITIVE, singular=(0.0,), formulas=("1 / x",))
differentiable(np.sin, lambda g, out, x: g * np.cos(x), domain=REALS, formulas=("cos(x)",))
differentiable(np.cos, lambda g, out, x: -g * np.sin(x), domain=REALS, formulas=("-sin(x)",))


def sigmoid(x):
    """1 / (1 + exp(-x)): a primitive, so that large inputs give 0 without a warning."""
    with np.errstate(over="ignore", under="ignore"):
        return 1.0 / (1.0 + np.exp(-x))


# s(x) s(-x) keeps its digits where s (1 - s) has lost them: 9.36e-14 at x = 30
sigmoid = primitive(sigmoid, lambda g, out, x: g * out * sigmoid(-x),
                    domain=REALS, formulas=("out * (1 - out)",))


def sech_squared(x):
    """1 / cosh(x)^2: a primitive, so that large inputs give 0 without a warning, in any derivative."""
    with np.errstate(over="ignore", under="ignore"):
        return 1.0 / np.square(np.cosh(x))


sech_squared = primitive(sech_squared, lambda g, out, x: g * -2.0 * out * np.tanh(x),
                         domain=REALS, glyph="sech^2", formulas=("-2 * out * tanh(x)",))
# 1 / cosh(x)^2 keeps its digits where 1 - out^2 has lost them: 1.699e-17 at x = 20
differentiable(np.tanh, lambda g, out, x: g * sech_squared(x), domain=REALS, formulas=("1 - out^2",))


def softplus(x):
    """log(1 + exp(x)): a primitive, so that 800 gives 800."""
    return np.logaddexp(0.0, x)


softplus = primitive(softplus, lambda g, out, x: g * sigmoid(x), domain=REALS, formulas=("sigmoid(x)",))


def relu(x):
    """max(x, 0): a primitive, because its slope is the sign of its result."""
    return np.maximum(x, 0.0)


relu = primitive(relu, lambda g, out, x: g * np.sign(out), domain=REALS, kinks=(0.0,), formulas=("[x > 0]",))



def identity(x):
    """x itself: how the argument of a transformed function joins the graph around it."""
    return x


identity = primitive(identity, lambda g, out, x: g, domain=REALS, formulas=("1",))

# -- choices ----------------------------------------------------------------------------------------------


def shared(out, x, y):
    """1 where x was chosen over y, 0 where not, 1/2 where they are equal, nan where either is nan."""
    return np.where(out == out, (x == out) - 0.5 * (x == y), np.nan)


def won(out, y):
    """1 where another was chosen over y, 0 where not or where they are equal, nan where either is nan."""
    return np.where(out == out, y != out, np.nan)


differentiable(np.maximum, lambda g, out, x, y: g * shared(out, x, y), lambda g, out, x, y: g * shared(out, y, x),
               domain=REALS, kinks=TIES, glyph="max", formulas=("[x > y]", "[y > x]"),
               alone=(lambda g, out, x, y: g * won(out, y), lambda g, out, x, y: g * won(out, x)))
differentiable(np.minimum, lambda g, out, x, y: g * shared(out, x, y), lambda g, out, x, y: g * shared(out, y, x),
               domain=REALS, kinks=TIES, glyph="min", formulas=("[x < y]", "[y < x]"),
               alone=(lambda g, out, x, y: g * won(out, y), lambda g, out, x, y: g * won(out, x)))


def select(x, y, *, condition):
    """x where the condition holds, y elsewhere."""
    return np.where(condition, x, y)


select = primitive(select, lambda g, out, x, y, *, condition: np.where(condition, g, 0.0),
                   lambda g, out, x, y, *, condition: np.where(condition, 0.0, g), domain=REALS, glyph="where",
                   cases=[case((3,), (3,), condition=np.array([True, False, True])),
                          case((2, 1), (), condition=np.array([True, False, False]))],
                   formulas=("[condition]", "[not condition]"))


@implements(np.where)
def where(condition, x=None, y=None):
    """np.where(condition, x, y); the condition is a constant."""
    return select(x, y, condition=condition)


@implements(np.clip)
def clip(a, a_min=None, a_max=None, **bounds):
    """np.clip by its own definition; at a bound the gradient is 0."""
    low, high = bounds.get("min", a_min), bounds.get("max", a_max)
    a = a if low is None else np.maximum(a, low)
    return a if high is None else np.minimum(a, high)
