"""
Watch a training
================

Two moons cannot be parted by a straight line. A small network learns the curve between them, and ``viz.watch``
records how: the loss, the gradient that reaches each layer, how far each step moves each parameter, and units that
die. The training loop is written as always.
"""

from tinygrad_edu import data, nn, optim, viz

x, y = data.moons(200, noise=0.15, rng=0)
model = nn.Sequential(
    nn.Linear(2, 16, init=nn.init.he_normal, rng=0),
    nn.ReLU(),
    nn.Linear(16, 16, init=nn.init.he_normal, rng=1),
    nn.ReLU(),
    nn.Linear(16, 1, rng=2),
)
optimizer = optim.Adam(model.parameters(), lr=0.01)

# %%
with viz.watch(model) as w:
    for _ in range(200):
        loss = nn.binary_cross_entropy(model(x), y)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
accuracy = nn.accuracy(model(x).data > 0, y)
print(f"{accuracy:.1%} of {len(y)} points right")
assert accuracy >= 0.98
assert w.history.steps == 200
assert w.history.losses[-1] == loss.item()

# %%
# The summary in words; a forgotten ``zero_grad`` or a gradient that vanishes would be named here.
print(w)
assert "zero_grad" not in str(w)

# %%
# What the network says everywhere in the plane, paler where it is less sure.
figure = w.boundary(x, y)

# %%
# How much gradient arrives at each depth: the first layer is on top, and backpropagation runs upwards.
figure = w.flow()

# %%
# The whole training in one picture: a parameter is a row, a step is a column.
figure = w.overview()

# %%
# How far each step moves each parameter, as a part of its length. A thousandth is the rule of thumb.
figure = w.ratio()

# %%
# How the entries of each parameter spread from where they began.
figure = w.hist()

# %%
# And as a film: at each moment the network answers with the parameters that it had then.
w.animate("watch_training.gif", x, y, frames=30)
