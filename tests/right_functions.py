"""Right functions of many kinds, at many places and sizes, for which no checker may raise an alarm.

Each is given as (kind, name, function, arguments). The gradients are right because they are the library's own; what
makes a checker doubt them is the function: rounding inside, kinks nearby, narrow bumps, fast swings, poles, digits
that cancel, numbers near the ends of the floating point range.
"""

from collections import namedtuple
from dataclasses import dataclass
from itertools import product

import numpy as np

import tinygrad_edu as te
from tinygrad_edu import nn

Point = namedtuple("Point", "x y")


@dataclass
class Pair:
    """Two numbers in a structure of the user's own."""

    x: object
    y: object


def gelu(x):
    """With numbers that cancel where x is below -5."""
    return 0.5 * x * (1.0 + np.tanh(0.7978845608 * (x + 0.044715 * x**3)))


def elu(x):
    """By where, with a kink in the second derivative only."""
    return np.where(x > 0, x, np.exp(np.minimum(x, 0.0)) - 1.0)


SMOOTH = {
    "sin": np.sin,
    "exp": np.exp,
    "tanh": np.tanh,
    "x * x": lambda x: x * x,
    "x ** 3": lambda x: x**3,
    "1 / (1 + x * x)": lambda x: 1.0 / (1.0 + x * x),
    "sqrt(1 + x * x)": lambda x: np.sqrt(1.0 + x * x),
    "log1p(x * x)": lambda x: np.log1p(x * x),
    "arctan": np.arctan,
    "sigmoid": te.sigmoid,
    "softplus": te.softplus,
    "x * sigmoid(x)": lambda x: x * te.sigmoid(x),
    "cbrt(1 + x * x)": lambda x: np.cbrt(1.0 + x * x),
    "sinh(x) / cosh(x)": lambda x: np.sinh(x) / np.cosh(x),
    "exp(-x * x)": lambda x: np.exp(-x * x),
}
QUANTISED = {
    "gelu": (gelu, [-3.0, -4.0, -5.0, -5.5, -6.0, -6.5, -7.0, -7.5, -8.0, -9.0]),
    "x (1 + tanh x) / 2": (lambda x: x * (1.0 + np.tanh(x)) / 2.0, [-2, -5, -8, -10, -12, -14, -15, -16, -17, -20]),
    "0.5 (1 + tanh x)": (lambda x: 0.5 * (1.0 + np.tanh(x)), [-2.0, -5.0, -9.0, -13.0, -16.0, -18.5]),
    "1 - tanh x": (lambda x: 1.0 - np.tanh(x), [2.0, 5.0, 9.0, 13.0, 16.0, 18.5]),
    "1 - sigmoid x": (lambda x: 1.0 - te.sigmoid(x), [1.0, 5.0, 10.0, 20.0, 30.0, 35.0]),
    "log(1 + exp(x))": (lambda x: np.log(1.0 + np.exp(x)), [-1.0, -5.0, -10.0, -20.0, -30.0, -35.0]),
    "1 - cos x": (lambda x: 1.0 - np.cos(x), [1e-1, 1e-2, 1e-3, 1e-4, 1e-5, 1e-6, 1e-7, 1e-8]),
    "sqrt(1 + x * x) - 1": (lambda x: np.sqrt(1.0 + x * x) - 1.0, [1e-1, 1e-3, 1e-5, 1e-7]),
    "x - sin x": (lambda x: x - np.sin(x), [1e-1, 1e-2, 1e-3, 1e-4, 1e-5]),
    "exp(x) - 1": (lambda x: np.exp(x) - 1.0, [1e-1, 1e-5, 1e-10, 1e-15]),
    "(exp(x) - 1) / x": (lambda x: (np.exp(x) - 1.0) / x, [1.0, 1e-1, 1e-2, 1e-3, 1e-4, 1e-5]),
    "(1 - cos x) / x ** 2": (lambda x: (1.0 - np.cos(x)) / x**2, [1.0, 1e-1, 1e-2, 1e-3]),
    "log(1 + x) - x": (lambda x: np.log(1.0 + x) - x, [0.5, 1e-1, 1e-2, 1e-3, 1e-4, 1e-5]),
    "1 - exp(-x)": (lambda x: 1.0 - np.exp(-x), [1e-8, 1.0, 10.0, 20.0, 30.0, 35.0]),
    "1 - erf-like": (lambda x: 1.0 - np.tanh(x * (1.128 + 0.1 * x * x)), [1.0, 2.0, 3.0, 3.5, 4.0]),
    "sqrt(x + 1) - sqrt(x)": (lambda x: np.sqrt(x + 1.0) - np.sqrt(x), [1.0, 1e3, 1e6, 1e8, 1e10]),
    "1 / x - 1 / (x + 1)": (lambda x: 1.0 / x - 1.0 / (x + 1.0), [1.0, 1e2, 1e4, 1e6]),
    "acosh by log": (lambda x: np.log(x + np.sqrt(x * x - 1.0)), [1.1, 2.0, 1e3, 1e6]),
    "asinh by log": (lambda x: np.log(x + np.sqrt(x * x + 1.0)), [-1.0, -1e2, -1e3, -1e4]),
    "quadratic root": (lambda x: -x + np.sqrt(x * x - 1.0), [1.5, 1e2, 1e4, 1e6]),
    "(x - 1) ** 7 written out": (
        lambda x: x**7 - 7 * x**6 + 21 * x**5 - 35 * x**4 + 35 * x**3 - 21 * x**2 + 7 * x - 1,
        [0.5, 0.9, 0.99, 1.0, 1.01, 1.1, 2.0],
    ),
    "(1e6 + x) - 1e6": (lambda x: (1e6 + np.sin(x)) - 1e6, [0.1, 1.0, 2.0, 3.0]),
    "(1e8 + x) - 1e8": (lambda x: (1e8 + np.sin(x)) - 1e8, [0.1, 1.0, 2.0, 3.0]),
    "float32 inside": (lambda x: np.sin(x.astype(np.float32)).astype(float), [0.1, 0.7, 1.0, 2.0, 3.0]),
    "softmax far away": (lambda x: te.softmax(np.stack([x, 0.0 * x]))[1], [1.0, 10.0, 30.0, 36.0]),
    "log softmax by hand": (lambda x: x - np.log(np.exp(x) + 1.0), [1.0, 10.0, 20.0, 30.0, 35.0]),
}  # fmt: skip
FAST = {
    "sin(1e3 x)": (lambda x: np.sin(1e3 * x), 8),
    "sin(1e5 x)": (lambda x: np.sin(1e5 * x), 8),
    "sin(1e6 x)": (lambda x: np.sin(1e6 * x), 8),
    "sin(1e7 x)": (lambda x: np.sin(1e7 * x), 8),
    "sin(1e8 x)": (lambda x: np.sin(1e8 * x), 8),
    "x + sin(1e4 x) / 1e2": (lambda x: x + np.sin(1e4 * x) / 1e2, 4),
    "sin(x) + 1e-6 sin(1e6 x)": (lambda x: np.sin(x) + 1e-6 * np.sin(1e6 * x), 4),
    "cos(x * x)": (lambda x: np.cos(1e3 * x * x), 4),
    "sin(1 / x)": (lambda x: np.sin(1e-2 / x), 4),
    "tanh(1e4 (x - 0.5))": (lambda x: np.tanh(1e4 * (x - 0.5)), 4),
    "sigmoid(1e6 (x - 0.5))": (lambda x: te.sigmoid(1e6 * (x - 0.5)), 4),
    "chirp": (lambda x: np.sin(np.exp(5.0 * x)), 4),
}
POLES = {
    "1 / x": lambda x: 1.0 / x,
    "log": np.log,
    "sqrt": np.sqrt,
    "x ** -2": lambda x: x**-2.0,
    "x ** 0.3": lambda x: x**0.3,
    "x log x": lambda x: x * np.log(x),
    "tan near its pole": lambda x: np.tan(np.pi / 2 - x),
    "1 / (exp(x) - 1)": lambda x: 1.0 / np.expm1(x),
    "arcsin near 1": lambda x: np.arcsin(1.0 - x),
    "logit": lambda x: np.log(x / (1.0 - x)),
}
KINKS = {
    "relu": te.relu,
    "abs": np.abs,
    "maximum(x, 0)": lambda x: np.maximum(x, 0.0),
    "leaky relu": lambda x: np.where(x > 0, x, 0.01 * x),
    "clip": lambda x: np.clip(x, 0.0, 1.0),
    "x * abs(x)": lambda x: x * np.abs(x),
    "elu": elu,
    "softsign": lambda x: x / (1.0 + np.abs(x)),
    "relu squared": lambda x: te.relu(x) ** 2,
    "huber": lambda x: np.where(np.abs(x) < 1e-2, 50.0 * x * x, np.abs(x) - 5e-3),
    "100 + relu": lambda x: 100.0 + te.relu(x),
    "exp(-abs(x))": lambda x: np.exp(-np.abs(x)),
}
EXACT = ["x * abs(x)", "elu", "softsign", "relu squared", "relu", "abs", "huber"]
NARROW = {"bump": lambda s: lambda x: np.exp(-((x / s) ** 2)), "sech": lambda s: lambda x: 1.0 / np.cosh(x / s)}
RANGES = {
    "1e200 sin x": (lambda x: 1e200 * np.sin(x), 1.0, float),
    "1e-200 sin x": (lambda x: 1e-200 * np.sin(x), 1.0, float),
    "1e200 sin x in float32": (lambda x: 1e200 * np.sin(x), 1.0, np.float32),
    "exp at 700": (np.exp, 700.0, float),
    "exp at -700": (np.exp, -700.0, float),
    "exp at 80 in float32": (np.exp, 80.0, np.float32),
    "exp at -80 in float32": (np.exp, -80.0, np.float32),
    "x * x at 1e150": (lambda x: x * x, 1e150, float),
    "x * x at 1e-150": (lambda x: x * x, 1e-150, float),
    "1 / x at 1e150": (lambda x: 1.0 / x, 1e150, float),
    "1 / x at 1e20 in float32": (lambda x: 1.0 / x, 1e20, np.float32),
    "sqrt at 1e-300": (np.sqrt, 1e300, float),
    "softsign in subnormals": (lambda x: x / (1.0 + np.abs(x)), 5e-324, float),
    "softsign beside 0": (lambda x: x / (1.0 + np.abs(x)), 1e-310, float),
    "sin in subnormals": (np.sin, 1e-310, float),
    "tanh at 30": (np.tanh, 30.0, float),
    "sigmoid at 700": (te.sigmoid, 700.0, float),
    "sigmoid at -700": (te.sigmoid, -700.0, float),
    "softplus at 800": (te.softplus, 800.0, float),
    "sin at 1e6": (np.sin, 1e6, float),
    "sin at 1e10": (np.sin, 1e10, float),
    "x ** 3 at 1e100": (lambda x: x**3, 1e100, float),
    "sqrt(x * x) at 1e100": (lambda x: np.sqrt(x * x + 1.0), 1e100, float),
    "log at 1e300": (np.log, 1e300, float),
    "log at 1e-300": (np.log, 1e-300, float),
}
REDUCTIONS = {
    "var": lambda x: x.var(),
    "std": lambda x: x.std(),
    "mean": lambda x: x.mean(),
    "sum of squares": lambda x: np.sum(x * x),
    "norm": lambda x: np.sqrt(np.sum(x * x)),
    "logsumexp": lambda x: te.logsumexp(x),
    "max": np.max,
    "prod": np.prod,
    "softmax": lambda x: te.softmax(x),
    "cumsum": lambda x: np.cumsum(x),
    "sort": np.sort,
    "var by squares": lambda x: np.mean(x * x) - np.mean(x) ** 2,
    "normalised": lambda x: (x - x.mean()) / np.sqrt(x.var() + 1e-5),
    "log of sum of exp": lambda x: np.log(np.sum(np.exp(x))),
}


def of_scales(rng):
    """Smooth functions at numbers of all sizes, in both precisions."""
    for (name, f), size, dtype in product(SMOOTH.items(), (1e-8, 1e-3, 1.0, 20.0), (float, np.float32)):
        yield f"{name} at {size:g} {np.dtype(dtype)}", f, [(size * rng.normal(size=3)).astype(dtype)]


def of_quantised(rng):
    """Numbers that cancel: what is left has few digits."""
    for name, (f, places) in QUANTISED.items():
        for x in places:
            yield f"{name} at {x:g}", f, [np.array([float(x)])]
        yield f"{name} at all", f, [np.array(places, float) * (1 + 1e-3 * rng.normal(size=len(places)))]


def of_fast(rng):
    """Swings, steps and bumps that are shorter than most steps."""
    for name, (f, times) in FAST.items():
        for x in rng.uniform(0.1, 0.9, times):
            yield f"{name} at {x:g}", f, [np.array([x])]
    for (name, make), exponent in product(NARROW.items(), range(-7, 0)):
        s = 10.0**exponent
        yield f"{name} of width {s:g}", make(s), [np.array([0.0, 0.3, -0.8, 1.5]) * s]


def of_poles(rng):
    """Beside a pole or the end of a domain."""
    for (name, f), exponent in product(POLES.items(), (-10, -8, -6, -4, -2)):
        x = rng.uniform(1.0, 9.0) * 10.0**exponent
        yield f"{name} at {x:.2g}", f, [np.array([x])]


def of_kinks(rng):
    """Kinks at all distances, and exactly where the gradient is said to be what it is."""
    for (name, f), exponent in product(KINKS.items(), range(-12, 0, 2)):
        yield f"{name} {10.0**exponent:g} from 0", f, [np.array([1.0, -1.0]) * 10.0**exponent]
    for name in EXACT:
        yield f"{name} at 0", KINKS[name], [np.array([0.0])]
        yield f"{name} at 0 and beside", KINKS[name], [np.array([0.0, 1e-7, 0.3, -0.4])]
    for n in (10, 70, 500):
        yield f"relu of {n}", te.relu, [rng.normal(size=n)]
        yield f"max of {n}", lambda x: x.reshape(-1, 10).max(axis=1), [rng.normal(size=(n, 1))]
        yield f"sum of abs of {n}", lambda x: np.sum(np.abs(x)), [np.round(rng.normal(size=n), 1)]
        yield f"relu of {n} whole numbers", te.relu, [np.round(rng.normal(size=n))]


def of_ranges(_):
    """Numbers near the ends of the range, and functions of a size of their own."""
    for name, (f, x, dtype) in RANGES.items():
        yield name, f, [np.array([x], dtype)]
        yield f"{name}, twice as far", f, [np.array([x, x * 0.9], dtype)]


def of_reductions(rng):
    """Reductions of numbers with a large common part."""
    for (name, f), offset in product(REDUCTIONS.items(), (0.0, 1e2, 1e4, 1e6, 1e8)):
        if not (name in ("prod", "log of sum of exp") and offset > 100):
            yield f"{name} beside {offset:g}", f, [offset + rng.normal(size=5)]
        if offset <= 1e4:
            yield f"{name} beside {offset:g} in float32", f, [(offset + rng.normal(size=5)).astype(np.float32)]


def of_layers(rng):
    """Layers and losses, for inputs of several sizes, in both precisions."""
    for dtype, size in product((np.float32, float), (0.1, 1.0, 30.0)):
        x = (size * rng.normal(size=(4, 3))).astype(dtype)
        same = x.copy()
        labels = np.array([0, 2, 1, 1])
        target = rng.normal(size=(4, 3)).astype(dtype)
        half = (rng.random(size=(4, 3)) > 0.5).astype(dtype)
        net = nn.Sequential(nn.Linear(3, 8, rng=0), nn.Tanh(), nn.Linear(8, 2, rng=1)).astype(dtype)
        deep = nn.Sequential(nn.Linear(3, 6, rng=2), nn.ReLU(), nn.Linear(6, 6, rng=3), nn.ReLU()).astype(dtype)
        weights = [rng.normal(size=shape).astype(dtype) for shape in ((3, 5), (5,), (5, 2))]
        at = f"for inputs of {size:g} in {np.dtype(dtype)}"
        yield f"Linear and Tanh {at}", net, [x]
        yield f"Linear and ReLU {at}", deep, [x]
        yield f"perceptron {at}", lambda w, b, v, x=x: np.tanh(x @ w + b) @ v, weights
        yield f"relu perceptron {at}", lambda w, b, v, x=x: te.relu(x @ w + b) @ v, weights
        yield f"layer norm {at}", lambda x: (x - x.mean(0)) / np.sqrt(x.var(0) + 1e-5), [x]
        yield f"cross entropy {at}", lambda x, t=labels: nn.cross_entropy(x, t), [x]
        yield f"mse {at}", lambda x, t=target: nn.mse_loss(x, t), [x]
        yield f"mse at its target {at}", lambda x, t=same: nn.mse_loss(x, t), [x]
        yield f"bce with logits {at}", lambda x, t=half: nn.binary_cross_entropy(x, t), [x]
        yield f"attention {at}", lambda x: te.softmax(x @ x.T) @ x, [x]
        yield f"log softmax {at}", lambda x: te.log_softmax(x, axis=1), [x]
        yield f"normalised rows {at}", lambda x: x / np.sqrt(np.sum(x * x, axis=1, keepdims=True)), [x]
        yield f"pairwise distances {at}", lambda x: np.sum((x[:, None] - x[None]) ** 2, axis=-1), [x]
        yield f"conv by hand {at}", lambda x: sum(x[:, i : i + 2] * (i + 1.0) for i in range(2)), [x]
        yield f"gelu layer {at}", gelu, [x]


def of_structures(rng):
    """Arguments of any structure, and what is a number for other checkers."""
    x = rng.normal(size=3)
    yield "a named tuple", lambda p: np.sin(p.x) * p.y, [Point(x, 2.0)]
    yield "a named tuple as result", lambda p: Point(np.sin(p.x), p.y * p.x), [Point(x, 2.0)]
    yield "a dataclass", lambda p: np.sin(p.x) * p.y, [Pair(x, x + 1.0)]
    yield "a dict of lists", lambda p: p["a"][0] * np.exp(p["a"][1]), [{"a": [x, x]}]
    yield "a number", lambda x: x * x, [1.5]
    yield "two numbers", lambda x, y: x * y + np.sin(x), [1.5, 2.0]
    yield "a number by itself", lambda x: 3.0 * x, [0.0]
    yield "checkpoint", te.checkpoint(lambda x: np.sin(x) * np.exp(x)), [x]
    yield "checkpoint of a kink", te.checkpoint(lambda x: te.relu(x) * x), [x]
    yield "broadcast", lambda x, y: np.tanh(x * x + y), [np.array([3.0]), np.array([0.0, 0.0, 3.0])]
    yield "matrix inverse", lambda a: np.linalg.inv(a), [np.eye(3) + 0.1 * rng.normal(size=(3, 3))]
    yield "ill-conditioned inverse", lambda a: np.linalg.inv(a), [np.array([[1.0, 1.0], [1.0, 1.0001]])]
    yield "determinant", lambda a: np.linalg.det(a), [rng.normal(size=(3, 3))]
    yield "large matrix product", lambda a: np.tanh(a @ a.T), [rng.normal(size=(20, 20)) / 5]
    yield "5000 entries", lambda x: np.sin(x) * x, [rng.normal(size=5000)]
    yield "5000 entries of float32", lambda x: np.sin(x) * x, [rng.normal(size=5000).astype(np.float32)]
    yield "Fortran's order", lambda x: np.tanh(x), [np.asfortranarray(rng.normal(size=(9, 7)))]
    yield "exp in many lanes", np.exp, [rng.normal(size=(33, 17)).astype(np.float32)]
    yield "sin in many lanes", np.sin, [rng.normal(size=(33, 17)) * 100.0]
    yield "power in many lanes", lambda x: np.abs(x) ** 1.7, [rng.normal(size=(33, 17))]
    yield "nothing recorded", lambda x: 3.0, [x]
    yield "empty", lambda x: np.sum(x), [np.zeros((0, 3))]
    yield "sum of many", lambda x: np.sum(1e8 + np.sin(x)), [rng.normal(size=200)]
    yield "recurrence", lambda x: steps(x, 30), [rng.uniform(0.2, 0.8, 2)]
    yield "chaos", lambda x: logistic(x, 25), [rng.uniform(0.2, 0.8, 2)]


def steps(x, n):
    """A contraction, n times."""
    for _ in range(n):
        x = np.cos(x)
    return x


def logistic(x, n):
    """The logistic map, n times: each step doubles the rounding."""
    for _ in range(n):
        x = 3.9 * x * (1.0 - x)
    return x


KINDS = {
    "scales": of_scales,
    "quantised": of_quantised,
    "fast": of_fast,
    "poles": of_poles,
    "kinks": of_kinks,
    "ranges": of_ranges,
    "reductions": of_reductions,
    "layers": of_layers,
    "structures": of_structures,
}


def right_functions(seed=0):
    """Every right function: its kind, its name, itself, and its arguments."""
    for kind, make in KINDS.items():
        for name, f, args in make(np.random.default_rng(seed)):
            yield kind, name, f, args
