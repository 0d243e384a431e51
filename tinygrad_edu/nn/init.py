"""Initialisers: the random numbers that weights start from.

Each is a function of a shape `(in, out)` and a random generator. Their scale is chosen so that the variance of
activations, or of gradients, stays about the same from layer to layer; then neither vanishes nor explodes.
Sources: Glorot and Bengio, "Understanding the difficulty of training deep feedforward neural networks" (2010);
He, Zhang, Ren and Sun, "Delving deep into rectifiers" (2015).
"""

from __future__ import annotations

import math
from collections.abc import Callable
from inspect import cleandoc
from typing import Any, ParamSpec

import numpy as np

from tinygrad_edu.errors import refusal
from tinygrad_edu.inputs import Generator
from tinygrad_edu.kinds import GENERATOR, SHAPE, expecting
from tinygrad_edu.names import answering

__all__ = ["fans", "glorot_normal", "glorot_uniform", "he_normal", "he_uniform", "normal", "uniform", "zeros"]

P = ParamSpec("P")
Shape = tuple[int, ...]
Array = np.ndarray[Any, Any]
Initialiser = Callable[[Shape, Generator], Array]

PARAMETERS = "Parameters\n----------\n"
SHAPE_AND_RNG = "shape, rng\n    The shape of the array, such as (in, out), and the generator to draw from.\n"


def drawn(name: str, init: Initialiser, shape: Shape, rng: Generator, dtype: Any) -> Array:
    """What an initialiser gives for a shape, as floating point numbers of a dtype; or a refusal that names it."""
    if not callable(init):
        use = "such as nn.init.he_normal, or lambda shape, rng: np.full(shape, 0.1)"
        raise refusal(TypeError, f"{name} is a function (shape, rng), {use}; got a {type(init).__name__}")
    try:
        array = init(shape, rng)
    except TypeError as error:
        call = f"{getattr(init, '__name__', type(init).__name__)}(shape, rng)"
        raise refusal(TypeError, f"{name} is a function (shape, rng), and {call} fails: {error}") from error
    if np.shape(array) != shape:
        raise refusal(ValueError, f"{name} gave an array of shape {np.shape(array)}; {shape} was asked for")
    return np.asarray(array, dtype)


def fans(shape: Shape) -> tuple[int, int]:
    """How many numbers go into one output, and into how many outputs one input goes.

    Parameters
    ----------
    shape
        Of a weight, (in, out): the fans are `in` and `out`. Leading axes count as inputs.
    """
    if not shape or 0 in shape:
        raise refusal(ValueError, f"a weight has a shape (in, out), with at least one entry; got {shape}")
    return math.prod(shape[:-1]), shape[-1]


def initialiser(draw: Callable[P, Array]) -> Callable[P, Array]:
    """A decorator: refuse what is no shape or no generator, and tell in the docstring what both are."""
    about, _, more = cleandoc(draw.__doc__ or "").partition(PARAMETERS)
    draw.__doc__ = f"{about.rstrip()}\n\n{PARAMETERS}{SHAPE_AND_RNG}{more}"
    return expecting(shape=SHAPE, rng=GENERATOR)(draw)


@expecting(shape=SHAPE)
def zeros(shape: Shape, rng: Generator) -> Array:
    """An array of zeros, which biases start from.

    Parameters
    ----------
    shape, rng
        The shape of the array, such as (out,); nothing is drawn.
    """
    return np.zeros(shape)


@initialiser
def normal(shape: Shape, rng: Generator, mean: float = 0.0, std: float = 1.0) -> Array:
    """An array from the normal distribution N(mean, std^2).

    Parameters
    ----------
    mean, std
        Mean and standard deviation.
    """
    return rng.normal(mean, std, shape)


@initialiser
def uniform(shape: Shape, rng: Generator, low: float = -1.0, high: float = 1.0) -> Array:
    """An array from the uniform distribution on [low, high).

    Parameters
    ----------
    low, high
        The ends of the interval.
    """
    return rng.uniform(low, high, shape)


@initialiser
def glorot_uniform(shape: Shape, rng: Generator) -> Array:
    """An array from U(-a, a), a = sqrt(6 / (in + out)), for layers before a tanh or sigmoid (Glorot, equation 16)."""
    bound = math.sqrt(6 / sum(fans(shape)))
    return rng.uniform(-bound, bound, shape)


@initialiser
def glorot_normal(shape: Shape, rng: Generator) -> Array:
    """An array from N(0, 2 / (in + out)), for layers before a tanh or sigmoid (Glorot, equation 12)."""
    return rng.normal(0.0, math.sqrt(2 / sum(fans(shape))), shape)


@initialiser
def he_normal(shape: Shape, rng: Generator) -> Array:
    """An array from N(0, 2 / in), for layers before a ReLU (He, equation 10)."""
    return rng.normal(0.0, math.sqrt(2 / fans(shape)[0]), shape)


@initialiser
def he_uniform(shape: Shape, rng: Generator) -> Array:
    """An array from U(-a, a), a = sqrt(6 / in), for layers before a ReLU (variance 2 / in of He, equation 10)."""
    bound = math.sqrt(6 / fans(shape)[0])
    return rng.uniform(-bound, bound, shape)


__getattr__ = answering(__name__, __all__)
