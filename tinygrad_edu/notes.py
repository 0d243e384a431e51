"""What is noted of a Value while somebody asks for it: its line, and what the arrays around it held.

To look at the caller's frame costs more than an operation, so the engine never does. While a block is open, it tells
of every Value that it makes (`listeners.py`), and the line is noted. Notes go when their Values go.

A graph keeps its own numbers of variables and results, but constants by reference, since copying every batch would
cost too much. So an array that is refilled between the forward and the backward pass gives wrong gradients, and
nothing says so. Inside `verified()` a backward pass first looks at every operation on such an array: whether the
array has the fingerprint that was taken when the operation was recorded, if that was inside too, and else whether the
operation, computed again from what was saved, gives what it gave, bit for bit. A difference is refused, with the
operand, the operation and its line.

Source: linecache, with which Python's own tracebacks show source text.
"""

from __future__ import annotations

import linecache
from collections.abc import Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from functools import partial
from os.path import basename
from typing import Any
from weakref import ref

import numpy as np

from tinygrad_edu import errors
from tinygrad_edu.errors import printable, user_frame
from tinygrad_edu.graph import Node, same_bits
from tinygrad_edu.listeners import Listener, listening

LONGEST = 80  # characters of a line's text that a terminal shows beside something else
NOTES: dict[int, tuple[ref[Node], str, int, str]] = {}
LAST: ContextVar[ref[Node] | None] = ContextVar("last", default=None)

Key = int | str
FIXED = (Node, float, int, np.generic, type)  # operands into which nobody can write
FINGERPRINTS: dict[int, tuple[ref[Node], dict[Key, int | None], dict[Key, str]]] = {}
"""Of the suspects of a node, by its number; and what the program called its operands where it recorded it."""
VERIFYING: ContextVar[bool] = ContextVar("verifying", default=False)


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
    if not isinstance(node, Node):
        raise errors.refusal(TypeError, f"line_of is asked about a Value; got a {type(node).__name__}")
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


# -- whether anything has changed since the forward pass ----------------------------------------------------------


@contextmanager
def verified(on: bool = True) -> Iterator[None]:
    """Inside, every backward pass first checks that no array has changed since the forward pass used it.

    It holds for this thread or task. Let it begin before the forward pass: then the line of each operation is noted,
    so that the error can name it, and any change is found. Around the backward pass alone, operations on constant
    arrays are computed again, which shows a change unless the result is the same, as that of `0 * batch`.
    `viz.recording()` and the checks of `testing` verify anyway.

    Parameters
    ----------
    on
        False ends it inside a block that verifies.

    Returns
    -------
    context manager
        For `with te.verified():`.

    Raises
    ------
    ValueError
        From the backward pass, if an operation computed again gives other numbers; no gradient is changed then.

    Examples
    --------
    >>> import numpy as np
    >>> import tinygrad_edu as te
    >>> batch, w = np.array([1.0, 2.0]), te.Value([3.0, 4.0], name="w")
    >>> loss = np.sum(w * batch)
    >>> batch[:] = 0.0
    >>> with te.verified():  # doctest: +ELLIPSIS
    ...     loss.backward()
    Traceback (most recent call last):
    ValueError: w * batch: batch has changed since the forward pass: ...
    """
    token = VERIFYING.set(on)
    try:
        if on:
            with noting_lines(), listening(Fingerprints()):
                yield
        else:
            yield
    finally:
        VERIFYING.reset(token)


class Fingerprints(Listener):
    """Takes the fingerprints of the arrays that an operation is given from outside of the graph."""

    def made(self, value: Node, op: Any) -> None:
        """Keep the fingerprints for as long as the Value lives."""
        if value.op is not None and is_exposed(value):
            gone = ref(value, partial(FINGERPRINTS.pop, value.number))
            marks = {key: fingerprint(given(value, key)) for key in suspects(value)}
            FINGERPRINTS[value.number] = gone, marks, names(value)


def verify(nodes: Iterable[Node]) -> None:
    """Refuse the first operation that has other operands now than when it was recorded."""
    with np.errstate(all="ignore"):
        for node in nodes:
            if node.op is not None and is_exposed(node) and (guilty := altered(node)):
                raise errors.refusal(ValueError, told(node, guilty))


def is_exposed(node: Node) -> bool:
    """Whether an operation has suspects; the quick way to ask."""
    for arg in node.args:
        if type(arg) is np.ndarray or (not isinstance(arg, FIXED) and refillable(arg)):
            return True
    return bool(node.options) and any(map(refillable, node.options.values()))


def altered(node: Node) -> list[Key]:
    """Which of the suspects have changed; all of them, where only the result tells that one has."""
    if node.number not in FINGERPRINTS:
        return [] if repeats(node) else suspects(node)
    _, marks, _ = FINGERPRINTS[node.number]
    changed = [key for key, mark in marks.items() if fingerprint(given(node, key)) != mark]
    return changed if changed or None not in marks.values() or repeats(node) else suspects(node)


def repeats(node: Node) -> bool:
    """Whether an operation gives what it gave, bit for bit."""
    try:
        before, *inputs = node.saved
        now = node.op.compute(*inputs, **node.options)
    except (IndexError, TypeError, ValueError, RuntimeWarning):  # an index that was refilled may point nowhere now
        return False
    return same_bits(now, before)


def fingerprint(thing: Any) -> int | None:
    """A number that tells arrays of other bits apart; None for an array of another library."""
    if isinstance(thing, tuple | list):
        return hash(tuple(fingerprint(part) for part in thing if refillable(part)))
    return hash(thing.tobytes()) if isinstance(thing, np.ndarray) else None


def suspects(node: Node) -> list[Key]:
    """Which operands, by place, and which options, by name, are arrays that somebody may have refilled.

    Values are not: a graph has arrays of its own for them.
    """
    found: list[Key] = [i for i, arg in enumerate(node.args) if refillable(arg)]
    return found + [name for name, option in node.options.items() if refillable(option)]


def refillable(operand: Any) -> bool:
    """Whether an operand or an option is an array, or a list or tuple that holds some, such as an index."""
    if isinstance(operand, tuple | list):
        return any(map(refillable, operand))
    return hasattr(operand, "shape") and not isinstance(operand, FIXED)


def given(node: Node, key: Key) -> Any:
    """What an operation was given: an operand, by its place, or an option, by its name."""
    return node.saved[key + 1] if isinstance(key, int) else node.options[key]


def told(node: Node, guilty: list[Key]) -> str:
    """What to say of an operation of which some operands have changed."""
    called = FINGERPRINTS[node.number][2] if node.number in FINGERPRINTS else names(node)
    call = errors.written(node.op.name, [called[i] for i in range(len(node.args))])
    place = f" at {line}" if (line := line_of(node)) else ""
    who = [called[key] for key in guilty]
    use = "compute the result again, or give each batch an array of its own, batch.copy()"
    return f"{call}{place}: {' or '.join(who)} has changed since the forward pass: {use}"


def names(node: Node) -> dict[Key, str]:
    """What to call the operands of an operation, by place, and its options."""
    letters = dict(enumerate(errors.LETTERS))
    called: dict[Key, str] = {
        i: errors.name_of(arg, letters.get(i, f"operand {i}")) for i, arg in enumerate(node.args)
    }
    return called | {key: called_in(option, key) for key, option in node.options.items() if refillable(option)}


def called_in(option: Any, key: str) -> str:
    """What to call an option that is an array, or the arrays of one that is a list or tuple."""
    if isinstance(option, tuple | list):
        return " or ".join(called_in(part, key) for part in option if refillable(part))
    return errors.name_of(option, key)
