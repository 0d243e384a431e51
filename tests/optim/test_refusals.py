"""What optimisers refuse when they are made, and in which words."""

import math
from fractions import Fraction

import numpy as np
import pytest

from tinygrad_edu import Value, nn, optim

W = Value(1.0, name="w")


@pytest.mark.parametrize("make", [lambda p: optim.SGD(p, lr=0.1), optim.Adam])
@pytest.mark.parametrize(
    ("params", "error", "message"),
    [
        ([], ValueError, "was given no parameters"),
        (iter([]), ValueError, "generator used before"),
        (W, TypeError, r"\(\[w\], ...\) for a single one"),
        (nn.Linear(1, 1), TypeError, r"use model.parameters\(\)"),
        ([W, np.ones(3)], TypeError, r"parameter 1 is a ndarray, not a Value: wrap it, Value\(x\)"),
        ({"w": W}, TypeError, "parameter 0 is a str"),
        (None, TypeError, "takes a list of parameters; got NoneType"),
        (0.1, TypeError, "takes a list of parameters; got float"),
        ([W, Value(2.0), W], ValueError, "parameter 2 is parameter 0 again"),
        ([W * 2.0], ValueError, r"parameter 0 is the result of multiply.*Value\(v.data\)"),
    ],
)
def test_parameters(make, params, error, message):
    with pytest.raises(error, match=message) as caught:
        make(params)
    assert "(test_refusals.py:" in str(caught.value)


def test_a_generator_is_fine_once():
    generator = (p for p in [W])
    assert optim.SGD(generator, lr=0.1).params[0] is W
    with pytest.raises(ValueError, match="empty the second time"):
        optim.SGD(generator, lr=0.1)


@pytest.mark.parametrize("make", [optim.SGD, optim.Adam])
@pytest.mark.parametrize("lr", [0, -0.1, math.nan, math.inf, -math.inf])
def test_learning_rates(make, lr):
    with pytest.raises(ValueError, match=r"lr is .*; it must be a finite number above 0"):
        make([W], lr=lr)


@pytest.mark.parametrize("make", [optim.SGD, optim.Adam])
@pytest.mark.parametrize(
    "lr", [None, "0.1", b"1", 1j, [0.1], np.ones(1), np.array("x"), Value(0.1), True, {}, object]
)
def test_learning_rates_that_are_no_numbers(make, lr):
    kind = type(lr).__name__
    with pytest.raises(TypeError, match=rf"lr is a {kind}; it must be a finite number above 0 \(test_refusals.py:"):
        make([W], lr=lr)


@pytest.mark.parametrize("lr", [1, np.float32(0.5), np.int64(1), np.array(0.5), np.float16(0.5), Fraction(1, 2)])
def test_any_real_number_is_a_learning_rate(lr):
    optimizer = optim.SGD([W], lr=lr)
    assert optimizer.lr == float(lr)
    assert type(optimizer.lr) is float


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"momentum": 1.0}, r"momentum is 1.0; it must be in \[0, 1\)"),
        ({"momentum": -0.1}, "momentum is -0.1"),
        ({"momentum": math.nan}, "momentum is nan"),
        ({"weight_decay": -1}, "weight_decay is -1.0; it must be a finite number of at least 0"),
        ({"weight_decay": math.inf}, "weight_decay is inf"),
        ({"nesterov": True}, "nesterov needs a momentum above 0"),
    ],
)
def test_sgd_options(options, message):
    with pytest.raises(ValueError, match=message):
        optim.SGD([W], lr=0.1, **options)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"betas": (1.0, 0.9)}, r"betas\[0\] is 1.0; it must be in \[0, 1\)"),
        ({"betas": (0.9, math.nan)}, r"betas\[1\] is nan"),
        ({"eps": 0}, "eps is 0.0; it must be a finite number above 0"),
        ({"lr": 10**400}, "lr is inf"),
    ],
)
def test_adam_options(options, message):
    with pytest.raises(ValueError, match=message):
        optim.Adam([W], **options)


@pytest.mark.parametrize(
    ("betas", "got"), [(0.9, "a float"), ((0.9,), "1 of them"), ((0.9, 0.9, 0.9), "3 of them"), (None, "a NoneType")]
)
def test_betas_are_two(betas, got):
    with pytest.raises(TypeError, match=rf"betas are two numbers in \[0, 1\), such as .*; got {got} \(test_ref"):
        optim.Adam([W], betas=betas)


@pytest.mark.parametrize("option", ["momentum", "weight_decay"])
def test_options_that_are_no_numbers(option):
    with pytest.raises(TypeError, match=rf"{option} is a str; it must be a (finite )?number"):
        optim.SGD([W], lr=0.1, **{option: "0.9"})


@pytest.mark.parametrize(
    ("gradient", "error", "message"),
    [
        (np.ones(3), ValueError, r"parameter 1 \(b\) is \(2,\), its gradient \(3,\): it belongs to other data"),
        (np.ones((2, 2)), ValueError, r"is \(2,\), its gradient \(2, 2\)"),
        (1.0, ValueError, r"is \(2,\), its gradient \(\)"),
        (Value([1.0, 1.0]), TypeError, r"the gradient of parameter 1 is a Value: use its array, g\.data"),
        (np.array([1j, 1.0]), TypeError, "the gradient of parameter 1: gradients are of real numbers; got .*complex"),
        (np.array(["1", "1"]), TypeError, "the gradient of parameter 1: gradients are of real numbers; got .*<U1"),
        (np.ma.masked_array([1.0, 1.0]), TypeError, "the gradient of parameter 1: a MaskedArray was given"),
    ],
)
@pytest.mark.parametrize("make", [optim.SGD, optim.Adam])
def test_a_gradient_that_does_not_fit_changes_no_parameter(make, gradient, error, message):
    a, b = Value(np.ones(2), name="a"), Value(np.ones(2), name="b")
    optimizer = make([a, b], lr=0.1)
    a.grad, b.grad = np.ones(2), gradient
    with pytest.raises(error, match=message):
        optimizer.step()
    assert np.array_equal(a.data, np.ones(2))
    assert np.array_equal(b.data, np.ones(2))
    assert optimizer.state_dict().keys() == make([a, b], lr=0.1).state_dict().keys()
    b.grad = np.ones(2)
    optimizer.step()
    once = make([Value(np.ones(2))], lr=0.1)
    once.params[0].grad = np.ones(2)
    once.step()
    assert np.array_equal(a.data, once.params[0].data), "the failed step counts"


@pytest.mark.parametrize("make", [optim.SGD, optim.Adam])
@pytest.mark.parametrize("data", [np.ones(2, np.float32), np.float32(1.0)])
def test_a_step_keeps_the_dtype_of_a_parameter_whatever_its_gradient_has(make, data):
    value = Value(data)
    optimizer = make([value], lr=0.1)
    for gradient in (np.full(data.shape, 0.5), np.full(data.shape, 2), np.full(data.shape, 0.5).tolist()):
        value.grad = gradient
        optimizer.step()
        assert value.data.dtype == np.float32
