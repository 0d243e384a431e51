"""A trace is frozen: whoever shows it cannot change it."""

import dataclasses

import pytest

from tinygrad_edu import Value
from tinygrad_edu.viz.tracer import trace


def test_parts_cannot_be_changed():
    found = trace(Value(2.0) * 3.0)
    for part in (found, found.boxes[0], found.steps[0], found.edges[0]):
        with pytest.raises(dataclasses.FrozenInstanceError):
            setattr(part, dataclasses.fields(part)[0].name, None)
