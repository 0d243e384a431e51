"""
The gradient at a kink
======================

At 0, ReLU has no derivative: its slope is 0 on the left and 1 on the right, and every number between them is a
subgradient. A library chooses one, by convention; this one chooses 0. A central difference also answers, and is sure
of itself.
"""

import matplotlib.pyplot as plt
import numpy as np

import tinygrad_edu as te
from tinygrad_edu.testing import KINK, check_gradients, detect_kink, numeric_gradient

rule = te.grad(te.relu)(0.0)
slope, claimed = numeric_gradient(te.relu, 0.0)
print(f"the rule says {rule:g}; differences say {slope:g}, with an error of at most {claimed:.0e}")
assert (rule, round(slope, 6)) == (0.0, 0.5)
assert claimed < 1e-12

# %%
# Both are right in their way, and a checker that compares them gives a false alarm. Where there is a kink, the
# slopes on both sides are measured, and the convention has to lie between them.
left, right = detect_kink(te.relu, 0.0)
report = check_gradients(te.relu, np.array([0.0, 0.5, -0.5]))
print(f"slopes {abs(left):.6f} and {right:.6f}; {report}")
assert report.verdict == KINK

# %%
# How a kink is told from a bend: the jump J(h) between the one-sided slopes, measured with the step h, shrinks with h
# where the function is smooth, however sharply it bends. At a kink it stays. ``detect_kink`` compares h = 1e-4 with
# an eighth of it; it also asks that the jump stand out from rounding.
bend = lambda x: np.logaddexp(0.0, 100.0 * x) / 100.0
steps = np.logspace(-8, 0, 81)


def jump(f, h):
    left = (4 * f(-h / 2) - f(-h) - 3 * f(0.0)) / -h
    return abs((4 * f(h / 2) - f(h) - 3 * f(0.0)) / h - left)


kinked, smooth = (np.array([max(jump(f, h), 1e-13) for h in steps]) for f in (te.relu, bend))
assert np.allclose(kinked, 1.0)
assert jump(bend, 1e-4 / 8) < jump(bend, 1e-4) / 2
assert detect_kink(bend, 0.0) is None

# %%
# On the left, the tangents that the interval of slopes allows, in blue; on the right, the jumps.
LOOK = {"font.size": 15, "lines.linewidth": 2.5, "axes.spines.top": False, "axes.spines.right": False}
with plt.rc_context(LOOK):
    figure, (axes, beside) = plt.subplots(1, 2, figsize=(13, 6), layout="constrained")
    x = np.linspace(-1, 1, 201)
    axes.fill_between(x, np.minimum(0, x), np.maximum(0, x), color="#0072B2", alpha=0.15, linewidth=0)
    axes.plot(x, te.relu(x), color="#1A1A1A", linewidth=3.5, label="relu")
    axes.plot(x, rule * x, "--", color="#0072B2", label=f"the convention: slope {rule:g}")
    axes.plot(x, slope * x, color="#D55E00", label=f"central difference: slope {slope:g}")
    axes.text(0.75, 0.17, f"slopes from\n{abs(left):.0f} to {right:.0f}", color="#0072B2", ha="center", va="center")
    axes.set(xlabel="x", xlim=(-1, 1), ylim=(-0.55, 1.05), xticks=(-1, 0, 1), yticks=(-0.5, 0, 0.5, 1))
    axes.set_title("ReLU at 0")
    axes.legend(loc="upper left", fontsize=13, frameon=False)
    beside.loglog(steps, kinked, color="#D55E00", label="relu, a kink")
    beside.loglog(steps, smooth, color="#0072B2", label="log(1 + exp(100 x)) / 100, a bend")
    for h in (1e-4, 1e-4 / 8):
        beside.axvline(h, color="#8A8A8A", linewidth=1.5, linestyle=":")
    beside.text(2e-4, 1e-12, "the two steps\nthat are compared", ha="left", va="center", fontsize=13)
    beside.set(xlabel="step h", ylabel="jump between the slopes, J(h)", xlim=(1e-8, 1), ylim=(1e-13, 10))
    beside.set_title("The jump at a kink, and at a bend")
    beside.legend(loc="upper left", fontsize=13, bbox_to_anchor=(0.0, 0.85))
    figure.savefig("kink.png")
