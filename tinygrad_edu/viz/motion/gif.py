"""A story as an animated GIF: one picture per scene, drawn by the renderer with which matplotlib makes PNG files.

One layout serves all scenes, so that nothing jumps. Letters are drawn as shapes too, in the font that matplotlib
brings along: the same on every machine, also where there are no fonts at all.

Source: the matplotlib documentation of `RendererAgg`, the Pillow documentation of saving GIF files.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import numpy as np

from tinygrad_edu.errors import refusal
from tinygrad_edu.viz.motion.stage import Stage
from tinygrad_edu.viz.motion.view import Mark, points
from tinygrad_edu.viz.saving import DrawingError, as_gif

MISSING = 'no Pillow and no matplotlib found, which draw a GIF: pip install "tinygrad_edu[viz]"'
NARROWER = 0.88
"""The letters are wider than those for which there is room; so they are a little smaller."""

COLOURS = 128
"""A dozen colours, and their shades at the borders of shapes and letters."""

DPI = 72.0
"""So that a point, in which matplotlib counts, is a unit of the layout, and of the picture."""


def animated_gif(stage: Stage) -> bytes:
    """A story as an animated GIF, one picture per scene; it starts again when it is over."""
    try:
        import matplotlib  # noqa: F401
        from PIL import Image
    except ImportError:
        raise refusal(DrawingError, MISSING) from None
    frames = [Image.fromarray(frame) for frame in drawn(stage)]
    shared = palette(frames)
    pictures = [frame.quantize(palette=shared, dither=Image.Dither.NONE) for frame in frames]
    return as_gif(pictures, [round(100 * seconds) * 10 for seconds in stage.durations])


def palette(frames: Sequence[Any]) -> Any:
    """The colours of the first scene, the last, and two between, shared by all."""
    from PIL import Image

    chosen = [frames[0], frames[len(frames) // 3], frames[2 * len(frames) // 3], frames[-1]]
    sheet = Image.fromarray(np.concatenate([np.asarray(frame) for frame in chosen]))
    return sheet.quantize(COLOURS, method=Image.Quantize.MAXCOVERAGE)


def drawn(stage: Stage) -> Iterator[Any]:
    """The scenes as arrays of colours, (height, width, 3)."""
    from matplotlib.backends import backend_agg

    agg: Any = backend_agg  # has no types
    renderer = agg.RendererAgg(round(stage.panel.width), round(stage.panel.height), DPI)
    ground = Shape(stage.panel.ground())
    graph, words = shapes(stage.graph), shapes(stage.words)
    for k, (x, y) in enumerate(stage.camera.shifts):
        renderer.clear()
        ground.draw(renderer, k)
        for shape in graph:
            shape.draw(renderer, k, x, y)
        for shape in words:
            shape.draw(renderer, k)
        yield np.array(renderer.buffer_rgba())[..., :3]


def shapes(marks: Iterable[Mark]) -> list[Shape]:
    """The marks that leave ink: of lines without letters there is no outline."""
    return [Shape(mark) for mark in marks if mark.tag != "text" or mark.text.strip()]


class Shape:
    """A mark as what matplotlib draws: an outline, its filling and its border."""

    def __init__(self, mark: Mark) -> None:
        from matplotlib.backend_bases import GraphicsContextBase
        from matplotlib.colors import to_rgb

        self.mark = mark
        self.path = letters(mark) if mark.tag == "text" else outline(mark)
        filled = mark.tag != "polyline" and mark.look.get("fill") != "none"
        self.fill = to_rgb(mark.look.get("fill", "black")) if filled else None
        self.border = GraphicsContextBase()
        stroke = mark.look.get("stroke", "none")
        self.border.set_linewidth(0.0 if stroke == "none" else float(mark.look.get("stroke-width", "1")))
        self.border.set_foreground("black" if stroke == "none" else stroke)
        if dashes := mark.look.get("stroke-dasharray"):
            self.border.set_dashes(0.0, [float(length) for length in dashes.split(",")])
        _, self.top = self.path.vertices.min(axis=0)
        _, self.bottom = self.path.vertices.max(axis=0)

    def draw(self, renderer: Any, scene: int, x: float = 0.0, y: float = 0.0) -> None:
        """Draw it as it is seen in a scene, moved by (x, y); the vertical axis of the renderer points upwards."""
        from matplotlib.transforms import Affine2D

        opacity = self.mark.opacity(scene)
        if opacity and self.bottom + y >= 0.0 and self.top + y <= renderer.height:
            self.border.set_alpha(opacity)
            moved = Affine2D.from_values(1.0, 0.0, 0.0, -1.0, x, renderer.height - y)
            renderer.draw_path(self.border, self.path, moved, self.fill and (*self.fill, opacity))


def outline(mark: Mark) -> Any:
    """The outline of a polygon, a line, or a chain of cubic Bezier curves."""
    from matplotlib.path import Path

    corners = points(mark)
    following = Path.CURVE4 if mark.tag == "path" else Path.LINETO
    codes = [Path.MOVETO, *[following] * (len(corners) - 1)]
    if mark.tag == "polygon" and corners[0] == corners[-1]:
        codes[-1] = Path.CLOSEPOLY
    return Path(corners, codes)


def letters(mark: Mark) -> Any:
    """The outlines of the letters of a text, at its place."""
    from matplotlib.font_manager import FontProperties
    from matplotlib.textpath import TextPath
    from matplotlib.transforms import Affine2D

    font = FontProperties(family="DejaVu Sans", weight=mark.look.get("font-weight", "normal"))
    path = TextPath((0.0, 0.0), mark.text, size=NARROWER * float(mark.look["font-size"]), prop=font)
    width = path.vertices[:, 0].max()
    before = {"middle": 0.5 * width, "end": width}.get(mark.look.get("text-anchor", ""), 0.0)
    ((x, y),) = points(mark)
    return Affine2D().scale(1.0, -1.0).translate(x - before, y).transform_path(path)
