"""A synthetic table of house prices, to fit a line to.

The documents give the model, `price = weight_area * area + weight_age * age + bias`, and no table. This one is drawn
from the model with known weights and some noise, so that a fit can be held against the truth.
"""

from __future__ import annotations

from typing import Any

import numpy as np

Array = np.ndarray[Any, np.dtype[np.float64]]


WEIGHT_AREA = 2.5
WEIGHT_AGE = -1.2
BIAS = 40.0
NOISE = 8.0


def house_prices(count: int = 60, rng: int | np.random.Generator = 0) -> tuple[Array, Array]:
    """Made-up houses and their prices, `2.5 * area - 1.2 * age + 40` plus normal noise of standard deviation 8.

    Parameters
    ----------
    count
        How many houses, at least 1.
    rng
        A seed or a generator.

    Returns
    -------
    x
        (count, 2): the area in square metres, from 40 to 200, and the age in years, from 0 to 60.
    price
        (count, 1), in thousands.

    Raises
    ------
    ValueError
        For less than one house.
    """
    if count < 1:
        raise ValueError(f"count is {count}; it must be at least 1")
    rng = np.random.default_rng(rng)
    area = rng.uniform(40.0, 200.0, count)
    age = rng.uniform(0.0, 60.0, count)
    price = WEIGHT_AREA * area + WEIGHT_AGE * age + BIAS + rng.normal(0.0, NOISE, count)
    return np.stack([area, age], axis=1), price[:, None]
