"""The page as a file: complete, small, saved whole or not at all, and there without Graphviz as well."""

import json
import re
import sys
from html import unescape

import numpy as np
import pytest
from hypothesis import given, settings

from tests.viz.graphs import graphs
from tinygrad_edu import Value, nn, sigmoid, viz
from tinygrad_edu.viz.page.explorer import asset


@pytest.fixture
def neither(monkeypatch):
    """A machine without Graphviz."""
    monkeypatch.setenv("PATH", "")
    monkeypatch.setitem(sys.modules, "pygraphviz", None)


def explored(loss, **options):
    return viz.trace(loss, **options).explore()


def neuron():
    """27 boxes and steps: a neuron with two inputs, its squared error, and a penalty on one weight."""
    w1, w2, bias = Value(0.5, name="w1"), Value(-0.25, name="w2"), Value(0.1, name="bias")
    layer_1 = w1 * 1.66 + w2 * 1.56 + bias
    prediction = sigmoid(layer_1)
    error = np.square(prediction - 0.0) + 0.1 * (w1 * w1)
    return error, {"layer_1": layer_1, "prediction": prediction, "error": error}


def data_of(html):
    return json.loads(re.search('id="data">(.*?)</script>', html, re.DOTALL)[1])


def test_a_page_of_27_nodes_has_at_most_60_kb():
    pytest.importorskip("pygraphviz")
    error, names = neuron()
    page = explored(error, names=names)
    diagram = page.story.diagram
    assert len(diagram.boxes) + len(diagram.operations) == 27
    size = len(page.html.encode())
    assert "<svg" in page.html
    assert size <= 60_000, size
    assert len(asset("explorer.js").encode()) <= 25_000


def test_every_part_of_the_trace_is_in_the_picture_with_arrows_both_ways():
    pytest.importorskip("pygraphviz")
    error, names = neuron()
    page = explored(error, names=names)
    groups = dict(re.findall(r'<g id="(\w+)" class="\w+">(.*?)</g>', page.html, re.DOTALL))
    diagram = page.story.diagram
    parts = {part.id for part in (*diagram.boxes, *diagram.operations, *diagram.arrows)}
    assert parts | {operation.link for operation in diagram.operations} <= set(groups)
    assert {inside.count("<polygon") for name, inside in groups.items() if name[0] in "er"} == {2}


def test_the_picture_shows_this_pass_gradients_even_before_backward():
    pytest.importorskip("pygraphviz")
    w = Value(2.0, name="w")
    html = explored(w * 3.0).html
    assert "grad 3<" in html
    assert w.grad is None


@settings(max_examples=max(5, settings().max_examples // 10))  # a page takes a while
@given(graphs(size=5))
def test_making_a_page_changes_no_gradient(made):
    loss, leaves = made
    loss.backward()
    before = [leaf.grad for leaf in leaves]
    assert data_of(explored(loss).html)["root"]
    assert all(leaf.grad is grad for leaf, grad in zip(leaves, before, strict=True))


def test_arrays_come_with_pictures_of_data_and_gradient():
    pytest.importorskip("PIL")
    model = nn.Linear(3, 2, rng=0)
    images = data_of(explored(np.square(model(np.ones((4, 3)))).sum()).html)["images"]
    assert images
    assert {len(pair) for pair in images.values()} == {2}
    assert all(uri.startswith("data:image/png;base64,") for pair in images.values() for uri in pair)


def test_save_writes_the_page_and_nothing_else(tmp_path):
    page = explored(Value(2.0, name="x") * 3.0)
    page.save(tmp_path / "backward.HTML")
    page.save(str(tmp_path / "again.html"))
    assert (tmp_path / "again.html").read_text(encoding="utf-8") == page.html
    assert len(list(tmp_path.iterdir())) == 2


@pytest.mark.parametrize("name", ["x.svg", "x", "x.html.exe"])
def test_another_ending_is_refused(name, tmp_path):
    with pytest.raises(ValueError, match=r"cannot save .*\.html"):
        explored(Value(2.0) * 3.0).save(tmp_path / name)
    assert list(tmp_path.iterdir()) == []


def test_a_missing_folder_is_named(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"create the folder .*missing.* first"):
        explored(Value(2.0) * 3.0).save(tmp_path / "missing" / "x.html")


def test_without_graphviz_the_page_says_what_to_install(neither):
    page = explored(Value(2.0, name="x") * 3.0)
    assert "<svg" not in page.html
    assert 'pip install "tinygrad_edu[viz]"' in unescape(page.html)
    assert data_of(page.html)["leaves"]["rows"]
    shown = page._repr_mimebundle_()["text/html"]
    assert shown == page._repr_html_()
    assert "<img" not in shown
    assert "<pre>mul_1 = *" in shown


def test_notebooks_get_a_sandboxed_frame_over_an_image_and_the_text():
    pytest.importorskip("pygraphviz")
    page = explored(Value(2.0, name='"><script>') * 3.0)
    shown = page._repr_mimebundle_()
    assert shown["text/plain"] == str(page) == repr(page)
    frame = re.search(r'<iframe title="[^"]*" sandbox="allow-scripts" srcdoc="([^"]*)"', shown["text/html"])
    assert unescape(frame[1]) == page.html
    assert shown["text/html"].count("<script") == 0
    assert re.search(
        r'<img alt="The graph of mul_1" src="data:image/svg\+xml;base64,[A-Za-z0-9+/=]+"', shown["text/html"]
    )


def test_a_result_that_is_a_variable_and_one_of_thousands_of_steps():
    pytest.importorskip("pygraphviz")
    assert data_of(explored(Value(2.0, name="x")).html)["root"] == "x"
    x = Value(0.5, name="x")
    for _ in range(3_000):
        x = np.sin(x)
    html = explored(x).html
    assert len(html) < 1_500_000
    assert 'id="v1"' in html
