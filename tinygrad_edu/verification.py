"""Verified backward passes: whether anything has changed that the forward pass had used.

A graph keeps its own numbers of variables and results, but constants by reference, since copying every batch would
cost too much. So an array that is refilled between the forward and the backward pass gives wrong gradients, and
nothing says so. Inside `verified()` a backward pass first computes every operation again from what was saved: what
differs in a single bit is refused, with the operand, the operation and its line.
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

NUMBERS = {float, np.float16, np.float32, np.float64, np.longdouble}
VERIFYING: ContextVar[bool] = ContextVar("verifying", default=False)


@contextmanager
def verified(on: bool = True) -> Iterator[None]:
    """Inside, every backward pass first checks that no array has changed since the forward pass used it.

    It holds for this thread or task, and takes about as long again as the backward pass. `viz.recording()`, the
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
    """Compute the operations of nodes again, and refuse the first that gives other numbers than before."""
    with np.errstate(all="ignore"):
        for node in nodes:
            if node.op is not None and not (has_numbers(node) or repeats(node)):
                raise changed(node)


def has_numbers(node: Node) -> bool:
    """Whether an operation was given nothing but numbers, which cannot be refilled."""
    return not node.options and NUMBERS.issuperset(map(type, node.saved))


def repeats(node: Node) -> bool:
    """Whether an operation gives what it gave, bit for bit."""
    try:
        now = node.op.compute(*node.saved[1:], **node.options)
    except (IndexError, TypeError, ValueError):  # an index that was refilled may point nowhere now
        return False
    return same_bits(now, node.saved[0])


def changed(node: Node) -> ValueError:
    """The error for an operation whose operands have changed: what may be refilled are its constants and options."""
    letters = dict(enumerate(errors.LETTERS))
    operands = [errors.name_of(arg, letters.get(i, f"operand {i}")) for i, arg in enumerate(node.args)]
    suspects = [name for name, arg in zip(operands, node.args, strict=True) if isinstance(arg, np.ndarray)]
    suspects += [errors.name_of(option, key) for key, option in node.options.items() if holds_arrays(option)]
    line = line_of(node)
    place = f" at {line}" if line else ""
    call = f"{errors.written(node.op.name, operands)}{place}"
    if not suspects:
        return errors.refusal(ValueError, f"{call} gives other numbers now than in the forward pass")
    use = "compute the result again, or give each batch an array of its own, batch.copy()"
    return errors.refusal(ValueError, f"{call}: {' or '.join(suspects)} has changed since the forward pass: {use}")


def holds_arrays(option: Any) -> bool:
    """Whether an option is an array, such as an index, or holds some."""
    parts = option if isinstance(option, tuple | list) else (option,)
    return any(isinstance(part, np.ndarray) for part in parts)
