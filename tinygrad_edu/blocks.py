"""`block`: a context manager that says so when its `with` was forgotten.

`seen = viz.watch(model)` starts nothing; whoever then asks it for what it recorded is told how it is written.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from functools import wraps
from typing import Any, Generic, NoReturn, ParamSpec, TypeVar

from tinygrad_edu.errors import refusal

P = ParamSpec("P")
T = TypeVar("T")


class Block(AbstractContextManager[T], Generic[T]):
    """A context manager, and how it is used.

    Parameters
    ----------
    manager
        What runs before and after the block.
    use
        A line that uses it, such as `with viz.watch(model) as seen:`.
    """

    def __init__(self, manager: Any, use: str) -> None:
        self._manager = manager
        self._use = use

    def __enter__(self) -> T:
        entered: T = self._manager.__enter__()
        return entered

    def __exit__(self, *error: Any) -> bool | None:
        left: bool | None = self._manager.__exit__(*error)
        return left

    def __call__(self, function: Callable[..., Any]) -> Callable[..., Any]:
        """The function, inside such a block: what `@` does."""
        decorated: Callable[..., Any] = self._manager(function)
        return decorated

    def __getattr__(self, name: str) -> NoReturn:
        if name.startswith("_"):
            raise AttributeError(f"'Block' object has no attribute '{name}'")
        raise refusal(
            AttributeError, f"nothing has begun, so there is no '{name}': write `{self._use}` around the code"
        )


def block(use: str) -> Callable[[Callable[P, Iterator[T]]], Callable[P, Block[T]]]:
    """As `contextlib.contextmanager`, with the words for a forgotten `with`."""

    def decorate(function: Callable[P, Iterator[T]]) -> Callable[P, Block[T]]:
        managed = contextmanager(function)

        @wraps(function)
        def made(*args: P.args, **kwargs: P.kwargs) -> Block[T]:
            return Block(managed(*args, **kwargs), use)

        return made

    return decorate
