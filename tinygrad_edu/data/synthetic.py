"""Synthetic data: house prices to fit a line to, and two moons, which no straight line can part.

The documents give the model of the prices, `price = weight_area * area + weight_age * age + bias`, and no table. This
one is drawn from the model with known weights and some noise, so that a fit can be held against the truth. The moons
are two half circles that reach into each other, in the plane, so that what a network has learnt can be drawn.
Source: the moons are those of scikit-learn's `make_moons` (Pedregosa et al., 2011).
"""

from __future__ import annotations

from typing import Any

import numpy as np

from tinygrad_edu.errors import refusal
from tinygrad_edu.inputs import Seed, generator
from tinygrad_edu.kinds import NUMBER, check, whole
from tinygrad_edu.names import spelled

Array = np.ndarray[Any, np.dtype[np.float64]]

WEIGHT_AREA, WEIGHT_AGE, BIAS, NOISE = 2.5, -1.2, 40.0, 8.0


@spelled
def house_prices(count: int = 60, rng: Seed = 0) -> tuple[Array, Array]:
    """Made-up houses and their prices, `2.5 * area - 1.2 * age + 40` plus normal noise of standard deviation 8.

    Parameters
    ----------
    count, rng
        How many houses, at least 1, and a seed or a generator.

    Returns
    -------
    x, price
        (count, 2): area in square metres, 40 to 200, and age in years, 0 to 60; and (count, 1), in thousands.
    """
    count, drawn = whole("count", count), generator(rng)
    area, age = drawn.uniform(40.0, 200.0, count), drawn.uniform(0.0, 60.0, count)
    price = WEIGHT_AREA * area + WEIGHT_AGE * age + BIAS + drawn.normal(0.0, NOISE, count)
    return np.stack([area, age], axis=1), price[:, None]


@spelled
def moons(count: int = 200, noise: float = 0.1, rng: Seed = 0) -> tuple[Array, Array]:
    """Two half circles: points x (count, 2), and y (count, 1), which is 0 in the upper and 1 in the lower moon.

    Both have radius 1; the upper is centred on (0, 0), the lower on (1, 0.5). Each holds half of the points, the
    upper one more if the number is odd, at random places.

    Parameters
    ----------
    count, noise, rng
        How many points, at least 2; the standard deviation of the normal noise, at least 0; a seed or a generator.
    """
    if whole("count", count) < 2:
        raise refusal(ValueError, f"count is {count}; two moons need at least 2 points")
    check("moons", {"noise": NUMBER}, {"noise": noise})
    if not noise >= 0:
        raise refusal(ValueError, f"noise is {noise}; it must be at least 0")
    drawn = generator(rng)
    lower = np.arange(count) >= (count + 1) // 2
    angle = drawn.uniform(0.0, np.pi, count)
    side = np.where(lower, -1.0, 1.0)
    x = np.stack([side * np.cos(angle) + lower, side * np.sin(angle) + 0.5 * lower], axis=1)
    return x + drawn.normal(0.0, noise, x.shape), lower[:, None].astype(float)
