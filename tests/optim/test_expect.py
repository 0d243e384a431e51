"""What optimisers refuse when they are made, and in which words."""

import math

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
        ([W, Value(2.0), W], ValueError, "parameter 2 is parameter 0 again"),
        ([W * 2.0], ValueError, r"parameter 0 is the result of multiply.*Value\(v.data\)"),
    ],
)
def test_parameters(make, params, error, message):
    with pytest.raises(error, match=message) as caught:
        make(params)
    assert "(test_expect.py:" in str(caught.value)


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
    ],
)
def test_adam_options(options, message):
    with pytest.raises(ValueError, match=message):
        optim.Adam([W], **options)
