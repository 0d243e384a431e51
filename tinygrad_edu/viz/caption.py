"""The line under the picture: the chain rule, with the numbers of this graph.

One path: `derror_dw = derror_dp * dp_dw` and the product. Several: the product of each, and their sum. What has no
name of its own is skipped over, as one does on a blackboard: from `error = (prediction - target)**2` the factor is
`derror_dprediction`, the product of two local derivatives.

Source: the figures of the tutorial this project began with, where the wanted derivative is a bold red path.
"""

from __future__ import annotations

from collections import Counter

import numpy as np

from tinygrad_edu.viz import wording
from tinygrad_edu.viz.replay import pull, slope

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from typing import Any

    from tinygrad_edu.graph import Node
    from tinygrad_edu.viz.naming import Names
    from tinygrad_edu.viz.paths import Path, Paths
    from tinygrad_edu.viz.replay import Hop

    Stretch = tuple[Hop, ...]
    Figure = Callable[[Stretch], str]

FACTORS = 6
LONG = 48
ONES = range(1, 21)


class Caption:
    """The chain rule of the paths to one Value, as lines of text.

    Parameters
    ----------
    root, to
        The result, and the Value its paths lead to.
    paths
        Those paths.
    names
        What everything is called.
    figure
        `figure`, cached: paths share most of their factors, and so do the captions of one graph.

    Attributes
    ----------
    products
        Each listed path as a product.
    lines
        The gradient as a sum over paths, then each path as a product.
    stretches
        The factors that go through Values without a name of their own, by the Value they start from (towards
        the loss): label and numbers for the picture.
    marks
        For every hop the circled numbers of the paths it is on.
    """

    def __init__(self, root: Node, to: Node, paths: Paths, names: Names, figure: Figure) -> None:
        self.names, self.paths, self.to, self.root = names, paths, to, root
        self.figure = figure
        self.whole = self.unambiguous()
        self.products = [self.product(path) for path in paths.listed]
        self.lines = [self.single(self.products[0])] if paths.count == 1 else self.sum_and_paths()
        self.marks = self.circled() if paths.count > 1 else {}
        self.stretches = {stretch[0][0]: self.whole_factor(stretch) for stretch in self.whole}

    def unambiguous(self) -> set[Stretch]:
        """The stretches through unnamed Values that are the only way between their ends."""
        if len(self.paths.listed) < self.paths.count:
            return set()
        ends: dict[tuple[Node, Node], set[Stretch]] = {}
        for path in self.paths.listed:
            for stretch in self.between_names(path):
                ends.setdefault((stretch[0][0], operand(stretch[-1])), set()).add(stretch)
        ends.pop((self.root, self.to), None)  # without any name on the way, every hop is shown
        alone = [next(iter(found)) for found in ends.values() if len(found) == 1]
        starts = Counter(stretch[0][0] for stretch in alone)
        return {stretch for stretch in alone if len(stretch) > 1 and starts[stretch[0][0]] == 1}

    def between_names(self, path: Path) -> Iterator[Stretch]:
        """The path cut at every Value that somebody named."""
        start = 0
        for i, hop in enumerate(path.hops):
            if operand(hop) in self.names.told or operand(hop) is self.to:
                yield path.hops[start : i + 1]
                start = i + 1

    def factors(self, path: Path) -> list[Stretch]:
        """What is multiplied along a path: stretches where they are unambiguous, else single hops."""
        found: list[Stretch] = []
        for stretch in self.between_names(path):
            found.extend([stretch] if stretch in self.whole else [(hop,) for hop in stretch])
        return found

    def fraction(self, stretch: Stretch) -> str:
        """The name of a factor: dprediction_dlayer1."""
        return fraction(self.names[stretch[0][0]], self.names[operand(stretch[-1])])

    def whole_factor(self, stretch: Stretch) -> str:
        """A factor of several hops with its numbers, where they are short: derror_dp = 1.597 * 1 = 1.597."""
        numbers = [self.figure((hop,)) for hop in stretch]
        parts = [" * ".join(numbers)] if "" not in numbers else []
        if sum(map(len, parts)) > LONG:
            parts = []
        return " = ".join(part for part in (self.fraction(stretch), *parts, self.figure(stretch)) if part)

    def single(self, product: str) -> str:
        """The gradient as the product along the only path."""
        wanted = fraction(self.names[self.root], self.names[self.to])
        return f"{wanted} = {product}" if not product.startswith(f"{wanted} = ") else product

    def product(self, path: Path) -> str:
        """The factors of a path, their numbers if they have some, and the product."""
        factors = self.factors(path)
        words = shortened([self.fraction(stretch) for stretch in factors])
        numbers = [self.figure(stretch) for stretch in factors]
        steps = [words] if words else []
        if len(numbers) > 1 and "" not in numbers:
            steps.append(shortened(numbers))
        return " = ".join([*steps, wording.array(path.product)])

    def sum_and_paths(self) -> list[str]:
        """The gradient as a sum over paths, and a line for each of them."""
        listed, more = self.paths.listed, self.paths.count - len(self.paths.listed)
        terms = [f"{wording.array(path.product)} ({k})" for k, path in enumerate(listed, 1)]
        if more > 0:
            terms.append(f"{wording.array(self.paths.rest)} (+{wording.how_many(more)} more paths)")
        wanted = fraction(self.names[self.root], self.names[self.to])
        head = f"{wanted} = {' + '.join(terms)} = {wording.array(self.paths.gradient)}"
        return [head, *(f"({k}) {product}" for k, product in enumerate(self.products, 1))]

    def circled(self) -> dict[Hop, str]:
        """The numbers of the listed paths on each hop."""
        marks: dict[Hop, str] = {}
        for k, path in zip(ONES, self.paths.listed, strict=False):
            for hop in path.hops:
                marks[hop] = marks.get(hop, "") + chr(0x245F + k)
        return marks


def fraction(result: str, operand: str) -> str:
    """A derivative by name, as Leibniz wrote it: derror_dw1."""
    return f"d{result}_d{operand}"


def operand(hop: Hop) -> Node:
    """The Value at the far end of a hop."""
    found: Node = hop[0].args[hop[1]]
    return found


def figure(stretch: Stretch) -> str:
    """The number of a factor, or nothing where it is a larger Jacobian."""
    g: Any = slope(stretch[0])
    elementwise = all(hop[0].op is not None and hop[0].op.elementwise for hop in stretch)
    if g is None or not (elementwise or np.size(stretch[0][0].data) == 1):
        return ""
    for hop in stretch[1:]:
        g = pull(hop, g)
    return wording.array(g) if np.size(g) <= wording.FULL else ""


def shortened(factors: Sequence[str]) -> str:
    """A product with the middle left out where it is long."""
    if len(factors) <= FACTORS:
        return " * ".join(factors)
    left = f"... {len(factors) - FACTORS + 1:,} more ..."
    return " * ".join([*factors[: FACTORS // 2], left, *factors[1 - FACTORS // 2 :]])
