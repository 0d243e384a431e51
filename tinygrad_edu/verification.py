"""Verified backward passes: whether anything has changed that the forward pass had used.

A graph keeps its own numbers of variables and results, but constants by reference, since copying every batch would
cost too much. So an array that is refilled between the forward and the backward pass gives wrong gradients, and
nothing says so. Inside `verified()` a backward pass first looks at every operation on such an array: whether the
array has the fingerprint that was taken when the operation was recorded, if that was inside too, and else whether the
operation, computed again from what was saved, gives what it gave, bit for bit. A difference is refused, with the
operand, the operation and its line.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from functools import partial
from typing import Any
from weakref import ref

import numpy as np

from tinygrad_edu import errors
from tinygrad_edu.graph import Node, same_bits
from tinygrad_edu.lines import line_of, noting_lines
from tinygrad_edu.listeners import Listener, listening

Key = int | str
FIXED = (Node, float, int, np.generic, type)  # operands into which nobody can write
FINGERPRINTS: dict[int, tuple[ref[Node], dict[Key, int | None], dict[Key, str]]] = {}
"""Of the suspects of a node, by its number; and what the program called its operands where it recorded it."""
VERIFYING: ContextVar[bool] = ContextVar("verifying", default=False)


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
        if not isinstance(arg, FIXED) and refillable(arg):
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
        now = node.op.compute(*node.saved[1:], **node.options)
    except (IndexError, TypeError, ValueError, RuntimeWarning):  # an index that was refilled may point nowhere now
        return False
    return same_bits(now, node.saved[0])


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
