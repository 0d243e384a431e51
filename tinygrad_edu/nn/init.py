"""Initialisers: the random numbers that weights start from.

Each is a function of a shape `(in, out)` and a generator. The scale is the point: it keeps the variance of
activations, or of gradients, about the same from layer to layer, so that neither vanishes nor explodes.

Sources: Glorot and Bengio, "Understanding the difficulty of training deep feedforward neural networks" (2010);
He, Zhang, Ren and Sun, "Delving deep into rectifiers" (2015).
"""

from __future__ import annotations

import math

import numpy as np

from tinygrad_edu.errors import user_line

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    Shape = tuple[int, ...]
    Generator = np.random.Generator | np.random.RandomState
    Seed = int | Generator | None
    Initialiser = Callable[[Shape, Generator], np.ndarray[Any, Any]]
    Array = np.ndarray[Any, Any]


def generator(rng: Seed) -> Generator:
    """A generator from a seed; a generator, NumPy's legacy one included, is used as it is.

    Raises
    ------
    TypeError
        For anything else: NumPy would take some of it for a seed, and crash on some.
    """
    if isinstance(rng, np.random.RandomState | np.random.Generator):
        return rng
    if rng is None or (isinstance(rng, int | np.integer) and not isinstance(rng, bool) and rng >= 0):
        return np.random.default_rng(rng)
    got = rng if isinstance(rng, int) else type(rng).__name__
    use = "a whole number from 0, np.random.default_rng(...) or None"
    raise TypeError(f"rng is {use}; got {got} ({user_line()})")


def fans(shape: Shape) -> tuple[int, int]:
    """How many numbers go into one output, and into how many outputs one input goes."""
    return math.prod(shape[:-1]), shape[-1]


def zeros(shape: Shape, rng: Generator) -> Array:
    """Zeros, as biases start; no random number is drawn."""
    return np.zeros(shape)


def normal(shape: Shape, rng: Generator, mean: float = 0.0, std: float = 1.0) -> Array:
    """Normal numbers, standard ones unless told otherwise."""
    return rng.normal(mean, std, shape)


def uniform(shape: Shape, rng: Generator, low: float = -1.0, high: float = 1.0) -> Array:
    """Uniform numbers in [low, high)."""
    return rng.uniform(low, high, shape)


def glorot_uniform(shape: Shape, rng: Generator) -> Array:
    """U(-a, a) with a = sqrt(6 / (in + out)): Glorot and Bengio (2010), equation 16; for tanh and sigmoid."""
    bound = math.sqrt(6 / sum(fans(shape)))
    return rng.uniform(-bound, bound, shape)


def glorot_normal(shape: Shape, rng: Generator) -> Array:
    """N(0, 2 / (in + out)): Glorot and Bengio (2010), equation 12; for tanh and sigmoid."""
    return rng.normal(0.0, math.sqrt(2 / sum(fans(shape))), shape)


def he_normal(shape: Shape, rng: Generator) -> Array:
    """N(0, 2 / in): He et al. (2015), equation 10; for ReLU."""
    return rng.normal(0.0, math.sqrt(2 / fans(shape)[0]), shape)


def he_uniform(shape: Shape, rng: Generator) -> Array:
    """U(-a, a) with a = sqrt(6 / in), of the variance of He et al. (2015), equation 10; for ReLU."""
    bound = math.sqrt(6 / fans(shape)[0])
    return rng.uniform(-bound, bound, shape)
