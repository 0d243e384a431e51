"""The DOT text: the tutorial's style, byte for byte, and whatever a name contains is only ever shown."""

import os
import re
import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.viz.graphs import diagram
from tests.viz.labels import shown, unescaped
from tests.viz.tutorial import neuron, neurons_source
from tinygrad_edu import Value, nn, relu, viz
from tinygrad_edu.viz.model.names import clean
from tinygrad_edu.viz.picture import boxes_and_hexagons
from tinygrad_edu.viz.picture.boxes_and_hexagons import CELL, WIDTH, heat_map, inert, wrapped

GOLDEN = Path(__file__).parents[1] / "golden"
HOSTILE = ['"', "\\", "a\\", "<lambda>", "<b>&amp;</b>", "{a|b}", "a\\nb", "</script>", "\\N", "javascript:1", "-->"]

HOSTILE_IN_TABLES = ["<b>&amp;</b>", "</TD>", "]]>", '"', "\\N", "{a|b}", "a & b", "<!--"]


def edges(source):
    """The lines of the edges."""
    return [line for line in source.splitlines() if "->" in line]


def test_the_tutorials_neuron_byte_for_byte():
    assert neurons_source() == (GOLDEN / "neuron.dot").read_text(encoding="utf-8")


@pytest.mark.parametrize("seed", ["0", "1", "12345"])
def test_the_same_bytes_with_any_seed_of_hashes(seed):
    code = "from tests.viz.tutorial import neurons_source; print(neurons_source(), end='')"
    root = str(Path(__file__).parents[3])
    environment = os.environ | {"PYTHONHASHSEED": seed, "PYTHONPATH": root, "PYTHONUTF8": "1"}
    done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, check=True, cwd=root)
    assert done.stdout.decode().replace("\r", "") == (GOLDEN / "neuron.dot").read_text(encoding="utf-8")


def test_the_wanted_factors_are_on_bold_red_edges_and_multiply_to_the_gradient():
    error, weights, names = neuron()
    source = boxes_and_hexagons.source(diagram(error, weights, names))
    red = [line for line in edges(source) if 'color="#C81E1E"' in line and "penwidth=3" in line]
    figures = {}
    for factor in ("derror_dprediction", "dprediction_dlayer_1", "dlayer_1_dweights"):
        (line,) = (line for line in red if f"{factor}\\l" in line)
        figures[factor] = np.array(eval(re.search(r"= ([^=]+?)\\l", line)[1]))
    first, second, third = figures.values()
    np.testing.assert_allclose(first * second * third, weights.grad, rtol=1e-3)


def test_shape_and_border_carry_the_meaning():
    source = boxes_and_hexagons.source(diagram(*neuron()[:2]))
    nodes = {line.split()[0]: line for line in source.splitlines() if re.match(r"\s*[vo]\d+ \[", line)}
    assert all("shape=hexagon" in line and "#FFD84D" in line for key, line in nodes.items() if key.startswith("o"))
    (weights,) = (line for line in nodes.values() if '"weights\\n' in line)
    (result,) = (line for line in nodes.values() if "penwidth=4" in line)
    constants = [line for line in nodes.values() if "dashed" in line]
    assert "peripheries=2" in weights
    assert "peripheries" not in result
    assert len(constants) == 2
    assert not any("grad" in line for line in constants)


def test_backwards_arrows_point_the_way_gradients_flow():
    found = diagram(neuron()[0])
    assert boxes_and_hexagons.source(found).count("dir=back") == 0
    assert boxes_and_hexagons.source(found, "backward").count("dir=back") == len(found.arrows) + len(found.operations)


def test_a_closed_relu_is_dashed_and_says_so():
    (entering, _) = edges(boxes_and_hexagons.source(diagram(relu(Value(-1.0)))))
    assert "style=dashed" in entering
    assert "closed: no gradient passes" in entering


def test_an_edge_is_drawn_for_each_use():
    x = Value(3.0)
    assert sum("v1 -> o1" in line for line in edges(boxes_and_hexagons.source(diagram(x * x)))) == 2


def test_module_calls_are_nested_clusters():
    model = nn.Sequential(nn.Sequential(nn.Linear(1, 1, rng=0)))
    source = boxes_and_hexagons.source(diagram(model(np.ones((1, 1))).sum()))
    labels = re.findall(r'subgraph cluster_\d+ {\s+graph .*?label="?([^"\s,]+)', source)
    assert labels[:3] == ["Sequential", "layers.0", "layers.0.layers.0"]
    assert source.count("subgraph") == source.count("\n\t}") + source.count("\n\t\t}") + source.count("\n\t\t\t}")


@pytest.mark.parametrize("level", ["tensor", "module"])
def test_the_name_of_a_module_is_shown_without_what_could_steer_the_screen(level):
    class Labels(nn.Module):
        def __init__(self):
            self.parts = {f"a\u202e\ud800\n{'x' * 1_000}": nn.Linear(1, 1, rng=0)}

        def forward(self, x):
            return next(iter(self.parts.values()))(x)

    Labels.__name__ = "\x1b\u2066Labels"
    source = boxes_and_hexagons.source(diagram(Labels()(np.ones((1, 1))).sum(), level=level))
    source.encode()
    assert source.replace("\n", "").replace("\t", "").isprintable()
    assert "x" * 100 not in source


def test_ids_only_where_they_are_wanted():
    found = diagram(neuron()[0])
    assert not re.search(r"\bid=", boxes_and_hexagons.source(found))
    ids = re.findall(r"\bid=(\w+)", boxes_and_hexagons.source(found, grads={}))
    assert len(ids) == len(set(ids)) == len(found.boxes) + 2 * len(found.operations) + len(found.arrows)
    assert {"v1", "o1", "e1", "r1"} <= set(ids)


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_names_are_shown_as_they_are(name):
    source = boxes_and_hexagons.source(diagram(Value(1.0, name=name) * 2.0))
    assert unescaped(shown(source)[0]) == clean(name)


@given(st.lists(st.text(st.characters(codec="utf-8"), min_size=1, max_size=20), min_size=3, max_size=3))
def test_any_name_parses_to_one_node_with_that_label(names):
    x, y = (Value(1.0, name=name) for name in names[:2])
    z = x * y
    z.name = names[2]
    found = diagram(z)
    assert [unescaped(text) for text in shown(boxes_and_hexagons.source(found))] == [box.name for box in found.boxes]


@given(st.text(max_size=20))
def test_nothing_links_and_ids_are_ours(name):
    source = boxes_and_hexagons.source(diagram(Value(1.0, name=name) * 2.0))
    assert not re.search(r"[\s\[](URL|href|tooltip|target|image|shapefile)=", source)
    assert re.findall(r"^\t(\w+) \[", source, re.MULTILINE)[3:] == ["v1", "v2", "o1", "v3"] or "v1" in source


def test_what_was_left_out_stands_below():
    x = Value(0.5)
    for _ in range(700):
        x = np.sin(x)
    source = boxes_and_hexagons.source(diagram(x))
    assert "701 values: numbers, constants and separate operations are left out" in source
    assert "hexagon" not in source
    assert '"sin_1 (sin)"' in source


def test_a_folded_box_says_how_often():
    x = Value(0.5)
    for _ in range(3_000):
        x = np.sin(x)
    source = boxes_and_hexagons.source(diagram(x))
    assert "x2,999" in source
    assert len(source) < 3_000


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


@pytest.mark.parametrize("name", HOSTILE_IN_TABLES)
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
