"""Random graphs: Values used again and again, broadcasting, everything summed into one number at the end."""

import json
from types import SimpleNamespace

import numpy as np
from hypothesis import strategies as st

from tinygrad_edu import Value, relu, sigmoid
from tinygrad_edu.viz.model import build

SHAPES = ((), (), (), (3,), (1, 3), (2, 3))
UNARY = (relu, np.tanh, sigmoid, np.sin, np.square, lambda x: -x, lambda x: x.mean())
BINARY = (np.maximum, np.add, np.multiply, np.subtract, lambda x, y: x / (2.0 + np.square(y)))


@st.composite
def programs(draw, shapes=SHAPES, size=10, smooth=False):
    """A function of three arrays and where to call it; recent results are used more often, and none is left out."""
    functions = st.sampled_from(UNARY[smooth:] + BINARY[smooth:])  # the first of each has kinks
    shape, recent = st.sampled_from(shapes), st.integers(1, 4)
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    arrays = [rng.normal(size=draw(shape)) for _ in range(3)]
    lines = [(draw(functions), draw(recent), draw(recent)) for _ in range(draw(st.integers(1, size)))]

    def compute(*inputs):
        values = list(inputs)
        for function, i, j in lines:
            x, y = values[-min(i, len(values))], values[-min(j, len(values))]
            values.append(function(x) if function in UNARY else function(x, y))
        return sum(value.sum() for value in values)

    return compute, arrays


@st.composite
def graphs(draw, shapes=SHAPES, size=10):
    """A loss and the variables behind it."""
    compute, arrays = draw(programs(shapes, size))
    leaves = [Value(array, name=f"w{i}") for i, array in enumerate(arrays)]
    return compute(*leaves), leaves


def diagram(root, to=None, names=None, level="tensor"):
    """What is drawn of a result."""
    replay = build.replay_at(root, names, level)
    return build.diagram(replay, build.chain_rule(replay, to), folded=level == "module")


def as_text(backward_pass):
    """A backward pass as other programs get it: every number as text, every part of the picture by its id."""
    return json.loads(backward_pass.json(), object_hook=lambda facts: SimpleNamespace(**facts))
