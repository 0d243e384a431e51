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
from tinygrad_edu.names import spelled
from tinygrad_edu.nn.squashed import squashed_by
from tinygrad_edu.rules.elementwise import softplus
from tinygrad_edu.rules.reduction import logsumexp
from tinygrad_edu.typed import Like
from tinygrad_edu.value import Value

ROUNDED = 1e-3  # how far from 1 probabilities sum up in any floating point type


@spelled
def mse_loss(prediction: Like, target: Any) -> Like:
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
    expect_no_nan(target)
    loss: Like = np.mean(np.square(prediction - target))
    return loss


@spelled
def cross_entropy(logits: Like, classes: Any) -> Like:
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
    expect_logits(logits, "cross_entropy", "softmax", "where the answer is yes or no, use binary_cross_entropy")
    classes = expect_classes(logits, classes)
    rows = np.reshape(logits, (classes.size, shape_of(logits)[-1]))
    chosen = rows[np.arange(classes.size), np.ravel(classes)]
    loss: Like = np.mean(logsumexp(rows, axis=-1) - chosen)
    return loss


@spelled
def binary_cross_entropy(logits: Like, target: Any) -> Like:
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
        As for `mse_loss`, for a target outside [0, 1], and for logits that are the result of a sigmoid or softmax.
    """
    logits = numbers("logits", logits)
    target = numbers("target", target, like=logits)
    expect_logits(logits, "binary_cross_entropy", "sigmoid", "for classes of which one is right, use cross_entropy")
    expect_same_shape(logits, target, "logits")
    expect_probabilities(target, logits)
    loss: Like = np.mean(softplus(logits) - logits * target)
    return loss


@spelled
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
        As for `mse_loss`, for nan, for predictions that are no classes, and for targets in one-hot rows.
    """
    guess, truth = (np.asarray(plain(x)) for x in (numbers("prediction", prediction), numbers("target", target)))
    return float(np.mean(predicted(guess, truth) == truth))


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


def expect_logits(logits: Any, loss: str, applied: str, other: str) -> None:
    """Refuse what comes from a sigmoid or a softmax where logits are expected.

    Parameters
    ----------
    logits
        What was given.
    loss, applied
        The loss, and what it applies itself: sigmoid or softmax.
    other
        When to use which other loss, where the logits come from the other of the two.
    """
    found = squashed_by(logits) or ("softmax" if applied == "softmax" and are_probabilities(logits) else "")
    if found == applied:
        raise refusal(
            ValueError, f"{loss} applies the {applied} itself: give it the logits, the input of your {found}"
        )
    if found:
        use = f"give it the input of your {found}, or, {other}"
        raise refusal(ValueError, f"{loss} applies a {applied} itself, and these logits come from a {found}: {use}")


def are_probabilities(logits: Any) -> bool:
    """Whether numbers that nothing leads back from, in rows, are all inside (0, 1) and sum to 1, as of a softmax."""
    if isinstance(logits, Value) and (logits.op is not None or not logits.saved):
        return False
    rows = plain(logits)
    if np.ndim(rows) == 0 or rows.shape[-1] < 2 or rows.size == 0:
        return False
    return bool(np.all((rows > 0) & (rows < 1)) and np.all(np.abs(np.sum(rows, axis=-1) - 1) < ROUNDED))


def expect_no_nan(target: Any) -> None:
    """Refuse targets that are nan: so would be the loss, and every gradient; what lies elsewhere is not computed."""
    array = plain(target)
    if isinstance(array, np.ndarray | np.generic | float) and np.any(np.isnan(array)):
        where = tuple(np.argwhere(np.isnan(array))[0].tolist())
        raise refusal(ValueError, f"target is nan at {where}: leave out what was not measured")


def expect_probabilities(target: Any, logits: Any) -> None:
    """Refuse targets outside [0, 1], nan included, and targets in the place of the logits."""
    array = np.asarray(plain(target))
    outside = ~((array >= 0) & (array <= 1))
    swap = "are the arguments swapped? binary_cross_entropy(logits, target)"
    if outside.any():
        hint = f"; {swap}" if are_answers(logits) and not np.any(np.isnan(array)) else ""
        raise refusal(ValueError, f"targets are from 0 to 1; got {array[outside][0]}{hint}")
    if isinstance(logits, Value):
        return
    if isinstance(target, Value):
        raise refusal(ValueError, f"the target is a Value and the logits are constants: {swap}")
    if are_answers(logits) and np.all((array > 0) & (array < 1)):
        raise refusal(ValueError, f"the logits are all 0 or 1, and the targets fractions: {swap}")


def are_answers(logits: Any) -> bool:
    """Whether all numbers are 0 or 1, and one of them 1: the answers to be learnt, not logits."""
    given = np.asarray(plain(logits))
    return bool(np.all((given == 0) | (given == 1)) and np.any(given == 1))


def expect_classes(logits: Any, classes: Any) -> Any:
    """The classes as an integer array of the logits' shape without its last axis, or a refusal."""
    if isinstance(classes, Value):
        swapped = "; are the arguments swapped? cross_entropy(logits, classes)" * (not isinstance(logits, Value))
        raise refusal(TypeError, f"classes are constants, not a Value: give a plain array of integers{swapped}")
    array = np.asarray(named("classes", classes, arrayed))
    shape = shape_of(logits)
    if array.ndim == len(shape) + 1 and array.shape[:-1] == shape and array.dtype.kind == "f":
        use = "are the arguments swapped? cross_entropy(logits, classes)"
        raise refusal(TypeError, f"logits is {shape}, classes is {array.shape} of {array.dtype}: {use}")
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
    outside = (array < 0) | (array >= shape[-1])
    if outside.any():
        where = tuple(int(i[0]) for i in np.nonzero(np.atleast_1d(outside)))
        found = np.atleast_1d(array)[where]
        raise refusal(ValueError, f"{what} {found} at {where} is outside 0 to {shape[-1] - 1}: {name} is {shape}")


def wrong_classes(logits: tuple[int, ...], classes: tuple[int, ...]) -> str:
    """Why the shapes of logits and classes do not fit, and what to write."""
    use = ""
    if classes == logits and len(logits) == 1:
        use = " For one logit for each example use binary_cross_entropy."
    elif classes == logits:
        use = " For one-hot rows use classes.argmax(axis=-1)."
    elif math.prod(classes) == math.prod(logits[:-1]):
        use = " Use classes[:, 0]." if classes == (*logits[:-1], 1) else f" Use classes.reshape({logits[:-1]})."
    return f"logits is {logits}, classes is {classes}; expected {logits[:-1]}.{use}"


def predicted(guess: Any, truth: Any) -> Any:
    """The predicted classes, of the targets' shape, from classes or from scores; or a refusal."""
    for name, array in (("prediction", guess), ("target", truth)):
        if array.dtype.kind == "f" and np.any(np.isnan(array)):
            where = tuple(np.argwhere(np.isnan(array))[0].tolist())
            raise refusal(ValueError, f"{name} is nan at {where}: that is neither right nor wrong")
    if guess.ndim == truth.ndim + 1 and guess.shape[-1] > 1 and guess.shape[:-1] == truth.shape:
        expect_whole_numbers("targets", truth, "")
        expect_within("target", truth.astype(int), guess.shape, "prediction")
        return np.argmax(guess, axis=-1)
    expect_rows(guess, truth)
    expect_same_shape(guess, truth, single=False)
    use = ": use prediction > 0.5 for probabilities, or prediction > 0 for logits"
    expect_whole_numbers("predictions", guess, use)
    expect_whole_numbers("targets", truth, "")
    yes_or_no = bool(np.all((truth == 0) | (truth == 1)))
    odd = (guess < 0) & np.all(truth >= 0) | (guess.dtype.kind == "f") & yes_or_no & (guess != 0) & (guess != 1)
    if np.any(odd):
        allowed = "0 and 1" if yes_or_no else "at least 0"
        raise refusal(
            ValueError, f"predictions are classes, got {guess[odd][0]} where the targets are {allowed}{use}"
        )
    return guess


def expect_rows(guess: Any, truth: Any) -> None:
    """Refuse one-hot rows as targets, and scores in their place."""
    one_hot = truth.ndim > 0 and truth.shape[-1] > 1 and is_one_hot(truth)
    shapes = f"prediction is {guess.shape}, target is {truth.shape}"
    if one_hot and guess.shape in (truth.shape, truth.shape[:-1]) and truth.ndim > 1:
        raise refusal(ValueError, f"{shapes} with one-hot rows: for these use target.argmax(axis=-1)")
    if truth.ndim == guess.ndim + 1 and truth.shape[-1] > 1 and truth.shape[:-1] == guess.shape:
        raise refusal(ValueError, f"{shapes}: are the arguments swapped? accuracy(prediction, target)")
    if guess.ndim > 1 and guess.shape[-1] > 1 and truth.shape == (*guess.shape[:-1], 1):
        raise refusal(ValueError, f"{shapes}; expected {guess.shape[:-1]}. Use target[..., 0]")


def is_one_hot(array: Any) -> bool:
    """Whether every row has one 1, and 0 elsewhere."""
    return bool(np.all((array == 0) | (array == 1)) and np.all(np.sum(array, axis=-1) == 1))


def expect_whole_numbers(name: str, array: Any, use: str) -> None:
    """Refuse fractions where classes are expected."""
    if array.dtype.kind == "f" and np.any(array != np.rint(array)):
        raise refusal(ValueError, f"{name} are classes, got fractions{use}")
