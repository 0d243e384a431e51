"""
One neuron, from single numbers
===============================

The same neuron and the same training as in *One neuron learns from one row at a time*, without a module or an
optimiser: three numbers are Values, the formula is arithmetic, and the update is one line for each.
"""

import numpy as np

from tinygrad_edu import Value, data, viz

x, y = data.eight_rows()
rng = np.random.RandomState(42)
w1, w2 = (Value(w) for w in rng.randn(2))
b = Value(rng.randn())


def predict(x1, x2):
    z = w1 * x1 + w2 * x2 + b
    return 1 / (1 + (-z).exp())


def cumulative_error():
    return sum((predict(*row) - target) ** 2 for row, target in zip(x, y[:, 0], strict=True)).item()


first = predict(1.66, 1.56).item()
print(f"first prediction, for [1.66, 1.56]: {first}")
assert first == 0.7784302101100966

# %%
# One row, one backward pass, one step against the gradient.
errors = []
for iteration in range(10_000):
    row = rng.randint(len(x))
    error = (predict(*x[row]) - y[row, 0]) ** 2
    error.backward()
    for v in (w1, w2, b):
        v.data = v.data - 0.1 * v.grad
        v.grad = None
    if iteration % 100 == 0:
        errors.append(cumulative_error())
print(f"error of all rows: {errors[0]:.4f} at first, {errors[-1]:.4f} at last")
assert np.mean(errors[-10:]) < 0.9 * np.mean(errors[:10])

# %%
# Every hexagon of this picture is one operation on two numbers; the red path is the derivative for ``w1``.
error = (predict(*x[0]) - y[0, 0]) ** 2
error.backward()
viz.draw(error, to=w1, names=locals()).save("bare_values_neuron.svg")
