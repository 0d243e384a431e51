"""
From far and from near
======================

The same computation at three distances. ``level="module"`` draws a box for each module call, ``"tensor"`` every
operation on arrays, ``"scalar"`` every single multiplication and addition. Large graphs are folded by themselves.
"""

import numpy as np

from tinygrad_edu import Value, nn, viz

model = nn.Sequential(nn.Linear(2, 2, rng=0), nn.Tanh(), nn.Linear(2, 1, rng=1))
loss = nn.mse_loss(model(np.array([[0.5, -1.0]])), np.array([[1.0]]))
loss.backward()

# %%
# **From far**: modules as boxes. This is what a large network looks like, too.
far = viz.draw(loss, level="module")
far.save("zoom_1_module.svg")
assert "layers.0 Linear" in far.source

# %%
# **As usual**: every operation, inside a frame for each module call. Arrays that are too large for their numbers
# show shape, norm and a heat map: blue is below zero, orange above, white is zero.
middle = viz.draw(loss)
middle.save("zoom_2_tensor.svg")

# %%
# **From near**: the matrix products, opened. There is nothing else in them.
near = viz.draw(loss, level="scalar", dark=True)
near.save("zoom_3_scalar.svg")
assert len(near.diagram.boxes) > len(middle.diagram.boxes) > len(far.diagram.boxes)

# %%
# **Twelve equal layers** and a loop of a thousand steps: what is repeated becomes one box with a count.
deep = nn.Sequential(*(layer for _ in range(12) for layer in (nn.Linear(3, 3, rng=0), nn.Tanh())))
output = nn.mse_loss(deep(np.ones((4, 3))), np.zeros((4, 3)))
viz.draw(output, level="module").save("zoom_4_folded.svg")

state = rate = Value(0.999, name="rate")
for _ in range(1000):
    state = np.sin(state * rate)
state.backward()
folded = viz.draw(state)
folded.save("zoom_5_loop.svg")
assert "x999, 1,998 values" in folded.source
print(folded)

# %%
# **What should not be overlooked** has a thick border and a line of its own: here a nan that begins at a logarithm.
with np.errstate(invalid="ignore"):
    inputs = Value([2.0, -1.0, 3.0], name="inputs")
    total = np.log(inputs).sum() * 2.0
    total.backward()
warned = viz.draw(total)
warned.save("zoom_6_flags.svg")
assert "nan begins here" in warned.source
