"""
What a step of training changes
===============================

``viz.diff`` compares two backward passes: before and after a step, with one learning rate and another, of two runs
that should agree. What belongs together is found by structure and by name; what changed most comes first.
"""

import numpy as np

from tinygrad_edu import nn, optim, viz

x, y = np.array([[0.5, -1.0]]), np.array([[1.0]])
model = nn.Sequential(nn.Linear(2, 1, rng=0), nn.Sigmoid())
optimizer = optim.SGD(model.parameters(), lr=0.5)


def forward_and_backward():
    loss = nn.mse_loss(model(x), y)
    loss.name = "loss"
    optimizer.zero_grad()
    loss.backward()
    return loss


# %%
# One step of gradient descent, and the same pass again with the new weights. The first pass keeps its own numbers.
first = forward_and_backward()
before = viz.trace(first)
optimizer.step()
second = forward_and_backward()
after = viz.trace(second)

changes = viz.diff(before, after)
print(changes)
assert second.item() < first.item()
assert changes.same_structure

# %%
# The same as a picture: what changed is marked.
changes.draw().save("compare_passes.svg")

# %%
# A pass compared with itself: nothing changed.
print(viz.diff(before, before))
