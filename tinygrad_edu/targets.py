"""Targets: whether a prediction can be held against them, in shape, in range and in meaning.

Shapes must be equal, because broadcasting would go wrong in silence: a perfect prediction of shape (4, 1) against a
target of shape (4,) would have a loss above 0. Arguments that were swapped are noticed where the ranges tell.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from tinygrad_edu.errors import refusal, shape_of, stretch_text
from tinygrad_edu.inputs import arrayed, named, plain
from tinygrad_edu.probabilities import are_answers
from tinygrad_edu.value import Value

SWAPPED = "are the arguments swapped?"
THRESHOLD = ": use prediction > 0.5 for probabilities, or prediction > 0 for logits"


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


def predicted(guess: Any, truth: Any) -> Any:
    """The predicted classes, of the targets' shape, from classes or from scores; or a refusal."""
    for name, array in (("prediction", guess), ("target", truth)):
        expect_no_nan(name, array, "that is neither right nor wrong")
    if guess.ndim == truth.ndim + 1 and guess.shape[-1] > 1 and guess.shape[:-1] == truth.shape:
        expect_whole_numbers("targets", truth)
        expect_within("target", truth.astype(int), guess.shape, "prediction")
        return np.argmax(guess, axis=-1)
    expect_rows(guess, truth)
    expect_same_shape(guess, truth, single=False)
    expect_whole_numbers("predictions", guess, THRESHOLD)
    expect_whole_numbers("targets", truth)
    yes_or_no = bool(np.all((truth == 0) | (truth == 1)))
    odd = (guess < 0) & np.all(truth >= 0) | (guess.dtype.kind == "f") & yes_or_no & (guess != 0) & (guess != 1)
    if np.any(odd):
        text = f"got {guess[odd][0]} where the targets are {'0 and 1' if yes_or_no else 'at least 0'}"
        raise refusal(ValueError, f"predictions are classes, {text}{THRESHOLD}")
    return guess


def expect_rows(guess: Any, truth: Any) -> None:
    """Refuse one-hot rows as targets, and scores in their place."""
    wide = truth.ndim > 0 and truth.shape[-1] > 1
    one_hot = wide and np.all((truth == 0) | (truth == 1)) and np.all(np.sum(truth, axis=-1) == 1)
    shapes = f"prediction is {guess.shape}, target is {truth.shape}"
    if one_hot and guess.shape in (truth.shape, truth.shape[:-1]) and truth.ndim > 1:
        raise refusal(ValueError, f"{shapes} with one-hot rows: for these use target.argmax(axis=-1)")
    if wide and truth.shape[:-1] == guess.shape:
        raise refusal(ValueError, f"{shapes}: {SWAPPED} accuracy(prediction, target)")
    if guess.ndim > 1 and guess.shape[-1] > 1 and truth.shape == (*guess.shape[:-1], 1):
        raise refusal(ValueError, f"{shapes}; expected {guess.shape[:-1]}. Use target[..., 0]")


def expect_whole_numbers(name: str, array: Any, use: str = "") -> None:
    """Refuse fractions where classes are expected."""
    if array.dtype.kind == "f" and np.any(array != np.rint(array)):
        raise refusal(ValueError, f"{name} are classes, got fractions{use}")
