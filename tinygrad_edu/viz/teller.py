"""From a graph of Values to a `Story`: the steps forward, the pulls backward, the update, the paths to each variable.

Source: none; this is bookkeeping.
"""

from __future__ import annotations

from functools import cache
from itertools import islice

import numpy as np

from tinygrad_edu.graph import Node
from tinygrad_edu.viz import thumbnail, wording
from tinygrad_edu.viz.caption import Caption, figure, fraction
from tinygrad_edu.viz.formula import bracketed, glyph
from tinygrad_edu.viz.journal import called, pulling
from tinygrad_edu.viz.paths import find_paths
from tinygrad_edu.viz.placement import Placement
from tinygrad_edu.viz.story import Backward, Forward, Leaf, Route, Story, Update
from tinygrad_edu.viz.tracer import Tracer

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from tinygrad_edu.viz.journal import Pull
    from tinygrad_edu.viz.paths import Path
    from tinygrad_edu.viz.replay import Hop

TOLD = 2_000
WALKED = 20_000
"""The steps told of each phase, and the Values walked over to find paths, for all variables together."""


class Teller:
    """Tells the story of a graph.

    Parameters
    ----------
    tracer
        What knows the graph.
    lr
        The learning rate of the update.
    """

    def __init__(self, tracer: Tracer, lr: float) -> None:
        self.tracer, self.lr, self.names = tracer, lr, tracer.names
        self.places = Placement(tracer)
        self.trace = self.places.trace
        self.figure = cache(figure)

    def story(self) -> Story:
        """The finished story; of a large graph the first steps of each phase, and the first variables."""
        nodes = self.tracer.nodes[::-1]
        results = [node for node in nodes if node.op is not None]
        variables = [node for node in nodes if node.op is None and node in self.tracer.gradients]
        hops = sum(map(len, self.tracer.uses.values()))
        return Story(
            self.trace,
            tuple(map(self.forward, results[:TOLD])),
            tuple(self.backward()),
            tuple(map(self.update, variables[:TOLD])),
            tuple(map(self.leaf, variables[: WALKED // len(nodes)])),
            {"forward": len(results), "backward": hops, "update": len(variables)},
            self.images() if self.trace.detail == "everything" else {},
        )

    def images(self) -> dict[str, tuple[str, ...]]:
        """Data and gradient of every larger array as small pictures, where those can be made."""
        found = {}
        for node in self.tracer.nodes:
            arrays = [self.tracer.data(node), self.tracer.gradients.get(node)]
            if np.size(arrays[0]) > wording.FULL:
                found[self.places.box(node)] = tuple(thumbnail.uri(array) for array in arrays if array is not None)
        return {box: pictures for box, pictures in found.items() if all(pictures)}

    def forward(self, node: Node) -> Forward:
        """How a result is computed."""
        hops = [(node, i) for i in range(len(node.args))]
        numbers = [wording.array(operand) for operand in node.saved[1:]]
        edges = tuple(filter(None, map(self.places.edge, hops)))
        words = expression(glyph(node), called(node, self.names))
        data = wording.array(node.saved[0])
        figures = expression(glyph(node), numbers)
        place = self.places.step(node), self.places.box(node)
        return Forward(*place, edges, self.names[node], words, figures, data)

    def backward(self) -> list[Backward]:
        """The pulls, in their order."""
        tracer = self.tracer
        journal = pulling(tracer.nodes, tracer.gradients, tracer.uses, self.names)
        return list(map(self.pulled, islice(journal, TOLD)))

    def pulled(self, pull: Pull) -> Backward:
        """A pull, its ends by their numbers in the picture."""
        return Backward(
            step=self.places.step(pull.node),
            result=self.places.box(pull.node),
            operand=self.places.box(pull.operand),
            edge=self.places.edge((pull.node, pull.place)),
            glyph=pull.glyph,
            result_name=pull.result,
            operand_name=pull.name,
            derivative=pull.derivative,
            formula=pull.formula,
            local=pull.local,
            upstream=pull.upstream,
            contribution=pull.contribution,
            before=pull.before,
            share=pull.share,
            after=pull.after,
            done=pull.done,
            total=pull.total,
        )

    def update(self, node: Node) -> Update:
        """One step of gradient descent, with the gradient of this pass."""
        data, g = self.tracer.data(node), self.tracer.gradients[node]
        with np.errstate(all="ignore"):
            moved = wording.array(data - self.lr * g)
        rate = wording.number(self.lr)
        numbers = f"{wording.array(data)} - {rate} * {bracketed(wording.array(g))} = {moved}"
        return Update(self.places.box(node), self.names[node], numbers, moved)

    def leaf(self, node: Node) -> Leaf:
        """The paths to a variable, what they add up to, and what was there before."""
        tracer = self.tracer
        paths = find_paths(tracer.nodes, node, tracer.gradients[node])
        caption = Caption(tracer.root, node, paths, self.names, self.figure)
        left = paths.count - len(paths.listed)
        return Leaf(
            self.places.box(node),
            self.names[node],
            fraction(self.names[tracer.root], self.names[node]),
            wording.how_many(paths.count),
            tuple(map(self.route, paths.listed, caption.products)),
            wording.how_many(left) if left else "",
            wording.array(paths.rest) if left else "",
            wording.array(paths.gradient),
            tracer.ledger.earlier(node),
        )

    def route(self, path: Path, words: str) -> Route:
        """A path as the ids of what is drawn of it."""
        return Route(tuple(self.parts(path.hops)), words, wording.array(path.product))

    def parts(self, hops: Sequence[Hop]) -> list[str]:
        """Boxes, steps and edges along a path, the result first."""
        found = list[str]()
        for node, i in hops:
            operand = node.args[i]
            found += [self.places.box(node), self.places.step(node), self.places.edge((node, i))]
            found += [self.places.box(operand)]
        return list(filter(None, dict.fromkeys(found)))


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
