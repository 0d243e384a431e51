"""A trace is frozen, pure data: two of the same computation are equal, and pickling changes nothing."""

import dataclasses
import pickle

import pytest
from hypothesis import given

from tests.viz.graphs import graphs
from tinygrad_edu import Value
from tinygrad_edu.viz.tracer import trace


@given(graphs())
def test_a_trace_is_a_function_of_the_graph(made):
    loss, _ = made
    assert trace(loss) == trace(loss)
    assert pickle.loads(pickle.dumps(trace(loss))).edges == trace(loss).edges


def test_parts_cannot_be_changed():
    found = trace(Value(2.0) * 3.0)
    for part in (found, found.boxes[0], found.steps[0], found.edges[0]):
        with pytest.raises(dataclasses.FrozenInstanceError):
            setattr(part, dataclasses.fields(part)[0].name, None)
