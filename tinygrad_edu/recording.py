"""Whether operations are recorded, and under which name.

One context variable answers both, so that it is read once per operation: None means "not recording", a
`Scope` names the module call that is running. Threads and asyncio tasks each have their own.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from contextvars import ContextVar


class Scope:
    """One module call: its path in the network, the module's class, and the call around it."""

    __slots__ = ("kind", "parent", "path")

    def __init__(self, path: str = "", kind: str = "", parent: Scope | None = None) -> None:
        self.path = path
        self.kind = kind
        self.parent = parent

    def __repr__(self) -> str:
        return f"{self.kind} '{self.path}'"


ROOT = Scope()
SCOPE: ContextVar[Scope | None] = ContextVar("scope", default=ROOT)


@contextmanager
def inside(scope: Scope | None) -> Iterator[None]:
    """Set the context variable, and what it was before afterwards."""
    token = SCOPE.set(scope)
    try:
        yield
    finally:
        SCOPE.reset(token)


def no_grad() -> AbstractContextManager[None]:
    """Compute without recording, in this thread or task only: results are Values without a history.

    Returns
    -------
    context manager
        For `with no_grad():`.
    """
    return inside(None)


def recorded() -> AbstractContextManager[None]:
    """Record inside, also where `no_grad()` is in force around it."""
    return inside(SCOPE.get() or ROOT)
