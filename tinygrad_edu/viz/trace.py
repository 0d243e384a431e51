"""The backward pass as pure data: boxes, steps, edges and paths, every number already text.

All views are made of a `Trace` and compute nothing, so that they agree. How much it tells depends on the size: of
small graphs everything; then short labels; then no labels on edges; of the largest the part around the result.

Source: the split between data and its marks in Bostock, Ogievetsky and Heer, "D3" (2011).
"""

from __future__ import annotations

from dataclasses import dataclass

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from tinygrad_edu.recording import Scope

    Map = Sequence[Sequence[str]]


@dataclass(frozen=True)
class Box:
    """A value: the result, an intermediate result, a variable, a constant, or a copy of a box far away.

    Attributes
    ----------
    original
        The box that a copy stands for.
    array
        Shape and dtype of an array whose numbers are not all shown.
    maps
        Its data and its gradient as rows of colours.
    flags
        What should not be overlooked, such as a nan that begins here.
    line
        The line of the program that made it, as far as that was noted.
    """

    id: str
    name: str
    kind: str
    data: str
    grad: str
    glyph: str
    scope: Scope | None
    original: str = ""
    array: str = ""
    maps: tuple[Map, ...] = ()
    flags: tuple[str, ...] = ()
    line: str = ""


@dataclass(frozen=True)
class Step:
    """An operation; on a wanted path with the factor that begins here, if that spans several steps."""

    id: str
    glyph: str
    result: str
    wanted: bool
    marks: str
    factor: str
    scope: Scope | None


@dataclass(frozen=True)
class Edge:
    """From an operand to the operation it enters, or, in merged pictures, to its result."""

    tail: str
    head: str
    slope: str
    text: str
    live: bool
    closed: bool
    wanted: bool
    marks: str


@dataclass(frozen=True)
class Trace:
    """What there is to see of a backward pass, in order of computation."""

    boxes: tuple[Box, ...]
    steps: tuple[Step, ...]
    edges: tuple[Edge, ...]
    caption: tuple[str, ...]
    note: str
    detail: str
