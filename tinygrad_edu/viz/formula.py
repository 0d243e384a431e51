"""The local derivative of one edge, in words: `dprediction_dlayer1`, its formula, its number.

The table of rules declares a formula per argument in `x`, `y` and `out`; here the operands' names are filled in.
Where it is a single number, or up to four of them, they follow; otherwise the shape does.

Source: the notation of the chain rule by Leibniz, a fraction written dy_dx.
"""

from __future__ import annotations

import re

import numpy as np

from tinygrad_edu.graph import Node
from tinygrad_edu.viz import wording
from tinygrad_edu.viz.replay import slope

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    from tinygrad_edu.viz.replay import Hop

LETTERS = re.compile(r"\b(x|y|out|n)\b")


def glyph(node: Node) -> str:
    """How an operation is shown: its glyph, a constant exponent included."""
    assert node.op is not None
    exponent = constant_exponent(node)
    return node.op.glyph if exponent is None else f"^{wording.number(exponent)}"


def constant_exponent(node: Node) -> Any | None:
    """The exponent of a power of a Value, if it is one constant number."""
    if node.op is None or node.op.name != "power" or isinstance(node.args[1], Node) or np.size(node.args[1]) != 1:
        return None
    return float(np.sum(node.saved[2]))


def formula(hop: Hop, result: str, operands: Sequence[str]) -> str:
    """The derivative of a result for one operand, in their names.

    Parameters
    ----------
    hop
        The result and the place of the operand.
    result, operands
        What they are called.
    """
    node, i = hop
    assert node.op is not None
    exponent = constant_exponent(node)
    if exponent is not None:
        return power_formula(operands[0], exponent)
    declared = node.op.formulas
    if not declared:
        return ""
    text = declared[min(i, len(declared) - 1)]
    if node.op.name == "matmul" and np.ndim(node.saved[2 - i]) == 1:
        text = text.removesuffix("^T")
    words = {"out": result, "n": averaged(node)}
    if text in ("x", "y"):
        return operands["xy".index(text)]
    words |= {letter: bracketed(name) for letter, name in zip("xy", operands, strict=False)}
    return LETTERS.sub(lambda found: words[found[0]], text)


def power_formula(base: str, exponent: float) -> str:
    """The derivative of a power with a constant exponent."""
    if exponent in (0.0, 1.0):
        return wording.number(exponent)
    rest = "" if exponent == 2.0 else f"^{wording.number(exponent - 1.0)}"
    return f"{wording.number(exponent)} * {base}{rest}"


def averaged(node: Node) -> str:
    """How many entries a mean or a variance divides by."""
    return str(np.size(node.saved[1]) // max(np.size(node.saved[0]), 1) - int(node.options.get("ddof") or 0))


def bracketed(name: str) -> str:
    """A negative number in parentheses."""
    return f"({name})" if name.startswith("-") else name


def evaluated(hop: Hop) -> tuple[str, bool]:
    """The number of a local derivative, or its shape; and whether nothing passes."""
    found = slope(hop)
    if found is None:
        return factor_shape(hop), False
    entries = np.ravel(found)
    closed = not entries.any()
    if entries.size and (entries == entries[0]).all():
        return wording.number(entries[0]), closed
    if entries.size > wording.FULL:
        return wording.shape(found), closed
    return wording.array(found), closed


def factor_shape(hop: Hop) -> str:
    """The shape of what the gradient is multiplied by: of the other matrix, transposed, or of the operand."""
    node, i = hop
    if node.op is not None and node.op.name == "matmul":
        return str(np.shape(node.saved[2 - i])[::-1])
    return wording.shape(node.saved[i + 1])


def local_text(hop: Hop, result: str, operands: Sequence[str]) -> tuple[str, bool]:
    """Formula and number of an edge on one line, and whether nothing passes."""
    words, (figure, closed) = formula(hop, result, operands), evaluated(hop)
    if words == figure or not words:
        return figure, closed
    if figure.startswith("("):
        return f"{words}  {figure}", closed
    return f"{words} = {figure}", closed
