"""`minimize`: SciPy's optimisers, for a loss that is computed from all data at once and always in the same way."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from tinygrad_edu.backward import gradients
from tinygrad_edu.errors import refusal
from tinygrad_edu.kinds import FUNCTION, TEXT, expecting
from tinygrad_edu.optim.parameters import expect_parameters
from tinygrad_edu.transforms import cut, joined
from tinygrad_edu.tree import leaves, rebuild
from tinygrad_edu.value import Value


@expecting(f=FUNCTION, method=TEXT)
def minimize(f: Callable[[Any], Value], tree: Any, method: str = "L-BFGS-B", **options: Any) -> Any:
    """SciPy's result of minimising f, with gradients; parameters get the data where it found the least.

    Source: Nocedal and Wright, "Numerical optimization" (2006), algorithm 7.5, for L-BFGS.

    Parameters
    ----------
    f
        The loss as a function of `tree`: a Value of one number.
    tree
        A module, or nested lists, tuples and dicts, of Values, whose data change, or of arrays and numbers, which
        are Values for f. If anything is raised, no data are changed.
    method
        One of `scipy.optimize.minimize` that uses gradients, such as "L-BFGS-B", "BFGS", "CG", "SLSQP".
    **options
        What else `scipy.optimize.minimize` takes: tol, bounds, constraints, callback, options.

    Returns
    -------
    scipy.optimize.OptimizeResult
        With `fun`, the least loss, `success` and `message`; `tree` is the tree at the minimum.

    Examples
    --------
    >>> found = minimize(lambda p: (p["x"] - 3.0) ** 2 + p["y"] ** 2, {"x": 0.0, "y": 1.0})
    >>> round(found.tree["x"], 3)
    np.float64(3.0)
    """
    try:
        from scipy.optimize import minimize as scipys
    except ImportError:
        raise refusal(ImportError, "optim.minimize calls SciPy: pip install scipy") from None
    values = [leaf if isinstance(leaf, Value) else Value(leaf) for leaf in leaves(tree)]
    expect_parameters(values, "minimize")
    start = [value.array for value in values]
    if not any(value.size for value in values):
        raise refusal(ValueError, "minimize: there are no numbers to change, only empty arrays")
    moving = rebuild(tree, values, same=True)

    def loss_and_gradient(x: Any) -> tuple[float, Any]:
        put(values, cut(x, start))
        loss = expect_loss(f(moving))
        return loss.item(), flat(gradients(loss, values))

    try:
        found = scipys(loss_and_gradient, flat(start), jac=True, method=method, **options)
    except BaseException:
        put(values, start)
        raise
    put(values, cut(found.x, start))
    given = zip(values, leaves(tree), strict=True)
    found.tree = rebuild(tree, [value if value is leaf else value.array for value, leaf in given], same=True)
    return found


def flat(arrays: list[Any]) -> Any:
    """All numbers as one vector of float64."""
    return np.ravel(joined(arrays)).astype(float)


def put(values: list[Value], arrays: list[Any]) -> None:
    """Give variables other data."""
    for value, array in zip(values, arrays, strict=True):
        value.array = array[()]


def expect_loss(loss: Any) -> Value:
    """Refuse what is no Value of one number."""
    if isinstance(loss, Value) and loss.size == 1:
        return loss
    got = f"one of shape {loss.shape}: .mean() or .sum()" if isinstance(loss, Value) else f"a {type(loss).__name__}"
    raise refusal(TypeError, f"minimize: f gives a Value of one number; got {got}")
