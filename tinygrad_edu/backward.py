"""The backward pass: the one function that runs derivative rules.

Walk from the result to the variables, keep this pass's gradients in a local dict, call each operation's pullbacks,
undo broadcasting in what they return, add it in. Given arrays, the rules compute gradients; given nodes, the same
rules record gradients that can be differentiated again.
Source: Griewank and Walther, "Evaluating Derivatives" (2008), section 3.2 (reverse accumulation).
"""

from collections.abc import Iterable
from functools import partial
from typing import Any

import numpy as np

from tinygrad_edu import errors
from tinygrad_edu.graph import Node, has_no_past, same_bits, toposort
from tinygrad_edu.inputs import constant, plain
from tinygrad_edu.listeners import JOINED, tell_differentiated
from tinygrad_edu.names import spelled
from tinygrad_edu.notes import VERIFYING, verify
from tinygrad_edu.numeric_warnings import warn
from tinygrad_edu.table import Parts


def backpropagate(root: Node, gradient: Any, differentiable: bool = False, since: int = 0) -> dict[Node, Any]:
    """Pull a result's gradient, of its shape and dtype, back to every node numbered `since` or later behind it.

    `differentiable` runs the rules on the nodes themselves instead of their arrays. Nodes that the result does not
    depend on smoothly are missing in the dict from node to gradient. NumPy's warnings name the user's line.
    """
    told = {kind: "call" if how == "warn" else how for kind, how in np.geterr().items()}
    with np.errstate(call=partial(warn, "the gradient"), **told):  # type: ignore[arg-type]
        return pulled_back(root, gradient, differentiable, since)


def pulled_back(root: Node, gradient: Any, differentiable: bool, since: int) -> dict[Node, Any]:
    """What `backpropagate` does, whatever NumPy does with warnings."""
    gradients = {root: gradient}
    scattered = set()  # nodes whose gradient is an array of this pass alone, which may grow in place
    nodes = toposort(root, since=since)
    if VERIFYING.get():
        verify(nodes)
    for node in nodes:
        op = node.op
        g = gradients.get(node)
        if op is None or g is None:
            continue
        inputs = current(node) if differentiable else node.saved
        pullbacks = op.pullbacks
        options = node.options
        parts = pullbacks.rule(g, *inputs, **options) if type(pullbacks) is Parts else None
        add = op.add if options and not differentiable else None
        for i, parent in enumerate(node.args):
            if isinstance(parent, Node):
                try:
                    if add is not None:
                        if parent in scattered and type(gradients[parent]) is np.ndarray:
                            add(gradients[parent], g, **options)
                            continue
                        scattered.add(parent)
                    if parts is None:
                        share = pullbacks[i](g, *inputs, **options) if options else pullbacks[i](g, *inputs)
                    else:
                        share = parts[i]
                    if not node.aligned:
                        share = unbroadcast(share, node.saved[i + 1])
                except (AttributeError, TypeError, ValueError) as error:
                    raise errors.elsewhere(op.name, node.saved[i + 1], error) from None
                if parent in gradients:
                    share = gradients[parent] + share
                gradients[parent] = share
    return gradients


def current(node: Node) -> tuple[Any, ...]:
    """The node and its operands for a differentiable rule; their data must still be what was used."""
    for arg, array in zip((node, *node.args), node.saved, strict=True):
        if isinstance(arg, Node) and arg.array is not array and not same_bits(arg.array, array):
            raise errors.refusal(
                ValueError,
                f"the data of {arg.name or 'a Value'} was changed after the forward pass: compute the "
                "result again before differentiating its gradient",
            )
    arrays = zip(node.args, node.saved[1:], strict=True)
    return (node, *(arg if isinstance(arg, Node) else array for arg, array in arrays))


def unbroadcast(g: Any, x: Any) -> Any:
    """Bring a gradient to the shape and dtype of its argument: undo broadcasting and promotion."""
    if g.shape != x.shape:
        lead = g.ndim - x.ndim
        kept = [lead + i for i, n in enumerate(x.shape) if n == 1 and g.shape[lead + i] != 1]
        g = np.reshape(np.sum(g, axis=(*range(lead), *kept)), x.shape)
    return g if g.dtype == x.dtype else g.astype(x.dtype)


def seed(root: Node, gradient: Any) -> Any:
    """The gradient that the backward pass starts from, of the shape and dtype of the root."""
    if gradient is None:
        if root.array.size != 1:
            raise errors.not_scalar(root.name, root.array.shape)
        return np.ones_like(root.array)[()]
    given = constant(plain(gradient))
    if np.shape(given) != root.array.shape:
        facts = f"gradient has shape {np.shape(given)}, the Value has {root.array.shape}"
        raise errors.refusal(ValueError, f"{facts}; they must be equal")
    return np.multiply(np.ones_like(root.array), given).astype(root.array.dtype)


@spelled
def gradients(y: Node, xs: Iterable[Node] | Node, differentiable: bool = False) -> list[Any]:
    """The gradients of a single number with respect to Values; no `.grad` is touched.

    Parameters
    ----------
    y
        A Value that holds one number.
    xs
        The Values to differentiate with respect to, or one of them.
    differentiable
        Whether the gradients are Values, to be differentiated again, instead of arrays.

    Returns
    -------
    list
        A gradient for each of xs, of its shape and dtype; zeros where y does not depend on it.

    Raises
    ------
    TypeError
        If y is not a Value, since nothing was recorded then, or if one of xs is not.
    ValueError
        If y holds more or fewer than one number.
    """
    if not isinstance(y, Node):
        raise errors.constants_only(y)
    wanted = list(xs) if isinstance(xs, Iterable) and not isinstance(xs, Node) else [xs]
    if others := [type(x).__name__ for x in wanted if not isinstance(x, Node)]:
        raise errors.refusal(TypeError, f"gradients are for Values, such as a weight; got a {others[0]}")
    if has_no_past(y) and not any(x is y for x in wanted):
        raise errors.no_past(y.name)
    if y.op is None and any(x.op is not None for x in wanted):
        name, use = errors.label(y, "the first argument"), "gradients(loss, variables) takes the result first"
        raise errors.refusal(ValueError, f"{name} is not computed from what it is differentiated for: {use}")
    start_from = seed(y, None)
    found = vjps(y, start_from, wanted, differentiable)
    if JOINED:
        tell_differentiated(y, start_from, dict(zip(wanted, found, strict=True)), added=False)
    return found


def vjps(root: Any, g: Any, xs: list[Any], differentiable: bool = False, since: int = 0) -> list[Any]:
    """The gradients for xs that belong to a gradient of the root; zeros where it does not depend on them."""
    found = backpropagate(root, g, differentiable, since) if isinstance(root, Node) else {}
    held = {id(g)}
    return [own(found[x], held) if x in found else np.zeros_like(x.array)[()] for x in xs]


def own(gradient: Any, held: set[int]) -> Any:
    """A gradient that may be changed and that nobody else holds: a copy of what is a view, read-only or `held`."""
    if type(gradient) is not np.ndarray:
        return gradient
    if gradient.base is not None or not gradient.flags.writeable or id(gradient) in held:
        gradient = gradient.copy(order="K")
    held.add(id(gradient))
    return gradient
