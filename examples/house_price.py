"""
The price of a house
====================

Linear regression is the base case of a network: one linear layer, no activation. The prices here are made up from
``2.5 * area - 1.2 * age + 40`` and noise, so the fit can be held against the truth, and against the exact solution.
"""

import matplotlib.pyplot as plt
import numpy as np

from tinygrad_edu import data, nn, optim

x, price = data.house_prices()

# %%
# Area runs to 200 and age to 60. Gradient descent likes columns of one size: with very different ones, the learning
# rate that suits one is too small for the other.
mean, spread = x.mean(axis=0), x.std(axis=0)
scaled = (x - mean) / spread
model = nn.Linear(2, 1, rng=0)
optimizer = optim.SGD(model.parameters(), lr=0.1)
losses = []
for _ in range(200):
    loss = nn.mse_loss(model(scaled), price)
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    losses.append(loss.item())
print(f"mean squared error: {losses[0]:.0f} before, {losses[-1]:.2f} after {len(losses)} steps")
assert losses[-1] < 100 < losses[0]

# %%
# In the units of the table again.
weight_area, weight_age = model.weight.data[:, 0] / spread
bias = model.bias.item() - mean @ (weight_area, weight_age)
print(f"price = {weight_area:.3f} * area {weight_age:+.3f} * age {bias:+.2f}")
exact, *_ = np.linalg.lstsq(np.column_stack([x, np.ones(len(x))]), price[:, 0])
assert np.allclose([weight_area, weight_age, bias], exact, rtol=1e-5)
assert np.allclose([weight_area, weight_age], [data.synthetic.WEIGHT_AREA, data.synthetic.WEIGHT_AGE], atol=0.2)

# %%
# Every point is a house; on the line, the prediction is the price.
figure, axes = plt.subplots()
axes.plot(price, model(scaled).data, "o", color="#0072B2")
axes.axline((0, 0), slope=1, color="#8A8A8A")
axes.set(xlabel="Price (thousands)", ylabel="Predicted price (thousands)", xlim=(0, 600), ylim=(0, 600))
figure.savefig("house_price.png")
