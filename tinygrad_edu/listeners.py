"""Listeners: the engine tells whoever has joined what it does, such as pictures that name the lines of a program.

A listener joins for a block of code, in one thread or task. Making a Value and finishing a backward pass each ask one
empty dict whether anybody listens at all, so an operation costs nothing more when nobody does.
Source: the observer pattern of Gamma, Helm, Johnson and Vlissides, "Design Patterns" (1994).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

from tinygrad_edu.graph import Node
from tinygrad_edu.inputs import plain


class Listener:
    """What can be heard; a listener overrides what it wants to know."""

    def made(self, value: Node, op: Any) -> None:
        """A Value was made: by an operation, also where `no_grad()` keeps none of it, or as a variable (None)."""

    def differentiated(self, root: Node, seed: Any, gradients: Mapping[Node, Any], added: bool) -> None:
        """Gradients of a result were asked for, and are known: arrays, of this pass alone.

        The pass started from `seed`, of the shape of the result. With `added` the gradients are about to be added to
        `.grad`, as `backward()` does; else they are only returned.
        """


JOINED: dict[object, Listener] = {}
"""The listener of every open block in the process; empty almost always, which is all that the engine asks."""

BLOCKS: ContextVar[tuple[object, ...]] = ContextVar("blocks", default=())
"""The open blocks of this thread or task. A task that began inside a block may still name it when it has ended."""


@contextmanager
def listening(listener: Listener) -> Iterator[None]:
    """Inside, the listener hears what this thread or task does. Blocks may be nested and may end in any order."""
    block = object()
    BLOCKS.set((*BLOCKS.get(), block))
    JOINED[block] = listener
    try:
        yield
    finally:
        BLOCKS.set(tuple(other for other in BLOCKS.get() if other is not block))
        del JOINED[block]


def present() -> list[Listener]:
    """The listeners of this thread or task."""
    found = [JOINED.get(block) for block in BLOCKS.get()]
    return [listener for listener in found if listener is not None]


def tell_made(value: Node, op: Any) -> None:
    """Tell the listeners that a Value was made."""
    for listener in present():
        listener.made(value, op)


def tell_differentiated(root: Node, seed: Any, gradients: Mapping[Node, Any], added: bool) -> None:
    """Tell the listeners that gradients are known."""
    arrays = {value: plain(gradient) for value, gradient in gradients.items()}
    for listener in present():
        listener.differentiated(root, seed, arrays, added)
