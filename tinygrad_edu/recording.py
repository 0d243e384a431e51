"""Whether operations are recorded, and under which name.

One context variable answers both, so that it is read once per operation: None means "not recording", a
`Scope` names the module call that is running. Threads and asyncio tasks each have their own.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Generator, Iterator
from contextlib import AbstractContextManager, contextmanager
from contextvars import ContextVar
from functools import wraps
from inspect import CO_GENERATOR, isgeneratorfunction
from types import FrameType
from typing import Any


class Scope:
    """One module call: its path in the network, the module's class, and the call around it."""

    __slots__ = ("kind", "parent", "path")

    def __init__(self, path: str = "", kind: str = "", parent: Scope | None = None) -> None:
        self.path = path
        self.kind = kind
        self.parent = parent

    def __repr__(self) -> str:
        return f"{self.kind} '{self.path}'"

    def outermost(self) -> Scope:
        """The call of a whole network of which this one is part."""
        scope = self
        while scope.parent is not None and scope.parent.kind:
            scope = scope.parent
        return scope

    def is_around(self, scope: Scope | None) -> bool:
        """Whether a module call ran within this one, or is this one."""
        while scope is not None and scope is not self:
            scope = scope.parent
        return scope is self


ROOT = Scope()
SCOPE: ContextVar[Scope | None] = ContextVar("scope", default=ROOT)
OWNER: ContextVar[tuple[FrameType, Scope | None] | None] = ContextVar("owner", default=None)
"""The generator whose `no_grad()` block is open, and the scope around the block."""

MAKERS = ("contextlib.py", "fixtures.py")  # files of Python and of pytest that run generators for what they set up


@contextmanager
def inside(scope: Scope | None) -> Iterator[None]:
    """Set the context variable, and what it was before afterwards."""
    token = SCOPE.set(scope)
    try:
        yield
    finally:
        SCOPE.reset(token)


class NoGrad(AbstractContextManager[None]):
    """What `no_grad()` gives: a block, or a decorator, inside which nothing is recorded."""

    def __enter__(self) -> None:
        suspendable = suspendable_frame(sys._getframe(1))
        self.owner = OWNER.set(suspendable and (suspendable, SCOPE.get()))
        self.scope = SCOPE.set(None)

    def __exit__(self, *error: object) -> None:
        SCOPE.reset(self.scope)
        OWNER.reset(self.owner)

    def __call__(self, function: Callable[..., Any]) -> Callable[..., Any]:
        """The function, which records nothing; of a generator, each of its steps."""

        @wraps(function)
        def called(*args: Any, **kwargs: Any) -> Any:
            with inside(None):
                return function(*args, **kwargs)

        @wraps(function)
        def stepped(*args: Any, **kwargs: Any) -> Generator[Any, Any, Any]:
            steps, sent = function(*args, **kwargs), None
            while True:
                try:
                    with inside(None):
                        item = steps.send(sent)
                except StopIteration as end:
                    return end.value
                sent = yield item

        return stepped if isgeneratorfunction(function) else called


def no_grad(function: Callable[..., Any] | None = None) -> Any:
    """Compute without recording, in this thread or task only: results are numbers without a past.

    Write `with no_grad():`, or decorate a function with `@no_grad` or `@no_grad()`. Inside, `w -= step` changes a
    variable w, which it replaces elsewhere. A block in a generator holds for the generator, not for the
    loop that it feeds.

    Parameters
    ----------
    function
        A function to decorate.

    Returns
    -------
    context manager or function
        Without a function, for `with no_grad():` and `@no_grad()`; else the function, which records nothing.
    """
    return NoGrad() if function is None else NoGrad()(function)


def suspendable_frame(frame: FrameType) -> FrameType | None:
    """The frame, if it is a generator's that feeds a loop: such a frame is left and entered again.

    A generator that makes a context manager or a fixture is not one: what it does is meant for the code around.
    """
    caller = frame.f_back
    if caller is None or not frame.f_code.co_flags & CO_GENERATOR:
        return None
    return None if caller.f_code.co_filename.endswith(MAKERS) else frame


def recording_scope() -> Scope | None:
    """The scope to record in, or None inside `no_grad()`: whose block does not count while its generator waits."""
    scope, owner = SCOPE.get(), OWNER.get()
    if scope is not None or owner is None:
        return scope
    generator, around = owner
    frame: FrameType | None = sys._getframe(1)
    while frame is not None and frame is not generator:
        frame = frame.f_back
    return None if frame is generator else around


def recorded() -> AbstractContextManager[None]:
    """Record inside, also where `no_grad()` is in force around it."""
    return inside(recording_scope() or ROOT)
