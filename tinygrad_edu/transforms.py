"""Transforms: functions that turn a function into its derivative.

`grad(f)` differentiates with respect to a fresh variable y, and only then says that y is x. So nested gradients
need no levels and no flags: the inner variable is its own, and the graph shows what its gradient depends on.

Source: Siskind and Pearlmutter, "Perturbation confusion and referential transparency" (2005): the fault to avoid.
"""

from __future__ import annotations

from functools import wraps

import numpy as np

from tinygrad_edu.backward import gradients
from tinygrad_edu.graph import Node, backwards
from tinygrad_edu.op import OPERATIONS, PRIMITIVES
from tinygrad_edu.operand import plain
from tinygrad_edu.recording import SCOPE, recorded
from tinygrad_edu.tree import flatten, rebuild
from tinygrad_edu.value import Value

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any


def value_and_grad(f: Callable[..., Any], argnums: int | tuple[int, ...] = 0) -> Callable[..., Any]:
    """The function that returns `(f(...), gradient)`.

    Parameters
    ----------
    f
        A function of numbers, arrays or nested lists, tuples and dicts of them; its result is one number.
    argnums
        Which positional arguments to differentiate with respect to; several give a tuple of gradients.

    Returns
    -------
    callable
        Takes the arguments of f. The gradient has the structure, shapes and dtypes of the argument: plain
        arrays, or Values where a variable from outside is involved, to be differentiated again.

    Raises
    ------
    ValueError
        If the result of f is not a single number.
    """

    @wraps(f)
    def transformed(*args: Any, **kwargs: Any) -> tuple[Any, Any]:
        chosen = args[argnums] if isinstance(argnums, int) else tuple(args[i] for i in argnums)
        xs = [x for _, x in flatten(chosen)]
        ys = [Value(plain(x), getattr(x, "name", None)) for x in xs]
        fresh = rebuild(chosen, ys)
        inner = list(args)
        for i, arg in [(argnums, fresh)] if isinstance(argnums, int) else zip(argnums, fresh, strict=True):
            inner[i] = arg
        with recorded():
            out = f(*inner, **kwargs)
        value, gs = differentiate(out, xs, ys)
        return value, rebuild(chosen, gs)

    return transformed


def grad(f: Callable[..., Any], argnums: int | tuple[int, ...] = 0) -> Callable[..., Any]:
    """The gradient of a function, as a function; see `value_and_grad`.

    Examples
    --------
    >>> import numpy as np
    >>> from tinygrad_edu import grad
    >>> print(grad(grad(lambda x: x**3))(2.0))
    12.0
    """
    both = value_and_grad(f, argnums)

    @wraps(f)
    def gradient(*args: Any, **kwargs: Any) -> Any:
        return both(*args, **kwargs)[1]

    return gradient


def differentiate(out: Any, xs: list[Any], ys: list[Value]) -> tuple[Any, list[Any]]:
    """The result and its gradients for the fresh variables ys, which then become the arguments xs."""
    if not isinstance(out, Value):
        return out, [np.zeros_like(y.data)[()] for y in ys]
    own = set(ys)
    outside = any(node.op is None and node not in own for node in backwards(out))
    keep = SCOPE.get() is not None and (outside or any(isinstance(x, Node) for x in xs))
    gs = gradients(out, ys, differentiable=keep)
    for x, y in zip(xs, ys, strict=True):
        if keep and isinstance(x, Node):
            # y = x, the one clever line: said only now, so that this gradient did not look past y
            y.op, y.args, y.saved, y.aligned = (
                OPERATIONS[PRIMITIVES["identity"]],
                (x,),
                (y.data, x.data),
                True,
            )
    return (out if keep else out.data), gs
