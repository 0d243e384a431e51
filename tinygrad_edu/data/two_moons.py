"""Two moons: the smallest problem that a straight line cannot solve and that looks like it.

Two half circles reach into each other, so the boundary between them is a curve. The points lie in the plane, so what
a network has learnt can be drawn.

Source: the pattern is that of scikit-learn's `make_moons` (Pedregosa et al., 2011).
"""

from __future__ import annotations

from typing import Any

import numpy as np

Array = np.ndarray[Any, np.dtype[np.float64]]


def moons(count: int = 200, noise: float = 0.1, rng: int | np.random.Generator = 0) -> tuple[Array, Array]:
    """Two half circles: points x (count, 2), and y (count, 1), which is 0 in the upper and 1 in the lower moon.

    Both have radius 1; the upper is centred on (0, 0), the lower on (1, 0.5). Each holds half of the points, at
    random places.

    Parameters
    ----------
    count
        How many points, at least 2; if the number is odd, the upper moon has one more.
    noise
        The standard deviation of the normal noise in both directions, at least 0.
    rng
        A seed or a generator.

    Raises
    ------
    ValueError
        For less than two points, and for a negative noise.
    """
    if count < 2:
        raise ValueError(f"count is {count}; two moons need at least 2 points")
    if not noise >= 0:
        raise ValueError(f"noise is {noise}; it must be at least 0")
    rng = np.random.default_rng(rng)
    lower = np.arange(count) >= (count + 1) // 2
    angle = rng.uniform(0.0, np.pi, count)
    side = np.where(lower, -1.0, 1.0)
    x = np.stack([side * np.cos(angle) + lower, side * np.sin(angle) + 0.5 * lower], axis=1)
    return x + rng.normal(0.0, noise, x.shape), lower[:, None].astype(float)
