"""
A gradient, explained
=====================

Where does a gradient come from, and why is another one zero? ``viz.explain`` writes out every path from the loss to
a weight, with its numbers; ``viz.why`` finds the place where a gradient was cut. Inside ``viz.recording()``, both
name the lines of the program.
"""

import numpy as np

from tinygrad_edu import Value, viz

# %%
# A weight that is used twice has two paths to the loss. Along each, local derivatives are multiplied; the gradient is
# the sum.
with viz.recording():
    w = Value(0.5, name="w")
    hidden = np.tanh(w * 2.0)
    prediction = w * hidden
    loss = (prediction - 1.0) ** 2
    loss.backward()

text = viz.explain(w, names=globals())
print(text)
product_through_hidden = 2 * (prediction.item() - 1) * w.item() * (1 - hidden.item() ** 2) * 2.0
product_direct = 2 * (prediction.item() - 1) * hidden.item()
assert np.isclose(w.grad, product_through_hidden + product_direct)
assert f"{product_direct:.4g} (1) + {product_through_hidden:.4g} (2) = {w.grad:.4g}" in text
viz.draw(loss, to=w, names=globals()).save("explain_a_gradient.svg")

# %%
# The same backward pass in order: what comes from above, times the local derivative, is added to what was there.
print(viz.steps(loss, names=globals()))

# %%
# A second ``backward()`` adds to the gradient. What is left over from the first is a term of its own.
loss.backward()
assert "left over from an earlier backward: zero_grad()?" in viz.explain(w, loss)

# %%
# A layer with a bias far below zero: no unit is ever active, so no gradient reaches the weights, and no step of
# training will change that.
x = np.random.default_rng(0).normal(size=(8, 3))
with viz.recording():
    weight = Value(np.full((3, 4), 0.1), name="weight")
    bias = Value(np.full(4, -50.0), name="bias")
    layer = (x @ weight + bias).relu()
    error = np.mean((layer - 1.0) ** 2)
    error.backward()

text = viz.why(weight, error)
print(text)
assert not np.any(weight.grad)
assert "relu closed for 32 of 32 entries" in text
assert "layer = (x @ weight + bias).relu()" in text
