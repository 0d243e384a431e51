"""Marks drawn with Pillow, and the pictures of all scenes as a GIF.

One layout serves all of them, so that nothing jumps. The font is the one that matplotlib brings along: the same on
every machine, also where there are no fonts at all.

Source: the Pillow documentation of ImageDraw and of saving GIF files.
"""

from __future__ import annotations

from math import hypot

from tinygrad_edu.viz.motion.marks import points
from tinygrad_edu.viz.saving import DrawingError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from typing import Any

    from tinygrad_edu.viz.motion.marks import Mark, Point
    from tinygrad_edu.viz.motion.stage import Stage

MISSING = 'no Pillow and no matplotlib found, which draw a GIF: pip install "tinygrad_edu[viz]"'
FINER = 3
"""Shapes are drawn so many times as large and then shrunk, since Pillow draws their borders without half-tones."""

NARROWER = 0.88
"""The letters are wider than those for which there is room; so they are a little smaller."""

COLOURS = 128
CURVE = 12
ROOM = 100
"""How far from the picture a line of text may stand and still reach into it."""


class Raster:
    """Draws marks.

    Raises
    ------
    DrawingError
        Without Pillow or matplotlib.
    """

    def __init__(self) -> None:
        try:
            from matplotlib import get_data_path
            from PIL import Image, ImageColor, ImageDraw, ImageFont
        except ImportError:
            raise DrawingError(MISSING) from None
        self.Image, self.Draw, self.rgb, self.Font = Image, ImageDraw.Draw, ImageColor.getrgb, ImageFont.truetype
        self.folder = get_data_path()
        self.fonts: dict[tuple[int, str], Any] = {}
        self.paper = self.rgb("white")

    def gif(self, stage: Stage, durations: Sequence[float]) -> bytes:
        """The scenes of a stage, each shown for so many seconds."""
        from io import BytesIO

        self.paper = self.rgb(stage.palette.paper)
        frames = [self.frame(stage, k) for k in range(len(durations))]
        shared = self.palette(frames)
        first, *others = (frame.quantize(palette=shared, dither=self.Image.Dither.NONE) for frame in frames)
        file = BytesIO()
        lasting = [max(20, round(100 * seconds) * 10) for seconds in durations]
        first.save(file, "GIF", save_all=True, append_images=others, duration=lasting, loop=0, optimize=True)
        return file.getvalue()

    def palette(self, frames: Sequence[Any]) -> Any:
        """The colours of the first, the middle and the last scene, shared by all."""
        chosen = [frames[0], frames[len(frames) // 3], frames[2 * len(frames) // 3], frames[-1]]
        width, height = frames[0].size
        sheet = self.Image.new("RGB", (width, height * len(chosen)))
        for i, frame in enumerate(chosen):
            sheet.paste(frame, (0, i * height))
        return sheet.quantize(COLOURS, method=self.Image.Quantize.MAXCOVERAGE)

    def frame(self, stage: Stage, k: int) -> Any:
        """One scene."""
        size = round(stage.width), round(stage.height)
        image = self.Image.new("RGB", (size[0] * FINER, size[1] * FINER), stage.palette.paper)
        draw = self.Draw(image)
        for marks, shift in ((stage.graph, stage.camera.shifts[k]), (stage.words, (0.0, 0.0))):
            for mark in marks:
                seen = mark.first <= k and (mark.end is None or k < mark.end)
                if opacity := 1.0 if seen else mark.rest:
                    where = [placed(point, shift) for point in points(mark)]
                    if max(y for _, y in where) > -ROOM and min(y for _, y in where) < image.height + ROOM:
                        self.mark(draw, mark, where, opacity)
        return image.reduce(FINER)

    def mark(self, draw: Any, mark: Mark, where: Sequence[Point], opacity: float) -> None:
        """A shape or a line of text."""
        fill, stroke = (self.colour(mark.look.get(key, "none"), opacity) for key in ("fill", "stroke"))
        if mark.tag == "text":
            font = self.font(float(mark.look["font-size"]), mark.look.get("font-weight", ""))
            anchor = {"middle": "ms", "end": "rs"}.get(mark.look.get("text-anchor", ""), "ls")
            draw.text(where[0], mark.text.replace("\xa0", " "), fill=fill, font=font, anchor=anchor)
            return
        outline = where if mark.tag != "path" else list(curve(where))
        if fill and mark.tag != "polyline":
            draw.polygon(outline, fill=fill)
        if stroke:
            width = max(1, round(float(mark.look.get("stroke-width", "1")) * FINER))
            pattern = [float(n) * FINER for n in mark.look.get("stroke-dasharray", "").split(",") if n]
            for line in dashed(outline, pattern) if pattern else [outline]:
                draw.line(line, fill=stroke, width=width, joint="curve")

    def colour(self, name: str, opacity: float) -> tuple[int, ...] | None:
        """A colour as it looks on the paper."""
        if name in ("none", "transparent"):
            return None
        both = zip(self.rgb(name), self.paper, strict=True)
        return tuple(round(opacity * part + (1.0 - opacity) * ground) for part, ground in both)

    def font(self, size: float, weight: str) -> Any:
        """The font of a size, opened once."""
        key = round(size * NARROWER * FINER), "-Bold" if weight else ""
        if key not in self.fonts:
            self.fonts[key] = self.Font(f"{self.folder}/fonts/ttf/DejaVuSans{key[1]}.ttf", key[0])
        return self.fonts[key]


def placed(point: Point, shift: Point) -> Point:
    """A point in the enlarged picture."""
    return (point[0] + shift[0]) * FINER, (point[1] + shift[1]) * FINER


def curve(controls: Sequence[Point]) -> Iterator[Point]:
    """Points along a chain of cubic Bezier curves."""
    yield controls[0]
    for i in range(0, len(controls) - 3, 3):
        p, q, r, s = controls[i : i + 4]
        for step in range(1, CURVE + 1):
            t = step / CURVE
            a, b, c, d = (1 - t) ** 3, 3 * t * (1 - t) ** 2, 3 * t * t * (1 - t), t**3
            yield a * p[0] + b * q[0] + c * r[0] + d * s[0], a * p[1] + b * q[1] + c * r[1] + d * s[1]


def dashed(line: Sequence[Point], pattern: Sequence[float]) -> Iterator[list[Point]]:
    """The dashes of a line."""
    dash, k, left = [line[0]], 0, pattern[0]
    for end in line[1:]:
        while (length := hypot(end[0] - dash[-1][0], end[1] - dash[-1][1])) > left:
            share, start = left / length, dash[-1]
            cut = start[0] + share * (end[0] - start[0]), start[1] + share * (end[1] - start[1])
            if k % 2 == 0:
                yield [*dash, cut]
            dash, k = [cut], k + 1
            left = pattern[k % len(pattern)]
        left -= length
        dash.append(end)
    if k % 2 == 0 and len(dash) > 1:
        yield dash
