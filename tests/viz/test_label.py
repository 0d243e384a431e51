"""Labels: every line is shown as it is; the box of a large array is a table with its heat maps."""

import re
from xml.etree import ElementTree

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tinygrad_edu import Value, viz
from tinygrad_edu.viz.label import CELL, WIDTH, heat_map, inert, wrapped
from tinygrad_edu.viz.wording import clean

HOSTILE = ["<b>&amp;</b>", "</TD>", "]]>", '"', "\\N", "{a|b}", "a & b", "<!--"]


def box_of(value):
    """The label of a Value's box, as the tree of its HTML-like table."""
    source = viz.draw(value.sum()).source
    return ElementTree.fromstring(re.search(r"v1 \[label=<(<TABLE.*</TABLE>)>", source)[1])


def test_a_large_array_shows_shape_dtype_norms_and_two_heat_maps():
    w = Value(np.arange(6.0).reshape(2, 3), name="w")
    loss = (w * w).sum()
    loss.backward()
    table = box_of(w * w)
    words = [text.strip() for text in table.itertext() if text.strip()]
    assert words == ["w", "(2, 3) float64", "data norm 7.416", "grad norm 14.83"]
    maps = table.findall("TR/TD/TABLE")
    assert [[len(row) for row in picture] for picture in maps] == [[3, 3], [3, 3]]
    assert {square.get("WIDTH") for picture in maps for square in picture.iter("TD")} == {str(CELL)}


def test_before_backward_there_is_one_map_and_no_gradient():
    words = [text.strip() for text in box_of(Value(np.ones((2, 3)), name="w") * 1.0).itertext() if text.strip()]
    assert words == ["w", "(2, 3) float64", "data norm 2.449", "grad -"]


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_name_of_an_array_is_text(name):
    table = box_of(Value(np.ones(5), name=name) * 1.0)
    assert next(text for text in table.itertext() if text.strip()) == clean(name)
    assert {element.tag for element in table.iter()} == {"TABLE", "TR", "TD"}


@given(st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Cs"]), min_size=1))
def test_inert_text_parses_to_itself(text):
    assert ElementTree.fromstring(f"<a>{inert(text)}</a>").text == text


def test_a_heat_map_has_the_size_of_its_cells():
    table = ElementTree.fromstring(heat_map([["#ffffff"] * 3] * 2))
    assert (table.get("WIDTH"), table.get("HEIGHT")) == (str(3 * CELL), str(2 * CELL))
    assert [square.get("BGCOLOR") for square in table.iter("TD")] == ["#ffffff"] * 6


@given(st.lists(st.text("abc*", min_size=1, max_size=60), min_size=1, max_size=8))
def test_a_caption_keeps_its_words_and_its_width(parts):
    lines = wrapped(" = ".join(parts))
    assert [line for line in lines if len(line) > max(WIDTH, max(map(len, parts)) + 6)] == []
    assert " = ".join(lines).replace(" =     = ", " = ") == " = ".join(parts)
