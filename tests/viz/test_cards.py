"""Cards: what notebooks show of Values and modules is inert, complete, and says when there is no gradient yet."""

from html.parser import HTMLParser

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tinygrad_edu import Value, nn, viz
from tinygrad_edu.viz.model.names import clean
from tinygrad_edu.viz.notebook import ROWS, Picture, bundle, cell

ELEMENTS = {"div", "b", "code", "table", "tr", "td", "img"}


class Seen(HTMLParser):
    """Elements, attributes and texts of a page."""

    def __init__(self, page):
        super().__init__()
        self.elements, self.attributes, self.texts = set(), set(), []
        self.feed(page)

    def handle_starttag(self, tag, attrs):
        self.elements.add(tag)
        self.attributes |= {name for name, _ in attrs}

    def handle_data(self, data):
        self.texts.append(data.strip())


def test_a_value_shows_its_data_and_whether_it_has_a_gradient():
    w = Value(np.arange(6.0).reshape(2, 3), name="w")
    before = Seen(w._repr_mimebundle_()["text/html"])
    assert {"w", "data", "(2, 3), norm 7.416", "not computed yet"} <= set(before.texts)
    (w * w).sum().backward()
    after = Seen(w._repr_mimebundle_()["text/html"])
    assert "(2, 3), norm 14.83" in after.texts
    assert "not computed yet" not in after.texts
    assert w._repr_mimebundle_()["text/plain"] == repr(w)


def test_a_heat_map_where_not_all_numbers_are_shown():
    pytest.importorskip("PIL")
    assert "img" in Seen(bundle(Value(np.ones(5)))["text/html"]).elements
    assert "img" not in Seen(bundle(Value(np.ones(4)))["text/html"]).elements


def test_a_value_made_inside_recording_names_its_line():
    with viz.recording():
        x = Value(1.0) * 2.0
    assert "result of multiply, at test_cards.py:" in bundle(x)["text/html"]


def test_a_module_lists_every_parameter_and_counts_the_numbers():
    model = nn.Sequential(nn.Linear(2, 3, rng=0), nn.Tanh(), nn.Linear(3, 1, rng=1))
    seen = Seen(model._repr_mimebundle_()["text/html"])
    assert {name for name, _ in model.named_parameters()} <= set(seen.texts)
    assert "13 numbers in 4 parameters" in seen.texts
    assert model._repr_mimebundle_()["text/plain"] == repr(model)


def test_a_long_module_ends_with_a_count():
    model = nn.Sequential(*(nn.Linear(1, 1, rng=0) for _ in range(ROWS)))
    seen = Seen(bundle(model)["text/html"])
    assert f"... {ROWS} more" in seen.texts


@given(st.text(min_size=1, max_size=60))
def test_any_name_is_text(name):
    seen = Seen(bundle(Value(np.ones(5), name=name))["text/html"])
    assert seen.elements <= ELEMENTS
    assert seen.attributes <= {"src", "height", "style", "alt"}
    assert clean(name) in " ".join(seen.texts)


def test_only_pictures_of_ours_become_pictures():
    assert "<img" not in cell("data:image/png;base64,x")
    assert cell(Picture("data:image/png;base64,x")).startswith("<td><img ")
    assert cell(Picture("")) == "<td></td>"
