"""Which line of the user's program made a Value: noted inside `with recording():`, and only there.

To look at the caller's frame costs more than an operation, so the engine never does. While a block is open, the
functions through which it makes Values are exchanged for ones that also note the line, for the thread or task that
opened it; afterwards they are what they were. Notes go when their Values go.

Source: linecache, with which Python's own tracebacks show source text.
"""

from __future__ import annotations

import linecache
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from functools import partial
from os.path import basename
from threading import Lock
from weakref import ref

from tinygrad_edu import value
from tinygrad_edu.backward import backpropagate
from tinygrad_edu.errors import user_frame
from tinygrad_edu.value import record, start
from tinygrad_edu.viz.wording import clean

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

    from tinygrad_edu.graph import Node
    from tinygrad_edu.op import Op
    from tinygrad_edu.value import Value

    Note = tuple[ref[Node], str, int, str]

LONGEST = 80
NOTING: ContextVar[bool] = ContextVar("noting", default=False)
LAST: ContextVar[ref[Node] | None] = ContextVar("last", default=None)
NOTES: dict[int, Note] = {}
BLOCKS: set[object] = set()
LOCK = Lock()


@dataclass(frozen=True)
class Line:
    """A line of the user's program: its file, its number from 1, its text where there is one.

    Attributes
    ----------
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
    """Inside, remember for every new Value the line that made it; pictures in words then name the lines.

    It holds for this thread or task only, blocks can be nested, and a Value keeps its line after the block. An
    operation takes several times as long while it lasts.
    """
    block, token = object(), NOTING.set(True)
    with LOCK:
        BLOCKS.add(block)
        exchange()
    try:
        yield
    finally:
        NOTING.reset(token)
        with LOCK:
            BLOCKS.remove(block)
            exchange()


def exchange() -> None:
    """Give the engine the functions that note lines while a block is open, and its own otherwise."""
    noting = {"record": noted_record, "start": noted_start, "backpropagate": noted_backpropagate}
    own = {"record": record, "start": start, "backpropagate": backpropagate}
    for name, function in (noting if BLOCKS else own).items():
        setattr(value, name, function)


def noted_record(op: Op, args: Any, saved: Any, options: dict[str, Any], aligned: bool) -> Value:
    """`value.record`, and the line."""
    made = record(op, args, saved, options, aligned)
    if NOTING.get():
        note(made, op.name if made.op is None else "")
    return made


def noted_start(made: Value, data: Any, name: str | None) -> Value:
    """`value.start`, and the line."""
    start(made, data, name)
    if NOTING.get():
        note(made, "")
    return made


def noted_backpropagate(root: Node, gradient: Any) -> dict[Node, Any]:
    """The backward pass, and whose it was."""
    if NOTING.get():
        LAST.set(ref(root))
    return backpropagate(root, gradient)


def note(made: Node, forgotten: str) -> None:
    """Remember where the user's program stands, for as long as a Value lives."""
    frame, _ = user_frame()
    # the key is its number: Values compare by their data, so a dict of weak references would not find them
    gone = ref(made, partial(NOTES.pop, made.number))
    NOTES[made.number] = (gone, frame.f_code.co_filename, frame.f_lineno, forgotten)


def line_of(node: Node) -> Line | None:
    """The line that made a Value, if that was inside `recording()`; copies have none."""
    if node.number not in NOTES:
        return None
    _, file, number, forgotten = NOTES[node.number]
    return Line(file, number, clean(linecache.getline(file, number), LONGEST), forgotten)


def last_result() -> Node | None:
    """The result on which `backward()` ran last inside `recording()`, if it still exists."""
    last = LAST.get()
    return None if last is None else last()
