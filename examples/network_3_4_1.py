"""
The 3-4-1 network
=================

A hidden layer makes the exclusive or learnable, which no single neuron can learn. 50,000 steps of gradient descent
with learning rate 1 on half the sum of squared errors print the document's numbers, digit for digit.
"""

import numpy as np

from tinygrad_edu import data, nn, optim, viz

x, y = data.xor()

# %%
# Two layers without biases (the last column of x is always 1), with weights in [-1, 1).
rng = np.random.RandomState(1)
network = nn.Sequential(
    nn.Linear(3, 4, bias=False, init=nn.init.uniform, rng=rng),
    nn.Sigmoid(),
    nn.Linear(4, 1, bias=False, init=nn.init.uniform, rng=rng),
    nn.Sigmoid(),
)
print(network)
optimizer = optim.SGD(network.parameters(), lr=1.0)

# %%
# Forward pass, loss, backward pass, update.
printed = []
for iteration in range(50_000):
    prediction = network(x)
    if iteration % 10_000 == 0:
        printed.append(f"{np.abs(prediction.data - y).mean():.12g}")
        print(f"iteration {iteration:6}: mean absolute error {printed[-1]}")
    loss = 0.5 * np.square(prediction - y).sum()
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()

assert printed == ["0.496410031903", "0.00858452565325", "0.00578945986251", "0.00462917677677", "0.00395876528027"]
print("after training:", prediction.data[:, 0])
assert str(prediction.data[:, 0]) == "[0.00287151 0.99637876 0.99671879 0.00426668]"

# %%
# How the loss depends on the first weights: through both layers.
viz.draw(loss, to=network.layers[0].weight, names=locals()).save("network_3_4_1.svg")
