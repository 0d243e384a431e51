"""Activations: the functions they name, in a network."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from tinygrad_edu import Value, nn

REFERENCES = {
    nn.Sigmoid: lambda x: 1 / (1 + np.exp(-x)),
    nn.Tanh: np.tanh,
    nn.ReLU: lambda x: np.where(x > 0, x, 0.0),
}
SLOPES = {
    nn.Sigmoid: lambda y: y * (1 - y),
    nn.Tanh: lambda y: 1 - y**2,
    nn.ReLU: lambda y: (y > 0).astype(float),
}
arrays = hnp.arrays(float, hnp.array_shapes(max_dims=2, max_side=4), elements=st.floats(-5, 5))


@pytest.mark.parametrize("kind", REFERENCES)
@given(x=arrays)
def test_value_and_slope(kind, x):
    v = Value(x)
    out = kind()(v)
    out.sum().backward()
    assert np.allclose(out.data, REFERENCES[kind](x), rtol=1e-12)
    assert np.allclose(v.grad, SLOPES[kind](out.data), rtol=1e-9, atol=1e-15)


@pytest.mark.parametrize(("kind", "function"), [(nn.Sigmoid, nn.sigmoid), (nn.Tanh, nn.tanh), (nn.ReLU, nn.relu)])
def test_the_function_form_works_on_arrays_and_values(kind, function):
    x = np.array([-1.0, 0.0, 2.0])
    assert np.array_equal(function(x), kind()(Value(x)).data)
    assert isinstance(function(x), np.ndarray)
    assert kind().parameters() == []
