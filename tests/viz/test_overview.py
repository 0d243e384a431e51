"""The folded drawing: few boxes for any graph, the wanted path in it, and in words what was folded or left out."""

import numpy as np
import pytest

from tinygrad_edu import Value, nn
from tinygrad_edu.viz.overview import MOST
from tinygrad_edu.viz.tracer import trace


def loop(steps):
    w, x = Value(0.9, name="w"), Value(1.0, name="x")
    for _ in range(steps):
        x = np.sin(x * w)
    return x, w


@pytest.mark.parametrize("steps", [1_100, 25_000])
def test_a_large_loop_is_one_box(steps):
    loss, _ = loop(steps)
    found = trace(loss)
    assert found.detail == "folded"
    assert len(found.boxes) < 8
    (box,) = (box for box in found.boxes if box.kind == "module")
    assert (box.name, box.glyph.split(",")[0]) == ("*, sin", f"x{steps - 1:,}".split(",")[0])
    assert f"{2 * steps + 2:,} values" in found.note


def test_edges_connect_what_is_drawn():
    loss, w = loop(2_000)
    found = trace(loss, to=w)
    ids = {box.id for box in found.boxes}
    assert all({edge.tail, edge.head} <= ids for edge in found.edges)
    weight = next(box for box in found.boxes if box.name == "w")
    assert weight.id in {edge.tail for edge in found.edges if edge.wanted}
    assert found.caption


def test_a_module_says_what_comes_out_of_it_and_its_gradient():
    model = nn.Sequential(nn.Linear(3, 2, rng=0), nn.Tanh())
    loss = model(np.ones((1, 3))).sum()
    loss.backward()
    first = trace(loss, level="module").boxes[0]
    assert (first.kind, first.name, first.glyph) == ("module", "layers.0 Linear", "4 values")
    assert first.data.startswith("[[")
    assert first.grad.startswith("[[")


def test_the_wanted_path_goes_through_the_modules():
    model = nn.Sequential(nn.Linear(3, 2, rng=0), nn.Tanh())
    loss = model(np.ones((1, 3))).sum()
    found = trace(loss, to=model.layers[0].bias, level="module")
    assert [box.name for box in found.boxes] == ["layers.0.bias", "layers.0 Linear", "layers.1 Tanh", "sum_1"]
    assert all(edge.wanted for edge in found.edges)


def test_of_what_cannot_be_folded_the_nearest_is_drawn():
    rng = np.random.default_rng(0)
    values = [Value(1.0, name="a"), Value(2.0, name="b")]
    functions = [np.sin, np.cos, np.tanh, np.abs, lambda x: -x]
    for _ in range(3_000):
        x, y = (values[-1 - rng.integers(min(len(values), 4))] for _ in range(2))
        values.append(
            0.1 * functions[rng.integers(5)](x) + 0.1 * y if rng.integers(2) else functions[rng.integers(3)](x)
        )
    found = trace(sum(values[-10:]))
    assert len(found.boxes) == MOST
    assert "more values, farther from" in found.note
    assert found.boxes[-1].kind == "root"
