"""The gradient line of a box: what has been added up, and from whom.

A Value used twice gets two shares, and its gradient is their sum; the line shows the sum being made. What `.grad`
holds beyond this pass, because it was not cleared, is a term of its own. Before `backward()` there is no gradient.

Source: Griewank and Walther, "Evaluating Derivatives" (2008), section 3.2: the incremental form.
"""

from __future__ import annotations

import numpy as np

from tinygrad_edu.viz import wording
from tinygrad_edu.viz.replay import pull

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Any

    from tinygrad_edu.graph import Node
    from tinygrad_edu.viz.replay import Hop

TERMS = 4


class Ledger:
    """The gradients that nodes hold, explained by the gradients of a replay.

    Parameters
    ----------
    root
        The result.
    gradients
        The replay: each node's gradient.
    uses
        The consumers of each node.
    """

    def __init__(self, root: Node, gradients: Mapping[Node, Any], uses: Mapping[Node, Sequence[Hop]]) -> None:
        self.gradients, self.uses = gradients, uses
        self.explained = root.grad is not None and root.data.size == 1 and bool(np.all(root.grad == 1))

    def grad(self, node: Node) -> str:
        """The gradient, as a sum where there is more than one term; '-' before backward."""
        if node.grad is None:
            return "-"
        held = wording.array(node.grad)
        if not self.explained or node not in self.gradients or np.size(node.grad) > wording.FULL:
            return held
        terms = self.terms(node)
        return held if len(terms) < 2 else f"{' + '.join(terms)} = {held}"

    def terms(self, node: Node) -> list[str]:
        """The share of each consumer, the largest first as in the caption, and what was there before."""
        shares = [pull(hop, self.gradients[hop[0]]) for hop in self.uses[node] if hop[0] in self.gradients]
        shares.sort(key=wording.norm, reverse=True)
        terms = [wording.array(share) for share in shares[:TERMS]]
        if len(shares) > TERMS:
            terms.append(f"{len(shares) - TERMS:,} more {wording.array(sum(shares[TERMS:]))}")
        if earlier := self.earlier(node):
            terms.append(f"{earlier} left from earlier")
        return terms

    def earlier(self, node: Node) -> str:
        """What a variable's `.grad` holds beyond this pass; nothing if it was cleared before."""
        if node.op is not None or not self.explained or node.grad is None:
            return ""
        if np.allclose(node.grad, self.gradients[node], rtol=1e-9, equal_nan=True):
            return ""
        return wording.array(node.grad - self.gradients[node])
