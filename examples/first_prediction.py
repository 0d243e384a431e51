"""
A first prediction
==================

A neuron compares its input with its weights by a dot product, adds a bias, and squashes the sum into (0, 1) with the
sigmoid. The second prediction below is wrong. The derivative of its error says which way to move the weights, and
after one step the prediction is right.
"""

import numpy as np

from tinygrad_edu import Value, data, nn, viz

# %%
# The dot product measures similarity: the input is more similar to the second weights.
# (The document cuts 4.12599... off to 4.1259.)
inputs, weights_1, weights_2 = data.similar_vectors()
by_hand = inputs[0] * weights_1[0] + inputs[1] * weights_1[1]
print(f"{by_hand:.4f} by hand, {np.dot(inputs, weights_1):.4f} and {np.dot(inputs, weights_2)} with NumPy")
assert f"{by_hand:.4f}" == f"{np.dot(inputs, weights_1):.4f}" == "2.1672"
assert str(np.dot(inputs, weights_2)).startswith("4.1259")

# %%
# Weights and bias are Values, so everything computed from them is recorded.
x, targets, weights, bias = data.first_prediction()
w, b = Value(weights, name="w"), Value(bias, name="b")


def predict(x):
    layer_1 = np.dot(x, w)
    layer_1.name = "layer_1"
    return nn.sigmoid(layer_1 + b)


right, prediction = predict(x[0]), predict(x[1])
print(f"first: {right.data} for target {targets[0]}; second: {prediction.data} for target {targets[1]}")
assert str(right.data) == "[0.7985731]"
assert str(prediction.data) == "[0.87101915]"

# %%
# The error of the second prediction, and its derivatives, by one backward pass. (The document squares the prediction
# as it is printed, with eight digits.)
error = nn.mse_loss(prediction, targets[1:])
error.backward()
print(f"error: {error.item()}; derror_dprediction: {prediction.grad}; derror_dweights: {w.grad}")
assert abs(error.item() - 0.7586743596667225) < 1e-8
assert nn.mse_loss(prediction.data.round(8), targets[1:]) == 0.7586743596667225
assert str(prediction.grad) == "[1.7420383]"

# %%
# The chain rule as a picture: `derror_dweights` is the product along the bold red path.
viz.draw(error, to=w, names=locals()).save("first_prediction.svg")

# %%
# The document takes a first step with the derivative of the error itself.
w.data = w.data - prediction.grad
prediction = predict(x[1])
error = nn.mse_loss(prediction, targets[1:])
print(f"after one step: {prediction.data}, error {error.item():.8f}")
assert str(prediction.data) == "[0.01496248]"
assert f"{error.item():.8f}" == "0.00022388"
