"""A gradient in words: every path from the result to the Value, factor by factor, and that they add up.

Along a path the local derivatives are multiplied, over the paths the products are added. Where there are too many
paths to list, the others are one term, so that the terms shown always sum to the gradient.

Source: Bauer, "Computational graphs and rounding error" (1974), the sum over paths.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from tinygrad_edu import errors
from tinygrad_edu.backward import seed
from tinygrad_edu.graph import Node
from tinygrad_edu.notes import Line, last_result, line_of
from tinygrad_edu.viz.model import formatting
from tinygrad_edu.viz.model.formatting import Text, laid_out
from tinygrad_edu.viz.model.formula import ChainRule, equation
from tinygrad_edu.viz.model.paths import Path, check_result, find_paths
from tinygrad_edu.viz.model.replay import Edge, Replay, vjp

SHOWN = 6
"""Of a long path so many factors are told at either end: the same number as under a picture."""


def explain(w: Any, loss: Any = None, *, names: Mapping[str, Any] | None = None) -> Text:
    """How the gradient of a result with respect to a Value comes about, as text.

    It is the sum over paths, then the factors of each, with the lines of the program that they come from if those ran
    inside `recording()`.

    Parameters
    ----------
    w
        The Value, such as a weight.
    loss
        The result; it may be left out if it was traced or drawn last, or went backward inside `recording()`.
    names
        What to call Values and arrays that have no name of their own, such as `locals()`.

    Raises
    ------
    TypeError, ValueError
        If `w` or `loss` is not a Value, or no result is known; if that is not a single number, or was not computed
        from `w`.
    """
    w, loss = question("explain", w, loss)
    replay = Replay(loss, names)
    if w not in replay.uses:
        raise errors.refusal(
            ValueError,
            f"{loss.name or 'the result'} was not computed from {w.name or 'the Value'}: viz.why(w, loss) says what "
            f"may have come between",
        )
    return explained(replay, w)


def explained(replay: Replay, w: Node) -> Text:
    """The sum over paths, what `.grad` holds, and the factors of each path."""
    chain = ChainRule(replay, find_paths(replay, w))
    lines = [chain.total(), held(replay, w)]
    for k, path in enumerate(chain.paths.listed, 1):
        lines += ["", *path_lines(k, path, replay)]
    if rest := chain.rest():
        lines += ["", rest]
    return laid_out(lines)


def question(name: str, w: Any, loss: Any) -> tuple[Node, Node]:
    """The Value and the result that a question is about, or an error that says how to ask it.

    A Value knows what it was made from, not what was made of it. So a question about a weight names the result as
    well, unless that was looked at last: traced, drawn, or gone backward inside `recording()`. The messages name the
    function that was asked.
    """
    if not isinstance(w, Node):
        raise errors.refusal(TypeError, f"{name}(w, loss) is about a Value, such as a weight; got {type(w).__name__}")
    if loss is None:
        loss = last_result()
        if loss is None:
            raise errors.refusal(
                TypeError,
                f"a Value does not know what was computed from it: write viz.{name}(w, loss), or call "
                "viz.trace(loss) first, or run both passes inside `with viz.recording():`, and keep the loss ",
            )
    check_result(loss)
    return w, loss


def held(replay: Replay, w: Node) -> str:
    """What `.grad` holds, compared with the gradient."""
    loss = replay.root
    gradient = replay.gradients[w]
    name = f"{replay.names[w]}.grad"
    result = replay.names[loss]
    if w.gradient is None:
        return f"{name} is None: {f'{result}.backward() has not run' if loss.gradient is None else 'it was cleared'}"
    here = formatting.array(w.gradient)
    if np.allclose(
        w.gradient, gradient, rtol=1e-9, atol=0.0, equal_nan=True
    ):  # beyond rounding they are different sums
        return f"{name} = {here}"
    if loss.gradient is None:
        return f"{name} = {here}, from another backward: {result}.backward() has not run"
    if not np.all(loss.gradient == 1.0):
        return (
            f"{name} = {here}: the last backward through {result} began with {formatting.array(loss.gradient)}, not 1"
        )
    if w.op is not None:
        return f"{name} = {here}, from another backward"
    with np.errstate(all="ignore"):
        earlier = formatting.array(w.gradient - gradient)
    return (
        f"{name} = {here} = {formatting.array(gradient)} + {earlier} left over from an earlier backward: zero_grad()?"
    )


def path_lines(k: int, path: Path, replay: Replay) -> Iterator[str]:
    """One path: a line for each factor, under the line of the program that it comes from."""
    count = len(path.edges)
    last = None
    yield f"({k}) {count:,} factor{'s' * (count != 1)}, product {formatting.array(path.product)}"
    g = seed(replay.root, None)
    for step, edge in enumerate(path.edges):
        g = vjp(edge, g)
        if SHOWN <= step < count - SHOWN:
            if step == SHOWN:
                yield f"    ... {count - 2 * SHOWN:,} more factors ..."
            continue
        place = line_of(edge.result)
        if place is not None and place != last:
            yield f"  {where(place)}"
        last = place
        yield f"    {factor(edge, replay)}" + (f"   product so far {formatting.array(g)}" if step else "")


def where(place: Line) -> str:
    """A line of the program: file, number, text."""
    return f"{place}: {place.text}" if place.text else str(place)


def factor(edge: Edge, replay: Replay) -> str:
    """A local derivative by name, formula and number."""
    return equation(replay.derivative(edge))
