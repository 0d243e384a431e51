"""Operations, derivatives and the chain rule in words: `layer_1 + bias`, `derror_dw = derror_dp * dp_dw = 0.4265`.

The table of rules declares a formula per argument in `x`, `y` and `out`; here the operands' names are filled in.
Where it is a single number, or up to four of them, they follow; otherwise the shape does. A gradient is the product
of the derivatives along one path, or the sum of such products. What has no name of its own is skipped over, as one
does on a blackboard: of `error = (prediction - target)**2` the factor is `derror_dprediction`, the product of two.

Source: the notation of the chain rule by Leibniz, a fraction written dy_dx; the figures of the tutorial this project
began with, where the wanted derivative is a bold red path.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence

import numpy as np

from tinygrad_edu.graph import Node
from tinygrad_edu.viz.model import formatting
from tinygrad_edu.viz.model.formatting import bracketed
from tinygrad_edu.viz.model.names import Names
from tinygrad_edu.viz.model.paths import Path, Paths
from tinygrad_edu.viz.model.records import Arrow, Step, Update
from tinygrad_edu.viz.model.replay import Edge, LocalDerivative, Replay, constant_exponent

Stretch = tuple[Edge, ...]
"""Several edges in a row, which make one factor."""

FACTORS = 6
"""So many factors are written out: more than that is no longer read, and does not fit under a picture."""

LONG = 48
"""The numbers of a factor in more characters than this would make its label wider than the boxes beside it."""

LETTERS = re.compile(r"\b(x|y|out|n)\b")


def glyph(node: Node) -> str:
    """How the operation that made a Value is shown: its glyph, a constant exponent included."""
    assert node.op is not None
    exponent = constant_exponent(node)
    return node.op.glyph if exponent is None else f"^{formatting.number(exponent)}"


def operands(node: Node, names: Names) -> list[str]:
    """What the operands of a Value are called; a constant without a name by its numbers, if they are few."""
    return [
        names[arg] if isinstance(arg, Node) else names.constant(arg) or formatting.few(data, "constant")
        for arg, data in zip(node.args, node.saved[1:], strict=True)
    ]


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
    return formatting.few(local.value, formatting.shape(local.value))


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
    data, g, after = map(formatting.array, (update.data, update.gradient, update.after))
    return f"{data} - {formatting.number(update.lr)} * {bracketed(g)} = {after}"


class ChainRule:
    """The chain rule for the gradient of one Value."""

    def __init__(self, replay: Replay, paths: Paths) -> None:
        self.replay = replay
        self.paths = paths
        self.names = replay.names
        self.whole = self.unambiguous()
        # the factors through Values without a name of their own, by the Value they start from (towards the loss)
        self.factors = {stretch[0].result: stretch for stretch in self.whole}
        # for every edge the numbers, from 1, of the listed paths it is on; empty if there is one path only
        self.numbers: dict[Edge, tuple[int, ...]] = {}
        for k, path in enumerate(paths.listed if paths.count > 1 else (), 1):
            for edge in path.edges:
                self.numbers[edge] = (*self.numbers.get(edge, ()), k)

    def unambiguous(self) -> set[Stretch]:
        """The stretches through unnamed Values that are the only way between their ends."""
        if self.paths.more:
            return set()
        ends: dict[tuple[Node, Node], set[Stretch]] = {}
        for path in self.paths.listed:
            for stretch in self.between_names(path):
                ends.setdefault((stretch[0].result, stretch[-1].operand), set()).add(stretch)
        # without any name on the way, every edge is shown
        ends.pop((self.replay.root, self.paths.to), None)
        alone = [next(iter(found)) for found in ends.values() if len(found) == 1]
        starts = Counter(stretch[0].result for stretch in alone)
        return {stretch for stretch in alone if len(stretch) > 1 and starts[stretch[0].result] == 1}

    def between_names(self, path: Path) -> Iterator[Stretch]:
        """The path cut at every Value that somebody named."""
        start = 0
        for i, edge in enumerate(path.edges):
            if edge.operand in self.names.told or edge.operand is self.paths.to:
                yield path.edges[start : i + 1]
                start = i + 1

    def stretches(self, path: Path) -> list[Stretch]:
        """What is multiplied along a path: stretches where they are unambiguous, else single edges."""
        found: list[Stretch] = []
        for stretch in self.between_names(path):
            found.extend([stretch] if stretch in self.whole else [(edge,) for edge in stretch])
        return found

    @property
    def wanted(self) -> str:
        """The gradient by name: derror_dw."""
        return fraction(self.names[self.replay.root], self.names[self.paths.to])

    def lines(self) -> list[str]:
        """The caption of a picture: the gradient as a sum over paths, then each path as a product."""
        products = list(map(self.product, self.paths.listed))
        if self.paths.count > 1:
            return [self.total(), *(f"({k}) {product}" for k, product in enumerate(products, 1))]
        alone = products[0].startswith(f"{self.wanted} = ")
        return [products[0] if alone else f"{self.wanted} = {products[0]}"]

    def total(self) -> str:
        """The gradient as the sum over its paths: derror_dw = 0.4265 (1) + 0.29 (2) = 0.7165."""
        terms = [f"{formatting.array(path.product)} ({k})" for k, path in enumerate(self.paths.listed, 1)]
        if self.paths.more:
            terms.append(f"{formatting.array(self.paths.rest)} (+{formatting.how_many(self.paths.more)} more paths)")
        sums = [" + ".join(terms)] if len(terms) > 1 else []
        return " = ".join([self.wanted, *sums, formatting.array(self.paths.gradient)])

    def rest(self) -> str:
        """What the paths that are not listed add up to; nothing if all are listed."""
        more = formatting.how_many(self.paths.more)
        return f"+{more} more paths = {formatting.array(self.paths.rest)}" if self.paths.more else ""

    def product(self, path: Path) -> str:
        """The factors of a path, their numbers if they have some, and the product."""
        stretches = self.stretches(path)
        words = shortened(list(map(self.name, stretches)))
        numbers = list(map(self.number, stretches))
        steps = [words] if words else []
        if len(numbers) > 1 and "" not in numbers:
            steps.append(shortened(numbers))
        return " = ".join([*steps, formatting.array(path.product)])

    def factor(self, stretch: Stretch) -> str:
        """A factor of several edges with its numbers, where they are short: derror_dp = 1.597 * 1 = 1.597."""
        numbers = [self.number((edge,)) for edge in stretch]
        product = "" if "" in numbers else " * ".join(numbers)
        parts = (self.name(stretch), product if len(product) <= LONG else "", self.number(stretch))
        return " = ".join(filter(None, parts))

    def name(self, stretch: Stretch) -> str:
        """The name of a factor: dprediction_dlayer1."""
        return fraction(self.names[stretch[0].result], self.names[stretch[-1].operand])

    def number(self, stretch: Stretch) -> str:
        """The number of a factor, or nothing where it is a larger Jacobian."""
        value = self.replay.factor(stretch)
        return "" if value is None else formatting.few(value, "")


def circled(numbers: Sequence[int]) -> str:
    """The numbers of paths, as they are marked in the picture: 1 and 3 as two circled digits."""
    return "".join(chr(0x245F + k) for k in numbers)


def shortened(factors: Sequence[str]) -> str:
    """A product with the middle left out where it is long."""
    if len(factors) <= FACTORS:
        return " * ".join(factors)
    left = f"... {len(factors) - FACTORS + 1:,} more ..."
    return " * ".join([*factors[: FACTORS // 2], left, *factors[1 - FACTORS // 2 :]])
