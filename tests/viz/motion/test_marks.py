"""The marks are what Graphviz drew, part by part."""

import pytest

from tinygrad_edu import Value
from tinygrad_edu.viz import trace
from tinygrad_edu.viz.motion.view import middle, points, read

SVG = """<svg viewBox="0.00 0.00 62.00 116.00">
<g class="graph" transform="scale(1 1) rotate(0) translate(4 112)">
<polygon fill="white" points="-4,4 -4,-112 58,-112 58,4 -4,4"/>
<g id="v1" class="node"><polygon fill="#cfe6fb" points="54,-108 0,-108 0,-72 54,-72"/>
<text x="27" y="-85" font-size="15.00">w &lt;b&gt;</text></g>
<g id="e1" class="edge"><path fill="none" d="M27,-72C27,-64 27,-55 27,-46"/></g>
<g class="cluster"><polygon points="0,0 1,0 1,1"/></g></g></svg>"""


def test_parts_and_their_marks():
    found = read(SVG)
    assert (found.left, found.top, found.width, found.height) == (-4.0, -112.0, 62.0, 116.0)
    assert {part: [mark.tag for mark in marks] for part, marks in found.parts.items()} == {
        "": ["polygon", "polygon"], "v1": ["polygon", "text"], "e1": ["path"],
    }  # fmt: skip
    assert found.parts["v1"][1].text == "w <b>"


def test_points_and_middle():
    parts = read(SVG).parts
    assert points(parts["e1"][0]) == [(27.0, -72.0), (27.0, -64.0), (27.0, -55.0), (27.0, -46.0)]
    assert points(parts["v1"][1]) == [(27.0, -85.0)]
    assert middle(parts["v1"]) == (27.0, -90.0)


def test_a_layout_of_the_library():
    pytest.importorskip("pygraphviz")
    found = trace(Value(2.0, name="w") * 3.0).stage().layout
    assert [mark.tag for mark in found.parts["e1"]][:3] == ["path", "polygon", "text"]
    assert found.parts["v1"][0].tag == "polygon"
    x, y = middle(found.parts["v1"])
    assert found.left < x < found.left + found.width
    assert found.top < y < found.top + found.height
