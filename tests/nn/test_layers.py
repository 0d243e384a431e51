"""Layers: the formulas and their gradients, composition in order, and what they say to mistakes."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from tinygrad_edu import Value, nn

sizes = st.integers(1, 5)


@given(sizes, sizes, st.lists(st.integers(1, 3), max_size=2), st.booleans())
def test_the_formula(inputs, outputs, lead, bias):
    rng = np.random.default_rng(0)
    layer = nn.Linear(inputs, outputs, bias, bias_init=nn.init.normal, rng=rng)
    x = rng.normal(size=(*lead, inputs))
    expected = np.einsum("...i,io->...o", x, layer.weight.data) + (layer.bias.data if bias else 0.0)
    assert layer(x).shape == (*lead, outputs)
    assert np.allclose(layer(x).data, expected, rtol=1e-12)


@given(sizes, sizes, sizes)
def test_the_gradients(batch, inputs, outputs):
    rng = np.random.default_rng(0)
    layer, x, g = (
        nn.Linear(inputs, outputs, rng=rng),
        rng.normal(size=(batch, inputs)),
        rng.normal(size=(batch, outputs)),
    )
    layer(x).backward(g)
    assert np.allclose(layer.weight.grad, x.T @ g, rtol=1e-12)
    assert np.allclose(layer.bias.grad, g.sum(axis=0), rtol=1e-12)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_dtype_is_kept(dtype):
    layer = nn.Linear(2, 3, dtype=dtype, rng=0)
    out = layer(np.ones((4, 2), dtype))
    out.sum().backward()
    assert out.dtype == layer.weight.grad.dtype == layer.bias.grad.dtype == dtype


def test_the_weight_is_drawn_before_the_bias():
    rng = np.random.RandomState(42)
    layer = nn.Linear(2, 1, init=nn.init.normal, bias_init=nn.init.normal, rng=42)
    assert layer.weight.shape == (2, 1)
    assert layer.bias.shape == (1,)
    layer = nn.Linear(2, 1, init=nn.init.normal, bias_init=nn.init.normal, rng=np.random.RandomState(42))
    assert np.array_equal(layer.weight.data[:, 0], rng.randn(2))
    assert layer.bias.item() == rng.randn()


def test_seeds_and_defaults():
    assert np.array_equal(nn.Linear(3, 2, rng=1).weight.data, nn.Linear(3, 2, rng=1).weight.data)
    assert not np.array_equal(nn.Linear(3, 2).weight.data, nn.Linear(3, 2).weight.data)
    assert np.all(nn.Linear(3, 2).bias.data == 0.0)
    assert nn.Linear(3, 2, bias=False).bias is None
    assert [name for name, _ in nn.Linear(3, 2).named_parameters()] == ["weight", "bias"]


def wrong_width(model, x):
    with pytest.raises(ValueError, match="expects") as caught:
        model(x)
    return str(caught.value)


def test_a_wrong_width_names_the_layer_and_where_the_input_came_from():
    model = nn.Sequential(nn.Linear(2, 2), nn.Tanh(), nn.Linear(3, 1))
    expected = "Linear 'layers.2' expects 3 inputs, got 2 (x is (5, 2), from Tanh 'layers.1') (test_layers.py:"
    assert wrong_width(model, np.ones((5, 2))).startswith(expected)


@pytest.mark.parametrize(
    ("x", "expected"),
    [
        (np.ones((5, 3)), "Linear expects 2 inputs, got 3 (x is (5, 3)) (test_layers.py:"),
        (Value(np.ones(3)), "Linear expects 2 inputs, got 3 (x is (3,)) (test_layers.py:"),
        (nn.Tanh()(Value(np.ones(3))), "Linear expects 2 inputs, got 3 (x is (3,), from Tanh) (test_layers.py:"),
        (1.0, "Linear expects 2 inputs, got a single number (x is ()) (test_layers.py:"),
        ([[1.0]], "Linear expects 2 inputs, got 1 (x is (1, 1)) (test_layers.py:"),
    ],
)
def test_a_wrong_width_on_its_own(x, expected):
    assert wrong_width(nn.Linear(2, 1), x).startswith(expected)


@pytest.mark.parametrize("widths", [(0, 1), (1, 0), (-1, 2)])
def test_widths_are_at_least_one(widths):
    with pytest.raises(ValueError, match=r"Linear\(.*\): both widths are at least 1 \(test_layers.py:"):
        nn.Linear(*widths)


@pytest.mark.parametrize("width", [None, 2.0, "2", True, [2], 1j, np.ones(1, int), np.float64(2)])
def test_widths_are_whole_numbers(width):
    for widths in ((width, 1), (1, width)):
        with pytest.raises(TypeError, match=r"Linear\(.*\): both widths are whole numbers \(test_layers.py:"):
            nn.Linear(*widths)
    assert nn.Linear(np.int64(2), 1).weight.shape == (2, 1)


@pytest.mark.parametrize("x", [None, "cat", 1j, [[1.0], [2.0, 3.0]], {}, np.array([None, 1.0]), [Value(1.0)] * 2])
def test_inputs_are_real_numbers(x):
    with pytest.raises(TypeError, match=r"^x: .* \(test_layers.py:\d+\)$"):
        nn.Linear(2, 1)(x)


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
    with pytest.raises(TypeError, match=rf"{message}.* \(test_layers.py:\d+\)$"):
        nn.Sequential(*layers)


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
@pytest.mark.parametrize(
    "x", [np.ones((4, 3)), np.ones((4, 3), np.float32), np.ones((4, 3), int), np.ones((4, 3), bool), [[1, 2, 3.0]]]
)
def test_constants_are_converted_to_the_dtype_of_the_layer(dtype, x):
    layer = nn.Linear(3, 2, dtype=dtype, rng=0)
    out = layer(x)
    out.sum().backward()
    assert out.dtype == layer.weight.grad.dtype == dtype
    wide = np.asarray(x, float) @ layer.weight.data.astype(float)
    assert np.allclose(out.data, wide, rtol=float(np.finfo(dtype).eps) * 8)


def test_a_chain_is_a_sequence_of_its_layers():
    net = nn.Sequential(nn.Linear(2, 3, rng=0), nn.Tanh(), nn.Linear(3, 1, rng=1))
    assert len(net) == 3
    assert list(net) == net.layers
    assert net[-1] is net.layers[2]
    np.testing.assert_array_equal(net[:2](np.ones((1, 2))).data, np.tanh(net[0](np.ones((1, 2)))).data)
    assert bool(nn.Sequential())
