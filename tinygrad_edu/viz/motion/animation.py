"""A story as a picture that moves: an SVG animated by its style sheet alone, or a GIF.

In the SVG every mark is there from the beginning, and keyframes say during which scenes it is seen. Nothing in it is
a script, so it works wherever an image does; for readers who asked for less motion, the last scene stands still.

Source: the CSS Animations and SVG 2 specifications.
"""

from __future__ import annotations

from hashlib import sha256
from html import escape

from tinygrad_edu.viz.model import formatting
from tinygrad_edu.viz.model.formula import fraction
from tinygrad_edu.viz.motion.keyframes import Keyframes
from tinygrad_edu.viz.motion.stage import Stage
from tinygrad_edu.viz.picture.style import FONT, LIGHT

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

    from tinygrad_edu.viz.model.records import Story
    from tinygrad_edu.viz.motion.marks import Mark
    from tinygrad_edu.viz.picture.style import Palette

SECONDS, LAST = 3.0, 0.7
SPOKEN = 20


def animated_svg(story: Story, seconds: float = SECONDS, palette: Palette = LIGHT) -> str:
    """A story as one animated SVG element, without scripts; it starts again when it is over.

    Parameters
    ----------
    story
        What is told, as `viz.trace(loss).story`.
    seconds
        How long one pull backward is shown.
    palette
        The colours.

    Raises
    ------
    ValueError
        If `seconds` is not a positive number.
    DrawingError
        Without Graphviz, and for a graph that is too large to show numbers.
    """
    check_seconds(seconds)
    stage = Stage(story, palette)
    frames = Keyframes(timed(stage, seconds))
    x, y = stage.camera.shifts[-1]
    moving = attribute("class", frames.camera(stage.camera.shifts))
    body = "\n".join([
        element(stage.panel.ground(), frames),
        f'<g{moving} transform="translate({x:.2f} {y:.2f})">',
        *elements(stage.graph, frames),
        "</g>",
        *elements(stage.words, frames),
    ])  # fmt: skip
    name = f"t{sha256(body.encode()).hexdigest()[:8]}"  # two pictures in one page must not share their rules
    extent = (
        f'viewBox="0 0 {stage.width:.2f} {stage.height:.2f}" width="{stage.width:.2f}" height="{stage.height:.2f}"'
    )
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" class="{name}" {extent} role="img"'
        f'{attribute("aria-label", spoken(story))} style="max-width:100%;height:auto" font-family="{FONT}">\n'
        f"<style>{frames.style(name)}</style>\n{body}\n</svg>\n"
    )


def gif(story: Story, seconds: float = SECONDS, palette: Palette = LIGHT) -> bytes:
    """A story as an animated GIF, one picture per scene; it starts again when it is over.

    Parameters
    ----------
    story, seconds, palette
        As for `animated_svg`.

    Raises
    ------
    ValueError
        If `seconds` is not a positive number.
    DrawingError
        Without Graphviz, Pillow or matplotlib, and for a graph that is too large to show numbers.
    """
    from tinygrad_edu.viz.motion.raster import Raster

    check_seconds(seconds)
    raster = Raster()
    stage = Stage(story, palette)
    return raster.gif(stage, timed(stage, seconds))


def check_seconds(seconds: float) -> None:
    """Refuse an animation that would move all the time, or never."""
    if not 0.05 <= seconds <= 600.0:
        raise ValueError(f"seconds is {seconds!r}: how long each pull backward is shown, such as {SECONDS:g}")


def timed(stage: Stage, seconds: float) -> list[float]:
    """How long each scene lasts; the last one longer."""
    lasting = [seconds * scene.seconds for scene in stage.scenes]
    return [*lasting[:-1], lasting[-1] + LAST * seconds]


def spoken(story: Story) -> str:
    """What a screen reader says in place of the picture: the gradients."""
    root = story.diagram.root.name
    names = story.replay.names
    gradients = [
        f"{fraction(root, names[leaf.node])} = {formatting.array(leaf.paths.gradient)}"
        for leaf in story.leaves[:SPOKEN]
    ]
    return "; ".join([f"The backward pass of {root}, step by step", *gradients])


def elements(marks: Iterable[Mark], frames: Keyframes) -> Iterable[str]:
    """Marks as SVG elements."""
    return (element(mark, frames) for mark in marks)


def element(mark: Mark, frames: Keyframes) -> str:
    """A mark as an SVG element; its attributes say what it is like when nothing moves."""
    rule = frames.seen(mark)
    look = {"class": rule, "data-part": mark.part, **mark.look}
    if mark.end is not None:
        look["opacity"] = f"{mark.rest:g}"
    opening = f"<{mark.tag}{''.join(attribute(key, text) for key, text in look.items())}"
    return f"{opening}>{escape(mark.text)}</text>" if mark.tag == "text" else f"{opening}/>"


def attribute(key: str, text: str) -> str:
    """An attribute; none where there is nothing to say."""
    return f' {key}="{escape(text)}"' if text else ""
