"""
Seeing the backward pass
========================

The tutorial draws its neuron twice: forward, with functions as yellow hexagons and results as blue rectangles, and in
reverse, where the wanted derivative is the product along a path in bold red. Here is the same neuron with the same
numbers, as a drawing and as a picture that moves.
"""

import numpy as np

from tinygrad_edu import Value, data, nn, viz

# %%
# The second example of the tutorial: the input is [2, 1.5], the target 0, and the prediction wrong.
inputs, targets, first_weights, first_bias = data.first_prediction()
x, target = inputs[1], targets[1]
weights, bias = Value(first_weights, name="weights"), Value(first_bias, name="bias")

layer1 = np.dot(x, weights) + bias
prediction = nn.sigmoid(layer1)
error = np.square(prediction - target)
print(f"prediction {prediction.data} for target {target}, error {error.item()}")
assert (list(x), target) == ([2, 1.5], 0)
assert str(prediction.data) == "[0.87101915]"
assert np.square(0.87101915) == 0.7586743596667225  # the document squares the prediction as it is printed
assert abs(error.item() - 0.7586743596667225) < 1e-8

# %%
# One backward pass, and the derivative of the error that the document prints.
error.backward()
print(f"derror_dprediction = {prediction.grad}, derror_dweights = {weights.grad}, derror_dbias = {bias.grad}")
assert str(prediction.grad) == "[1.7420383]"

# %%
# The wanted derivative is the product of three factors, one for each stretch of the red path:
# ``derror_dweights = derror_dprediction * dprediction_dlayer1 * dlayer1_dweights``.
derror_dprediction = 2 * (prediction.data - target)
dprediction_dlayer1 = prediction.data * (1 - prediction.data)
dlayer1_dweights = x
assert np.allclose(derror_dprediction * dprediction_dlayer1 * dlayer1_dweights, weights.grad, rtol=1e-15)

named = {"layer1": layer1, "prediction": prediction, "error": error, "x": x}
picture = viz.draw(error, to=weights, names=named)
caption = (
    "derror_dweights = derror_dprediction * dprediction_dlayer1 * dlayer1_dweights"
    " = 1.742 * 0.1123 * [2, 1.5] = [0.3914, 0.2936]"
)
assert picture.diagram.chain.lines() == [caption]
print(picture)

# %%
# The bias has a path of its own, with the same first two factors and 1 as the last.
assert np.allclose(derror_dprediction * dprediction_dlayer1 * 1, bias.grad, rtol=1e-15)

# %%
# And now step by step: forward, every hexagon computes its rectangle; backward, each multiplies what comes from above
# with its local derivative, and adds it to what is there. The last picture is the update.
told = viz.trace(error, names=named)
told.save("see_backward.svg", animate=True)
told.save("see_backward.gif")
