"""The colours of pictures, light and dark.

Shape and border carry the meaning, colour repeats it: yellow hexagons, blue rectangles, the wanted path in red, other
gradients in blue. The dark palette keeps every hue and its role, on a dark ground.

Source: Okabe and Ito, "Color universal design" (2008), for hues that stay apart in any kind of colour vision.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Palette:
    """The colours of a picture, by their role."""

    paper: str
    ink: str
    quiet: str
    step: str
    step_ink: str
    value: str
    constant: str
    folded: str
    wanted: str
    live: str
    idle: str
    alarm: str


LIGHT = Palette(
    paper="white", ink="#1A1A1A", quiet="#444444", step="#FFD84D", step_ink="#1A1A1A", value="#CFE6FB",
    constant="#F2F2F2", folded="#FFF3C2", wanted="#C81E1E", live="#0B5394", idle="#8A8A8A", alarm="#D55E00",
)  # fmt: skip
DARK = Palette(
    paper="#14171C", ink="#F2F2F2", quiet="#B8BDC6", step="#FFD84D", step_ink="#1A1A1A", value="#1F4568",
    constant="#2A2E35", folded="#4A3F14", wanted="#FF7B72", live="#7DB7E8", idle="#8A8F98", alarm="#FFA24D",
)  # fmt: skip
