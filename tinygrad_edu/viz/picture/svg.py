"""An SVG written anew, with nothing in it but shapes, text, and attributes whose values are known to be harmless.

What is not on the list is left out with everything inside it: scripts, links, styles, event handlers, foreign
content. On the way the picture gets smaller: coordinates have one decimal, fonts are left to the page.

Source: the OWASP cheat sheet on cross-site scripting: allow what is known, instead of forbidding what is feared.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from html import escape
from xml.etree.ElementTree import XMLParser

NAMESPACE = "{http://www.w3.org/2000/svg}"
ELEMENTS = frozenset({"svg", "g", "path", "polygon", "polyline", "ellipse", "text"})
CONTAINERS = frozenset({"svg", "g", "text"})
NUMBER = r"-?\d+(\.\d+)?"
COLOUR = r"#[0-9a-f]{6}|none|white|black"
NUMBERS = r"[\d., -]+"
ATTRIBUTES = {
    "id": r"[voer]\d+", "class": "node|edge|cluster|graph", "viewBox": NUMBERS,
    "transform": rf"(scale\(1 1\) rotate\(0\) )?translate\({NUMBERS}\)",
    "d": r"[MCLZ\d., -]+", "points": NUMBERS, "x": NUMBER, "y": NUMBER,
    "cx": NUMBER, "cy": NUMBER, "rx": NUMBER, "ry": NUMBER, "fill": COLOUR, "stroke": COLOUR,
    "stroke-width": NUMBER, "stroke-dasharray": NUMBERS, "text-anchor": "start|middle|end", "font-size": NUMBER,
}  # fmt: skip
DECIMALS = re.compile(r"\d+\.\d+")
MEASURED = frozenset({"d", "points", "x", "y", "cx", "cy", "rx", "ry", "viewBox", "transform", "font-size"})


def allowed(svg: str, implied: Iterable[tuple[str, str]] = ()) -> str:
    """The picture with allowed parts only, as an element for an HTML page.

    Parameters
    ----------
    svg
        What Graphviz wrote.
    implied
        Attributes and values that can be left out, because the page has them in its style.
    """
    copy = Copy(implied)
    parser = XMLParser(target=copy)
    parser.feed(svg[svg.index("<svg") :])
    parser.close()
    return "".join(copy.parts)


class Copy:
    """Writes what a parser reads, and skips what is not allowed."""

    def __init__(self, implied: Iterable[tuple[str, str]]) -> None:
        self.implied = frozenset(attribute(*pair) for pair in implied)
        self.parts: list[str] = []
        self.skipped, self.begun = 0, ""

    def start(self, tag: str, attributes: dict[str, str]) -> None:
        """An element begins; inside of what is skipped everything is."""
        self.begun = tag.removeprefix(NAMESPACE)
        if self.skipped or self.begun not in ELEMENTS:
            self.skipped += 1
            return
        kept = (attribute(*pair) for pair in attributes.items())
        self.parts.append(f"<{self.begun}{''.join(pair for pair in kept if pair not in self.implied)}>")

    def end(self, tag: str) -> None:
        """An element ends; a shape, which has no content, is closed at once."""
        if self.skipped:
            self.skipped -= 1
        elif self.begun and self.begun not in CONTAINERS:
            self.parts[-1] = f"{self.parts[-1][:-1]}/>"
        else:
            self.parts.append(f"</{tag.removeprefix(NAMESPACE)}>")
        self.begun = ""

    def data(self, text: str) -> None:
        """Text, as text, where text belongs."""
        if not self.skipped and self.begun == "text":
            self.parts.append(escape(text, quote=False))


def attribute(name: str, value: str) -> str:
    """An attribute, if both its name and its value are on the list."""
    value = value.lower() if name in ("fill", "stroke") else value
    if name not in ATTRIBUTES or not re.fullmatch(ATTRIBUTES[name], value):
        return ""
    if name in MEASURED:
        value = DECIMALS.sub(lambda found: f"{float(found[0]):.1f}".removesuffix(".0"), value)
    return f' {name}="{value}"'


HEAD = re.compile(r'<svg width="([\d.]+)pt" height="[\d.]+pt"')
NOISE = re.compile(r"<!--.*?-->\n?|<title>.*?</title>\n?|<!DOCTYPE.*?>\n?", re.DOTALL)
PROLOG = '<?xml version="1.0" encoding="UTF-8"?>\n'


def fit_page(svg: str, spoken: str) -> str:
    """The `<svg>` element alone, scalable.

    Parameters
    ----------
    svg
        What Graphviz wrote.
    spoken
        What a screen reader says in place of the picture.
    """
    svg = NOISE.sub("", svg[svg.index("<svg") :])
    spoken = escape(spoken)
    return HEAD.sub(lambda size: f'<svg style="max-width:{size[1]}pt" role="img" aria-label="{spoken}"', svg)
