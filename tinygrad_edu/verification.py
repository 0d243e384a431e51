"""Verified backward passes: whether anything has changed that the forward pass had used.

A graph keeps its own numbers of variables and results, but constants by reference, since copying every batch would
cost too much. So an array that is refilled between the forward and the backward pass gives wrong gradients, and
nothing says so. Inside `verified()` a backward pass first computes every operation on such arrays again from what was
saved: what differs in a single bit is refused, with the operand, the operation and its line.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager, nullcontext
from contextvars import ContextVar
from typing import Any

import numpy as np

from tinygrad_edu import errors
from tinygrad_edu.graph import Node, same_bits
from tinygrad_edu.lines import line_of, noting_lines

FIXED = (Node, float, int, np.generic)  # operands into which nobody can write
VERIFYING: ContextVar[bool] = ContextVar("verifying", default=False)


@contextmanager
def verified(on: bool = True) -> Iterator[None]:
    """Inside, every backward pass first checks that no array has changed since the forward pass used it.

    It holds for this thread or task; each operation on a constant array is computed once more. `viz.recording()`, the
    checks of `testing` and the first steps of a training do it anyway. What is computed inside has its line noted,
    so that errors can name it.

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
        with noting_lines() if on else nullcontext():
            yield
    finally:
        VERIFYING.reset(token)


def verify(nodes: Iterable[Node]) -> None:
    """Compute again what may have other operands now, and refuse the first that gives other numbers than before."""
    with np.errstate(all="ignore"):
        for node in nodes:
            if node.op is not None and suspects(node) and not repeats(node):
                raise errors.refusal(ValueError, changed(node))


def suspects(node: Node) -> list[str | int]:
    """Which operands, by place, and which options, by name, are arrays that somebody may have refilled.

    Values are not: a graph has arrays of its own for them.
    """
    found: list[str | int] = [i for i, arg in enumerate(node.args) if not isinstance(arg, FIXED) and refillable(arg)]
    if node.options:
        found += [name for name, option in node.options.items() if refillable(option)]
    return found


def refillable(operand: Any) -> bool:
    """Whether an operand or an option is an array, or a list or tuple that holds some, such as an index."""
    if isinstance(operand, tuple | list):
        return any(map(refillable, operand))
    return hasattr(operand, "shape") and not isinstance(operand, FIXED)


def repeats(node: Node) -> bool:
    """Whether an operation gives what it gave, bit for bit."""
    try:
        now = node.op.compute(*node.saved[1:], **node.options)
    except (IndexError, TypeError, ValueError):  # an index that was refilled may point nowhere now
        return False
    return same_bits(now, node.saved[0])


def changed(node: Node) -> str:
    """What to say of an operation that gives other numbers than before: which arrays may have changed."""
    names = [errors.name_of(arg, letter(i)) for i, arg in enumerate(node.args)]
    who = [names[i] if isinstance(i, int) else errors.name_of(node.options[i], i) for i in suspects(node)]
    line = line_of(node)
    call = f"{errors.written(node.op.name, names)}{f' at {line}' if line else ''}"
    use = "compute the result again, or give each batch an array of its own, batch.copy()"
    return f"{call}: {' or '.join(who)} has changed since the forward pass: {use}"


def letter(place: int) -> str:
    """What to call an operand that has no name."""
    return errors.LETTERS[place] if place < len(errors.LETTERS) else f"operand {place}"
