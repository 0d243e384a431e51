"""
A test without a step to choose
===============================

Taylor's formula says f(x + h d) = f(x) + h <gradient, d> + something that shrinks like h squared. If the gradient is
wrong, what is left shrinks like h only. So halve h many times and look how fast the remainder falls: its slope on
logarithmic axes is 2 if the gradient is right, and 1 if it is not. No step and no tolerance has to be chosen.
"""

import matplotlib.pyplot as plt
import numpy as np

from tinygrad_edu import grad
from tinygrad_edu.table import REALS, Op
from tinygrad_edu.testing import FAIL, PASS, check_taylor
from tinygrad_edu.value import apply

rng = np.random.default_rng(0)
x, d, w = rng.normal(size=(4, 3)), rng.normal(size=(4, 3)), rng.normal(size=(3, 8))
loss = lambda x: np.mean(np.tanh(x @ w) ** 2)

# %%
# A layer and a loss, and the remainder along one direction: once with the right gradient, once with one that is a
# thousandth too large. Below the step where the remainder meets the rounding of the loss, it is noise.
gradient = grad(loss)(x)
steps = 0.5 ** np.arange(2, 34)
change = np.array([loss(x + h * d) - loss(x) for h in steps])
remainder = lambda g: np.maximum(np.abs(change - steps * np.sum(g * d)), 1e-18)
right, wrong = remainder(gradient), remainder(1.001 * gradient)
order = lambda rest, i: np.log2(rest[i] / rest[i + 1])
print(f"order {order(right, 8):.2f} with the right gradient, {order(wrong, 16):.2f} with the wrong one")
assert abs(order(right, 8) - 2) < 0.1
assert abs(order(wrong, 16) - 1) < 0.1

LOOK = {"font.size": 15, "lines.linewidth": 2.5, "axes.spines.top": False, "axes.spines.right": False}
with plt.rc_context(LOOK):
    figure, axes = plt.subplots(figsize=(10, 6), layout="constrained")
    axes.loglog(steps, wrong, "s-", color="#D55E00", markersize=5, label="gradient 0.1 % too large")
    axes.loglog(steps, right, "o-", color="#0072B2", markersize=5, label="gradient right")
    axes.loglog(steps, wrong[16] * steps / steps[16] * 8, "--", color="#8A8A8A", linewidth=1.5)
    axes.loglog(steps, right[8] * (steps / steps[8]) ** 2 / 8, ":", color="#8A8A8A", linewidth=1.5)
    axes.text(steps[22], wrong[22] * 20, "slope 1", color="#1A1A1A", ha="right")
    axes.text(steps[9], right[9] / 60, "slope 2", color="#1A1A1A", ha="left")
    axes.set(xlabel="step h", ylabel="what is left of Taylor's formula", ylim=(1e-18, 1))
    axes.set_title("The Taylor remainder of a right and of a wrong gradient")
    axes.legend(loc="upper left")
    figure.savefig("taylor.png")

# %%
# ``check_taylor`` does this for every argument along random directions, and finds where the noise begins by itself.
for finding in check_taylor(loss, x).findings:
    print(f"{finding.place}: order {finding.order:.2f}")


# %%
# A rule that forgets its factor 2 has the order 1.
def square(x):
    return x**2


careless = Op(square, [lambda g, out, x: g * x], domain=REALS)
report = check_taylor(lambda x: apply(careless, (x,)), x, raises=False)
print(report)
assert report.verdict == FAIL
assert check_taylor(loss, x).verdict == PASS
