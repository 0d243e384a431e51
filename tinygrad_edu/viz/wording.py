"""Numbers, arrays and names as the text of a picture.

Every view of a graph shows the same words, because all of them come from here: four digits, arrays in full up to
four numbers, names without characters that could change how the rest is read.

Source: Unicode Standard Annex 9 for what bidirectional controls can do to a line.
"""

from __future__ import annotations

from math import log10

import numpy as np

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

FULL = 4
LONGEST = 40


def number(x: Any) -> str:
    """Four digits of a number: 0.4265, 1e-12, nan, -infinity."""
    text = f"{float(x):.4g}"
    return {"inf": "infinity", "-inf": "-infinity", "-0": "0"}.get(text, text)


def array(data: Any) -> str:
    """Up to four numbers in full; of larger arrays the shape and the Euclidean norm."""
    data = np.asarray(data)
    if data.size == 1:
        return number(data.item())
    if data.size <= FULL and max(data.shape) <= FULL:
        return str(nested(data.tolist())).replace("'", "")
    return f"{shape(data)}, norm {number(norm(data))}"


def nested(items: Any) -> Any:
    """A list of numbers, or of lists of them, with text in place of the numbers."""
    if not isinstance(items, list):
        return number(items)
    return [nested(item) for item in items]  # as deep as the array has axes


def shape(data: Any) -> str:
    """The shape as NumPy writes it: (4, 3)."""
    return str(tuple(np.shape(data)))


def norm(data: Any) -> float:
    """The Euclidean norm over all entries, in units of the largest: 1e200 and 1e-200 have no square."""
    sizes = np.abs(np.asarray(data, dtype=float))
    largest = float(sizes.max(initial=0.0))
    if sizes.size == 1 or not 0.0 < largest < np.inf:
        return largest
    with np.errstate(all="ignore"):
        return largest * float(np.sqrt(np.sum(np.square(sizes / largest))))


def clean(name: Any, longest: int = LONGEST) -> str:
    """A name on one line, without control, bidirectional or unpaired characters, and not too long."""
    text = str(name)[: 4 * longest]
    if not text.isprintable():
        text = "".join(" " if c.isspace() else c if c.isprintable() else "" for c in text)
    words = " ".join(text.split())
    if len(words) <= longest and len(str(name)) <= 4 * longest:
        return words
    return f"{words[: longest - 3].rstrip()}..."


def ascii_only(text: str) -> str:
    """The text for terminals that know ASCII only."""
    return text.encode("ascii", "backslashreplace").decode("ascii")


def how_many(count: int) -> str:
    """A count with separators, and of one with more than 18 digits its order of magnitude."""
    if count < 10**18:
        return f"{count:,}"
    return f"about 10^{int(log10(count))}"
