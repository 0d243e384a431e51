"""The colours: every role in both palettes, legible on its ground, and told apart without colour vision's help."""

from dataclasses import fields

import pytest

from tinygrad_edu.viz.palette import DARK, LIGHT, Palette


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
    same = {field.name for field in fields(Palette) if getattr(LIGHT, field.name) == getattr(DARK, field.name)}
    assert same == {"step", "step_ink"}
