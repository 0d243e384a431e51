"""The stage of an animation: one layout, in which every mark knows during which scenes it is seen.

What is not computed yet is pale. A step forward lights up in blue and leaves its result; a step backward lights up in
red, turns the arrow around, and leaves the local derivative at the edge and the gradient in the box. The words of a
scene stand beside the place where it happens.

Source: Baecker, "Sorting Out Sorting" (1981), for showing a change where it takes place.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace
from itertools import repeat
from math import hypot

from tinygrad_edu.errors import refusal
from tinygrad_edu.viz.model.palette import LIGHT
from tinygrad_edu.viz.model.records import Box, Story
from tinygrad_edu.viz.motion.scenes import durations, scenes
from tinygrad_edu.viz.motion.view import COLOURS, Camera, Mark, Panel, points, polygon, read
from tinygrad_edu.viz.saving import DrawingError

PALE = 0.16
RESTING = {"shape": PALE, "name": 0.4}
"""The opacity of shapes and of names that are not known yet: seen as being there, but not read. Of others it is 0."""

TIP, WING = 9.0, 3.6
"""Length and half the width of an arrow head, about as Graphviz draws them."""


class Stage:
    """Everything that is to be seen, and when; DrawingError for a graph that is too large to show numbers.

    `draw` makes, from the gradient that each box shows, by its id, an SVG by Graphviz in which nothing can act. What
    is seen, from back to front, is the `graph`, in the coordinates of its layout, and the `words`, in those of the
    picture.
    """

    def __init__(self, story: Story, draw: Callable[[Mapping[str, str]], str]) -> None:
        check_size(story)
        self.story = story
        self.scenes = scenes(story)
        self.durations = durations(self.scenes)
        self.grads: dict[str, list[tuple[int, str]]] = {}
        self.born: dict[str, int] = {}
        self.passed: dict[str, int] = {}
        self.note_first_scenes()
        self.turn = next((k for k, scene in enumerate(self.scenes) if scene.phase == "backward"), len(self.scenes))
        self.layout = read(draw(self.longest_grads()))
        self.camera = Camera(self.layout, self.scenes)
        self.panel = Panel(self.camera, self.scenes)
        self.graph = self.kept((*self.drawn(), *self.lights()))
        self.words = self.kept(self.panel.marks())

    def note_first_scenes(self) -> None:
        """Note when each part is lit up for the first time, forward and later, and when gradients change."""
        for k, scene in enumerate(self.scenes):
            for part in scene.parts:
                (self.born if scene.phase == "forward" else self.passed).setdefault(part, k)
            for box, text in scene.grads:
                self.grads.setdefault(box, []).append((k, text))

    def longest_grads(self) -> dict[str, str]:
        """The longest text that the gradient of each box will be, so that there is room for all of them."""
        longest = {box: max((text for _, text in texts), key=len) for box, texts in self.grads.items()}
        return {box.id: longest.get(box.id, "-") for box in self.story.diagram.boxes}

    def kept(self, marks: Iterable[Mark]) -> list[Mark]:
        """The marks that are ever seen; one whose end is the end of the story has none."""
        last = len(self.scenes)
        return [replace(m, end=None) if m.end == last else m for m in marks if m.first < last]

    def drawn(self) -> Iterator[Mark]:
        """The graph itself; what lies between boxes first."""
        boxes = {box.id: box for box in self.story.diagram.boxes}
        dead = {arrow.id for arrow in self.story.diagram.arrows if not arrow.live}
        parts = self.layout.parts
        yield from parts.get("", [])[1:]  # the first one is the ground
        for part in parts:
            if part[:1] in ("e", "r"):
                yield from self.edge(part, part in dead)
        for part, marks in parts.items():
            if part in boxes:
                yield from self.box(boxes[part], marks)
            elif part.startswith("o"):
                yield from (replace(mark, first=self.born.get(part, 0), rest=PALE) for mark in marks)

    def box(self, box: Box, marks: list[Mark]) -> Iterator[Mark]:
        """A value: pale until it is computed; then its data, and its gradients one after the other."""
        born = self.born.get(box.id, 0)
        lines = self.lines(box)
        for mark in marks:
            role = next(lines) if mark.tag == "text" else "shape"
            if role == "grad":
                yield from self.gradient(box, replace(mark, first=born))
            else:
                yield replace(mark, first=born, rest=RESTING.get(role, 0.0))

    def lines(self, box: Box) -> Iterator[str]:
        """What each line of a box says."""
        if box.name:
            yield "name"
        if self.story.diagram.detail == "everything" and box.kind not in ("constant", "copy"):
            yield from ("data", "grad")
        yield from repeat("more")

    def gradient(self, box: Box, mark: Mark) -> Iterator[Mark]:
        """The gradient line of a box: '-', then every sum; red while it changes."""
        texts = [(mark.first, "-"), *self.grads.get(box.id, [])]
        ends = [first for first, _ in texts[1:]] + [None]
        for i, ((first, text), end) in enumerate(zip(texts, ends, strict=True)):
            line = replace(mark, text=f"grad {text}", first=first, end=end)
            if i == 0:
                yield line
                continue
            yield replace(line, end=first + 1, look={**line.look, "fill": LIGHT.wanted})
            if end is None or end > first + 1:
                yield replace(line, first=first + 1)

    def edge(self, part: str, dead: bool) -> Iterator[Mark]:
        """An edge: its arrow forward until the backward pass; then backward, with the local derivative."""
        born = self.born.get(part, 0)
        passed = self.passed.get(part)
        line, arrow, *words = self.layout.parts[part]
        line = lengthened(line, arrow)
        yield replace(line, look={**line.look, "stroke": LIGHT.idle}, first=born, rest=PALE)
        idle = {**arrow.look, "fill": LIGHT.idle, "stroke": LIGHT.idle}
        yield replace(arrow, look=idle, first=born, end=None if dead or passed is None else self.turn)
        if passed is not None and not dead:
            yield from (replace(mark, first=passed) for mark in (line, back_arrow(line, LIGHT.live)))
            yield from (replace(mark, first=passed + 1) for mark in words)

    def lights(self) -> Iterator[Mark]:
        """What is lit up, scene by scene."""
        for k, scene in enumerate(self.scenes):
            forward, colour = scene.phase != "backward", COLOURS[scene.phase]
            for part in scene.parts:
                marks = self.layout.parts.get(part, [])
                if not forward and part[:1] in ("e", "r") and marks:
                    marks = [lengthened(*marks[:2]), *marks[2:]]
                for mark in marks:
                    yield from (replace(lit, first=k, end=k + 1) for lit in self.light(mark, colour, forward))

    def light(self, mark: Mark, colour: str, forward: bool) -> Iterator[Mark]:
        """One mark in bold and in colour."""
        edge = mark.part[:1] in ("e", "r")
        if mark.tag == "text":
            if edge and not forward:
                yield replace(mark, look={**mark.look, "fill": colour})
        elif not edge:
            yield replace(mark, look={**mark.look, "fill": "none", "stroke": colour, "stroke-width": "3.5"})
        elif mark.tag == "path":
            yield replace(mark, look={**mark.look, "stroke": colour, "stroke-width": "3.5"})
            if not forward:
                yield back_arrow(mark, colour)
        elif forward:
            yield replace(mark, look={**mark.look, "fill": colour, "stroke": colour})


def check_size(story: Story) -> None:
    """Refuse a graph of which only names can be shown."""
    if story.diagram.detail in ("merged", "folded"):
        count = len(story.replay.nodes)
        raise refusal(
            DrawingError,
            f"{count:,} values are too many to animate, since there is no room for their numbers: "
            "viz.draw(loss) shows large graphs, and viz.steps(loss) tells the backward pass in words",
        )


def lengthened(line: Mark, arrow: Mark) -> Mark:
    """A line up to the tip of its arrow, for when the arrow is gone."""
    x, y = points(line)[-1]
    tip = max(points(arrow), key=lambda point: hypot(point[0] - x, point[1] - y))
    return replace(line, look={**line.look, "d": f"{line.look['d']} C" + " ".join([f"{tip[0]:g},{tip[1]:g}"] * 3)})


def back_arrow(line: Mark, colour: str) -> Mark:
    """An arrow head at the beginning of a line."""
    (x, y), *others = points(line)
    ahead = next((p for p in others if p != (x, y)), (x, y + 1.0))
    length = hypot(ahead[0] - x, ahead[1] - y)
    dx, dy = (ahead[0] - x) / length, (ahead[1] - y) / length
    base = (x + TIP * dx, y + TIP * dy)
    corners = ((x, y), (base[0] - WING * dy, base[1] + WING * dx), (base[0] + WING * dy, base[1] - WING * dx))
    return polygon(corners, {"fill": colour, "stroke": colour}, line.part)
