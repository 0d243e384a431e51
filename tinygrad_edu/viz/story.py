"""Forward, backward and update as lists of steps: what an explorer, an animation and a JSON file tell.

A `Story` belongs to a trace and speaks of its parts by their numbers there. Like the trace it is pure data, every
number already text: whoever shows it computes nothing.

Source: the three phases of learning by gradient descent, Rumelhart, Hinton and Williams (1986).
"""

from __future__ import annotations

from dataclasses import asdict, dataclass

from tinygrad_edu.viz.naming import titled

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from tinygrad_edu.viz.trace import Trace


@dataclass(frozen=True)
class Forward:
    """An operation computes its result: layer_1 = matmul_1 + bias = 0.44 + 0.1 = 0.54."""

    step: str
    result: str
    edges: tuple[str, ...]
    name: str
    words: str
    numbers: str
    data: str


@dataclass(frozen=True)
class Backward:
    """A result passes its gradient back to one of its operands; see `Pull` for the texts."""

    step: str
    result: str
    operand: str
    edge: str
    glyph: str
    result_name: str
    operand_name: str
    derivative: str
    formula: str
    local: str
    upstream: str
    contribution: str
    before: str
    share: str
    after: str
    done: int
    total: int


@dataclass(frozen=True)
class Update:
    """A variable moves against its gradient: w <- w - lr * grad."""

    box: str
    name: str
    numbers: str
    data: str


@dataclass(frozen=True)
class Route:
    """One path from the result to a variable: its parts in the picture, and the product along it."""

    parts: tuple[str, ...]
    words: str
    product: str


@dataclass(frozen=True)
class Leaf:
    """A variable, and the paths whose products sum to its gradient."""

    box: str
    name: str
    derivative: str
    count: str
    routes: tuple[Route, ...]
    more: str
    rest: str
    gradient: str
    earlier: str


@dataclass(frozen=True)
class Story:
    """A trace, and what happens in it step by step.

    Attributes
    ----------
    total
        How many steps each phase has; of a large graph only the first are told, and the first few variables.
    images
        By the id of its box, data and gradient of each array whose numbers are not all shown, as data URIs.
    """

    trace: Trace
    forward: tuple[Forward, ...]
    backward: tuple[Backward, ...]
    update: tuple[Update, ...]
    leaves: tuple[Leaf, ...]
    total: dict[str, int]
    images: dict[str, tuple[str, ...]]

    def as_dict(self) -> dict[str, Any]:
        """Everything as dictionaries, lists, texts and counts; module calls as their path and class."""
        plain: dict[str, Any] = asdict(self, dict_factory=without_scopes)
        return plain


def without_scopes(items: list[tuple[str, Any]]) -> dict[str, Any]:
    """A part as a dictionary, the module call around it as text."""
    return {key: titled(x) if key == "scope" and x is not None else x for key, x in items}
