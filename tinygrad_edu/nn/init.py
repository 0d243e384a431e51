"""Initialisers: the random numbers that weights start from.

Each is a function of a shape `(in, out)` and a random generator. Their scale is chosen so that the variance of
activations, or of gradients, stays about the same from layer to layer; then neither vanishes nor explodes.

Sources: Glorot and Bengio, "Understanding the difficulty of training deep feedforward neural networks" (2010);
He, Zhang, Ren and Sun, "Delving deep into rectifiers" (2015).
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from tinygrad_edu.errors import refusal

Shape = tuple[int, ...]
Generator = np.random.Generator | np.random.RandomState
Seed = int | Generator | None
Initialiser = Callable[[Shape, Generator], np.ndarray[Any, Any]]
Array = np.ndarray[Any, Any]


def generator(rng: Seed) -> Generator:
    """The random generator that a seed stands for; a generator is returned as it is.

    Parameters
    ----------
    rng
        A whole number from 0 as the seed, None for a generator that differs in every run, or a generator, either
        `np.random.Generator` or the legacy `np.random.RandomState`; anything else is a TypeError.
    """
    if isinstance(rng, np.random.RandomState | np.random.Generator):
        return rng
    if rng is None or (isinstance(rng, int | np.integer) and not isinstance(rng, bool) and rng >= 0):
        return np.random.default_rng(rng)
    got = rng if isinstance(rng, int) else type(rng).__name__
    use = "a whole number from 0, np.random.default_rng(...) or None"
    raise refusal(TypeError, f"rng is {use}; got {got}")


def fans(shape: Shape) -> tuple[int, int]:
    """How many numbers go into one output, and into how many outputs one input goes.

    Parameters
    ----------
    shape
        Of a weight, (in, out): the fans are `in` and `out`. Leading axes count as inputs.
    """
    return math.prod(shape[:-1]), shape[-1]


def zeros(shape: Shape, rng: Generator) -> Array:
    """An array of zeros, which biases start from.

    Parameters
    ----------
    shape, rng
        The shape of the array, such as (out,); nothing is drawn.
    """
    return np.zeros(shape)


def normal(shape: Shape, rng: Generator, mean: float = 0.0, std: float = 1.0) -> Array:
    """An array from the normal distribution N(mean, std^2).

    Parameters
    ----------
    shape, rng
        The shape of the array, such as (in, out), and the generator to draw from.
    mean, std
        Mean and standard deviation.
    """
    return rng.normal(mean, std, shape)


def uniform(shape: Shape, rng: Generator, low: float = -1.0, high: float = 1.0) -> Array:
    """An array from the uniform distribution on [low, high).

    Parameters
    ----------
    shape, rng
        The shape of the array, such as (in, out), and the generator to draw from.
    low, high
        The ends of the interval.
    """
    return rng.uniform(low, high, shape)


def glorot_uniform(shape: Shape, rng: Generator) -> Array:
    """An array from U(-a, a) with a = sqrt(6 / (in + out)), for layers before a tanh or sigmoid.

    Source: Glorot and Bengio (2010), equation 16.

    Parameters
    ----------
    shape, rng
        The shape of the array, such as (in, out), and the generator to draw from.
    """
    bound = math.sqrt(6 / sum(fans(shape)))
    return rng.uniform(-bound, bound, shape)


def glorot_normal(shape: Shape, rng: Generator) -> Array:
    """An array from N(0, 2 / (in + out)), for layers before a tanh or sigmoid.

    Source: Glorot and Bengio (2010), equation 12.

    Parameters
    ----------
    shape, rng
        The shape of the array, such as (in, out), and the generator to draw from.
    """
    return rng.normal(0.0, math.sqrt(2 / sum(fans(shape))), shape)


def he_normal(shape: Shape, rng: Generator) -> Array:
    """An array from N(0, 2 / in), for layers before a ReLU.

    Source: He et al. (2015), equation 10.

    Parameters
    ----------
    shape, rng
        The shape of the array, such as (in, out), and the generator to draw from.
    """
    return rng.normal(0.0, math.sqrt(2 / fans(shape)[0]), shape)


def he_uniform(shape: Shape, rng: Generator) -> Array:
    """An array from U(-a, a) with a = sqrt(6 / in), for layers before a ReLU.

    Source: He et al. (2015), equation 10, for the variance 2 / in.

    Parameters
    ----------
    shape, rng
        The shape of the array, such as (in, out), and the generator to draw from.
    """
    bound = math.sqrt(6 / fans(shape)[0])
    return rng.uniform(-bound, bound, shape)
