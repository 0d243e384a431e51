"""
The 3-4-1 network, from two matrices
====================================

The same network and the same training as in *The 3-4-1 network*, without a module or an optimiser: two matrices are
Values. The document derives its updates by hand; here the backward pass finds them, and the digits agree.
"""

import numpy as np

from tinygrad_edu import Value, data, viz

x, y = data.xor()
rng = np.random.RandomState(1)
w1 = Value(2 * rng.random_sample((3, 4)) - 1)
w2 = Value(2 * rng.random_sample((4, 1)) - 1)

# %%
# The gradient of half the squared error is what the document calls ``layer.T @ delta``.
printed = []
for iteration in range(50_000):
    hidden = (x @ w1).sigmoid()
    output = (hidden @ w2).sigmoid()
    if iteration % 10_000 == 0:
        printed.append(f"{np.abs(output.data - y).mean():.12g}")
        print(f"iteration {iteration:6}: mean absolute error {printed[-1]}")
    loss = 0.5 * ((output - y) ** 2).sum()
    w1.grad = w2.grad = None
    loss.backward()
    w1.data = w1.data - w1.grad
    w2.data = w2.data - w2.grad

assert printed == ["0.496410031903", "0.00858452565325", "0.00578945986251", "0.00462917677677", "0.00395876528027"]
print("after training:", output.data[:, 0])
assert str(output.data[:, 0]) == "[0.00287151 0.99637876 0.99671879 0.00426668]"

# %%
# The document's formula for the first weights, beside the gradient of the last iteration.
delta_2 = (output.data - y) * output.data * (1 - output.data)
delta_1 = delta_2 @ (w2.data + w2.grad).T * hidden.data * (1 - hidden.data)
assert np.allclose(w1.grad, x.T @ delta_1, rtol=1e-12, atol=0)

viz.draw(loss, to=w1, names=locals()).save("bare_values_network.svg")
