"""
How far to step?
================

A difference measures a slope with steps: too long, and it sees the bend of the function; too short, and it sees only
how its values are rounded. Every method is a way out of that. Here the truth is known: the derivative of
exp(sin(x)) is cos(x) * exp(sin(x)). The curves are medians over forty points.
"""

import matplotlib.pyplot as plt
import numpy as np

from tinygrad_edu.testing.differences.numeric import STEP, four_point, ridders

points = np.linspace(-1.4, 1.4, 40)
truth = np.cos(points) * np.exp(np.sin(points))
steps = np.logspace(-16, 0, 97)
line = lambda t: np.exp(np.sin(points + t))
error = lambda slopes: np.median(np.abs(np.asarray(slopes) / truth - 1))

# %%
# Two points, four points, Ridders' extrapolation of up to eight central differences, and the complex step. Ridders
# also claims how far off it may be.
two = np.array([error((line(h) - line(-h)) / (2 * h)) for h in steps])
four = np.array([error(four_point(line, h)) for h in steps])
one = lambda x: lambda t: float(np.exp(np.sin(x + t)))
extrapolated = [np.array([ridders(one(x), h) for x in points]).T for h in steps]
third = np.array([error(slopes) for slopes, _ in extrapolated])
claimed = [np.median(claims / np.abs(truth)) for _, claims in extrapolated]
imaginary = np.array([error(line(1j * h).imag / h) for h in steps])

for name, errors in (("2 points", two), ("4 points", four), ("Ridders", third), ("complex step", imaginary)):
    print(f"{name:12s}: at best {errors.min():.0e}, with the step {steps[errors.argmin()]:.0e}")
default = error(four_point(line, STEP))
print(f"{'4 points':12s}: {default:.0e}, with the default step {STEP:.1e}")
assert default < 1e-12
assert four.min() < two.min() / 10
assert np.all(imaginary[steps < 1e-9] < 1e-15)

# %%
# Both axes are logarithmic. On the right of each valley the error is that of truncation, and goes with the second or
# the fourth power of the step; on the left it is that of rounding, which is divided by an ever smaller step. The best
# step is where the two are about equal.
LOOK = {"font.size": 15, "lines.linewidth": 2.5, "axes.spines.top": False, "axes.spines.right": False}
with plt.rc_context(LOOK):
    figure, axes = plt.subplots(figsize=(10, 6.5), layout="constrained")
    axes.loglog(steps, two, color="#8A8A8A", linewidth=6, alpha=0.7, label="2 points")
    axes.loglog(steps, four, color="#0072B2", label="4 points")
    axes.loglog(steps, third, color="#D55E00", label="Ridders, from this step")
    axes.loglog(steps, claimed, ":", color="#D55E00", label="what Ridders claims")
    axes.loglog(
        steps, np.maximum(imaginary, 1e-17), "--", color="#1A1A1A", label="complex step"
    )  # 0 has no logarithm
    axes.plot([STEP, STEP], [default, 3e-3], ":", color="#0072B2", linewidth=1.5)
    axes.plot(STEP, default, "o", color="#0072B2", markersize=11)
    axes.text(STEP, 6e-3, f"the default step, {STEP:.1e}", color="#0072B2", ha="center", va="bottom")
    axes.set(xlabel="step", ylabel="relative error of the slope", xlim=(1e-16, 1), ylim=(3e-18, 10))
    axes.set_title("The error of a slope against the step")
    axes.legend(loc="lower left", fontsize=13, bbox_to_anchor=(0.0, 0.08))
    figure.savefig("step_size.png")

# %%
# float32 has seven digits, and a difference in float32 loses most of them. The same function has sixteen in float64,
# so that is where a check differences it, whatever the dtype of its arguments.
narrow = lambda t: np.exp(np.sin(np.float32(points) + np.float32(t)))
coarse = np.array([error((np.float64(narrow(h)) - narrow(-h)) / (2 * h)) for h in steps])
print(f"2 points in float32: at best {coarse.min():.0e}")
assert coarse.min() > 1e-6
with plt.rc_context(LOOK):
    figure, axes = plt.subplots(figsize=(10, 5), layout="constrained")
    axes.loglog(steps, coarse, color="#D55E00", label="in float32")
    axes.loglog(steps, two, color="#8A8A8A", label="in float64")
    axes.set(xlabel="step", ylabel="relative error of the slope", xlim=(1e-16, 1), ylim=(3e-18, 10))
    axes.set_title("2 points, in float32 and in float64")
    axes.legend(loc="lower left")
    figure.savefig("step_float32.png")
