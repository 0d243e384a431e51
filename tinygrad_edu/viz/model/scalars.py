"""The scalar zoom: a computation on arrays, opened into the same computation on single numbers.

A matrix product becomes its multiplications and additions, so that one can see that there is nothing else in it.
Arrays of Values do the work: NumPy runs its functions on them entry by entry, and each entry is recorded.

Source: the networks of single numbers in Karpathy, "micrograd" (2020).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from tinygrad_edu import errors
from tinygrad_edu.graph import Node, toposort
from tinygrad_edu.inputs import plain
from tinygrad_edu.recording import SCOPE
from tinygrad_edu.table import TIES, Op
from tinygrad_edu.value import Value, apply

MOST = 600
"""More numbers than this are a picture that nobody can read, and that Graphviz needs minutes for."""


def opened(root: Node, names: Mapping[Node, str]) -> Value:
    """The same result, computed number by number; with gradients if the result has one.

    An entry of what `names` calls `w` is called `w[0, 1]`. A ValueError refuses a result that is not a single number,
    too many numbers, an array that has none, and an operation that cannot be opened.
    """
    if root.array.size != 1:
        raise errors.not_scalar(root.name, root.array.shape)
    nodes = toposort(root)[::-1]
    if empty := [str(node.array.shape) for node in nodes if not node.array.size]:
        raise errors.refusal(
            ValueError, f"level='scalar' draws numbers; an array of shape {empty[0]} has none: use level='tensor'"
        )
    if (count := sum(node.array.size for node in nodes)) > MOST:
        raise errors.refusal(
            ValueError, f"level='scalar' would draw {count:,} numbers, of at most {MOST}: use level='tensor'"
        )
    cells: dict[Node, Any] = {}
    for node in nodes:
        cells[node] = boxed(node) if node.op is None else computed(node, cells)
        if node in names:
            christen(cells[node], names[node])
    result: Value = cells[root].item()
    if root.gradient is not None:
        result.backward()
        keep_gradients(cells)
    return result


def boxed(node: Node) -> Any:
    """A variable as an array of Values, one for each number."""
    cells = np.empty(node.array.shape, dtype=object)
    for index in np.ndindex(node.array.shape):
        cells[index] = Value(np.asarray(node.array)[index])
    return cells


def computed(node: Node, cells: Mapping[Node, Any]) -> Any:
    """A result as an array of Values, computed from those of its operands in the module call it belongs to."""
    assert node.op is not None
    operands = [cells[arg] if isinstance(arg, Node) else node.saved[i + 1] for i, arg in enumerate(node.args)]
    token = SCOPE.set(node.scope)
    try:
        if node.op.elementwise:
            return entry_by_entry(node.op, operands, node.options)
        return rearranged(node.op, operands, node.options)
    finally:
        SCOPE.reset(token)


def rearranged(op: Op, operands: list[Any], options: Mapping[str, Any]) -> Any:
    """Any other operation: by NumPy on arrays of Values, a reduction that cannot be done so line by line."""
    try:
        if op.kinks == TIES:
            raise TypeError("comparing numbers one by one would not share the gradient of a tie")
        result = as_array(op.compute(*operands, **options))
        if not any(isinstance(entry, Node) for entry in result.flat):
            raise TypeError("what the function only looks at, as a count does, leads nowhere")
        return result
    except (TypeError, ValueError) as error:
        if "keepdims" in op.options and len(operands) == 1 and "where" not in options:
            return line_by_line(op, operands[0], dict(options))
        raise errors.refusal(
            ValueError, f"{op.name} cannot be opened into single numbers: use level='tensor'"
        ) from error


def as_array(result: Any) -> Any:
    """A single Value as an array of one, an array as it is; not `np.asarray`, which Values refuse."""
    if isinstance(result, np.ndarray):
        return result
    cells = np.empty((), dtype=object)
    cells[()] = result
    return cells


def entry_by_entry(op: Op, operands: list[Any], options: Mapping[str, Any]) -> Any:
    """An elementwise operation, once for each entry of the result; arrays among the options go along."""
    along = {name: option for name, option in options.items() if isinstance(option, np.ndarray)}
    fixed = {name: option for name, option in options.items() if name not in along}

    def one(*inputs: Any) -> Any:
        arrays = inputs[: len(operands)]
        chosen = inputs[len(operands) :]
        own = {**fixed, **dict(zip(along, chosen, strict=True))}
        return apply(op, arrays, own) if any(isinstance(x, Node) for x in arrays) else op.compute(*arrays, **own)

    return as_array(np.frompyfunc(one, len(operands) + len(along), 1)(*operands, *along.values()))


def line_by_line(op: Op, operand: Any, options: dict[str, Any]) -> Any:
    """A reduction, such as `max`: once for each result, on the stacked entries it reduces."""
    axis = options.pop("axis", None)
    keepdims = options.pop("keepdims", False)
    axes = tuple(range(operand.ndim)) if axis is None else tuple(np.atleast_1d(axis) % operand.ndim)
    kept = [n for n in range(operand.ndim) if n not in axes]
    lines = np.transpose(operand, (*kept, *axes)).reshape(*(operand.shape[n] for n in kept), -1)
    results = np.empty(lines.shape[:-1], dtype=object)
    for index in np.ndindex(results.shape):
        results[index] = op.function(np.stack(list(lines[index])), **options)
    return np.expand_dims(results, axes) if keepdims else results


def christen(cells: Any, name: str) -> None:
    """Call the entries of an array by its name and their index; what has a name already keeps it."""
    for index in np.ndindex(cells.shape):
        if isinstance(cells[index], Node) and cells[index].name is None:
            cells[index].name = f"{name}{list(index)}" if index else name


def keep_gradients(cells: Mapping[Node, Any]) -> None:
    """Give the entries of variables the gradients that the variables hold, what was left from earlier included."""
    for node, entries in cells.items():
        if node.op is None and node.gradient is not None:
            for index in np.ndindex(entries.shape):
                entries[index].gradient = plain(node.gradient)[index]
