"""Looks: shape and border alone tell the kinds apart, and every colour comes from the palette."""

import dataclasses
import re

import pytest

from tinygrad_edu import Value, viz
from tinygrad_edu.viz.look import Look
from tinygrad_edu.viz.palette import DARK, LIGHT
from tinygrad_edu.viz.trace import Box

KINDS = ("result", "variable", "constant", "root", "module", "copy")


def box(kind, flags=()):
    return Box("v1", "x", kind, "1", "-", "", None, flags=flags)


def test_kinds_differ_without_their_colours():
    colours = ("fillcolor", "color")
    looks = [{k: v for k, v in Look(LIGHT, False).box(box(kind)).items() if k not in colours} for kind in KINDS]
    shapes = [tuple(sorted(look.items())) for look in looks]
    assert len(set(shapes[:4])) == 4
    assert shapes[5] not in shapes[:4]


def test_a_flagged_box_has_a_thick_border_of_alarm():
    look = Look(LIGHT, False).box(box("variable", ("nan begins here",)))
    assert (look["color"], look["penwidth"], look["peripheries"]) == (LIGHT.alarm, "4", "2")


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
    assert float(Look(LIGHT, True).graph()["ranksep"]) > float(Look(LIGHT, False).graph()["ranksep"])
