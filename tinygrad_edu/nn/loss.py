"""Losses, which say with one number how wrong a prediction is, to be made small.

Each is the mean over the examples, written in NumPy. Shapes must be equal, because broadcasting would go wrong in
silence: a perfect prediction of shape (4, 1) against a target of shape (4,) would have a loss above 0.

Sources: Bishop, "Pattern Recognition and Machine Learning" (2006), equations 4.90 and 4.108; softplus and
log-sum-exp keep both finite for any logits.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from tinygrad_edu.errors import refusal, shape_of, stretch_text
from tinygrad_edu.inputs import arrayed, named, numbers, plain
from tinygrad_edu.names import spelled
from tinygrad_edu.probabilities import are_answers, are_probabilities, squashed_by
from tinygrad_edu.rules.elementwise import softplus
from tinygrad_edu.rules.reduction import logsumexp
from tinygrad_edu.value import Value

# For what a loss applies itself: its name, and which loss may be meant where the logits come from the other of both.
APPLIED_BY = {
    "softmax": ("cross_entropy", "where the answer is yes or no, use binary_cross_entropy"),
    "sigmoid": ("binary_cross_entropy", "for classes of which one is right, use cross_entropy"),
}
SWAPPED = "are the arguments swapped?"


@spelled
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
    TypeError, ValueError
        For anything but real numbers, different shapes, also where NumPy would broadcast, and targets that are nan.
    """
    prediction = numbers("prediction", prediction)
    target = numbers("target", target, like=prediction)
    expect_same_shape(prediction, target)
    expect_no_nan("target", target, "leave out what was not measured")
    return np.mean(np.square(prediction - target))


@spelled
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
    TypeError, ValueError
        For classes that are not integers, below 0 or beyond the last logit, for a single class, for shapes that do
        not fit, and for logits that are the result of a softmax or sigmoid.
    """
    logits = numbers("logits", logits)
    expect_logits(logits, "softmax")
    classes = expect_classes(logits, classes)
    rows = np.reshape(logits, (classes.size, shape_of(logits)[-1]))
    chosen = rows[np.arange(classes.size), np.ravel(classes)]
    return np.mean(logsumexp(rows, axis=-1) - chosen)


@spelled
def binary_cross_entropy(logits: Any, target: Any) -> Any:
    """The mean of `softplus(z) - z t`: minus the log-likelihood of the targets under `sigmoid(z)`.

    It takes *logits* and applies the sigmoid itself: with probabilities it would be infinite as soon as one of them
    is rounded to 0 or 1.

    Parameters
    ----------
    logits
        (batch, out), or any shape, before any sigmoid.
    target
        The same shape, or a single number; from 0 to 1.

    Raises
    ------
    TypeError, ValueError
        As for `mse_loss`, for a target outside [0, 1], and for logits that are the result of a sigmoid or softmax.
    """
    logits = numbers("logits", logits)
    target = numbers("target", target, like=logits)
    expect_logits(logits, "sigmoid")
    expect_same_shape(logits, target, "logits")
    expect_probabilities(target, logits)
    return np.mean(softplus(logits) - logits * target)


def expect_same_shape(prediction: Any, target: Any, name: str = "prediction", single: bool = True) -> None:
    """Refuse different shapes, and no examples at all; a single number as target is fine where `single` says so."""
    x, y = shape_of(prediction), shape_of(target)
    if x == y or (single and y == ()):
        return expect_some(x, name)
    try:
        out = np.broadcast_shapes(x, y)
    except ValueError:
        out = ()
    text = f"{name} is {x}, target is {y}; they must have one shape"
    raise refusal(ValueError, text if out in (x, y, ()) else stretch_text(x, y, (name, "target"), "-"))


def expect_some(shape: tuple[int, ...], name: str) -> None:
    """Refuse no examples at all: their mean does not exist."""
    if 0 in shape:
        raise refusal(ValueError, f"{name} is {shape}: there are no examples to take the mean of")


def expect_no_nan(name: str, given: Any, why: str) -> None:
    """Refuse nan, which would make nan of the loss and of every gradient; what lies elsewhere is not computed."""
    array = plain(given)
    if isinstance(array, np.ndarray | np.generic | float) and np.any(np.isnan(array)):
        raise refusal(ValueError, f"{name} is nan at {tuple(np.argwhere(np.isnan(array))[0].tolist())}: {why}")


def expect_logits(logits: Any, applied: str) -> None:
    """Refuse what comes from a sigmoid or a softmax, of which the loss applies one itself."""
    loss, other = APPLIED_BY[applied]
    found = squashed_by(logits) or ("softmax" if applied == "softmax" and are_probabilities(logits) else "")
    if found == applied:
        text = f"{loss} applies the {applied} itself: give it the logits, the input of your {found}"
        raise refusal(ValueError, text)
    if found:
        use = f"give it the input of your {found}, or, {other}"
        raise refusal(ValueError, f"{loss} applies a {applied} itself, and these logits come from a {found}: {use}")


def expect_probabilities(target: Any, logits: Any) -> None:
    """Refuse targets outside [0, 1], nan included, and targets in the place of the logits."""
    array = np.asarray(plain(target))
    outside = ~((array >= 0) & (array <= 1))
    swap = f"{SWAPPED} binary_cross_entropy(logits, target)"
    if outside.any():
        hint = f"; {swap}" if are_answers(logits) and not np.any(np.isnan(array)) else ""
        raise refusal(ValueError, f"targets are from 0 to 1; got {array[outside][0]}{hint}")
    if isinstance(target, Value) and not isinstance(logits, Value):
        raise refusal(ValueError, f"the target is a Value and the logits are constants: {swap}")
    if not isinstance(logits, Value) and are_answers(logits) and np.all((array > 0) & (array < 1)):
        raise refusal(ValueError, f"the logits are all 0 or 1, and the targets fractions: {swap}")


def expect_classes(logits: Any, classes: Any) -> Any:
    """The classes as an integer array of the logits' shape without its last axis, or a refusal."""
    shape, swap = shape_of(logits), f"{SWAPPED} cross_entropy(logits, classes)"
    if isinstance(classes, Value):
        hint = "" if isinstance(logits, Value) else f"; {swap}"
        raise refusal(TypeError, f"classes are constants, not a Value: give a plain array of integers{hint}")
    array = np.asarray(named("classes", classes, arrayed))
    if array.ndim == len(shape) + 1 and array.shape[:-1] == shape and array.dtype.kind == "f":
        raise refusal(TypeError, f"logits is {shape}, classes is {array.shape} of {array.dtype}: {swap}")
    if not shape:
        raise refusal(ValueError, "logits is a single number; expected (batch, classes)")
    if array.dtype.kind not in "iu":
        use = "classes.argmax(axis=-1)" if array.shape == shape else "classes.astype(int)"
        raise refusal(TypeError, f"classes are integers from 0; got {array.dtype}. Use {use}")
    if array.shape != shape[:-1]:
        raise refusal(ValueError, wrong_classes(shape, array.shape))
    expect_some(shape, "logits")
    if shape[-1] == 1:
        use = "give one logit for each class, or use binary_cross_entropy where the answer is yes or no"
        raise refusal(ValueError, f"logits is {shape}: with one class the loss is 0 whatever the network does; {use}")
    expect_within("class", array, shape, "logits")
    return array


def expect_within(what: str, array: Any, shape: tuple[int, ...], name: str) -> None:
    """Refuse a class that none of the scores along the last axis belongs to."""
    outside = np.argwhere((array < 0) | (array >= shape[-1]))
    if len(outside):
        where = tuple(outside[0].tolist())
        allowed = f"0 to {shape[-1] - 1}: {name} is {shape}"
        raise refusal(ValueError, f"{what} {array[where]} at {where} is outside {allowed}")


def wrong_classes(logits: tuple[int, ...], classes: tuple[int, ...]) -> str:
    """Why the shapes of logits and classes do not fit, and what to write."""
    use = ""
    if classes == logits:
        use = " For one-hot rows use classes.argmax(axis=-1)."
        use = use if len(logits) > 1 else " For one logit for each example use binary_cross_entropy."
    elif math.prod(classes) == math.prod(logits[:-1]):
        use = " Use classes[:, 0]." if classes == (*logits[:-1], 1) else f" Use classes.reshape({logits[:-1]})."
    return f"logits is {logits}, classes is {classes}; expected {logits[:-1]}.{use}"
