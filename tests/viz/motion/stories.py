"""Stories to set in motion."""

import numpy as np

from tinygrad_edu import Value, sigmoid, viz


def neuron():
    """The tutorial's second prediction: its error is 0.7587, for a target of 0."""
    w, b = Value([1.45, -0.66], name="weights"), Value(0.0, name="bias")
    layer_1 = np.array([2.0, 1.5]) @ w
    prediction = sigmoid(layer_1 + b)
    error = np.square(prediction - 0.0)
    return viz.trace(error, names={"layer_1": layer_1, "prediction": prediction, "error": error})


def shared():
    """A weight that is used twice: its gradient is a sum."""
    w = Value(3.0, name="w")
    return viz.trace((w * 2.0) * w)
