"""Numbers, arrays and lines as text: the one place where records become something to read.

Every view of a graph shows the same words, because all of them come from here: four digits, and arrays in full up to
four numbers. An answer in words is a `Text`, a `str` of whole lines. Printed, its lines are folded to fit the window;
a prompt or a notebook that shows its `repr` shows lines as well, and codes for a terminal are only ever added there.

Source: the convention of no-color.org.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Sequence
from math import log10
from shutil import get_terminal_size
from textwrap import wrap
from typing import Any

import numpy as np

from tinygrad_edu.viz.model.records import Box
from tinygrad_edu.viz.model.replay import fetched, norm

FULL = 4
"""Arrays with so many entries are shown in full: a line of a box has room for four numbers of four digits."""

TERMS = 4
"""So many contributions to a gradient are written out; the others are one term."""

NARROWEST = 40
WIDEST = 118
"""Lines are folded to the width of the window between these: narrower breaks names, wider is hard to read."""

BOLD = "\x1b[1m"
PLAIN = "\x1b[0m"


def number(x: Any) -> str:
    """Four digits of a number: 0.4265, 1e-12, nan, -infinity."""
    text = f"{float(x):.4g}"
    return {"inf": "infinity", "-inf": "-infinity", "-0": "0"}.get(text, text)


def array(data: Any) -> str:
    """Up to four numbers in full; of larger arrays the shape and the Euclidean norm."""
    data = np.asarray(fetched(data))
    if data.size == 1:
        return number(data.item())
    if data.size <= FULL and max(data.shape) <= FULL:
        return str(nested(data.tolist())).replace("'", "")
    return f"{shape(data)}, norm {number(norm(data))}"


def few(data: Any, otherwise: str) -> str:
    """The numbers of an array that has few of them; else something shorter."""
    return array(data) if np.size(data) <= FULL else otherwise


def nested(items: Any) -> Any:
    """A list of numbers, or of lists of them, with text in place of the numbers."""
    if not isinstance(items, list):
        return number(items)
    return [nested(item) for item in items]  # as deep as the array has axes


def shape(data: Any) -> str:
    """The shape as NumPy writes it: (4, 3)."""
    return str(tuple(np.shape(data)))


def how_many(count: int) -> str:
    """A count with separators, and of one with more than 18 digits its order of magnitude."""
    if count < 10**18:
        return f"{count:,}"
    return f"about 10^{int(log10(count))}"


def bracketed(name: str) -> str:
    """A negative number in parentheses."""
    return f"({name})" if name.startswith("-") else name


def data(box: Box) -> str:
    """The data of a box, nothing at copies; in a comparison what it was and what it is."""
    return "" if box.kind == "copy" else compared(box, "data", array(box.data))


def gradient(box: Box) -> str:
    """The gradient of a box, as a sum where it has several terms; '-' before backward, and nothing at constants."""
    if box.kind in ("constant", "copy"):
        return ""
    held = compared(box, "grad", "-" if box.grad is None else array(box.grad))
    terms = [] if "grad" in box.before else summands(box.contributions, box.earlier)
    return held if len(terms) < 2 else f"{' + '.join(terms)} = {held}"


def compared(box: Box, quantity: str, now: str) -> str:
    """A number of a box, after what it was in the pass it is compared with."""
    if quantity not in box.before:
        return now
    before = box.before[quantity]
    return f"{'-' if before is None else array(before)} -> {now}"


def summands(contributions: Sequence[Any], earlier: Any | None) -> list[str]:
    """What was passed to a Value, the largest first, and what was there before."""
    largest = sorted(contributions, key=norm, reverse=True)
    terms = [array(contribution) for contribution in largest[:TERMS]]
    if len(largest) > TERMS:
        terms.append(f"{len(largest) - TERMS:,} more {array(sum(largest[TERMS:]))}")
    return terms if earlier is None else [*terms, f"{array(earlier)} left from earlier"]


def kind_of_array(box: Box, detail: str) -> str:
    """Shape and dtype of an array that is not shown in full, where a picture has room for its heat map."""
    if detail != "everything" or np.size(box.data) <= FULL:
        return ""
    return f"{shape(box.data)} {box.data.dtype}"


def folded_count(box: Box) -> str:
    """How much is in a folded box: its repetitions and its Values."""
    size = f"{box.size:,} value{'s' * (box.size > 1)}"
    return f"x{box.repeats:,}, {size}" if box.repeats > 1 else size


class Text(str):
    """Lines of text that are folded when printed, and show as lines also where Python shows a `repr`."""

    __slots__ = ()

    def __str__(self) -> str:
        width = min(max(get_terminal_size().columns - 1, NARROWEST), WIDEST)
        return "\n".join(part for line in self.splitlines() for part in folded(line, width))

    def __repr__(self) -> str:
        return emphasised(str(self)) if colour_is_welcome(sys.stdout) else str(self)


def laid_out(lines: Iterable[str]) -> Text:
    """Lines as one text."""
    return Text("\n".join(map(printable, lines)))


def joined(*parts: Text) -> Text:
    """Texts below each other, with an empty line between."""
    return laid_out([line for part in parts for line in ("", *part.splitlines())][1:])


def printable(line: str) -> str:
    """One line of ASCII, without anything that a terminal could take for a command."""
    shown = "".join(c if c.isprintable() else " " if c.isspace() else "" for c in line)
    return shown.encode("ascii", "backslashreplace").decode("ascii")


def folded(line: str, width: int) -> list[str]:
    """A line cut at spaces into pieces that fit."""
    indent = " " * (len(line) - len(line.lstrip()) + 4)
    room = max(width, len(indent) + NARROWEST // 2)
    return wrap(line, room, subsequent_indent=indent, break_on_hyphens=False) or [""]


def emphasised(text: str) -> str:
    """The lines that are not indented, the headings, in bold."""
    lines = text.splitlines()
    return "\n".join(f"{BOLD}{line}{PLAIN}" if line[:1].strip() else line for line in lines)


def colour_is_welcome(stream: Any) -> bool:
    """Whether a stream is a terminal whose user has not declined colours."""
    if os.environ.get("NO_COLOR") or os.environ.get("TERM") == "dumb":
        return False
    return bool(getattr(stream, "isatty", bool)())
