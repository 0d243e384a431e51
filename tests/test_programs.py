"""Random programs against other ways to differentiate them: dual numbers, complex steps, torch and jax.

A program is data: it is run once with this library and once with each oracle. Programs nest derivatives, close over
the variables around them, and make functions that return functions. torch and jax take part in the profiles `nightly`
and `thorough`, where they are installed.
"""

import os
from functools import partial
from operator import add, mul
from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import tinygrad_edu as te

PROFILE = os.environ.get("HYPOTHESIS_PROFILE", "ci" if os.environ.get("CI") else "dev")
LONG = PROFILE in ("nightly", "thorough")
NESTED = settings(max_examples=2_000 if LONG else 200 if PROFILE == "ci" else 50)
GRAPHS = settings(max_examples=5_000 if LONG else 300 if PROFILE == "ci" else 50)
TORCHS_OWN = pytest.mark.filterwarnings("ignore:`torch.jit.script` is deprecated")  # by its own forward mode
EXACT = {"rtol": 1e-10, "atol": 1e-10}


class Framework:
    """Another framework, in float64: its functions of arrays, its transforms, and how it makes an array."""

    add, mul = add, mul

    def __init__(self, numpy, transforms, array):
        self.numpy, self.transforms, self.number = numpy, transforms, array
        self.unary = (numpy.sin, numpy.tanh, lambda x: numpy.exp(-x * x))

    def push(self, f, x, t):
        return self.transforms.jvp(f, (x,), (t,))[1]

    def grad(self, f):
        return self.transforms.grad(f)


@pytest.fixture(params=["torch", "jax"])
def framework(request):
    """torch and jax, in the profiles that have the time."""
    name = request.param
    if not LONG:
        pytest.skip(f"{name} is asked in the profiles nightly and thorough: HYPOTHESIS_PROFILE=nightly")
    module = pytest.importorskip(name, reason=f"{name} is not installed: nothing to compare with")
    if name == "torch":
        yield Framework(module, module.func, partial(module.tensor, dtype=module.float64))
    else:
        with module.enable_x64(True):
            yield Framework(module.numpy, module, module.numpy.asarray)


# -- nested derivatives -------------------------------------------------------------------------------------


class Dual:
    """a + b epsilon, where each derivative has an epsilon of its own level: forward mode with tags."""

    def __init__(self, a, b, level):
        self.a, self.b, self.level = a, b, level


def split(x, level):
    """The parts of a number without and with the epsilon of a level."""
    return (x.a, x.b) if isinstance(x, Dual) and x.level == level else (x, 0.0)


def top(*xs):
    """The innermost level among numbers."""
    return max(x.level if isinstance(x, Dual) else 0 for x in xs)


def plus(x, y):
    if not (level := top(x, y)):
        return x + y
    (a, da), (b, db) = split(x, level), split(y, level)
    return Dual(plus(a, b), plus(da, db), level)


def times(x, y):
    if not (level := top(x, y)):
        return x * y
    (a, da), (b, db) = split(x, level), split(y, level)
    return Dual(times(a, b), plus(times(da, b), times(a, db)), level)


def chain(function, slope):
    """A function of dual numbers from its values and its slope."""

    def of(x):
        if not (level := top(x)):
            return function(x)
        a, da = split(x, level)
        return Dual(of(a), times(slope(a), da), level)

    return of


dual_sin = chain(np.sin, lambda x: dual_cos(x))
dual_cos = chain(np.cos, lambda x: times(-1.0, dual_sin(x)))
dual_tanh = chain(np.tanh, lambda x: plus(1.0, times(-1.0, times(dual_tanh(x), dual_tanh(x)))))
dual_bell = chain(lambda x: np.exp(-x * x), lambda x: times(times(-2.0, x), dual_bell(x)))


class Levels:
    """The oracle: nested derivatives by dual numbers, told apart by levels."""

    add, mul = staticmethod(plus), staticmethod(times)
    unary = (dual_sin, dual_tanh, dual_bell)
    depth = 0

    def number(self, x):
        return x

    def push(self, f, x, t):
        self.depth += 1
        out = split(f(Dual(x, t, self.depth)), self.depth)[1]
        self.depth -= 1
        return out

    def grad(self, f):
        return lambda x: self.push(f, x, 1.0)


class Ours:
    """This library."""

    add, mul, number = add, mul, float
    unary = (np.sin, np.tanh, lambda x: np.exp(-x * x))

    def push(self, f, x, t):
        return te.jvp(f, (x,), (t,))[1]

    def grad(self, f):
        return te.grad(f)


class Checkpointed(Ours):
    """This library, every function of a derivative computed twice."""

    def grad(self, f):
        return te.grad(te.checkpoint(f))

    def push(self, f, x, t):
        return te.vjp(lambda x: te.checkpoint(f)(x), x)[1](t)[0]  # of one number: its own transpose


def evaluate(program, variables, lib):
    """The number that a program gives, where the last of the variables is the innermost."""
    kind, *parts = program
    if kind == "variable":
        return variables[-1 - parts[0] % len(variables)]
    if kind == "number":
        return lib.number(parts[0])
    if kind == "unary":
        return lib.unary[parts[0]](evaluate(parts[1], variables, lib))
    if kind in ("add", "mul"):
        return getattr(lib, kind)(*(evaluate(part, variables, lib) for part in parts))
    body, *parts = parts
    make = lambda outer: lambda inner: evaluate(body, [*outer, inner], lib)  # a function that returns a function
    f, (x, *more) = make(variables), (evaluate(part, variables, lib) for part in parts)
    return {"call": f, "grad": lib.grad(f), "push": lambda x: lib.push(f, x, *more)}[kind](x)


def extend(programs):
    """Programs made of programs."""
    just, pairs = st.just, st.tuples
    return (
        pairs(just("add"), programs, programs)
        | pairs(just("mul"), programs, programs)
        | pairs(just("unary"), st.integers(0, 2), programs)
        | pairs(just("call"), programs, programs)
        | pairs(just("grad"), programs, programs)
        | pairs(just("push"), programs, programs, programs)
    )


numbers = st.tuples(st.just("number"), st.sampled_from([-0.75, 0.5, 1.25]))
leaves = st.tuples(st.just("variable"), st.integers(0, 3)) | numbers
programs = st.recursive(leaves, extend, max_leaves=9).map(
    lambda program: ("grad", ("unary", 0, ("mul", program, ("variable", 0))), ("variable", 0))
)
points = st.floats(-1.5, 1.5)


def differentiated(program, x, lib):
    """The value and the slope of a program of one variable."""
    f = lambda x: evaluate(program, [x], lib)
    x = lib.number(x)
    return float(f(x)), float(lib.grad(f)(x))


@NESTED
@given(programs, points)
def test_nested_derivatives_equal_those_of_dual_numbers_with_levels(program, x):
    expected = differentiated(program, x, Levels())
    np.testing.assert_allclose(differentiated(program, x, Ours()), expected, **EXACT)
    np.testing.assert_allclose(differentiated(program, x, Checkpointed()), expected, **EXACT)


@NESTED
@given(programs, points)
def test_a_derivative_is_the_slope_of_its_program(program, x):
    f = lambda x: evaluate(program, [x], Ours())
    h = 1e-3
    slope = (8 * (f(x + h) - f(x - h)) - (f(x + 2 * h) - f(x - 2 * h))) / (12 * h)
    scale = max(abs(f(x + k * h)) for k in (-2, 0, 2))
    curved = abs(f(x + 2 * h) - 4 * f(x + h) + 6 * f(x) - 4 * f(x - h) + f(x - 2 * h)) / h
    np.testing.assert_allclose(te.grad(f)(x), slope, rtol=1e-6, atol=1e-9 * (1 + scale) + curved)


@TORCHS_OWN
def test_nested_derivatives_equal_those_of_other_frameworks(framework):
    @NESTED
    @given(programs, points)
    def compare(program, x):
        expected = differentiated(program, x, framework)
        np.testing.assert_allclose(differentiated(program, x, Ours()), expected, **EXACT)

    compare()


# -- graphs of arrays ---------------------------------------------------------------------------------------

STEPS = {
    "add": lambda np, a, b: a + b,
    "multiply": lambda np, a, b: a * b,
    "divide": lambda np, a, b: a / (2.0 + b * b),
    "power": lambda np, a, b: (1.0 + a * a) ** (0.5 * b),
    "tanh": lambda np, a, b: np.tanh(a),
    "sin": lambda np, a, b: np.sin(a),
    "log": lambda np, a, b: np.log(2.0 + a * a) * b,
    "product": lambda np, a, b: (a @ b.T) @ a,
    "centred": lambda np, a, b: a - np.mean(b, axis=0),
    "softmax": lambda np, a, b: np.exp(a) / np.sum(np.exp(a), axis=1)[:, None],
    "picked": lambda np, a, b: a[np.asarray([1, 1])] + b[:, :1],
    "joined": lambda np, a, b: np.concatenate((a[:1], b[1:])),
    "rearranged": lambda np, a, b: np.reshape(a.T, (2, 3)),
    "maximum": lambda np, a, b: np.maximum(a, b + 0.0137),
    "relu": lambda np, a, b: np.maximum(a + 0.0241, 0.0 * a),
}
COMPLEX = SimpleNamespace(**vars(np) | {"maximum": lambda a, b: np.where(a.real > b.real, a, b)})
WEIGHTS = np.random.default_rng(5).normal(size=(12, 2, 3))
places = st.integers(0, 9)
graphs = st.lists(st.tuples(st.sampled_from(sorted(STEPS)), places, places), min_size=1, max_size=9)
seeds = st.integers(0, 2**16)


def total(graph, lib, weights=WEIGHTS):
    """The function of two arrays that a graph computes: a weighted sum of every result."""

    def f(x, y):
        results = [x, y]
        for step, i, j in graph:
            a, b = results[-1 - i % len(results)], results[-1 - j % len(results)]
            results.append(lib.tanh(0.5 * STEPS[step](lib, a, b)))
        return sum(lib.sum(result * w) for result, w in zip(results, weights, strict=False))

    return f


def draw(seed):
    """Two arrays, and directions in which to move them."""
    return np.random.default_rng(seed).normal(size=(2, 2, 2, 3))


@GRAPHS
@given(graphs, seeds)
def test_gradients_of_graphs_equal_complex_steps(graph, seed):
    arrays, directions = draw(seed)
    found = te.grad(total(graph, np), (0, 1))(*arrays)
    f, h = total(graph, COMPLEX), 1e-30
    for k, index in np.ndindex(2, 6):
        step = np.zeros((2, 6), complex)
        step[k, index] = 1j * h
        slope = f(*(arrays + step.reshape(2, 2, 3))).imag / h
        np.testing.assert_allclose(found[k].flat[index], slope, **EXACT)
    tangent = te.jvp(total(graph, np), tuple(arrays), tuple(directions))[1]
    np.testing.assert_allclose(tangent, f(*(arrays + 1j * h * directions)).imag / h, **EXACT)


@TORCHS_OWN
def test_first_and_second_derivatives_of_graphs_equal_those_of_other_frameworks(framework):
    weights, transforms, both = framework.number(WEIGHTS), framework.transforms, (0, 1)

    @GRAPHS
    @given(graphs, seeds)
    def compare(graph, seed):
        arrays, directions = draw(seed)
        xs, ts = (tuple(map(framework.number, group)) for group in (arrays, directions))
        theirs = transforms.jvp(transforms.grad(total(graph, framework.numpy, weights), both), xs, ts)
        ours = te.jvp(te.grad(total(graph, np), both), tuple(arrays), tuple(directions))
        np.testing.assert_allclose(ours, [list(map(np.asarray, group)) for group in theirs], **EXACT)

    compare()
