"""
Who checks the checker?
=======================

Rules that are wrong in known ways, and one that is right although differences disagree. ``te.custom`` would refuse
the wrong ones. An ``Op`` that nobody registers is believed, so it is the place to plant a fault.
"""

import numpy as np

import tinygrad_edu as te
from tinygrad_edu.table import REALS, Op
from tinygrad_edu.testing import FAIL, KINK, check_gradients, check_op
from tinygrad_edu.value import apply


def planted(function, *rules):
    op = Op(function, rules, domain=REALS)
    call = lambda *xs: apply(op, xs)
    call.__name__ = function.__name__
    return call


def tanh(x):
    return np.tanh(x)


def softmax(x):
    return np.exp(x) / np.exp(x).sum()


def overwriting(g, out, x):
    g *= 1 - out**2
    return g


# %%
# Each rule with its fault, and the sizes of its arguments, which are drawn from a normal distribution: ten times, and
# once where they are large.
DRAWS = range(10)
tiny = lambda x: 1e-6 * np.tanh(x)
tiny.__name__ = "tiny"
slightly = lambda factor: planted(tanh, lambda g, out, x: g * (1 - out**2) * factor)
nonsense = planted(np.multiply, lambda g, out, x, y: g * y, lambda g, out, x, y: -g)
flipped = np.where(np.arange(1000) == 417, -1.0, 1.0)
FAULTS = {
    "a factor 1 + 1e-4 too large": (slightly(1 + 1e-4), 5),
    "a factor 1 + 1e-3 too large": (slightly(1 + 1e-3), 5),
    "twice too large, where gradients are 1e-6": (planted(tiny, lambda g, out, x: 2 * g * (1e-6 - 1e6 * out**2)), 5),
    "1.5 times too large, on 100,000 entries": (slightly(1.5), 100_000),
    "the wrong sign in one entry of 1,000": (slightly(flipped), 1000),
    "nonsense for the second argument": (nonsense, 5, 5),
    "softmax, 1,000 times too large": (planted(softmax, lambda g, out, x: 1000 * out * (g - np.sum(g * out))), 5),
}
reports = {}
for fault, (f, *sizes) in FAULTS.items():
    rng = np.random.default_rng(0)
    draws = [[rng.normal(size=size) for size in sizes] for _ in DRAWS[: 1 if max(sizes) > 1e4 else None]]
    reports[fault] = [check_gradients(f, *xs, seed=seed, raises=False) for seed, xs in enumerate(draws)]

# %%
# What a rule does to the arrays that it is given is no slope. ``check_op`` asks.
careless, name = Op(tanh, [overwriting], domain=REALS), "the rule overwrites its incoming gradient"
reports[name] = [check_op(careless, order=1, seed=seed, raises=False) for seed in DRAWS]

# %%
# And the rule that is right: at a kink, the convention has to lie between the slopes on both sides.
reports["no fault: relu at exactly 0"] = [
    check_gradients(te.relu, np.array([0.0, 0.5, -0.5]), seed=seed, raises=False) for seed in DRAWS
]
for fault, found in reports.items():
    print(f"{fault:42} {sum(report.verdict == FAIL for report in found):2d} of {len(found)} are a FAIL")
assert {report.verdict for report in found} == {KINK}
assert [fault for fault in reports if FAIL not in {report.verdict for report in reports[fault]}] == [fault]

# %%
# What is said of each: the worst entry of the first report.
for fault, found in reports.items():
    report = next((report for report in found if report.verdict == FAIL), found[0])
    print(fault, *str(report).splitlines()[:4], sep="\n  ", end="\n\n")
