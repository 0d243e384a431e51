"""Sequential: composition in order, and mistakes in what it is given."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tinygrad_edu import Value, nn

FUNCTIONS = {"tanh": np.tanh, "double": lambda x: 2 * x, "shift": lambda x: x + 1.0}


@given(st.lists(st.sampled_from(sorted(FUNCTIONS)), max_size=5), st.floats(-2, 2))
def test_it_composes_in_order(names, start):
    expected = start
    for name in names:
        expected = FUNCTIONS[name](expected)
    assert nn.Sequential(*(FUNCTIONS[name] for name in names))(Value(start)).item() == expected


def test_modules_and_functions_mix():
    model = nn.Sequential(nn.Linear(2, 3, rng=0), np.tanh, nn.Linear(3, 1, rng=1))
    first, _, last = model.layers
    x = np.ones((4, 2))
    assert np.array_equal(model(x).data, last(np.tanh(first(x))).data)
    assert len(model.parameters()) == 4


@pytest.mark.parametrize(
    ("layers", "message"),
    [
        (([nn.Tanh(), nn.Tanh()],), r"Sequential\(\*layers\)"),
        ((nn.Tanh(), nn.ReLU), r"layer 1 is the class ReLU: write ReLU\(...\)"),
        ((3.0,), "layer 0 is a float, which cannot be called"),
    ],
)
def test_what_is_no_layer_is_refused(layers, message):
    with pytest.raises(TypeError, match=rf"{message}.* \(test_sequential.py:\d+\)$"):
        nn.Sequential(*layers)
