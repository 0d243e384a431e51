"""The chain rule in words, with the numbers of a graph: a gradient as the sum over paths of the products along them.

One path: `derror_dw = derror_dp * dp_dw` and the product. Several: the product of each, and their sum. What has no
name of its own is skipped over, as one does on a blackboard: from `error = (prediction - target)**2` the factor is
`derror_dprediction`, the product of two local derivatives.

Source: the figures of the tutorial this project began with, where the wanted derivative is a bold red path.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

import numpy as np

from tinygrad_edu.viz.model import formatting
from tinygrad_edu.viz.model.formula import fraction

if TYPE_CHECKING:
    from tinygrad_edu.graph import Node
    from tinygrad_edu.viz.model.paths import Path, Paths
    from tinygrad_edu.viz.model.replay import Edge, Replay

    Stretch = tuple[Edge, ...]
    """Several edges in a row, which make one factor."""

FACTORS = 6
"""So many factors are written out: more than that is no longer read, and does not fit under a picture."""

LONG = 48
"""The numbers of a factor in more characters than this would make its label wider than the boxes beside it."""


class ChainRule:
    """The chain rule for the gradient of one Value.

    Parameters
    ----------
    replay
        The graph.
    paths
        The paths to the Value.

    Attributes
    ----------
    numbers
        For every edge the numbers, from 1, of the listed paths it is on; empty if there is one path only.
    factors
        The factors that go through Values without a name of their own, by the Value they start from (towards the
        loss).
    """

    def __init__(self, replay: Replay, paths: Paths) -> None:
        self.replay = replay
        self.paths = paths
        self.names = replay.names
        self.whole = self.unambiguous()
        self.factors = {stretch[0].result: stretch for stretch in self.whole}
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
        return "" if value is None or np.size(value) > formatting.FULL else formatting.array(value)


def circled(numbers: Sequence[int]) -> str:
    """The numbers of paths, as they are marked in the picture: 1 and 3 as two circled digits."""
    return "".join(chr(0x245F + k) for k in numbers)


def shortened(factors: Sequence[str]) -> str:
    """A product with the middle left out where it is long."""
    if len(factors) <= FACTORS:
        return " * ".join(factors)
    left = f"... {len(factors) - FACTORS + 1:,} more ..."
    return " * ".join([*factors[: FACTORS // 2], left, *factors[1 - FACTORS // 2 :]])
