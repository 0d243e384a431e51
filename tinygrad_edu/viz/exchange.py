"""Listening to the engine: functions exchanged for ones that also tell who asked.

The engine calls no hooks, so that an operation costs nothing more when nobody listens. While a block is open, the
functions that its listener asked about are replaced where the engine looks them up; they compute the same and then
tell every listener of this thread or task. When the last block closes, the engine has its own functions again.

Source: the decorator and observer patterns of Gamma, Helm, Johnson and Vlissides, "Design Patterns" (1994).
"""

from __future__ import annotations

from contextlib import contextmanager
from contextvars import ContextVar
from threading import Lock

from tinygrad_edu import value

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import Any

    Hook = Callable[..., object]
    Listener = dict[str, Hook]

ENGINE: dict[str, Callable[..., Any]] = {name: getattr(value, name) for name in ("record", "start", "backpropagate")}
HEARD: ContextVar[tuple[Listener, ...]] = ContextVar("heard", default=())
OPEN: dict[int, Listener] = {}
LOCK = Lock()


@contextmanager
def listening(**hooks: Hook) -> Iterator[None]:
    """Inside, call `hook(result, *arguments)` after every call of the function of `value` that it is named after.

    It holds for this thread or task only. Blocks may be nested and may end in any order.

    Parameters
    ----------
    hooks
        By name: "record" and "start", which make Values, and "backpropagate".
    """
    HEARD.set((*HEARD.get(), hooks))
    with LOCK:
        OPEN[id(hooks)] = hooks
        exchange()
    try:
        yield
    finally:
        HEARD.set(tuple(other for other in HEARD.get() if other is not hooks))
        with LOCK:
            del OPEN[id(hooks)]
            exchange()


def exchange() -> None:
    """Give the engine the functions that tell, where anybody listens, and its own everywhere else."""
    wanted = {name for hooks in OPEN.values() for name in hooks}
    for name, own in ENGINE.items():
        setattr(value, name, TELLING[name] if name in wanted else own)


def telling(name: str) -> Callable[..., Any]:
    """A function of the engine that also tells the listeners of its thread or task."""
    own = ENGINE[name]

    def told(*arguments: Any) -> Any:
        result = own(*arguments)
        for hooks in HEARD.get():
            # a task may have been started inside a block and outlive it
            if name in hooks and id(hooks) in OPEN:
                hooks[name](result, *arguments)
        return result

    return told


TELLING = {name: telling(name) for name in ENGINE}
