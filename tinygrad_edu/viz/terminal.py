"""Text for terminals: printable ASCII, as wide as the window, bold headings where colour is welcome.

An answer is a `str` of whole lines, to be searched and saved. Printed, its lines are folded to fit the window; a
prompt or a notebook that shows its `repr` shows lines as well, and codes for a terminal are only ever added there.

Source: the convention of no-color.org.
"""

from __future__ import annotations

import os
import sys
from shutil import get_terminal_size
from textwrap import wrap

from tinygrad_edu.viz.wording import ascii_only

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Any

NARROWEST, WIDEST = 40, 118
BOLD, PLAIN = "\x1b[1m", "\x1b[0m"


class Text(str):
    """Lines of text that are folded when printed, and show as lines also where Python shows a `repr`."""

    __slots__ = ()

    def __str__(self) -> str:
        width = window()
        return "\n".join(part for line in self.splitlines() for part in folded(line, width))

    def __repr__(self) -> str:
        return emphasised(str(self)) if colour_is_welcome(sys.stdout) else str(self)


def laid_out(lines: Iterable[str]) -> Text:
    """Lines as one text."""
    return Text("\n".join(map(printable, lines)))


def window() -> int:
    """How many characters fit on a line: the terminal's, within reason."""
    return min(max(get_terminal_size().columns - 1, NARROWEST), WIDEST)


def printable(line: str) -> str:
    """One line without anything that a terminal could take for a command."""
    return ascii_only("".join(c if c.isprintable() else " " if c.isspace() else "" for c in line))


def folded(line: str, width: int) -> list[str]:
    """A line cut at spaces into pieces that fit."""
    indent = " " * (len(line) - len(line.lstrip()) + 4)
    return wrap(line, max(width, len(indent) + NARROWEST // 2), subsequent_indent=indent, break_on_hyphens=False) or [
        ""
    ]


def emphasised(text: str) -> str:
    """The lines that are not indented, the headings, in bold."""
    lines = text.splitlines()
    return "\n".join(f"{BOLD}{line}{PLAIN}" if line[:1].strip() else line for line in lines)


def colour_is_welcome(stream: Any) -> bool:
    """Whether a stream is a terminal whose user has not declined colours."""
    if os.environ.get("NO_COLOR") or os.environ.get("TERM") == "dumb":
        return False
    return bool(getattr(stream, "isatty", bool)())
