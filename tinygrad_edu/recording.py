"""Whether operations are recorded, and under which name.

One context variable answers both, so that it is read once per operation: None means "not recording", a
`Scope` names the module call that is running. Threads and asyncio tasks each have their own.
"""

from __future__ import annotations

from contextlib import contextmanager
from contextvars import ContextVar

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator


class Scope:
    """One module call: its path in the network, the module's class, and the call around it."""

    __slots__ = ("kind", "parent", "path")

    def __init__(self, path: str = "", kind: str = "", parent: Scope | None = None) -> None:
        self.path, self.kind, self.parent = path, kind, parent

    def __repr__(self) -> str:
        return f"{self.kind} '{self.path}'"


ROOT = Scope()
SCOPE: ContextVar[Scope | None] = ContextVar("scope", default=ROOT)


@contextmanager
def no_grad() -> Iterator[None]:
    """Compute without recording, in this thread or task only: results are Values without a history."""
    token = SCOPE.set(None)
    try:
        yield
    finally:
        SCOPE.reset(token)


@contextmanager
def recorded() -> Iterator[None]:
    """Record inside, also where `no_grad()` is in force around it."""
    token = SCOPE.set(SCOPE.get() or ROOT)
    try:
        yield
    finally:
        SCOPE.reset(token)


@contextmanager
def scope(path: str, kind: str) -> Iterator[None]:
    """Name what is recorded inside, for pictures and messages."""
    parent = SCOPE.get()
    token = SCOPE.set(parent and Scope(path, kind, parent))
    try:
        yield
    finally:
        SCOPE.reset(token)
