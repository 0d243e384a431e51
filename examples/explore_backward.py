"""
Stepping through the backward pass
==================================

``viz.trace(loss).explore()`` is a page with the graph of a result, on which the forward pass, the backward pass and
the update can be stepped through: which operation is at work, what comes from above, times which local derivative,
added to what. Click a variable to see every path to it, and the products that sum to its gradient. The arrow keys
step, the space bar plays, ``?`` lists the other keys.

Here is the page of the 3-4-1 network before it has learnt anything.
"""

import numpy as np

from tinygrad_edu import data, nn, viz

x, y = data.xor()
network = nn.Sequential(
    nn.Linear(3, 4, bias=False, rng=1), nn.Sigmoid(), nn.Linear(4, 1, bias=False, rng=2), nn.Sigmoid()
)
prediction = network(x)
error = 0.5 * np.square(prediction - y).sum()
error.backward()

backward_pass = viz.trace(error, names={"prediction": prediction, "error": error, "x": x, "y": y}, lr=1.0)
backward_pass.explore()

# %%
# The page is one file that needs neither a network nor anything installed: send it, or put it on a website.
backward_pass.save("explore_backward.html")

# %%
# Whatever the page shows is data, made in Python. The numbers of each step are there to be computed with:
step = backward_pass.story.backward[3]
print(
    f"gradient from above {step.upstream}, contribution {step.contribution}, so far {step.before}, now {step.after}"
)
assert len(backward_pass.story.backward) == 9
