"""Losses: the textbook formulas in float64, their gradients, extremes."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from tinygrad_edu import Value, nn

shapes = hnp.array_shapes(min_dims=0, max_dims=3, max_side=4)
numbers = st.floats(-20, 20)


@st.composite
def pairs(draw, elements, targets):
    shape = draw(shapes)
    return draw(hnp.arrays(float, shape, elements=elements)), draw(hnp.arrays(float, shape, elements=targets))


@st.composite
def classified(draw):
    batch, classes = draw(st.integers(1, 5)), draw(st.integers(2, 4))
    logits = draw(hnp.arrays(float, (batch, classes), elements=numbers))
    return logits, draw(hnp.arrays(np.int64, batch, elements=st.integers(0, classes - 1)))


def loss_and_gradient(loss, prediction, target):
    v = Value(prediction)
    out = loss(v, target)
    out.backward()
    return out.item(), v.grad


def probabilities(z):
    e = np.exp(z - z.max(axis=-1, keepdims=True))
    return e / e.sum(axis=-1, keepdims=True)


@given(pairs(numbers, numbers))
def test_mse(pair):
    p, t = pair
    loss, gradient = loss_and_gradient(nn.mse_loss, p, t)
    assert loss == pytest.approx(sum((p - t).ravel() ** 2) / p.size, rel=1e-12)
    assert np.allclose(gradient, 2 * (p - t) / p.size, rtol=1e-12)
    assert nn.mse_loss(p, p) == 0.0


@given(hnp.arrays(float, shapes, elements=numbers), numbers)
def test_mse_against_a_single_number(p, t):
    assert nn.mse_loss(p, t) == pytest.approx(nn.mse_loss(p, np.full(p.shape, t)), rel=1e-12)


@given(classified())
def test_cross_entropy(example):
    z, classes = example
    loss, gradient = loss_and_gradient(nn.cross_entropy, z, classes)
    p, rows = probabilities(z), np.arange(len(z))
    assert loss == pytest.approx(-np.log(p[rows, classes]).mean(), rel=1e-9, abs=1e-9)
    one_hot = np.eye(z.shape[1])[classes]
    assert np.allclose(gradient, (p - one_hot) / len(z), rtol=1e-9, atol=1e-12)


@given(classified(), st.floats(-100, 100))
def test_cross_entropy_ignores_a_shift_of_all_logits(example, shift):
    z, classes = example
    assert nn.cross_entropy(z + shift, classes) == pytest.approx(nn.cross_entropy(z, classes), abs=1e-11)


def test_cross_entropy_over_more_axes_is_the_mean_over_all():
    z, classes = np.random.default_rng(0).normal(size=(2, 5, 3)), np.array([[0, 1, 2, 1, 0], [2, 2, 1, 0, 1]])
    flat = nn.cross_entropy(z.reshape(10, 3), classes.ravel())
    assert nn.cross_entropy(Value(z), classes).item() == pytest.approx(flat, rel=1e-12)
    assert nn.cross_entropy(Value(z[0, 0]), 0).item() == pytest.approx(-np.log(probabilities(z[0, 0]))[0])


@given(pairs(numbers, st.floats(0, 1)))
def test_binary_cross_entropy(pair):
    z, t = pair
    loss, gradient = loss_and_gradient(nn.binary_cross_entropy, z, t)
    p = 1 / (1 + np.exp(-z))
    q = 1 / (1 + np.exp(z))
    assert loss == pytest.approx(-(t * np.log(p) + (1 - t) * np.log(q)).mean(), rel=1e-9, abs=1e-9)
    assert np.allclose(gradient, (p - t) / z.size, rtol=1e-9, atol=1e-12)


def test_two_classes_by_either_cross_entropy():
    z = np.array([0.3, -2.0, 5.0])
    two = np.stack([np.zeros(3), z], axis=1)
    classes = np.array([0, 1, 1])
    assert nn.cross_entropy(two, classes) == pytest.approx(nn.binary_cross_entropy(z, classes.astype(float)))


@pytest.mark.parametrize("size", [1e4, -1e4])
def test_extreme_logits_stay_finite(size):
    loss, gradient = loss_and_gradient(nn.cross_entropy, np.array([[size, 0.0]]), np.array([1]))
    assert loss == max(size, 0.0)
    assert np.allclose(gradient, [[1.0, -1.0]] if size > 0 else [[0.0, 0.0]])
    loss, gradient = loss_and_gradient(nn.binary_cross_entropy, np.array([size]), np.array([0.0]))
    assert loss == max(size, 0.0)
    assert gradient[0] == (size > 0)


@pytest.mark.parametrize("loss", [nn.mse_loss, nn.binary_cross_entropy])
def test_float32_stays_float32(loss):
    v = Value(np.ones(3, np.float32))
    out = loss(v, np.ones(3, np.float32))
    out.backward()
    assert out.dtype == v.grad.dtype == np.float32


def test_float32_cross_entropy():
    v = Value(np.ones((2, 3), np.float32))
    out = nn.cross_entropy(v, np.array([0, 2]))
    out.backward()
    assert out.dtype == v.grad.dtype == np.float32


@given(classified())
def test_accuracy_of_scores_and_of_classes(example):
    z, classes = example
    if z.shape[1] > 1:
        expected = sum(int(np.argmax(row)) == c for row, c in zip(z, classes, strict=True)) / len(z)
        assert nn.accuracy(Value(z), classes) == nn.accuracy(np.argmax(z, axis=1), classes) == expected
    assert nn.accuracy(classes, classes) == 1.0


def test_accuracy_of_two_classes():
    probabilities, truth = np.array([[0.9], [0.2]]), np.array([[1.0], [1.0]])
    assert nn.accuracy(probabilities > 0.5, truth) == 0.5
    assert nn.accuracy(np.round(probabilities), truth) == 0.5
    with pytest.raises(ValueError, match=r"use prediction > 0\.5"):
        nn.accuracy(probabilities, truth)


def test_accuracy_refuses_what_would_broadcast():
    with pytest.raises(ValueError, match=r"would broadcast to \(9, 9\).*Use target\[:, None\] or prediction\[:, 0\]"):
        nn.accuracy(np.ones((9, 1)), np.ones(9))
    with pytest.raises(ValueError, match="one shape"):
        nn.accuracy(np.ones((2, 3)), 1)
    with pytest.raises(ValueError, match="no examples"):
        nn.accuracy(np.ones(0), np.ones(0))


@pytest.mark.parametrize(
    "target", [np.ones(3), np.ones(3, int), np.ones(3, bool), [1, 0, 1], np.float64(1.0), 1, 0.5]
)
@pytest.mark.parametrize("loss", [nn.mse_loss, nn.binary_cross_entropy])
def test_targets_of_any_dtype_leave_float32_as_it_is(loss, target):
    v = Value(np.array([0.5, 1.0, 2.0], np.float32))
    out = loss(v, target)
    out.backward()
    assert out.dtype == v.grad.dtype == np.float32
    whole = Value(v.data.astype(float))
    assert out.item() == pytest.approx(loss(whole, np.asarray(target, float)).item(), rel=1e-6)
