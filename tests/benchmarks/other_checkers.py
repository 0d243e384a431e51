"""What other gradient checkers say of the faults of examples/planted_faults.py; needs torch, jax and autograd.

Defaults throughout: torch.autograd.gradcheck, also with fast_mode; jax.test_util.check_grads and
autograd.test_util.check_grads, first order in reverse mode; and the criterion of minitorch's grad_check (the sum, one
entry, a step of 1e-6, tolerances of 1e-2). Arguments are drawn anew each time; float64, unless it says float32.
"""

import warnings
from collections import Counter
from importlib.metadata import version

import jax
import jax.numpy as jnp
import numpy as np
import torch
from autograd import numpy as anp
from autograd.extend import defvjp, primitive
from autograd.test_util import check_grads as autograd_check
from jax.test_util import check_grads as jax_check
from torch.autograd.gradcheck import GradcheckError

warnings.filterwarnings("ignore")
jax.config.update("jax_enable_x64", True)
RNG = np.random.default_rng(0)


def in_torch(fwd, *rules):
    """The function and its rules, for torch."""

    class Planted(torch.autograd.Function):
        @staticmethod
        def forward(ctx, *xs):
            ctx.save_for_backward(*xs)
            return fwd(torch, *xs)

        @staticmethod
        def backward(ctx, g):
            return tuple(rule(torch, g, *ctx.saved_tensors) for rule in rules)

    return Planted.apply


def in_jax(fwd, *rules):
    """For jax, in reverse mode."""
    f = jax.custom_vjp(lambda *xs: fwd(jnp, *xs))
    f.defvjp(lambda *xs: (fwd(jnp, *xs), xs), lambda xs, g: tuple(rule(jnp, g, *xs) for rule in rules))
    return f


def in_autograd(fwd, *rules):
    """For autograd."""
    f = primitive(lambda *xs: fwd(np, *xs))
    defvjp(f, *[lambda out, *xs, rule=rule: lambda g: rule(anp, g, *xs) for rule in rules])
    return f


def minitorch(fwd, *rules):
    """Its criterion, in NumPy."""

    def check(*xs):
        g = np.ones_like(fwd(np, *xs))
        for k, rule in enumerate(rules):
            i, moved = RNG.integers(xs[k].size), np.zeros(xs[k].size)
            moved[i] = 1e-6
            ends = [fwd(np, *xs[:k], xs[k] + sign * moved, *xs[k + 1 :]).sum() for sign in (1, -1)]
            np.testing.assert_allclose(rule(np, g, *xs)[i], (ends[0] - ends[1]) / 2e-6, 1e-2, 1e-2)

    return check


def answer(check, draw, times=50):
    """How often it passes, and how often it does not."""
    said = Counter()
    for seed in range(times):
        np.random.seed(seed)  # what jax and autograd draw with
        try:
            check(*draw())
            said["passes"] += 1
        except (AssertionError, GradcheckError):
            said["caught"] += 1
    return dict(said)


def ask(name, draw, fwd, *rules, through=lambda f: f, skip=(), times=50):
    """Print what each says of one fault."""
    ours = through(in_torch(fwd, *rules)), through(in_jax(fwd, *rules)), through(in_autograd(fwd, *rules))
    tensors = lambda xs: tuple(torch.tensor(x, requires_grad=True) for x in xs)
    narrow = lambda xs: tuple(jnp.asarray(x, jnp.float32) for x in xs)
    checks = {
        "torch": lambda *xs: torch.autograd.gradcheck(ours[0], tensors(xs)),
        "torch, fast": lambda *xs: torch.autograd.gradcheck(ours[0], tensors(xs), fast_mode=True),
        "jax": lambda *xs: jax_check(ours[1], tuple(map(jnp.asarray, xs)), 1, modes=["rev"]),
        "jax, float32": lambda *xs: jax_check(ours[1], narrow(xs), 1, modes=["rev"]),
        "autograd": lambda *xs: autograd_check(ours[2], modes=["rev"], order=1)(*xs),
        "minitorch": minitorch(fwd, *rules),
    }
    print(name)
    for checker, check in checks.items():
        if checker not in skip:
            print(f"  {checker:12s} {answer(check, draw, times)}", flush=True)


def normal(*sizes):
    """Arguments of these sizes."""
    return lambda: [RNG.normal(size=size) for size in sizes]


def tanh(m, x):
    """The function that most faults are planted in."""
    return m.tanh(x)


def off(factor):
    """Its rule, off by a factor."""
    return lambda m, g, x: g * (1 - m.tanh(x) ** 2) * (m.asarray(factor) if np.ndim(factor) else factor)


def softmax(m, x):
    """The function whose sum is always 1."""
    return m.exp(x) / m.exp(x).sum()


def overwriting(m, g, x):
    """A rule that works in place."""
    g *= 1 - m.tanh(x) ** 2
    return g


def halved_forward():
    """Half too large on 100,000 entries, in jax's forward mode, whose tolerance grows with the size."""
    f = jax.custom_jvp(jnp.tanh)
    f.defjvp(lambda x, t: (jnp.tanh(x[0]), 1.5 * t[0] * (1 - jnp.tanh(x[0]) ** 2)))
    check = lambda *xs: jax_check(f, tuple(map(jnp.asarray, xs)), 1, modes=["fwd"])
    print(f"  {'jax, forward':12s} {answer(check, normal(100_000), 10)}")


def main():
    """Ask of every fault."""
    print(", ".join(f"{name} {version(name)}" for name in ("torch", "jax", "autograd")))
    for factor in (1.0, 1 + 1e-4, 1 + 1e-3):
        ask(f"a factor {factor} too large", normal(5), tanh, off(factor))
    tiny = lambda m, x: 1e-6 * m.tanh(x)
    ask("twice too large, where gradients are 1e-6", normal(5), tiny, off(2e-6))
    ask("1.5 times too large, on 100,000 entries", normal(100_000), tanh, off(1.5), skip=["torch"], times=10)
    halved_forward()
    flipped = np.where(np.arange(1000) == 417, -1.0, 1.0)
    ask("the wrong sign in one entry of 1,000", normal(1000), tanh, off(flipped), times=20)
    right, nonsense = (lambda m, g, x, y: g * y), (lambda m, g, x, y: -g)
    ask("nonsense for the second argument", normal(5, 5), lambda m, x, y: x * y, right, nonsense)
    thousand = lambda m, g, x: 1000 * softmax(m, x) * (g - (g * softmax(m, x)).sum())
    ask("softmax, 1,000 times too large", normal(5), softmax, thousand)
    summed = lambda f: lambda x: f(x).sum()
    ask("the same, through its sum", normal(5), softmax, thousand, through=summed)
    ask("the rule overwrites", normal(5), tanh, overwriting, skip=["jax", "jax, float32"])
    relu, slope = (lambda m, x: x * (x > 0)), (lambda m, g, x: g * (x > 0))
    ask("no fault: relu at exactly 0", lambda: [np.array([0.0, 0.5, -0.5])], relu, slope)


if __name__ == "__main__":
    main()
