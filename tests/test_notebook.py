"""A real notebook, run by a real kernel: what it shows of Values, modules, drawings and passes, trusted or not."""

import importlib.util
import re
from xml.etree import ElementTree

import pytest

from tinygrad_edu import Value, viz
from tinygrad_edu.value import shown

CELLS = {
    "value": "import numpy as np\nfrom tinygrad_edu import Value, nn, viz\nw = Value(np.ones((2, 3)), name='w')\nw",
    "module": "nn.Sequential(nn.Linear(2, 3, rng=0), nn.Tanh())",
    "drawing": "loss = (w * w).sum()\nloss.backward()\nviz.draw(loss, to=w)",
    "pass": "viz.trace(loss)",
    "explorer": "viz.trace(loss).explore()",
    "text": "viz.explain(w, loss)",
}


def test_the_question_is_passed_on_to_the_pictures():
    x = Value(2.0, name="x")
    assert shown(x) == viz.bundle(x) == x._repr_mimebundle_()


@pytest.fixture(scope="module")
def executed():
    """The notebook after it ran."""
    for module in ("nbclient", "nbformat", "ipykernel"):
        if importlib.util.find_spec(module) is None:
            pytest.skip(f"{module} is not installed")
    import nbformat
    from nbclient import NotebookClient

    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(code) for code in CELLS.values()])
    return NotebookClient(notebook, timeout=60, kernel_name="python3").execute()


@pytest.fixture(scope="module")
def bundles(executed):
    """What each cell showed, by MIME type."""
    outputs = [cell.outputs for cell in executed.cells]
    return {name: shown[-1].data for name, shown in zip(CELLS, outputs, strict=True)}


def test_nothing_is_printed_and_every_cell_shows_one_thing(executed):
    assert [len(cell.outputs) for cell in executed.cells] == [1] * len(CELLS)


@pytest.mark.parametrize("name", CELLS)
def test_there_is_always_plain_text(bundles, name):
    assert bundles[name]["text/plain"].strip()


def test_values_and_modules_are_tables_with_heat_maps(bundles):
    for name, word in (("value", "(2, 3) float64"), ("module", "layers.0.weight")):
        assert word in bundles[name]["text/html"]
        assert 'src="data:image/png;base64,' in bundles[name]["text/html"]
        assert "<script" not in bundles[name]["text/html"]


def test_a_drawing_is_a_picture_that_scales(bundles):
    picture = ElementTree.fromstring(bundles["drawing"]["image/svg+xml"])
    assert picture.get("viewBox")
    assert picture.get("width") is None


@pytest.mark.parametrize("name", ["pass", "explorer"])
def test_the_explorer_is_sandboxed_and_has_a_picture_for_the_untrusted(bundles, name):
    page = bundles[name]["text/html"]
    assert 'sandbox="allow-scripts"' in re.search(r"<iframe[^>]*>", page, re.DOTALL)[0]
    assert re.search(r'<img[^>]*src="data:image/svg\+xml', page)
    assert "<script" not in page  # in the srcdoc it is escaped


def test_nbconvert_keeps_the_pictures(executed):
    if importlib.util.find_spec("nbconvert") is None:
        pytest.skip("nbconvert is not installed")
    from nbconvert import HTMLExporter

    page, _ = HTMLExporter().from_notebook_node(executed)
    assert "data:image/svg+xml" in page
    assert "layers.0.weight" in page
    assert "srcdoc=" in page
