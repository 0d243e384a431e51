"""The layout of Graphviz as a list of marks: shapes and lines of text, each with the part of the picture it is of.

Only what is listed here is taken over from the SVG, so that nothing in it can ever act: no links, no scripts, no
styles, no titles. Whoever draws marks, in a browser or with Pillow, needs to know four shapes.

Source: Bertin, "Semiology of Graphics" (1967), for the word.
"""

from __future__ import annotations

from dataclasses import dataclass, field

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

    Point = tuple[float, float]

TAGS = ("polygon", "polyline", "path", "text")
KEPT = (
    "points", "d", "x", "y", "fill", "stroke", "stroke-width", "stroke-dasharray", "text-anchor", "font-size",
)  # fmt: skip


@dataclass(frozen=True)
class Mark:
    """A shape or a line of text.

    Attributes
    ----------
    tag, look, text
        The SVG element: its name, its attributes, what it says.
    part
        The number of the part it belongs to, such as "v1".
    first, end
        The scenes during which it is seen: from the first, up to but without the end; to the last if that is None.
    rest
        Its opacity during all other scenes.
    """

    tag: str
    look: dict[str, str]
    text: str = ""
    part: str = ""
    first: int = 0
    end: int | None = None
    rest: float = 0.0


@dataclass(frozen=True)
class Layout:
    """What Graphviz drew: its extent, and the marks of every part in order."""

    left: float
    top: float
    width: float
    height: float
    parts: dict[str, list[Mark]] = field(default_factory=dict)


def read(svg: bytes) -> Layout:
    """The marks of an SVG by Graphviz, in its own coordinates."""
    from xml.etree import ElementTree

    root = ElementTree.fromstring(svg)
    graph = next(element for element in root if tag(element) == "g")
    _, _, shift = graph.get("transform", "").rpartition("translate(")
    x, y = map(float, shift.rstrip(")").split())
    _, _, width, height = map(float, root.get("viewBox", "").split())
    parts: dict[str, list[Mark]] = {}
    for element, part in walk(graph):
        if tag(element) in TAGS:
            look = {key: element.attrib[key] for key in KEPT if key in element.attrib}
            parts.setdefault(part, []).append(Mark(tag(element), look, element.text or "", part))
    return Layout(-x, -y, width, height, parts)


def walk(graph: Any) -> Iterator[tuple[Any, str]]:
    """Every element of the picture with the part it belongs to; nothing for the ground, the caption, the frames."""
    for element in graph:
        if tag(element) == "g":
            part = element.get("id", "") if element.get("class") in ("node", "edge") else ""
            yield from ((inner, part) for inner in element.iter())
        else:
            yield element, ""


def tag(element: Any) -> str:
    """The name of an element without its namespace."""
    return str(element.tag).rpartition("}")[2]


def points(mark: Mark) -> list[Point]:
    """The corners of a polygon, the control points of a path, or where a text stands."""
    if mark.tag == "text":
        return [(float(mark.look["x"]), float(mark.look["y"]))]
    text = mark.look.get("points") or mark.look["d"]
    numbers = [float(n) for n in text.replace("M", " ").replace("C", " ").replace(",", " ").split()]
    return list(zip(numbers[::2], numbers[1::2], strict=True))


def middle(marks: list[Mark]) -> Point:
    """The middle of the first shape."""
    corners = points(marks[0])
    xs, ys = zip(*corners, strict=True)
    return (min(xs) + max(xs)) / 2, (min(ys) + max(ys)) / 2
