"""What checkers of gradients say of the faults and the right functions of the tests; needs torch, jax and autograd.

    python tests/benchmarks/contest.py

Each checker sees the same function through its own door for functions that it does not know: a forward pass, and a
backward pass that may be wrong. Defaults throughout: `torch.autograd.gradcheck`, `jax.test_util.check_grads` and
`autograd.test_util.check_grads` (both in reverse mode, of first order), and `check_gradients`; besides, `check_op`,
which draws its arguments itself. A fault is caught if one of ten draws shows it. A right function is accused if the
checker says that its gradient is wrong, or stops with an error of its own.
"""

import signal
import sys
import warnings
from collections import Counter
from datetime import date
from importlib.metadata import version
from pathlib import Path

import jax
import numpy as np
import torch
from autograd.extend import defvjp, primitive
from autograd.test_util import check_grads as autograd_check
from jax.test_util import check_grads as jax_check

sys.path.insert(0, str(Path(__file__).parents[2]))

from tests.right_functions import right_functions
from tests.testing import test_blind_spots, test_planted_faults
from tinygrad_edu.backward import vjps
from tinygrad_edu.inputs import plain
from tinygrad_edu.testing import FAIL, check_gradients, check_op
from tinygrad_edu.testing.arguments import caller, calls, draw
from tinygrad_edu.value import Value

DRAWS = 10
LIMIT = 60  # seconds for one answer
OURS = "check_gradients"
jax.config.update("jax_enable_x64", True)


class TooLongError(Exception):
    """No answer within the limit."""


def forward(f, *arrays):
    """The result, as an array."""
    return np.asarray(plain(f(*map(Value, arrays))))


def backward(f, g, *arrays):
    """The gradients for a cotangent."""
    xs = [Value(a) for a in arrays]
    out = f(*xs)
    g = np.asarray(g, plain(out).dtype)[()] if isinstance(out, Value) else g
    return vjps(out, g, xs) if isinstance(out, Value) else [np.zeros_like(a) for a in arrays]


def by_torch(f, arrays):
    """What torch says of a function of arrays."""

    class Ours(torch.autograd.Function):
        @staticmethod
        def forward(ctx, *xs):
            ctx.save_for_backward(*xs)
            return torch.from_numpy(np.array(forward(f, *(x.detach().numpy() for x in xs))))

        @staticmethod
        def backward(ctx, g):
            found = backward(f, g.numpy(), *(x.numpy() for x in ctx.saved_tensors))
            return tuple(torch.from_numpy(np.array(one)) for one in found)

    xs = tuple(torch.from_numpy(np.array(a)).requires_grad_() for a in arrays)
    return torch.autograd.gradcheck(Ours.apply, xs, raise_exception=False)


def by_jax(f, arrays):
    """What jax says."""
    out = forward(f, *arrays)
    result = jax.ShapeDtypeStruct(out.shape, out.dtype)
    shapes = tuple(jax.ShapeDtypeStruct(a.shape, a.dtype) for a in arrays)
    ahead = lambda *xs: jax.pure_callback(lambda *given: forward(f, *map(np.asarray, given)), result, *xs)
    back = lambda xs, g: jax.pure_callback(lambda *given: tuple(backward(f, *map(np.asarray, given))), shapes, g, *xs)
    known = jax.custom_vjp(ahead)
    known.defvjp(lambda *xs: (ahead(*xs), xs), back)
    return passes(lambda: jax_check(known, tuple(map(jax.numpy.asarray, arrays)), 1, modes=["rev"]))


def by_autograd(f, arrays):
    """What autograd says."""
    known = primitive(lambda *xs: forward(f, *xs)[()])
    rules = [lambda out, *xs, k=k: lambda g: backward(f, g, *xs)[k] for k in range(len(arrays))]
    defvjp(known, *rules)
    return passes(lambda: autograd_check(known, modes=["rev"], order=1)(*arrays))


def passes(check):
    """Whether a check does not say that the gradient is wrong."""
    try:
        check()
    except AssertionError:
        return False
    return True


def by_ours(f, arrays):
    """What this library says."""
    return check_gradients(f, *arrays, raises=False).verdict != FAIL


CHECKERS = {"torch": by_torch, "jax": by_jax, "autograd": by_autograd, OURS: by_ours}


def answer(check, f, arrays):
    """Whether a checker lets a function pass: True, False, or the name of its error."""

    def stop(*_):
        raise TooLongError

    signal.signal(signal.SIGALRM, stop)
    signal.alarm(LIMIT)
    np.random.seed(0)
    try:
        with warnings.catch_warnings(), np.errstate(all="ignore"):
            warnings.simplefilter("ignore")
            return bool(check(f, [a.copy() for a in arrays]))
    except Exception as error:
        return type(error).__name__
    finally:
        signal.alarm(0)


def drawn_calls(op):
    """An operation as functions of arrays, with arguments for each."""
    shown = calls(op)
    for k in range(DRAWS):
        drawn = draw(op, np.random.default_rng(k), shown[k % len(shown)])
        yield caller(op, drawn.options), drawn.arrays


def drawn_arguments(f, sizes):
    """A function with arguments of these sizes, several times."""
    for k in range(DRAWS if max(sizes) < 1000 else 1):
        yield f, [np.random.default_rng(k).normal(size=size) for size in sizes]


def ask_of_faults():
    """How many faults each checker catches."""
    number, caught = Counter(), Counter()
    entries = test_blind_spots.FAULTS.values()
    others = test_planted_faults.FAULTS.values()
    asked = [lambda make=make: drawn_calls(make()) for make in entries]  # anew for each: some faults remember calls
    asked += [lambda f=f, sizes=sizes: drawn_arguments(f, sizes) for f, *sizes in others]
    for make in asked:
        for checker, check in CHECKERS.items():
            number[checker] += 1
            caught[checker] += not all(answer(check, f, arrays) is True for f, arrays in make())
        print(".", end="", file=sys.stderr, flush=True)
    for make in entries:
        number["check_op"] += 1
        caught["check_op"] += check_op(make(), raises=False).verdict == FAIL
    return number, caught


def ask_of_right_functions():
    """How many right functions each checker accuses, or stops at, by the precision of their arguments."""
    number, accused, stopped = Counter(), Counter(), Counter()
    for _, _, f, args in right_functions():
        if not all(isinstance(a, np.ndarray) and a.dtype.kind == "f" for a in args):
            continue
        try:
            kind = np.result_type(*args, forward(f, *args)).name
        except (TypeError, ValueError):  # the result is a structure
            continue
        number[kind] += 1
        for checker, check in CHECKERS.items():
            said = answer(check, f, args)
            accused[kind, checker] += said is False
            stopped[kind, checker] += isinstance(said, str)
        print(".", end="", file=sys.stderr, flush=True)
    return number, accused, stopped


def main():
    """Print both tables."""
    versions = ", ".join(f"{name} {version(name)}" for name in ("torch", "jax", "autograd", "numpy"))
    print(f"{date.today()}, {versions}")
    number, caught = ask_of_faults()
    print("\nplanted faults that are caught")
    for checker, count in number.items():
        print(f"  {checker:16s} {caught[checker]:4d} of {count:4d}")
    number, accused, stopped = ask_of_right_functions()
    for kind, count in number.items():
        print(f"\nright functions in {kind} that are accused, and at which the checker stops, of {count}")
        for checker in CHECKERS:
            print(f"  {checker:16s} {accused[kind, checker]:4d} {stopped[kind, checker]:4d}")


if __name__ == "__main__":
    main()
