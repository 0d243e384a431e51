"""Marks drawn with Pillow: shapes where they should be, in their colours."""

import sys

import pytest

from tinygrad_edu.viz.motion.marks import Mark
from tinygrad_edu.viz.motion.raster import Raster, curve, dashed
from tinygrad_edu.viz.picture.style import LIGHT
from tinygrad_edu.viz.saving import DrawingError

pytest.importorskip("PIL")
pytest.importorskip("matplotlib")


class Still:
    """A stage with one scene."""

    palette, width, height = LIGHT, 40.0, 30.0

    def __init__(self, graph=(), words=(), shift=(0.0, 0.0)):
        self.graph, self.words = list(graph), list(words)
        self.camera = type("Camera", (), {"shifts": [shift]})


def square(x, y, **more):
    return Mark(
        "polygon", {"points": f"{x},{y} {x + 10},{y} {x + 10},{y + 10} {x},{y + 10}", "fill": "#C81E1E"}, **more
    )


def picture(**parts):
    return Raster().frame(Still(**parts), 0)


def test_the_graph_moves_with_the_camera_and_the_words_do_not():
    image = picture(graph=[square(-100, -50)], words=[square(25, 5)], shift=(105.0, 60.0))
    red = (200, 30, 30)
    assert image.size == (40, 30)
    assert image.getpixel((10, 15)) == image.getpixel((30, 10)) == red
    assert image.getpixel((20, 15)) == (255, 255, 255)


def test_what_is_not_seen_is_pale_or_absent():
    assert picture(graph=[square(5, 5, first=1)]).getpixel((10, 10)) == (255, 255, 255)
    pale = picture(graph=[square(5, 5, first=1, rest=0.2)]).getpixel((10, 10))
    assert pale == (244, 210, 210)


def test_lines_and_text_leave_ink():
    line = Mark("path", {"d": "M5,5C5,5 15,15 35,25", "fill": "none", "stroke": "#000000", "stroke-width": "3"})
    word = Mark("text", {"x": "20", "y": "20", "text-anchor": "middle", "font-size": "15", "fill": "#000000"}, "w")
    for mark in (line, word):
        darkest, _ = picture(graph=[mark]).convert("L").getextrema()
        assert darkest < 60


def test_a_curve_begins_and_ends_where_it_should():
    found = list(curve([(0.0, 0.0), (0.0, 1.0), (2.0, 1.0), (2.0, 0.0), (2.0, 0.0), (9.0, 0.0), (9.0, 0.0)]))
    assert (found[0], found[-1]) == ((0.0, 0.0), (9.0, 0.0))
    assert max(y for _, y in found) == pytest.approx(0.75, abs=0.01)


def test_dashes_cover_their_share_of_a_line():
    pieces = list(dashed([(0.0, 0.0), (3.0, 0.0), (70.0, 0.0)], [5.0, 2.0]))
    assert sum(piece[-1][0] - piece[0][0] for piece in pieces) == pytest.approx(50.0)
    assert len(pieces) == 10


@pytest.mark.parametrize("missing", ["PIL", "matplotlib"])
def test_without_pillow_the_remedy_is_named(missing, monkeypatch):
    monkeypatch.setitem(sys.modules, missing, None)
    with pytest.raises(DrawingError, match=r'pip install "tinygrad_edu\[viz\]"'):
        Raster()
