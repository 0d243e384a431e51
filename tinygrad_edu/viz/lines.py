"""Which line of the user's program made a Value: noted inside `with recording():`, and only there.

To look at the caller's frame costs more than an operation, so the engine never does. While a block is open, it tells
of every Value that it makes (`listeners.py`), and the line is noted. Notes go when their Values go.

Source: linecache, with which Python's own tracebacks show source text.
"""

from __future__ import annotations

import linecache
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from functools import partial
from os.path import basename
from typing import Any
from weakref import ref

from tinygrad_edu.errors import user_frame
from tinygrad_edu.graph import Node
from tinygrad_edu.listeners import Listener, listening
from tinygrad_edu.table import Op
from tinygrad_edu.viz.model.names import clean

Note = tuple[ref[Node], str, int, str]

LONGEST = 80
"""Of a longer line of a program only the beginning is shown: it has to fit beside numbers."""

LAST: ContextVar[ref[Node] | None] = ContextVar("last", default=None)
NOTES: dict[int, Note] = {}


@dataclass(frozen=True)
class Line:
    """A line of the user's program.

    Parameters
    ----------
    file, number
        Its file, and its number from 1.
    text
        What it says, or nothing where the file cannot be read.
    forgotten
        The operation that made the Value, where `no_grad()` kept the engine from remembering it.
    """

    file: str
    number: int
    text: str
    forgotten: str = ""

    def __str__(self) -> str:
        return f"{clean(basename(self.file))}:{self.number}"


@contextmanager
def recording() -> Iterator[None]:
    """A block in which every new Value is remembered with the line that made it, which pictures in words then name.

    It holds for this thread or task only, blocks can be nested, and a Value keeps its line after the block. An
    operation takes several times as long while it lasts.
    """
    with listening(Notes()):
        yield


class Notes(Listener):
    """Notes the line of every new Value, for as long as that lives, and whose backward pass was the last."""

    def made(self, value: Node, op: Op | None) -> None:
        """Note where the user's program stands, and the operation if its result does not remember it."""
        frame, _ = user_frame()
        forgotten = op.name if op is not None and value.op is None else ""
        # the key is its number: Values compare by their data, so a dict of weak references would not find them
        gone = ref(value, partial(NOTES.pop, value.number))
        NOTES[value.number] = (gone, frame.f_code.co_filename, frame.f_lineno, forgotten)

    def differentiated(self, root: Node, seed: Any, gradients: Any, added: bool) -> None:
        """Note whose backward pass it was."""
        look_at(root)


def look_at(root: Node) -> None:
    """Remember the result that is looked at, so that questions about a weight need not name it again."""
    LAST.set(ref(root))


def line_of(node: Node) -> Line | None:
    """The line that made a Value, if that was inside `recording()`; copies have none.

    Parameters
    ----------
    node
        The Value.
    """
    if node.number not in NOTES:
        return None
    _, file, number, forgotten = NOTES[node.number]
    return Line(file, number, clean(read(file, number), LONGEST), forgotten)


def read(file: str, number: int) -> str:
    """A line of a file; nothing where there is no such file, or where no file can have such a name."""
    try:
        return linecache.getline(file, number)
    except ValueError:
        return ""


def last_result() -> Node | None:
    """The result that was traced or drawn last, or went backward inside `recording()`, if it still exists."""
    last = LAST.get()
    return None if last is None else last()
