"""Losses, which say with one number how wrong a prediction is, to be made small; and the accuracy.

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
from tinygrad_edu.rules.elementwise import softplus
from tinygrad_edu.rules.reduction import logsumexp
from tinygrad_edu.value import Value


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
    TypeError, ValueError
        For classes that are not integers, below 0 or beyond the last logit, and for shapes that do not fit.
    """
    logits = numbers("logits", logits)
    classes = expect_classes(logits, classes)
    rows = np.reshape(logits, (classes.size, shape_of(logits)[-1]))
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
    TypeError, ValueError
        As for `mse_loss`, for a target outside [0, 1], and for logits that are the result of a sigmoid.
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
    TypeError, ValueError
        As for `mse_loss`, and for predictions that are no whole numbers.
    """
    guess, truth = (np.asarray(plain(x)) for x in (numbers("prediction", prediction), numbers("target", target)))
    if guess.ndim == truth.ndim + 1 and guess.shape[-1] > 1 and guess.shape[:-1] == truth.shape:
        guess = np.argmax(guess, axis=-1)
    expect_same_shape(guess, truth, single=False)
    if guess.dtype.kind == "f" and np.any(guess != np.rint(guess)):
        raise refusal(
            ValueError,
            "predictions are classes, got fractions: use prediction > 0.5 for probabilities, or "
            "prediction > 0 for logits",
        )
    return float(np.mean(guess == truth))


def expect_same_shape(prediction: Any, target: Any, name: str = "prediction", single: bool = True) -> None:
    """Refuse different shapes; a single number as target is fine where `single` says so."""
    x = shape_of(prediction)
    y = shape_of(target)
    if x == y or (single and y == ()):
        expect_some(x, name)
        return
    try:
        out = np.broadcast_shapes(x, y)
        text = stretch_text(x, y, (name, "target"), "-")
    except ValueError:
        out = ()
    if out in (x, y, ()):
        text = f"{name} is {x}, target is {y}; they must have one shape"
    raise refusal(ValueError, text)


def expect_some(shape: tuple[int, ...], name: str) -> None:
    """Refuse no examples at all: their mean does not exist."""
    if 0 in shape:
        raise refusal(ValueError, f"{name} is {shape}: there are no examples to take the mean of")


def expect_logits(logits: Any) -> None:
    """Refuse the result of a sigmoid where logits are expected."""
    if isinstance(logits, Value) and logits.op is not None and logits.op.name == "sigmoid":
        raise refusal(
            ValueError,
            "binary_cross_entropy applies the sigmoid itself: give it the logits, the input of your sigmoid",
        )


def expect_no_nan(target: Any) -> None:
    """Refuse targets that are nan: so would be the loss, and every gradient; what lies elsewhere is not computed."""
    array = plain(target)
    if isinstance(array, np.ndarray | np.generic | float) and np.any(np.isnan(array)):
        where = tuple(np.argwhere(np.isnan(array))[0].tolist())
        raise refusal(ValueError, f"target is nan at {where}: leave out what was not measured")


def expect_probabilities(target: Any) -> None:
    """Refuse targets outside [0, 1], nan included."""
    array = np.asarray(plain(target))
    outside = ~((array >= 0) & (array <= 1))
    if outside.any():
        raise refusal(ValueError, f"targets are from 0 to 1; got {array[outside][0]}")


def expect_classes(logits: Any, classes: Any) -> Any:
    """The classes as an integer array of the logits' shape without its last axis, or a refusal."""
    if isinstance(classes, Value):
        raise refusal(TypeError, "classes are constants, not a Value: give a plain array of integers")
    array = np.asarray(named("classes", classes, arrayed))
    shape = shape_of(logits)
    if not shape:
        raise refusal(ValueError, "logits is a single number; expected (batch, classes)")
    if array.dtype.kind not in "iu":
        use = "classes.argmax(axis=-1)" if array.shape == shape else "classes.astype(int)"
        raise refusal(TypeError, f"classes are integers from 0; got {array.dtype}. Use {use}")
    if array.shape != shape[:-1]:
        raise refusal(ValueError, wrong_classes(shape, array.shape))
    expect_some(shape, "logits")
    outside = (array < 0) | (array >= shape[-1])
    if outside.any():
        where = tuple(int(i[0]) for i in np.nonzero(np.atleast_1d(outside)))
        found = np.atleast_1d(array)[where]
        raise refusal(ValueError, f"class {found} at {where} is outside 0 to {shape[-1] - 1}: logits is {shape}")
    return array


def wrong_classes(logits: tuple[int, ...], classes: tuple[int, ...]) -> str:
    """Why the shapes of logits and classes do not fit, and what to write."""
    use = ""
    if classes == logits:
        use = " For one-hot rows use classes.argmax(axis=-1)."
    elif math.prod(classes) == math.prod(logits[:-1]):
        use = " Use classes[:, 0]." if classes == (*logits[:-1], 1) else f" Use classes.reshape({logits[:-1]})."
    return f"logits is {logits}, classes is {classes}; expected {logits[:-1]}.{use}"
