"""Style: shape and border alone tell the kinds apart, every colour comes from a palette, and all of it is legible."""

import dataclasses
import re

import pytest

from tinygrad_edu import Value, viz
from tinygrad_edu.viz.model.palette import DARK, LIGHT, Palette
from tinygrad_edu.viz.model.records import Box
from tinygrad_edu.viz.picture.boxes_and_hexagons import Style

KINDS = ("result", "variable", "constant", "root", "module", "copy")


def box(kind, flags=()):
    return Box("v1", "x", kind, flags=flags)


def test_kinds_differ_without_their_colours():
    colours = ("fillcolor", "color")
    styles = [{k: v for k, v in Style(LIGHT, False).box(box(kind)).items() if k not in colours} for kind in KINDS]
    shapes = [tuple(sorted(style.items())) for style in styles]
    assert len(set(shapes[:4])) == 4
    assert shapes[5] not in shapes[:4]


def test_a_flagged_box_has_a_thick_border_of_alarm():
    style = Style(LIGHT, False).box(box("variable", ("nan begins here",)))
    assert (style["color"], style["penwidth"], style["peripheries"]) == (LIGHT.alarm, "4", "2")


@pytest.mark.parametrize(("dark", "palette"), [(False, LIGHT), (True, DARK)])
def test_a_picture_has_only_the_colours_of_its_palette(dark, palette):
    x = Value(2.0, name="x")
    loss = (x * 3.0).relu() + x
    loss.backward()
    source = viz.draw(loss, to=x, dark=dark).source
    used = set(re.findall(r'(?:color|bgcolor)="?(#\w+|white)', source))
    assert used <= set(dataclasses.asdict(palette).values())
    assert palette.paper in used


def test_boxes_stand_apart_where_no_steps_are_between_them():
    assert float(Style(LIGHT, True).graph["ranksep"]) > float(Style(LIGHT, False).graph["ranksep"])


def luminance(colour):
    """Relative luminance as WCAG 2 defines it, of "#rrggbb" or "white"."""
    colour = {"white": "#ffffff"}.get(colour, colour)
    parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.03928 else ((c + 0.055) / 1.055) ** 2.4 for c in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(a, b):
    dark, light = sorted((luminance(a), luminance(b)))
    return (light + 0.05) / (dark + 0.05)


@pytest.mark.parametrize("palette", [LIGHT, DARK])
def test_text_has_the_contrast_that_accessibility_asks_for(palette):
    grounds = (palette.paper, palette.value, palette.constant, palette.folded)
    assert min(contrast(palette.ink, ground) for ground in grounds) >= 7.0
    assert contrast(palette.step_ink, palette.step) >= 7.0
    assert min(contrast(c, palette.paper) for c in (palette.wanted, palette.live, palette.quiet)) >= 4.5


@pytest.mark.parametrize("palette", [LIGHT, DARK])
def test_borders_stand_out(palette):
    assert min(contrast(c, palette.paper) for c in (palette.idle, palette.alarm, palette.ink)) >= 3.0


def test_the_dark_palette_is_another_one_in_every_role_but_the_hexagons():
    same = {
        field.name for field in dataclasses.fields(Palette) if getattr(LIGHT, field.name) == getattr(DARK, field.name)
    }
    assert same == {"step", "step_ink"}
