"""Random graphs: Values used again and again, broadcasting, everything summed into one number at the end."""

import numpy as np
from hypothesis import strategies as st

from tinygrad_edu import Value, relu, sigmoid

SHAPES = ((), (), (), (3,), (1, 3), (2, 3))
UNARY = (np.tanh, sigmoid, relu, np.sin, np.square, lambda x: -x, lambda x: x.mean())
BINARY = (np.add, np.multiply, np.subtract, np.maximum, lambda x, y: x / (2.0 + np.square(y)))


@st.composite
def graphs(draw, shapes=SHAPES, size=10):
    """A loss and the variables behind it; recent results are used more often, and no result is left out."""
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    leaves = [Value(rng.normal(size=draw(st.sampled_from(shapes))), name=f"w{i}") for i in range(3)]
    values = list(leaves)
    for _ in range(draw(st.integers(1, size))):
        x, y = (values[-min(draw(st.integers(1, 4)), len(values))] for _ in range(2))
        function = draw(st.sampled_from(UNARY + BINARY))
        values.append(function(x) if function in UNARY else function(x, y))
    loss = sum(value.sum() for value in values)
    return loss, leaves
