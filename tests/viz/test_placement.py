"""In a folded picture Values share boxes, and hops share edges; for small graphs see `test_story.py`."""

import numpy as np

from tinygrad_edu import Value
from tinygrad_edu.graph import Node
from tinygrad_edu.viz.placement import Placement
from tinygrad_edu.viz.tracer import Tracer


def chain(length):
    x = y = Value(0.5, name="x")
    for _ in range(length):
        y = np.tanh(y) * x
    return y


def test_large_graphs_are_folded_and_every_part_named_is_drawn():
    tracer = Tracer(chain(1_100), None, None)
    places = Placement(tracer)
    assert places.trace.detail == "folded"
    drawn = {box.id: box for box in places.trace.boxes}
    assert {places.box(node) for node in tracer.nodes} == set(drawn)
    assert drawn[places.box(tracer.root)].kind == "root"
    found = set()
    for node in tracer.nodes:
        for i, arg in enumerate(node.args):
            if isinstance(arg, Node) and (number := places.edge((node, i))):
                edge = places.trace.edges[int(number[1:]) - 1]
                assert (edge.tail, edge.head) == (places.box(arg), places.box(node))
                found.add(number)
    assert len(found) == len(places.trace.edges)


def test_what_is_not_drawn_has_no_part():
    places = Placement(Tracer(chain(2), None, None))
    assert places.box(Value(1.0)) == places.step(Value(1.0)) == places.edge((Value(1.0), 0)) == ""
