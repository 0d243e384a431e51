"""The tutorial's neuron, and the DOT text of its figure; a fresh interpreter has this module in no time."""

import numpy as np

from tinygrad_edu import Value, sigmoid, viz


def neuron():
    """Its error for a prediction that should be 0, its weights, and names."""
    weights, bias = Value([1.45, -0.66], name="weights"), Value(0.0, name="bias")
    layer_1 = np.array([2.0, 1.5]) @ weights + bias
    prediction = sigmoid(layer_1)
    error = np.square(prediction - 0.0)
    error.backward()
    return error, weights, {"layer_1": layer_1, "prediction": prediction, "error": error}


def neurons_source():
    error, weights, names = neuron()
    return viz.draw(error, weights, names=names).source
