"""The GIF: a picture per scene, its shapes where they should be, in their colours."""

import io
import sys
from itertools import pairwise
from types import SimpleNamespace

import numpy as np
import pytest

from tests.viz.motion.stories import neuron
from tinygrad_edu import Value, viz
from tinygrad_edu.viz.motion.gif import animated_gif, drawn
from tinygrad_edu.viz.motion.view import Mark, polygon

Image = pytest.importorskip("PIL.Image")
pytest.importorskip("matplotlib")


def square(x, y, **more):
    corners = f"{x},{y} {x + 10},{y} {x + 10},{y + 10} {x},{y + 10}"
    return Mark("polygon", {"points": corners, "fill": "#C81E1E"}, **more)


def picture(graph=(), words=(), shift=(0.0, 0.0)):
    """The only scene of a stage of 30 rows and 40 columns, as colours at (row, column)."""
    paper = polygon([(0, 0), (40, 0), (40, 30), (0, 30)], {"fill": "white"})
    panel = SimpleNamespace(ground=lambda: paper, width=40.0, height=30.0)
    camera = SimpleNamespace(shifts=[shift])
    (frame,) = drawn(SimpleNamespace(graph=graph, words=words, panel=panel, camera=camera))
    return frame


def test_the_graph_moves_with_the_camera_and_the_words_do_not():
    frame = picture(graph=[square(-100, -50)], words=[square(25, 5)], shift=(105.0, 60.0))
    assert frame.shape == (30, 40, 3)
    assert frame[15, 10].tolist() == frame[10, 30].tolist() == [200, 30, 30]
    assert frame[15, 20].tolist() == [255, 255, 255]


def test_what_is_not_seen_is_pale_or_absent():
    assert picture(graph=[square(5, 5, first=1)])[10, 10].tolist() == [255, 255, 255]
    pale = picture(graph=[square(5, 5, first=1, rest=0.2)])[10, 10]
    np.testing.assert_allclose(pale, [244, 210, 210], atol=1)


BLACK = {"fill": "none", "stroke": "#000000", "stroke-width": "2"}


@pytest.mark.parametrize(
    "mark",
    [
        Mark("path", {"d": "M5,5C5,5 15,15 35,25", **BLACK}),
        Mark("polyline", {"points": "5,5 35,25", "stroke": "#000000", "stroke-width": "3"}),
        Mark("text", {"x": "20", "y": "20", "text-anchor": "middle", "font-size": "15", "fill": "#000000"}, "w"),
    ],
    ids=["path", "polyline", "text"],
)
def test_lines_and_text_leave_ink(mark):
    assert picture(graph=[mark]).min() < 60


def test_a_text_stands_on_its_line_to_the_left_of_in_the_middle_of_or_to_the_right_of_its_place():
    for anchor, left, right in (("start", 20, 29), ("middle", 15, 25), ("end", 11, 20)):
        look = {"x": "20", "y": "20", "text-anchor": anchor, "font-size": "15"}
        rows, columns = np.nonzero(picture(graph=[Mark("text", look, "n")]).min(axis=2) < 128)
        assert 10 < rows.min() < rows.max() < 20
        assert left <= columns.min() < columns.max() <= right


def test_a_curve_is_cubic_and_a_dashed_line_is_cut_and_a_polygon_is_closed():
    curve = Mark("path", {"d": "M5,5C5,25 35,25 35,5", **BLACK})
    rows, _ = np.nonzero(picture(graph=[curve]).min(axis=2) < 128)
    assert 19 <= rows.max() <= 21  # three quarters of the way to the control points
    dashed = Mark("path", {"d": "M0,15C0,15 40,15 40,15", "stroke-dasharray": "5,2", **BLACK})
    ink = picture(graph=[dashed])[15, :, 0] < 128
    assert np.flatnonzero(np.diff(ink.astype(int))).size >= 10
    corner = polygon([(5, 5), (35, 5), (35, 25), (5, 25), (5, 5)], {**BLACK, "stroke-width": "8"})
    assert picture(graph=[corner])[2, 2].max() < 60


@pytest.mark.parametrize("missing", ["PIL", "matplotlib"])
def test_without_pillow_the_remedy_is_named(missing, monkeypatch):
    monkeypatch.setitem(sys.modules, missing, None)
    with pytest.raises(viz.DrawingError, match=r'pip install "tinygrad_edu\[viz\]"'):
        animated_gif(None)


def test_there_is_a_picture_per_scene_that_lasts_as_long_and_it_starts_again():
    pytest.importorskip("pygraphviz")
    stage = neuron().stage()
    data = animated_gif(stage)
    assert data.startswith(b"GIF89a")
    assert len(data) < 1_000_000
    moving, frames, lasting = Image.open(io.BytesIO(data)), [], []
    for k in range(moving.n_frames):
        moving.seek(k)
        lasting.append(moving.info["duration"] / 1000)
        frames.append(np.asarray(moving.convert("RGB")))
    assert lasting == pytest.approx(stage.durations, abs=0.01)
    assert moving.info["loop"] == 0
    assert 600 <= frames[0].shape[1] <= 1_200
    assert all(np.any(a != b) for a, b in pairwise(frames))


def test_a_long_story_has_a_bounded_number_of_pictures_of_a_bounded_size():
    pytest.importorskip("pygraphviz")
    x = Value(0.5, name="x")
    for _ in range(41):
        x = np.sin(x)
    moving = Image.open(io.BytesIO(animated_gif(viz.trace(x).stage())))
    assert 40 <= moving.n_frames <= 60
    assert max(moving.size) < 1_700
