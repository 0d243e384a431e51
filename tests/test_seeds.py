"""The source documents' numbers, digit for digit as printed, each obtained through the library."""

from decimal import Decimal, localcontext
from pathlib import Path

import numpy as np
import pytest

from tinygrad_edu import Value, data, nn, optim
from tinygrad_edu.data import documents

EXAMPLES = Path(__file__).parents[1] / "examples"


# -- A: vectors and a first prediction ---------------------------------------------------------------------


def test_dot_products():
    x, first, second = data.similar_vectors()
    assert (x.tolist(), first.tolist(), second.tolist()) == ([1.72, 1.23], [1.26, 0], [2.17, 0.32])
    assert f"{np.dot(x, Value(first)).item():.4f}" == "2.1672"
    assert str(np.dot(x, Value(second)).item()).startswith("4.1259")  # cut there, not rounded


@pytest.fixture
def neuron():
    """Weights, bias and the prediction of the first neuron."""
    _, _, w, b = data.first_prediction()
    assert (w.tolist(), b.tolist()) == ([1.45, -0.66], [0.0])
    w, b = Value(w), Value(b)
    return w, b, lambda x: nn.sigmoid(np.dot(x, w) + b)


def test_first_predictions(neuron):
    x, targets, *_ = data.first_prediction()
    assert (x.tolist(), targets.tolist()) == ([[1.66, 1.56], [2, 1.5]], [1, 0])
    assert str(neuron[2](x[0]).data) == "[0.7985731]"
    assert str(neuron[2](x[1]).data) == "[0.87101915]"


def test_the_error_its_derivatives_and_the_step(neuron):
    w, b, predict = neuron
    x = data.first_prediction()[0][1]
    prediction = predict(x)
    error = nn.mse_loss(prediction, 0.0)
    error.backward()
    assert nn.mse_loss(Value([0.87101915]), 0.0).item() == 0.7586743596667225  # of the prediction as printed
    assert error.item() == pytest.approx(0.7586743596667225, abs=1e-8)
    assert str(prediction.grad) == "[1.7420383]"
    slope = prediction.data * (1 - prediction.data)
    assert np.allclose(w.grad, prediction.grad * slope * x, rtol=1e-14)
    assert np.allclose(b.grad, prediction.grad * slope, rtol=1e-14)
    w.data = w.data - prediction.grad
    assert str(predict(x).data) == "[0.01496248]"
    assert f"{nn.mse_loss(predict(x), 0.0).item():.8f}" == "0.00022388"


# -- C: one sigmoid neuron, online -------------------------------------------------------------------------


def test_the_eight_rows():
    x, y = data.eight_rows()
    assert x.tolist() == [[3, 1.5], [2, 1], [4, 1.5], [3, 4], [3.5, 0.5], [2, 0.5], [5.5, 1], [1, 1]]
    assert y[:, 0].tolist() == [0, 1, 0, 1, 0, 1, 1, 0]


def test_the_first_predictions():
    """What the source prints is the prediction for [1.66, 1.56]; the first row of its table has another."""
    rng = np.random.RandomState(42)
    w1, w2, b = (Decimal(float(v)) for v in rng.randn(3))
    with localcontext() as context:
        context.prec = 40
        exact = 1 / (1 + (-(Decimal("1.66") * w1 + Decimal("1.56") * w2 + b)).exp())
    layer = nn.Linear(2, 1, init=nn.init.normal, bias_init=nn.init.normal, rng=np.random.RandomState(42))
    neuron = nn.Sequential(layer, nn.Sigmoid())
    first = neuron(np.array(documents.FIRST_INPUT)).item()
    assert repr(first) == documents.FIRST_PREDICTION == "0.7784302101100966"
    assert abs(Decimal(first) - exact) < Decimal("1e-16")
    assert neuron(data.eight_rows()[0][0]).item() == 0.8732975096761088


def test_dl_dw_holds_the_input():
    """The derivative for w is 2 (p - y) p (1 - p) x: with the factor x, not w."""
    x, y = data.eight_rows()
    layer = nn.Linear(2, 1, rng=0)
    prediction = nn.sigmoid(layer(x[0]))
    nn.mse_loss(prediction, y[0]).backward()
    p = prediction.data
    expected = (2 * (p - y[0]) * p * (1 - p)) * x[0]
    assert np.allclose(layer.weight.grad[:, 0], expected, rtol=1e-12)
    assert not np.allclose(layer.weight.grad[:, 0], expected / x[0] * layer.weight.data[:, 0])


# -- D: the 3-4-1 network ----------------------------------------------------------------------------------


def network():
    rng = np.random.RandomState(1)
    layers = (nn.Linear(a, b, bias=False, init=nn.init.uniform, rng=rng) for a, b in ((3, 4), (4, 1)))
    first, second = layers
    return nn.Sequential(first, nn.Sigmoid(), second, nn.Sigmoid())


def test_the_table_of_the_network():
    x, y = data.xor()
    assert x.tolist() == [[0, 0, 1], [0, 1, 1], [1, 0, 1], [1, 1, 1]]
    assert y.tolist() == [[0], [1], [1], [0]]


def test_the_first_weights_are_the_documents():
    rng = np.random.RandomState(1)
    first, _, second, _ = network().layers
    assert np.array_equal(first.weight.data, 2 * rng.random_sample((3, 4)) - 1)
    assert np.array_equal(second.weight.data, 2 * rng.random_sample((4, 1)) - 1)


def test_the_gradients_are_the_documents_deltas():
    x, y = data.xor()
    net = network()
    first, _, second, _ = net.layers
    hidden, out = nn.sigmoid(x @ first.weight.data), net(x)
    (0.5 * np.square(out - y).sum()).backward()
    delta_2 = (y - out.data) * out.data * (1 - out.data)
    delta_1 = delta_2 @ second.weight.data.T * hidden * (1 - hidden)
    assert np.allclose(second.weight.grad, -hidden.T @ delta_2, rtol=1e-12)
    assert np.allclose(first.weight.grad, -x.T @ delta_1, rtol=1e-12)


@pytest.mark.no_cover
def test_the_mean_absolute_errors_and_the_outputs():
    """The first 10,001 iterations; all 50,000 are in the example `network_3_4_1` and in the command."""
    x, y = data.xor()
    net = network()
    optimizer, printed = optim.SGD(net.parameters(), lr=1.0), []
    for iteration in range(10_001):
        out = net(x)
        if iteration % 10_000 == 0:
            printed.append(f"{np.abs(out.data - y).mean():.12g}")
        optimizer.zero_grad()
        (0.5 * np.square(out - y).sum()).backward()
        optimizer.step()
    assert printed == list(documents.MEAN_ABSOLUTE_ERRORS.values())[:2]
