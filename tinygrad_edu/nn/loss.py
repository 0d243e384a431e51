"""Losses, which say with one number how wrong a prediction is, to be made small; and the accuracy.

Each is the mean over the examples, written in NumPy. Shapes must be equal, because broadcasting would go wrong in
silence: a perfect prediction of shape (4, 1) against a target of shape (4,) would have a loss above 0.

Sources: Bishop, "Pattern Recognition and Machine Learning" (2006), equations 4.90 and 4.108; softplus and
log-sum-exp keep both finite for any logits.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from tinygrad_edu import errors
from tinygrad_edu.inputs import plain
from tinygrad_edu.nn.expect import (
    expect_classes,
    expect_logits,
    expect_no_nan,
    expect_probabilities,
    expect_same_shape,
    numbers,
)
from tinygrad_edu.rules.elementwise import softplus
from tinygrad_edu.rules.reduction import logsumexp


def mse_loss(prediction: Any, target: Any) -> Any:
    """The mean of the squared differences, as a single number.

    Parameters
    ----------
    prediction
        (batch, out), or any shape.
    target
        The same shape, or a single number.

    Raises
    ------
    TypeError
        For anything but real numbers.
    ValueError
        For different shapes, also where NumPy would broadcast them, and for targets that are nan.
    """
    prediction = numbers("prediction", prediction)
    target = numbers("target", target)
    expect_same_shape(prediction, target)
    expect_no_nan(target)
    return np.mean(np.square(prediction - target))


def cross_entropy(logits: Any, classes: Any) -> Any:
    """The mean of `logsumexp(logits) - logits[class]`: minus the log-likelihood of the classes under a softmax.

    Parameters
    ----------
    logits
        (batch, classes), before any softmax; more leading axes are fine.
    classes
        (batch,), integers from 0.

    Raises
    ------
    TypeError
        For classes that are not integers.
    ValueError
        For shapes that do not fit, and for a class below 0 or beyond the last logit.
    """
    logits = numbers("logits", logits)
    classes = expect_classes(logits, classes)
    rows = np.reshape(logits, (classes.size, errors.shape_of(logits)[-1]))
    chosen = rows[np.arange(classes.size), np.ravel(classes)]
    return np.mean(logsumexp(rows, axis=-1) - chosen)


def binary_cross_entropy(logits: Any, target: Any) -> Any:
    """The mean of `softplus(z) - z t`: minus the log-likelihood of the targets under `sigmoid(z)`.

    It takes *logits*, as `cross_entropy` does, and applies the sigmoid itself. With probabilities it would be
    infinite as soon as one of them is rounded to 0 or 1.

    Parameters
    ----------
    logits
        (batch, out), or any shape, before any sigmoid.
    target
        The same shape, or a single number; from 0 to 1.

    Raises
    ------
    TypeError
        For anything but real numbers.
    ValueError
        For different shapes, a target outside [0, 1], and for logits that are the result of a sigmoid.
    """
    logits = numbers("logits", logits)
    target = numbers("target", target)
    expect_logits(logits)
    expect_same_shape(logits, target, "logits")
    expect_probabilities(target)
    return np.mean(softplus(logits) - logits * target)


def accuracy(prediction: Any, target: Any) -> float:
    """The fraction of examples whose predicted class is the target.

    Parameters
    ----------
    prediction
        Classes of the target's shape, or scores (batch, classes), whose largest is the prediction.
    target
        (batch,), whole numbers.

    Raises
    ------
    TypeError
        For anything but real numbers.
    ValueError
        For different shapes, also where NumPy would broadcast them, and for predictions that are no whole numbers.
    """
    guess, truth = (np.asarray(plain(x)) for x in (numbers("prediction", prediction), numbers("target", target)))
    if guess.ndim == truth.ndim + 1 and guess.shape[-1] > 1 and guess.shape[:-1] == truth.shape:
        guess = np.argmax(guess, axis=-1)
    expect_same_shape(guess, truth, single=False)
    if guess.dtype.kind == "f" and np.any(guess != np.rint(guess)):
        raise errors.refusal(
            ValueError,
            "predictions are classes, got fractions: use prediction > 0.5 for probabilities, or "
            "prediction > 0 for logits",
        )
    return float(np.mean(guess == truth))
