"""The picture of a graph as a list of marks: shapes and lines of text, each with the part of the picture it is of.

Whoever draws marks, as SVG or as a GIF, needs to know three kinds of shapes, and text.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from xml.etree import ElementTree

Point = tuple[float, float]

TAGS = ("polygon", "polyline", "path", "text")


@dataclass(frozen=True)
class Mark:
    """A shape or a line of text.

    Attributes
    ----------
    tag, look, text
        The SVG element: its name, its attributes, what it says.
    part
        The id of the part it belongs to, such as "v1".
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

    def opacity(self, scene: int) -> float:
        """How much of it is seen in a scene: all, or as much as at rest."""
        return 1.0 if self.first <= scene and (self.end is None or scene < self.end) else self.rest


@dataclass(frozen=True)
class Layout:
    """What Graphviz drew: its extent, and the marks of every part in order."""

    left: float
    top: float
    width: float
    height: float
    parts: dict[str, list[Mark]] = field(default_factory=dict)


def read(svg: str) -> Layout:
    """The marks of a picture by Graphviz, of which only harmless parts are left, in its own coordinates."""
    root = ElementTree.fromstring(svg)
    graph = next(element for element in root if element.tag == "g")
    _, _, shift = graph.get("transform", "").rpartition("translate(")
    x, y = map(float, shift.rstrip(")").split())
    _, _, width, height = map(float, root.get("viewBox", "").split())
    parts: dict[str, list[Mark]] = {}
    for element, part in walk(graph):
        if element.tag in TAGS:
            parts.setdefault(part, []).append(Mark(element.tag, dict(element.attrib), element.text or "", part))
    return Layout(-x, -y, width, height, parts)


def walk(graph: ElementTree.Element) -> Iterator[tuple[ElementTree.Element, str]]:
    """Every element of the picture with the part it belongs to; nothing for the ground, the caption, the frames."""
    for element in graph:
        if element.tag == "g":
            part = element.get("id", "") if element.get("class") in ("node", "edge") else ""
            yield from ((inner, part) for inner in element.iter())
        else:
            yield element, ""


def points(mark: Mark) -> list[Point]:
    """The corners of a polygon, the control points of a path, or where a text stands."""
    if mark.tag == "text":
        return [(float(mark.look["x"]), float(mark.look["y"]))]
    text = mark.look.get("points") or mark.look["d"]
    numbers = [float(n) for n in text.replace("M", " ").replace("C", " ").replace(",", " ").split()]
    return list(zip(numbers[::2], numbers[1::2], strict=True))


def middle(marks: Sequence[Mark]) -> Point:
    """The middle of the first shape."""
    xs, ys = zip(*points(marks[0]), strict=True)
    return (min(xs) + max(xs)) / 2, (min(ys) + max(ys)) / 2


def polygon(corners: Sequence[Point], colours: dict[str, str], part: str = "") -> Mark:
    """A filled shape; `colours` are its fill, and its stroke if it has one."""
    return Mark("polygon", {"points": " ".join(f"{x:.2f},{y:.2f}" for x, y in corners), **colours}, part=part)
