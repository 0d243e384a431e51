"""What Graphviz wrote, read anew: nothing but shapes and text, and attributes whose values are known to be harmless.

What is not on the list is left out with everything inside it: scripts, links, styles, event handlers, foreign
content, and the titles that browsers show as tooltips full of node ids. Every picture goes through `read`: the static
drawing, the page, where it gets smaller on the way, and the animation, which takes it apart.

Source: the OWASP cheat sheet on cross-site scripting: allow what is known, instead of forbidding what is feared; the
SVG 2 specification, section 8.2 (viewBox).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from html import escape
from xml.etree.ElementTree import Element, TreeBuilder, XMLParser, tostring

PROLOG = '<?xml version="1.0" encoding="UTF-8"?>\n'
NAMESPACE = "http://www.w3.org/2000/svg"
ELEMENTS = frozenset({"svg", "g", "path", "polygon", "polyline", "ellipse", "text"})
SHAPES = ELEMENTS - {"svg", "g"}
NUMBER = r"-?\d+(\.\d+)?"
COLOUR = r"#[0-9a-f]{6}|none|white|black"
NUMBERS = r"[\d., -]+"
ATTRIBUTES = {
    "id": r"[voer]\d+", "class": "node|edge|cluster|graph", "viewBox": NUMBERS, "width": NUMBER + "pt",
    "transform": rf"(scale\(1 1\) rotate\(0\) )?translate\({NUMBERS}\)",
    "d": r"[MCLZ\d., -]+", "points": NUMBERS, "x": NUMBER, "y": NUMBER,
    "cx": NUMBER, "cy": NUMBER, "rx": NUMBER, "ry": NUMBER, "fill": COLOUR, "stroke": COLOUR,
    "stroke-width": NUMBER, "stroke-dasharray": NUMBERS, "text-anchor": "start|middle|end",
    "font-family": r"[\w, -]+", "font-size": NUMBER,
}  # fmt: skip
DECIMALS = re.compile(r"\d+\.\d+")
MEASURED = frozenset({"d", "points", "x", "y", "cx", "cy", "rx", "ry", "viewBox", "transform", "font-size"})


def read(svg: str) -> Element:
    """The picture with allowed elements and attributes only.

    Parameters
    ----------
    svg
        What Graphviz wrote.
    """
    parser = XMLParser(target=Allowed())
    parser.feed(svg[svg.index("<svg") :])
    found: Element = parser.close()
    return found


class Allowed:
    """Builds what a parser reads, and skips what is not allowed."""

    def __init__(self) -> None:
        self.builder = TreeBuilder()
        self.open: list[str] = []
        self.skipped = 0

    def start(self, tag: str, attributes: dict[str, str]) -> None:
        """An element begins; inside of what is skipped everything is."""
        name = tag.removeprefix(f"{{{NAMESPACE}}}")
        if self.skipped or name not in ELEMENTS:
            self.skipped += 1
            return
        self.open.append(name)
        lowered = {key: value.lower() if key in ("fill", "stroke") else value for key, value in attributes.items()}
        self.builder.start(name, {key: value for key, value in lowered.items() if harmless(key, value)})

    def end(self, tag: str) -> None:
        """An element ends."""
        if self.skipped:
            self.skipped -= 1
        else:
            self.builder.end(self.open.pop())

    def data(self, text: str) -> None:
        """Text, where text belongs."""
        if not self.skipped and self.open[-1] == "text":
            self.builder.data(text)

    def close(self) -> Element:
        """The finished picture."""
        return self.builder.close()


def harmless(name: str, value: str) -> bool:
    """Whether an attribute and its value are on the list."""
    return name in ATTRIBUTES and re.fullmatch(ATTRIBUTES[name], value) is not None


def fit_page(svg: str, spoken: str) -> str:
    """A picture for files and notebooks: it takes the width there is without being cut off, up to its natural one.

    Parameters
    ----------
    svg
        What Graphviz wrote.
    spoken
        What a screen reader says in place of the picture.
    """
    root = read(svg)
    head = {"xmlns": NAMESPACE, "style": f"max-width:{root.attrib.pop('width', '100%')}", "role": "img"}
    root.attrib = {**head, "aria-label": spoken, **root.attrib}
    return tostring(root, encoding="unicode")


def allowed(svg: str, implied: Iterable[tuple[str, str]] = ()) -> str:
    """A picture for the inside of a page, where it is small: coordinates have one decimal, fonts are the page's.

    Parameters
    ----------
    svg
        What Graphviz wrote.
    implied
        Attributes and values that can be left out, because the page has them in its style.
    """
    left_out = {(name, value.lower()) for name, value in implied}
    root = read(svg)
    for element in root.iter():
        short = {name: rounded(value) if name in MEASURED else value for name, value in element.attrib.items()}
        kept = {name: value for name, value in short.items() if name not in ("font-family", "width")}
        element.attrib = {name: value for name, value in kept.items() if (name, value) not in left_out}
    return written(root)


def rounded(value: str) -> str:
    """Coordinates with one decimal."""
    return DECIMALS.sub(lambda found: f"{float(found[0]):.1f}".removesuffix(".0"), value)


def written(element: Element) -> str:
    """An element as HTML: what has nothing inside is closed at once, unless it is a container."""
    attributes = "".join(f' {name}="{value}"' for name, value in element.attrib.items())
    opening = f"<{element.tag}{attributes}"
    inside = escape(element.text or "", quote=False) + "".join(map(written, element))
    closed = element.tag in SHAPES and element.tag != "text"
    return f"{opening}/>" if closed else f"{opening}>{inside}</{element.tag}>"


@dataclass(frozen=True)
class Shape:
    """A shape or a line of text: its element, its attributes, what it says, and the id of the part it belongs to."""

    tag: str
    attributes: dict[str, str]
    text: str = ""
    part: str = ""


@dataclass(frozen=True)
class Layout:
    """What Graphviz drew: its extent, and by their ids the shapes of every part, in its own coordinates.

    The ground, the caption and the frames around module calls are the part without an id.
    """

    left: float
    top: float
    width: float
    height: float
    parts: dict[str, list[Shape]] = field(default_factory=dict)


def layout(svg: str) -> Layout:
    """A picture taken apart, for whoever lets its parts move.

    Parameters
    ----------
    svg
        What Graphviz wrote.
    """
    root = read(svg)
    graph = root[0]
    x, y = map(float, graph.get("transform", "").rpartition("translate(")[2].rstrip(")").split())
    _, _, width, height = map(float, root.get("viewBox", "").split())
    parts: dict[str, list[Shape]] = {}
    for element, part in shapes(graph):
        attributes = {name: value for name, value in element.attrib.items() if name != "font-family"}
        parts.setdefault(part, []).append(Shape(element.tag, attributes, element.text or "", part))
    return Layout(-x, -y, width, height, parts)


def shapes(graph: Element) -> Iterator[tuple[Element, str]]:
    """Every shape of a picture with the id of the part it belongs to."""
    for element in graph:
        part = element.get("id", "") if element.get("class") in ("node", "edge") else ""
        yield from ((inner, part) for inner in element.iter() if inner.tag in SHAPES)
