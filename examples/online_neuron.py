"""
One neuron learns from one row at a time
========================================

Online stochastic gradient descent: every iteration picks one of eight rows at random and takes one step on its
squared error. The error over all rows is noisy, and falls.
"""

import matplotlib.pyplot as plt
import numpy as np

from tinygrad_edu import data, nn, no_grad, optim

x, y = data.eight_rows()

# %%
# NumPy's legacy generator, seeded with 42, draws the weights and then the bias. The document's first
# prediction is for an input that is not in the table.
rng = np.random.RandomState(42)
neuron = nn.Sequential(nn.Linear(2, 1, init=nn.init.normal, bias_init=nn.init.normal, rng=rng), nn.Sigmoid())
optimizer = optim.SGD(neuron.parameters(), lr=0.1)
first = neuron(np.array([1.66, 1.56])).item()
print(f"first prediction, for [1.66, 1.56]: {first}")
assert first == 0.7784302101100966

# %%
# Every 100 iterations, the squared errors of all eight rows are summed.
cumulative_errors = []
for iteration in range(10_000):
    row = rng.randint(len(x))
    loss = nn.mse_loss(neuron(x[row]), y[row])
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    if iteration % 100 == 0:
        with no_grad():
            cumulative_errors.append(np.square(neuron(x) - y).sum().item())
print(f"error of all rows: {cumulative_errors[0]:.4f} at first, {cumulative_errors[-1]:.4f} at last")
assert len(cumulative_errors) == 100
assert np.mean(cumulative_errors[-10:]) < 0.9 * np.mean(cumulative_errors[:10])

# %%
# The curve that the document saves.
figure, axes = plt.subplots()
axes.plot(range(0, 10_000, 100), cumulative_errors, color="#0072B2")
axes.set(xlabel="Iterations", ylabel="Error for all training instances")
figure.savefig("cumulative_error.png")
