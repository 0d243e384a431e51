"""The colours of all pictures by their roles, light and dark; and arrays as small pictures of coloured cells.

The dark palette keeps every hue and its role. An array is blue below zero, white at zero, orange above, black where
it is not a number; the scale is its own, from minus its largest magnitude to that. Of arrays with more entries than
cells, each cell shows the strongest entry of its block: an average would show a checkerboard as nothing.

Source: Okabe and Ito, "Color universal design" (2008), for hues that stay apart in any kind of colour vision;
Moreland, "Diverging Color Maps for Scientific Visualization" (2009).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

FONT = "Helvetica,Arial,DejaVu Sans,sans-serif"


@dataclass(frozen=True)
class Palette:
    """The colours of a picture, by their role."""

    paper: str
    ink: str
    quiet: str
    step: str
    step_ink: str
    value: str
    constant: str
    folded: str
    wanted: str
    live: str
    idle: str
    alarm: str


LIGHT = Palette(
    paper="white", ink="#1A1A1A", quiet="#444444", step="#FFD84D", step_ink="#1A1A1A", value="#CFE6FB",
    constant="#F2F2F2", folded="#FFF3C2", wanted="#C81E1E", live="#0B5394", idle="#8A8A8A", alarm="#D55E00",
)  # fmt: skip
DARK = Palette(
    paper="#14171C", ink="#F2F2F2", quiet="#B8BDC6", step="#FFD84D", step_ink="#1A1A1A", value="#1F4568",
    constant="#2A2E35", folded="#4A3F14", wanted="#FF7B72", live="#7DB7E8", idle="#8A8F98", alarm="#FFA24D",
)  # fmt: skip

BELOW, ZERO, ABOVE, NAN = (0x00, 0x72, 0xB2), (0xFF, 0xFF, 0xFF), (0xD5, 0x5E, 0x00), (0x1A, 0x1A, 0x1A)
SIDE = 16


def cells(data: Any, rows: int = 8, columns: int = 12) -> list[list[str]]:
    """The colours of an array row by row, each as "#rrggbb"; of more than two axes the last makes the columns.

    There are at most so many rows and columns of cells; smaller arrays have a cell per entry.
    """
    return [[f"#{r:02x}{g:02x}{b:02x}" for r, g, b in row] for row in colours(data, rows, columns).tolist()]


def thumbnail(data: Any) -> str:
    """The array as a PNG of one pixel per cell, in a data URI; nothing without Pillow and of an empty array."""
    from base64 import b64encode
    from io import BytesIO

    try:
        from PIL import Image
    except ImportError:
        return ""
    pixels, file = colours(data, SIDE, SIDE), BytesIO()
    if not pixels.size:
        return ""
    Image.fromarray(pixels).save(file, "PNG", optimize=True)
    return f"data:image/png;base64,{b64encode(file.getvalue()).decode()}"


def colours(data: Any, rows: int, columns: int) -> Any:
    """Red, green and blue of every cell, as bytes of shape (rows, columns, 3)."""
    grid = strongest(strongest(matrix(data), rows, 0), columns, 1)
    largest = np.max(np.abs(grid), initial=0.0, where=np.isfinite(grid)) or 1.0
    strength = np.clip(np.where(np.isnan(grid), 0.0, grid) / largest, -1.0, 1.0)[..., None]
    mixed = ZERO + np.abs(strength) * (np.where(strength < 0, BELOW, ABOVE) - np.array(ZERO))
    return np.where(np.isnan(grid)[..., None], NAN, np.rint(mixed)).astype(np.uint8)


def matrix(data: Any) -> Any:
    """The array with two axes, in double precision."""
    array = np.atleast_2d(np.asarray(data, dtype=float))
    return array.reshape(int(np.prod(array.shape[:-1])), array.shape[-1])


def strongest(grid: Any, most: int, axis: int) -> Any:
    """Blocks along an axis, at most so many, each replaced by its entry of largest magnitude; nan wins."""
    size = grid.shape[axis]
    if size <= most:
        return grid
    starts = np.arange(most) * size // most
    high, low = (extreme.reduceat(grid, starts, axis) for extreme in (np.maximum, np.minimum))
    return np.where(high < -low, low, high)
