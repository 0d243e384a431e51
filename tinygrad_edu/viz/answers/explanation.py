"""A gradient in words: every path from the result to the Value, factor by factor, and that they add up.

Along a path the local derivatives are multiplied, over the paths the products are added. Where there are too many
paths to list, the others are one term, so that the terms shown always sum to the gradient.

Source: Bauer, "Computational graphs and rounding error" (1974), the sum over paths.
"""

from __future__ import annotations

import numpy as np

from tinygrad_edu.backward import seed
from tinygrad_edu.errors import user_line
from tinygrad_edu.graph import Node, toposort
from tinygrad_edu.viz import wording
from tinygrad_edu.viz.answers.asked import asked
from tinygrad_edu.viz.caption import fraction
from tinygrad_edu.viz.formula import local_text
from tinygrad_edu.viz.journal import called
from tinygrad_edu.viz.lines import Line, line_of
from tinygrad_edu.viz.naming import Names
from tinygrad_edu.viz.paths import find_paths
from tinygrad_edu.viz.replay import gradients, pull
from tinygrad_edu.viz.terminal import Text, laid_out

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from typing import Any

    from tinygrad_edu.viz.paths import Path, Paths
    from tinygrad_edu.viz.replay import Hop

SHOWN = 6


def explain(w: Any, loss: Any = None, *, names: Mapping[str, Any] | None = None) -> Text:
    """Tell how the gradient of a result with respect to a Value comes about.

    Parameters
    ----------
    w
        The Value, such as a weight.
    loss
        The result; it may be left out if it was traced or drawn last, or went backward inside `recording()`.
    names
        What to call Values and arrays that have no name of their own, such as `locals()`.

    Returns
    -------
    Text
        A `str`: the sum over paths, then the factors of each, with the lines of the program that they come from if
        those ran inside `recording()`.

    Raises
    ------
    TypeError
        If `w` or `loss` is not a Value, or no result is known.
    ValueError
        If the result is not a single number, or was not computed from `w`.
    """
    w, loss = asked("explain", w, loss)
    nodes = toposort(loss)
    if w not in set(nodes):
        raise ValueError(
            f"{loss.name or 'the result'} was not computed from {w.name or 'the Value'}: viz.why(w, loss) says what "
            f"may have come between ({user_line()})"
        )
    called_so, gradient = Names(nodes[::-1], names), gradients(loss)[w]
    paths = find_paths(nodes, w, gradient)
    lines = [whole(paths, fraction(called_so[loss], called_so[w])), held(w, loss, gradient, called_so)]
    for k, path in enumerate(paths.listed, 1):
        lines += ["", *path_lines(k, path, loss, called_so)]
    if more := paths.count - len(paths.listed):
        lines += ["", f"+{wording.how_many(more)} more paths = {wording.array(paths.rest)}"]
    return laid_out(lines)


def whole(paths: Paths, wanted: str) -> str:
    """The gradient as the sum over its paths."""
    total, more = wording.array(paths.gradient), paths.count - len(paths.listed)
    terms = [f"{wording.array(path.product)} ({k})" for k, path in enumerate(paths.listed, 1)]
    if more:
        terms.append(f"{wording.array(paths.rest)} (+{wording.how_many(more)} more paths)")
    return f"{wanted} = {' + '.join(terms)} = {total}" if len(terms) > 1 else f"{wanted} = {total}"


def held(w: Node, loss: Node, gradient: Any, names: Names) -> str:
    """What `.grad` holds, compared with the gradient."""
    name, result = f"{names[w]}.grad", names[loss]
    if w.grad is None:
        return f"{name} is None: {f'{result}.backward() has not run' if loss.grad is None else 'it was cleared'}"
    here = wording.array(w.grad)
    if np.allclose(w.grad, gradient, rtol=1e-9, atol=0.0, equal_nan=True):
        return f"{name} = {here}"
    if loss.grad is None:
        return f"{name} = {here}, from another backward: {result}.backward() has not run"
    if not np.all(loss.grad == 1.0):
        return f"{name} = {here}: the last backward through {result} began with {wording.array(loss.grad)}, not 1"
    if w.op is not None:
        return f"{name} = {here}, from another backward"
    with np.errstate(all="ignore"):
        earlier = wording.array(w.grad - gradient)
    return f"{name} = {here} = {wording.array(gradient)} + {earlier} left over from an earlier backward: zero_grad()?"


def path_lines(k: int, path: Path, loss: Node, names: Names) -> Iterator[str]:
    """One path: a line for each factor, under the line of the program that it comes from."""
    count, last = len(path.hops), None
    yield f"({k}) {count:,} factor{'s' * (count != 1)}, product {wording.array(path.product)}"
    g = seed(loss, None)
    for step, hop in enumerate(path.hops):
        g = pull(hop, g)
        if SHOWN <= step < count - SHOWN:
            if step == SHOWN:
                yield f"    ... {count - 2 * SHOWN:,} more factors ..."
            continue
        place = line_of(hop[0])
        if place is not None and place != last:
            yield f"  {where(place)}"
        last = place
        yield f"    {factor(hop, names)}" + (f"   product so far {wording.array(g)}" if step else "")


def where(place: Line) -> str:
    """A line of the program: file, number, text."""
    return f"{place}: {place.text}" if place.text else str(place)


def factor(hop: Hop, names: Names) -> str:
    """A local derivative by name, formula and number."""
    node, i = hop
    operands = called(node, names)
    text, closed = local_text(hop, names[node], operands)
    return f"{fraction(names[node], operands[i])} = {text}{' (closed)' if closed else ''}"
