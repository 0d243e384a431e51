"""What is seen: the marks of a picture, what of it is in sight during each scene, and where the words stand.

Whoever draws marks, as SVG or as a GIF, needs to know three kinds of shapes, and text. A graph that fits is seen
whole and stands still; of a larger one there is a view, centred on the place where things happen, as far as there is
graph around it. Each scene has a card of words. Beside a tall graph it stands next to the place where things happen,
so that the eye need not travel; below a wide graph it has a place of its own.

Source: Mayer, "Multimedia Learning" (2001), the principle of spatial contiguity.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from textwrap import wrap
from xml.etree import ElementTree

from tinygrad_edu.viz.model.palette import LIGHT
from tinygrad_edu.viz.motion.scenes import Scene

Point = tuple[float, float]

TAGS = ("polygon", "polyline", "path", "text")

WIDEST, HIGHEST = 1_200.0, 1_300.0
"""The view of a larger graph: what a notebook shows without scrolling sideways, and little more than a screen."""

NEARLY = 1.15
"""A graph that is larger by no more than this is still shown whole."""

ASIDE, LEAST, NARROW = 372.0, 620.0, 800.0
"""The width of a card beside the graph, the least width of one below it, and that of graphs with room beside them."""

MARGIN, PAD, BAR = 16.0, 14.0, 6.0
SIZE, LINE, LETTER = 16.0, 23.0, 0.58
"""The size of letters, the height of a line, and how wide a letter is on average, in sizes."""

MOST = 12
"""So many lines of a card are shown: more would be taller than the graph."""

INDENT = "    "

COLOURS = {"given": LIGHT.quiet, "forward": LIGHT.live, "backward": LIGHT.wanted, "update": LIGHT.live}
"""Of what is told, by the phase: blue where data changes, red where gradients do."""


@dataclass(frozen=True)
class Mark:
    """A shape or a line of text: an SVG element by its name and attributes, of a part of the picture such as "v1".

    It is seen from the scene `first`, up to but without `end`, or to the last if that is None. During all others its
    opacity is `rest`.
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
    for element in graph:  # the ground, the caption and the frames belong to no part
        part = element.get("id", "") if element.get("class") in ("node", "edge") else ""
        for shape in element.iter():
            if shape.tag in TAGS:
                parts.setdefault(part, []).append(Mark(shape.tag, dict(shape.attrib), shape.text or "", part))
    return Layout(-x, -y, width, height, parts)


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


class Camera:
    """Follows what happens, through a view of (width, height).

    For every scene `focus` is the point it is about, in the coordinates of the layout, and `shifts` how far the graph
    is moved, so that the view begins at (0, 0).
    """

    def __init__(self, layout: Layout, scenes: Sequence[Scene]) -> None:
        self.layout = layout
        self.width = seen(layout.width, WIDEST)
        self.height = seen(layout.height, HIGHEST)
        self.focus = [self.place(scene) for scene in scenes]
        self.shifts = [self.shift(point) for point in self.focus]

    def place(self, scene: Scene) -> Point:
        """The middle of what a scene is about, else of the first part that is lit up, else the beginning."""
        for part in (scene.focus, *scene.parts):
            if part and part in self.layout.parts:
                return middle(self.layout.parts[part])
        return self.layout.left, self.layout.top

    def shift(self, point: Point) -> Point:
        """The move that brings a point to the middle of the view, or as near as the ends of the graph allow."""
        layout = self.layout
        x = min(max(point[0] - self.width / 2, layout.left), layout.left + (layout.width - self.width))
        y = min(max(point[1] - self.height / 2, layout.top), layout.top + (layout.height - self.height))
        return -x, -y


def seen(extent: float, most: float) -> float:
    """How much of an extent is in sight."""
    return extent if extent <= NEARLY * most else most


class Panel:
    """Where the words stand, in the coordinates of the picture of (width, height), which does not move."""

    def __init__(self, camera: Camera, scenes: Sequence[Scene]) -> None:
        self.camera = camera
        self.scenes = scenes
        self.aside = camera.width <= NARROW and camera.height > 0.75 * camera.width
        below = max(camera.width, LEAST)
        self.room = ASIDE if self.aside else below - 2 * MARGIN
        letters = int((self.room - 2 * PAD) / (LETTER * SIZE))
        self.cards = [[line for text in scene.lines for line in broken(text, letters)][:MOST] for scene in scenes]
        tallest = max(map(card_height, self.cards))
        self.width = camera.width + ASIDE + 2 * MARGIN if self.aside else below
        inner = max(camera.height, tallest + 2 * MARGIN) if self.aside else camera.height + tallest + MARGIN
        self.height = inner + 2 * MARGIN

    def ground(self) -> Mark:
        """The paper."""
        return block(0.0, 0.0, self.width, self.height, LIGHT.paper)

    def marks(self) -> Iterator[Mark]:
        """The card of every scene, and its share of the bar, on paper that covers what is out of the view."""
        width, height, camera = self.width, self.height, self.camera
        yield block(0.0, camera.height, width, height - camera.height, LIGHT.paper)
        yield block(camera.width, 0.0, width - camera.width, height, LIGHT.paper)
        yield block(MARGIN, height - MARGIN, width - 2 * MARGIN, BAR, LIGHT.constant)
        share = (width - 2 * MARGIN) / len(self.scenes)
        for k, scene in enumerate(self.scenes):
            bar = block(MARGIN + k * share, height - MARGIN, share, BAR, COLOURS[scene.phase])
            yield replace(bar, first=k)
            yield from (replace(mark, first=k, end=k + 1) for mark in self.card(k, scene))

    def card(self, k: int, scene: Scene) -> Iterator[Mark]:
        """The words of a scene, and what they stand on."""
        (x, y), height, colour = self.corner(k), card_height(self.cards[k]), COLOURS[scene.phase]
        yield block(x, y, self.room, height, LIGHT.constant)
        yield block(x, y, 5.0, height, colour)
        y += PAD + 0.7 * LINE
        yield words(x + PAD, y, scene.heading, colour, "bold")
        for i, line in enumerate(self.cards[k], 1):
            indent = 1.5 * SIZE if line.startswith(INDENT) else 0.0
            yield words(x + PAD + indent, y + i * LINE, line.strip(), LIGHT.ink)

    def corner(self, k: int) -> Point:
        """Where a card begins: beside what it is about, or below the graph."""
        if not self.aside:
            return MARGIN, self.camera.height
        y = self.camera.focus[k][1] + self.camera.shifts[k][1]
        height = card_height(self.cards[k])
        lowest = self.height - 3 * MARGIN - height
        return self.camera.width + MARGIN, min(max(y - height / 2, MARGIN), lowest)


def card_height(card: Sequence[str]) -> float:
    """Heading, lines, and some space around them."""
    return (len(card) + 1) * LINE + 2 * PAD


def block(x: float, y: float, width: float, height: float, colour: str) -> Mark:
    """A filled rectangle."""
    return polygon([(x, y), (x + width, y), (x + width, y + height), (x, y + height)], {"fill": colour})


def words(x: float, y: float, text: str, colour: str, weight: str = "") -> Mark:
    """A line of text."""
    look = {"x": f"{x:.2f}", "y": f"{y:.2f}", "font-size": f"{SIZE:g}", "fill": colour}
    return Mark("text", {**look, "font-weight": weight} if weight else look, text)


def broken(text: str, room: int) -> list[str]:
    """A sentence on lines of limited length, broken before ' = ' where that is possible."""
    lines = [""]
    for part in text.split(" = "):
        joined = f"{lines[-1]} = {part}" if lines[-1] else part
        if lines[-1] and len(joined) > room:
            lines.append(f"{INDENT}= {part}")
        else:
            lines[-1] = joined
    return [piece for line in lines for piece in wrap(line, room, subsequent_indent=INDENT) or [""]]
