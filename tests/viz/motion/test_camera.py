"""A small graph stands still; of a large one the place where things happen is always in sight."""

from hypothesis import given
from hypothesis import strategies as st

from tinygrad_edu.viz.motion.camera import HIGHEST, WIDEST, Camera
from tinygrad_edu.viz.motion.marks import Layout, Mark
from tinygrad_edu.viz.motion.scenes import Scene

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
