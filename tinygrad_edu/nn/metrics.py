"""Metrics, which say how well a network does in numbers that people understand; no gradient goes through them."""

from __future__ import annotations

from typing import Any

import numpy as np

from tinygrad_edu.errors import refusal
from tinygrad_edu.inputs import numbers, plain
from tinygrad_edu.names import spelled
from tinygrad_edu.nn.loss import SWAPPED, expect_no_nan, expect_same_shape, expect_within

THRESHOLD = ": use prediction > 0.5 for probabilities, or prediction > 0 for logits"


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
