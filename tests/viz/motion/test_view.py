"""The place where things happen is always in sight, and the words of every scene are beside it or below."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tinygrad_edu.viz.model.palette import LIGHT
from tinygrad_edu.viz.motion.scenes import Scene
from tinygrad_edu.viz.motion.view import HIGHEST, MOST, WIDEST, Camera, Layout, Mark, Panel, broken, points

extents = st.floats(1.0, 20_000.0)


def box(x, y):
    return [Mark("polygon", {"points": f"{x},{y} {x},{y}"})]


@given(extents, extents, st.lists(st.tuples(st.floats(0.0, 1.0), st.floats(0.0, 1.0)), min_size=1, max_size=5))
def test_what_happens_is_in_sight_and_the_view_stays_on_the_graph(width, height, places):
    left, top = -4.0, 4.0 - height
    parts = {f"v{i}": box(left + x * width, top + y * height) for i, (x, y) in enumerate(places)}
    camera = Camera(Layout(left, top, width, height, parts), [Scene("forward", "", (), focus=part) for part in parts])
    for (x, y), (dx, dy) in zip(camera.focus, camera.shifts, strict=True):
        assert -1e-6 <= x + dx <= camera.width + 1e-6
        assert -1e-6 <= y + dy <= camera.height + 1e-6
        assert left - 1e-6 <= -dx <= left + width - camera.width + 1e-6
        assert top - 1e-6 <= -dy <= top + height - camera.height + 1e-6
    if width <= WIDEST and height <= HIGHEST:
        assert set(camera.shifts) == {(-left, -top)}


def test_without_a_focus_it_is_the_first_part_that_is_lit_up_and_else_the_beginning():
    graph = Layout(0.0, 0.0, 10.0, 5_000.0, {"": box(1, 1), "v1": box(5, 4_000)})
    lit, nothing = Scene("update", "", (), ("e7", "v1")), Scene("given", "", ())
    camera = Camera(graph, [lit, nothing])
    assert camera.focus == [(5.0, 4_000.0), (0.0, 0.0)]
    assert camera.shifts[1] == (0.0, 0.0)


def panel(width, height, scenes):
    focus = {"v1": [Mark("polygon", {"points": f"0,{-height} 10,{-height}"})]}
    return Panel(Camera(Layout(0.0, -height, width, height, focus), scenes), scenes)


@given(
    st.floats(10.0, 3_000.0),
    st.floats(10.0, 3_000.0),
    st.lists(st.lists(st.text("ab =", max_size=200), max_size=8), min_size=1, max_size=4),
)
def test_cards_are_inside_the_picture_and_seen_in_their_scene_only(width, height, cards):
    made = panel(width, height, [Scene("backward", "heading", tuple(lines), focus="v1") for lines in cards])
    marks = list(made.marks())
    for mark in marks:
        for x, y in points(mark):
            assert -1e-6 <= x <= made.width + 0.01
            assert -1e-6 <= y <= made.height + 0.01
    for k in range(len(cards)):
        headings = [m for m in marks if m.text == "heading" and m.first <= k < (m.end or 99)]
        assert len(headings) == 1


def test_beside_a_tall_graph_and_below_a_wide_one():
    scenes = [Scene("given", "given", ("a = 1",))]
    assert panel(300.0, 900.0, scenes).width > 600.0
    assert panel(900.0, 300.0, scenes).width == 900.0
    assert panel(900.0, 300.0, scenes).height > 350.0


def test_the_bar_fills_scene_by_scene_in_the_colour_of_the_phase():
    made = panel(300.0, 900.0, [Scene("forward", "", ()), Scene("backward", "", ())])
    bars = [m for m in made.marks() if m.end is None and m.look["fill"] in (LIGHT.live, LIGHT.wanted)]
    assert [(m.first, m.look["fill"]) for m in bars] == [(0, LIGHT.live), (1, LIGHT.wanted)]


@pytest.mark.parametrize(
    ("text", "lines"),
    [
        ("da_db = 2", ["da_db = 2"]),
        ("da_db = b * (1 - b) = 0.25", ["da_db = b * (1 - b)", "    = 0.25"]),
        ("w" * 30, ["w" * 20, "    " + "w" * 10]),
        ("", [""]),
    ],
)
def test_sentences_are_broken_before_equals_signs(text, lines):
    assert broken(text, 20) == lines


def test_a_card_does_not_grow_without_end():
    made = panel(300.0, 900.0, [Scene("given", "", ("x " * 5_000,))])
    assert len(made.cards[0]) == MOST
