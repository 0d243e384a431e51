"""What Graphviz wrote, read anew: nothing but shapes and text, and attributes whose values are known to be harmless.

What is not on the list is left out with everything inside it: scripts, links, styles, event handlers, foreign
content, and the titles that browsers show as tooltips full of node ids. Every picture goes through `read`: the static
drawing, and what a page or an animation takes apart, where it gets smaller on the way.

Source: the OWASP cheat sheet on cross-site scripting: allow what is known, instead of forbidding what is feared; the
SVG 2 specification, section 8.2 (viewBox).
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from html import escape
from xml.etree.ElementTree import Element, fromstring, tostring

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
    """The picture with allowed elements and attributes only."""
    return kept(fromstring(svg[svg.index("<svg") :]))


def kept(element: Element) -> Element:
    """A copy of an allowed element: harmless attributes, allowed elements inside, and text where text belongs."""
    lowered = {key: value.lower() if key in ("fill", "stroke") else value for key, value in element.items()}
    copy = Element(local(element.tag), {key: value for key, value in lowered.items() if harmless(key, value)})
    copy.text = element.text if copy.tag == "text" else None
    copy.extend(kept(inner) for inner in element if local(inner.tag) in ELEMENTS)
    return copy


def local(tag: str) -> str:
    """The name of an element of SVG, without the namespace."""
    return tag.removeprefix(f"{{{NAMESPACE}}}")


def harmless(name: str, value: str) -> bool:
    """Whether an attribute and its value are on the list."""
    return name in ATTRIBUTES and re.fullmatch(ATTRIBUTES[name], value) is not None


def fit_page(svg: str, spoken: str) -> str:
    """A picture for files and notebooks: it takes the width there is without being cut off, up to its natural one.

    What is `spoken` a screen reader says in place of the picture.
    """
    root = read(svg)
    head = {"xmlns": NAMESPACE, "style": f"max-width:{root.attrib.pop('width', '100%')}", "role": "img"}
    root.attrib = {**head, "aria-label": spoken, **root.attrib}
    return tostring(root, encoding="unicode")


def allowed(svg: str, implied: Iterable[tuple[str, str]] = ()) -> str:
    """A picture for the inside of a page or an animation: coordinates have one decimal, fonts are left to those.

    What is `implied`, attributes and values that the page has in its style, is left out.
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
