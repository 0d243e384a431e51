"""Operations and their local derivatives in words: `layer_1 + bias`, `dprediction_dlayer_1`, its formula, its number.

The table of rules declares a formula per argument in `x`, `y` and `out`; here the operands' names are filled in.
Where it is a single number, or up to four of them, they follow; otherwise the shape does.

Source: the notation of the chain rule by Leibniz, a fraction written dy_dx.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from tinygrad_edu.graph import Node
from tinygrad_edu.viz.model import formatting
from tinygrad_edu.viz.model.formatting import bracketed
from tinygrad_edu.viz.model.replay import constant_exponent

if TYPE_CHECKING:
    from tinygrad_edu.viz.model.names import Names
    from tinygrad_edu.viz.model.records import Arrow, LocalDerivative, Step, Update
    from tinygrad_edu.viz.model.replay import Edge

LETTERS = re.compile(r"\b(x|y|out|n)\b")


def glyph(node: Node) -> str:
    """How the operation that made a Value is shown: its glyph, a constant exponent included."""
    assert node.op is not None
    exponent = constant_exponent(node)
    return node.op.glyph if exponent is None else f"^{formatting.number(exponent)}"


def operands(node: Node, names: Names) -> list[str]:
    """What the operands of a Value are called; a constant without a name by its numbers, if they are few."""
    return [
        names[arg] if isinstance(arg, Node) else names.constant(arg) or few(node.saved[i + 1])
        for i, arg in enumerate(node.args)
    ]


def few(data: Any) -> str:
    """The numbers of an array, or the word for it."""
    return formatting.array(data) if np.size(data) <= formatting.FULL else "constant"


def computed_as(node: Node, names: Names) -> str:
    """How a result is computed, in names: matmul_1 + bias."""
    return expression(glyph(node), operands(node, names))


def computed_from(node: Node) -> str:
    """The same in numbers: 0.44 + 0.1."""
    return expression(glyph(node), [formatting.array(operand) for operand in node.saved[1:]])


def expression(mark: str, operands: Sequence[str]) -> str:
    """An operation on its operands, as one writes it: a + b, -a, a^2, tanh(a), a[...]."""
    if mark == "[]":
        return f"{operands[0]}[...]"
    if mark.startswith("^") and mark != "^":
        return f"{bracketed(operands[0])}{mark}"
    if mark.isidentifier():
        return f"{mark}({', '.join(operands)})"
    if len(operands) == 1:
        return f"{mark}{bracketed(operands[0])}"
    return f" {mark} ".join(map(bracketed, operands))


def fraction(result: str, operand: str) -> str:
    """A derivative by name, as Leibniz wrote it: derror_dw1."""
    return f"d{result}_d{operand}"


def derivative(local: LocalDerivative) -> str:
    """A local derivative by name."""
    node, i = local.edge
    return fraction(local.names[node], operands(node, local.names)[i])


def formula(local: LocalDerivative) -> str:
    """A local derivative as a formula in the names of the operands; nothing where the table declares none."""
    node = local.edge.result
    called = operands(node, local.names)
    exponent = constant_exponent(node)
    if exponent is not None:
        return power_formula(called[0], exponent)
    text = declared_formula(local.edge)
    if text in ("x", "y"):
        return called["xy".index(text)]
    words = {"out": local.names[node], "n": averaged(node)}
    words |= {letter: bracketed(name) for letter, name in zip("xy", called, strict=False)}
    return LETTERS.sub(lambda found: words[found[0]], text)


def declared_formula(edge: Edge) -> str:
    """The formula that the table declares for an operand, in `x`, `y` and `out`; nothing where it declares none."""
    node, i = edge
    if node.op is None or not node.op.formulas:
        return ""
    text: str = node.op.formulas[min(i, len(node.op.formulas) - 1)]
    if node.op.name == "matmul" and np.ndim(node.saved[2 - i]) == 1:
        return text.removesuffix("^T")
    return text


def power_formula(base: str, exponent: float) -> str:
    """The derivative of a power with a constant exponent."""
    if exponent in (0.0, 1.0):
        return formatting.number(exponent)
    rest = "" if exponent == 2.0 else f"^{formatting.number(exponent - 1.0)}"
    return f"{formatting.number(exponent)} * {base}{rest}"


def averaged(node: Node) -> str:
    """How many entries a mean or a variance divides by."""
    return str(np.size(node.saved[1]) // max(np.size(node.saved[0]), 1) - int(node.options.get("ddof") or 0))


def figure(local: LocalDerivative) -> str:
    """The number of a local derivative, or the shape where there are too many."""
    if local.value is None:
        return factor_shape(local.edge)
    entries = np.ravel(local.value)
    if entries.size and (entries == entries[0]).all():
        return formatting.number(entries[0])
    return formatting.shape(local.value) if entries.size > formatting.FULL else formatting.array(local.value)


def factor_shape(edge: Edge) -> str:
    """The shape of what the gradient is multiplied by: of the other matrix, transposed, or of the operand."""
    node, i = edge
    if node.op is not None and node.op.name == "matmul":
        return str(np.shape(node.saved[2 - i])[::-1])
    return formatting.shape(node.saved[i + 1])


def local_text(local: LocalDerivative) -> str:
    """Formula and number on one line: x1 = 1.66."""
    words = formula(local)
    number = figure(local)
    if words == number or not words:
        return number
    return f"{words}  {number}" if number.startswith("(") else f"{words} = {number}"


def equation(local: LocalDerivative) -> str:
    """Name, formula and number on one line, with a word where nothing passes."""
    return f"{derivative(local)} = {local_text(local)}{' (closed)' if local.closed else ''}"


def arrow_texts(arrow: Arrow, detail: str) -> tuple[str, str]:
    """Name, and formula and number, of the derivative at an arrow, as far as a picture of this size shows them."""
    if arrow.derivative is None:
        return "", ""
    if detail == "short":
        return "", figure(arrow.derivative)
    return derivative(arrow.derivative), local_text(arrow.derivative)


def product(step: Step) -> str:
    """What a step passes on, as an equation where it is one of numbers: 1.264 * 0.2326 = 0.294."""
    number = figure(step.derivative)
    given = formatting.array(step.contribution)
    return given if number.startswith("(") else f"{formatting.array(step.upstream)} * {bracketed(number)} = {given}"


def accumulation(step: Step) -> str:
    """The sum as it grows: `w1.grad: 0.29 += 0.4265 -> 0.7165`."""
    before = "0" if step.before is None else formatting.array(step.before)
    name = step.derivative.names[step.edge.operand]
    return f"{name}.grad: {before} += {formatting.array(step.contribution)} -> {formatting.array(step.after)}"


def progress(step: Step) -> str:
    """How many of the operand's consumers have passed something: `2 of 3`."""
    return f"{step.done:,} of {step.total:,}"


def updated(update: Update) -> str:
    """One step of gradient descent in numbers: 1.45 - 0.1 * (-0.2) = 1.47."""
    g = bracketed(formatting.array(update.gradient))
    return (
        f"{formatting.array(update.data)} - {formatting.number(update.lr)} * {g} = {formatting.array(update.after)}"
    )
