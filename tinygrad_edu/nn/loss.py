"""Losses, which say with one number how wrong a prediction is, to be made small.

Each is the mean over the examples, written in NumPy. What does not fit is refused in `targets` and `probabilities`.
Sources: Bishop, "Pattern Recognition and Machine Learning" (2006), equations 4.90 and 4.108; softplus and
log-sum-exp keep both finite for any logits.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from tinygrad_edu.errors import shape_of
from tinygrad_edu.inputs import numbers
from tinygrad_edu.names import spelled
from tinygrad_edu.probabilities import expect_logits
from tinygrad_edu.rules.elementwise import softplus
from tinygrad_edu.rules.reduction import logsumexp
from tinygrad_edu.targets import expect_classes, expect_no_nan, expect_probabilities, expect_same_shape
from tinygrad_edu.typed import Like


@spelled
def mse_loss(prediction: Like, target: Any) -> Like:
    """The mean of the squared differences, as a single number.

    Parameters
    ----------
    prediction, target
        (batch, out), or any shape, and the same shape or a single number. Anything but real numbers is a TypeError;
        different shapes, also where NumPy would broadcast, and targets that are nan are a ValueError.
    """
    prediction = numbers("prediction", prediction)
    target = numbers("target", target, like=prediction)
    expect_same_shape(prediction, target)
    expect_no_nan("target", target, "leave out what was not measured")
    loss: Like = np.mean(np.square(prediction - target))
    return loss


@spelled
def cross_entropy(logits: Like, classes: Any) -> Like:
    """The mean of `logsumexp(logits) - logits[class]`: minus the log-likelihood of the classes under a softmax.

    Parameters
    ----------
    logits, classes
        (batch, classes), before any softmax, and (batch,), integers from 0; more leading axes are fine. Classes that
        are not integers are a TypeError; those beyond the last logit, a single class, shapes that do not fit, and
        logits that are the result of a softmax or sigmoid are a ValueError.
    """
    logits = numbers("logits", logits)
    expect_logits(logits, "softmax")
    classes = expect_classes(logits, classes)
    rows = np.reshape(logits, (classes.size, shape_of(logits)[-1]))
    chosen = rows[np.arange(classes.size), np.ravel(classes)]
    loss: Like = np.mean(logsumexp(rows, axis=-1) - chosen)
    return loss


@spelled
def binary_cross_entropy(logits: Like, target: Any) -> Like:
    """The mean of `softplus(z) - z t`: minus the log-likelihood of the targets under `sigmoid(z)`.

    It takes *logits* and applies the sigmoid itself: with probabilities it would be infinite as soon as one of them
    is rounded to 0 or 1.

    Parameters
    ----------
    logits, target
        (batch, out), or any shape, before any sigmoid; and the same shape or a single number, from 0 to 1. Other
        targets, shapes as for `mse_loss`, and the result of a sigmoid or softmax are a ValueError.
    """
    logits = numbers("logits", logits)
    target = numbers("target", target, like=logits)
    expect_logits(logits, "sigmoid")
    expect_same_shape(logits, target, "logits")
    expect_probabilities(target, logits)
    loss: Like = np.mean(softplus(logits) - logits * target)
    return loss
