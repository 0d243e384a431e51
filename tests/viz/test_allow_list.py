"""Only shapes, text and harmless attributes survive, whatever comes in; and a picture of Graphviz comes out whole."""

import xml.etree.ElementTree as ET
from xml.sax.saxutils import escape, quoteattr

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tinygrad_edu import Value
from tinygrad_edu.viz import dot, layout
from tinygrad_edu.viz.allow_list import ATTRIBUTES, ELEMENTS, allowed
from tinygrad_edu.viz.tracer import trace

HEAD = '<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink">'
LETTERS = st.characters(codec="utf-8", exclude_categories=("Cc", "Cs"), exclude_characters="\ufffe\uffff")


def copied(inside):
    return allowed(f"{HEAD}{inside}</svg>")


@pytest.mark.parametrize(
    "evil",
    [
        "<script>alert(1)</script>",
        '<a xlink:href="javascript:alert(1)"><text>x</text></a>',
        '<image href="http://example.com/x.png"/>',
        "<foreignObject><body xmlns='http://www.w3.org/1999/xhtml'><img src='x'/></body></foreignObject>",
        '<use href="#v1"/>',
        "<style>@import 'http://example.com'</style>",
        '<set attributeName="onload" to="alert(1)"/>',
        "<title>v1</title>",
        "<!-- comment -->",
        "stray text",
        '<script xmlns="http://www.w3.org/1999/xhtml">alert(1)</script>',
    ],
)
def test_what_is_not_on_the_list_is_gone_with_everything_inside(evil):
    assert copied(f'<g id="v1">{evil}<text>kept</text></g>') == '<svg><g id="v1"><text>kept</text></g></svg>'


@pytest.mark.parametrize(
    "attribute",
    [
        'onclick="alert(1)"', 'style="color:red"', 'href="x"', 'xlink:href="x"', 'id="data"', 'class="evil"',
        'fill="url(#a)"', 'fill="url(http://example.com)"', 'transform="matrix(1 2 3)"', 'x="1e400"',
        'd="javascript:"', 'xml:space="preserve"', 'stroke="expression(1)"', 'points="1,2;3"',
    ],
)  # fmt: skip
def test_attributes_off_the_list_and_values_out_of_bounds_are_gone(attribute):
    assert copied(f"<g {attribute}/>") == "<svg><g></g></svg>"


@given(st.sampled_from(sorted(ATTRIBUTES)), st.text(LETTERS, max_size=30), st.text(LETTERS, max_size=30))
def test_any_text_stays_text_and_any_attribute_stays_harmless(name, value, text):
    out = copied(f"<g {name}={quoteattr(value)}><text>{escape(text)}</text></g>")
    root = ET.fromstring(out)
    assert [element.tag for element in root.iter()] == ["svg", "g", "text"]
    assert (root[0][0].text or "") == text
    assert set(root[0].attrib) <= {name}
    assert not any(c in "".join(root[0].attrib.values()) for c in ":;\"'<>&")


def test_coordinates_have_one_decimal_shapes_are_closed_and_what_is_implied_is_left_out():
    svg = '<g><polygon points="1.25,-3.00 4,5.96" stroke="#0B5394"/><path d="M1.04,2C3,4"/><text x="2.5">a</text></g>'
    assert copied(svg) == (
        '<svg><g><polygon points="1.2,-3 4,6" stroke="#0b5394"/><path d="M1,2C3,4"/><text x="2.5">a</text></g></svg>'
    )
    assert "stroke" not in allowed(f"{HEAD}{svg}</svg>", [("stroke", "#0B5394")])


def test_a_picture_of_graphviz_keeps_every_part():
    pytest.importorskip("pygraphviz")
    x = Value(2.0, name="<script>alert(1)</script> & \"x'")
    drawn = trace((x * x) + np_like(x))
    svg = layout.render(dot.source(drawn, ids=True), "svg").decode()
    root = ET.fromstring(allowed(svg))
    ids = {element.get("id") for element in root.iter() if element.get("id")}
    assert ids == {
        *(part.id for part in (*drawn.boxes, *drawn.steps)),
        *(f"e{k}" for k in range(1, len(drawn.edges) + 1)),
        *(f"r{step.id[1:]}" for step in drawn.steps),
    }
    assert {element.tag for element in root.iter()} <= ELEMENTS
    assert "<script>alert(1)</script> & \"x'" in {element.text for element in root.iter("text")}
    assert len(allowed(svg)) < 0.7 * len(svg)


def np_like(x):
    """Another use of x, with a constant."""
    return x * 3.0
