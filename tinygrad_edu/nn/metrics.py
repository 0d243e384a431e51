"""Metrics, which say how well a network does in numbers that people understand; no gradient goes through them."""

from __future__ import annotations

from typing import Any

import numpy as np

from tinygrad_edu.inputs import numbers, plain
from tinygrad_edu.names import spelled
from tinygrad_edu.targets import predicted


@spelled
def accuracy(prediction: Any, target: Any) -> float:
    """The fraction of examples whose predicted class is the target.

    Parameters
    ----------
    prediction, target
        Classes of the target's shape, or scores (batch, classes), whose largest counts; and (batch,), whole numbers.
        Shapes as for `mse_loss`, nan, predictions that are no classes, and one-hot rows are a ValueError.
    """
    guess, truth = (np.asarray(plain(x)) for x in (numbers("prediction", prediction), numbers("target", target)))
    return float(np.mean(predicted(guess, truth) == truth))
