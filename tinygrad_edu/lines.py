"""Which line of the user's program made a Value, noted inside `noting_lines()` only; and what was looked at last.

To look at the caller's frame costs more than an operation, so the engine never does. While a block is open, it tells
of every Value that it makes (`listeners.py`), and the line is noted. Notes go when their Values go.
Source: linecache, with which Python's own tracebacks show source text.
"""

from __future__ import annotations

import linecache
from contextlib import AbstractContextManager
from contextvars import ContextVar
from dataclasses import dataclass
from functools import partial
from os.path import basename
from typing import Any
from weakref import ref

from tinygrad_edu.errors import printable, user_frame
from tinygrad_edu.graph import Node
from tinygrad_edu.listeners import Listener, listening

LONGEST = 80  # characters of a line's text that a terminal shows beside something else
NOTES: dict[int, tuple[ref[Node], str, int, str]] = {}
LAST: ContextVar[ref[Node] | None] = ContextVar("last", default=None)


@dataclass(frozen=True)
class Line:
    """A line of the user's program: its file, its number from 1, its text where there is one.

    Parameters
    ----------
    file
        Its path.
    number
        Which line it is, from 1.
    text
        What it says, without the spaces before; empty where there is no such file.
    forgotten
        The operation that made the Value, where `no_grad()` kept the engine from remembering it.
    """

    file: str
    number: int
    text: str
    forgotten: str = ""

    def __str__(self) -> str:
        return f"{printable(basename(self.file))}:{self.number}"


class LineNotes(Listener):
    """Notes the line of every new Value."""

    def made(self, value: Node, op: Any) -> None:
        """Note where the user's program stands, for as long as the Value lives."""
        frame, _ = user_frame()
        forgotten = op.name if op is not None and value.op is None else ""
        # the key is its number: Values compare by their data, so a dict of weak references would not find them
        gone = ref(value, partial(NOTES.pop, value.number))
        NOTES[value.number] = (gone, frame.f_code.co_filename, frame.f_lineno, forgotten)


def noting_lines() -> AbstractContextManager[None]:
    """Inside, in this thread or task, note the line of every new Value; a Value keeps its line after the block."""
    return listening(LineNotes())


def line_of(node: Node) -> Line | None:
    """The line that made a Value, if it was noted; copies have none.

    Parameters
    ----------
    node
        The Value.
    """
    if node.number not in NOTES:
        return None
    _, file, number, forgotten = NOTES[node.number]
    text = printable(text_of(file, number).strip())
    return Line(file, number, text if len(text) <= LONGEST else f"{text[: LONGEST - 1]}…", forgotten)


def text_of(file: str, number: int) -> str:
    """A line of a file; nothing where there is no such file, or where no file can have such a name."""
    try:
        return linecache.getline(file, number)
    except ValueError:
        return ""


class LastPass(Listener):
    """Notes whose backward pass was the last."""

    def differentiated(self, root: Node, seed: Any, gradients: Any, added: bool) -> None:
        """Note whose backward pass it was."""
        look_at(root)


def look_at(root: Node) -> None:
    """Remember the result that is looked at, so that questions about a weight need not name it again.

    Parameters
    ----------
    root
        The result.
    """
    LAST.set(ref(root))


def last_result() -> Node | None:
    """The result that was traced or drawn last, or went backward inside `viz.recording()`, if it still exists."""
    last = LAST.get()
    return None if last is None else last()
