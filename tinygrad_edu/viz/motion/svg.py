"""A story as a picture that moves: one SVG, animated by its style sheet alone.

Every mark is there from the beginning, and keyframes say during which scenes it is seen. All marks of one span of
scenes share a rule, and all rules one clock, so that nothing can drift apart. Nothing in it is a script, so it works
wherever an image does; for readers who asked for less motion, the last scene stands still.

Source: the CSS Animations and SVG 2 specifications.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from hashlib import sha256
from html import escape
from itertools import accumulate

from tinygrad_edu.viz.model import formatting
from tinygrad_edu.viz.model.formula import fraction
from tinygrad_edu.viz.model.palette import FONT
from tinygrad_edu.viz.model.records import Story
from tinygrad_edu.viz.motion.stage import Stage
from tinygrad_edu.viz.motion.view import Mark, Point

FADE = 0.3
"""The seconds for which a change lasts: long enough to be seen, short enough not to be waited for."""

SPOKEN = 20
"""So many gradients are read out in place of the picture."""


def animated_svg(stage: Stage) -> str:
    """A story as one animated SVG element, without scripts; it starts again when it is over."""
    frames = Keyframes(stage.durations)
    x, y = stage.camera.shifts[-1]
    moving = attribute("class", frames.camera(stage.camera.shifts))
    body = "\n".join([
        element(stage.panel.ground(), frames),
        f'<g{moving} transform="translate({x:.2f} {y:.2f})">',
        *(element(mark, frames) for mark in stage.graph),
        "</g>",
        *(element(mark, frames) for mark in stage.words),
    ])  # fmt: skip
    name = f"t{sha256(body.encode()).hexdigest()[:8]}"  # two pictures in one page must not share their rules
    width, height = stage.panel.width, stage.panel.height
    extent = f'viewBox="0 0 {width:.2f} {height:.2f}" width="{width:.2f}" height="{height:.2f}"'
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" class="{name}" {extent} role="img"'
        f'{attribute("aria-label", spoken(stage.story))} style="max-width:100%;height:auto" font-family="{FONT}">\n'
        f"<style>{frames.style(name)}</style>\n{body}\n</svg>\n"
    )


def spoken(story: Story) -> str:
    """What a screen reader says in place of the picture: the gradients."""
    root, names = story.diagram.root.name, story.replay.names
    gradients = [
        f"{fraction(root, names[leaf.node])} = {formatting.array(leaf.paths.gradient)}"
        for leaf in story.leaves[:SPOKEN]
    ]
    return "; ".join([f"The backward pass of {root}, step by step", *gradients])


def element(mark: Mark, frames: Keyframes) -> str:
    """A mark as an SVG element; its attributes say what it is like when nothing moves."""
    look = {"class": frames.seen(mark), "data-part": mark.part, **mark.look}
    if mark.end is not None:
        look["opacity"] = f"{mark.rest:g}"
    opening = f"<{mark.tag}{''.join(attribute(key, text) for key, text in look.items())}"
    return f"{opening}>{escape(mark.text)}</text>" if mark.tag == "text" else f"{opening}/>"


def attribute(key: str, text: str) -> str:
    """An attribute; none where there is nothing to say."""
    return f' {key}="{escape(text)}"' if text else ""


class Keyframes:
    """Collects rules, for scenes that last so many seconds."""

    def __init__(self, durations: Sequence[float]) -> None:
        self.starts = [0.0, *accumulate(durations)]
        self.fade = min(FADE, *(0.25 * duration for duration in durations))
        self.rules: dict[str, str] = {}

    def seen(self, mark: Mark) -> str:
        """The class of a mark that is faded in and out again; nothing if it is always seen."""
        first, end, rest = mark.first, mark.end, mark.rest
        if first == 0 and end is None:
            return ""
        stops = [(0.0, 1.0)]
        if first > 0:
            stops = [(0.0, rest), (self.starts[first], rest), (self.starts[first] + self.fade, 1.0)]
        if end is not None:
            stops += [(self.starts[end], 1.0), (self.starts[end] + self.fade, rest)]
        stops.append((self.starts[-1], stops[-1][1]))
        return self.rule((at, f"opacity:{opacity:g}") for at, opacity in stops)

    def camera(self, shifts: Sequence[Point]) -> str:
        """The class of what is moved with the camera; nothing if the camera stands still."""
        if len(set(shifts)) == 1:
            return ""
        stops = [(0.0, shifts[0])]
        for k in range(1, len(shifts)):
            stops += [(self.starts[k], shifts[k - 1]), (self.starts[k] + self.fade, shifts[k])]
        stops.append((self.starts[-1], shifts[-1]))
        return self.rule((at, f"transform:translate({x:.2f}px,{y:.2f}px)") for at, (x, y) in stops)

    def rule(self, stops: Iterable[tuple[float, str]]) -> str:
        """The class with these keyframes, at times in seconds."""
        total = self.starts[-1]
        frames = "".join(f"{100 * at / total:.3f}%{{{look}}}" for at, look in stops)
        return self.rules.setdefault(frames, f"k{len(self.rules)}")

    def style(self, name: str) -> str:
        """The style sheet of a picture whose class has this name."""
        lines = [f".{name} [class]{{animation:{self.starts[-1]:g}s linear infinite}}"]
        for frames, rule in self.rules.items():
            lines.append(f".{name} .{rule}{{animation-name:{name}{rule}}}@keyframes {name}{rule}{{{frames}}}")
        lines.append(f".{name}:hover *{{animation-play-state:paused}}")
        lines.append(f"@media (prefers-reduced-motion:reduce){{.{name} *{{animation:none!important}}}}")
        return "\n".join(lines)
