"""
Handwritten digits
==================

Real data: 1,797 pictures of 8 x 8 pixels, from scikit-learn. A network with one hidden layer of 64 units learns from
four fifths of them and is tested on the rest, which it has never seen: the error on training data says little.
"""

import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import load_digits

from tinygrad_edu import data, nn, no_grad, optim

pictures, classes = load_digits(return_X_y=True)
x_train, x_test, y_train, y_test = data.train_test_split(pictures / 16.0, classes, test=0.2, rng=0)

# %%
# One generator for everything that is random makes the run repeatable.
rng = np.random.default_rng(0)
model = nn.Sequential(
    nn.Linear(64, 64, init=nn.init.he_normal, rng=rng),
    nn.ReLU(),
    nn.Linear(64, 10, rng=rng),
)
optimizer = optim.Adam(model.parameters(), lr=0.002)
print(model)

# %%
# Forty times through the training pictures, 64 at a time.
for epoch in range(40):
    for x, y in data.minibatches(x_train, y_train, batch_size=64, rng=rng):
        loss = nn.cross_entropy(model(x), y)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    if epoch % 10 == 9:
        with no_grad():
            scores = model(x_test)
        print(f"epoch {epoch + 1}: {nn.accuracy(scores, y_test):.1%} of {len(y_test)} unseen pictures right")
assert nn.accuracy(scores, y_test) >= 0.97

# %%
# What it gets wrong: the prediction, and in brackets the truth.
guess = np.argmax(scores.data, axis=1)
wrong = np.flatnonzero(guess != y_test)[:8]
figure, axes = plt.subplots(1, len(wrong), figsize=(1.2 * len(wrong), 1.8), squeeze=False)
for i, ax in zip(wrong, axes[0], strict=True):
    ax.imshow(x_test[i].reshape(8, 8), cmap="gray_r")
    ax.set_title(f"{guess[i]} ({y_test[i]})")
    ax.axis("off")
figure.savefig("digits.png")
