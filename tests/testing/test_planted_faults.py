"""The checker checked: every fault that other checkers let through is caught, and no right rule is accused.

Each row of the table in docs/trust.rst is planted in an operation that nobody registered, at many random arguments.
"""

from itertools import count

import numpy as np
import pytest

import tinygrad_edu as te
from tinygrad_edu.table import REALS, Op
from tinygrad_edu.testing import FAIL, INCONCLUSIVE, KINK, PASS, check_gradients, check_taylor
from tinygrad_edu.value import apply

pytestmark = pytest.mark.no_cover
SEEDS, COUNT = range(20), count()


def planted(function, *rules):
    """The function, with these rules."""
    op = Op(function, rules, domain=REALS)
    return lambda *xs: apply(op, xs)


def tanh(x):
    return np.tanh(x)


def tiny(x):
    return 1e-6 * np.tanh(x)


def product(x, y):
    return x * y


def softmax(x):
    return np.exp(x) / np.exp(x).sum()


def overwriting(g, out, x):
    g *= 1 - out**2
    return g


def overwriting_its_argument(g, out, x):
    x *= 1.0
    return g * (1 - out**2)


def remembering(g, out, x):
    return g * (1 - out**2) * (1.0 + next(COUNT) % 2)


def off(factor):
    return planted(tanh, lambda g, out, x: g * (1 - out**2) * factor)


SOFTMAX = planted(softmax, lambda g, out, x: 1000 * out * (g - np.sum(g * out)))
FAULTS = {
    "1e-4 too large": (off(1 + 1e-4), 3),
    "1e-4 too small, on many": (off(1 - 1e-4), 300),
    "1e-3 too large": (off(1 + 1e-3), 3),
    "a sign": (off(-1.0), 3),
    "no gradient": (off(0.0), 3),
    "twice too large where gradients are 1e-6": (planted(tiny, lambda g, out, x: 2 * g * (1e-6 - 1e6 * out**2)), 3),
    "half too large on many": (off(1.5), 20_000),
    "garbage for the second argument": (planted(product, lambda g, out, x, y: g * y, lambda g, out, x, y: -g), 3, 3),
    "softmax, 1,000 times too large": (SOFTMAX, 3),
    "overwrites its gradient": (planted(tanh, overwriting), 3),
    "overwrites it, deep in the graph": (lambda x: planted(tanh, overwriting)(x * 2.0) + x, 3),
    "overwrites its argument": (planted(tanh, overwriting_its_argument), 3),
    "keeps a state": (planted(tanh, remembering), 3),
    "hands the same array to both": (planted(np.add, lambda g, out, x, y: g, lambda g, out, x, y: 2 * g), 3, 3),
    "forgets the cotangent": (planted(tanh, lambda g, out, x: 1 - out**2), 3),
    "adds a constant": (planted(tanh, lambda g, out, x: g * (1 - out**2) + 1e-3), 3),
    "not finite": (planted(tanh, lambda g, out, x: g * (1 - out**2) * np.where(x > 0, 1.0, np.nan)), 6),
}  # fmt: skip


def report(f, sizes, seed, **options):
    rng = np.random.default_rng(seed)
    return check_gradients(f, *[rng.normal(size=size) for size in sizes], seed=seed, raises=False, **options)


@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_is_caught_every_time(fault):
    f, *sizes = FAULTS[fault]
    seeds = SEEDS[: 1 if max(sizes) > 1000 else 5 if max(sizes) > 100 else None]
    assert [report(f, sizes, seed).verdict for seed in seeds] == [FAIL] * len(seeds)


@pytest.mark.parametrize("mode", ["reverse", "forward"])
def test_a_fault_is_caught_in_both_modes(mode):
    assert report(off(1 + 1e-4), [5], 0, modes=(mode,)).verdict == FAIL
    assert report(off(1.5), [10_000], 0, modes=(mode,)).verdict == FAIL


@pytest.mark.parametrize("seed", range(40))
def test_one_wrong_sign_among_a_thousand_is_always_caught_and_named(seed):
    entry = int(np.random.default_rng(seed + 1000).integers(1000))
    found = report(off(np.where(np.arange(1000) == entry, -1.0, 1.0)), [1000], seed)
    assert f"argument 0[{entry}]" in {finding.place for finding in found.findings if finding.verdict == FAIL}


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_an_error_of_a_thousandth_is_caught_in_float32_too(dtype):
    x = np.random.default_rng(0).normal(size=50).astype(dtype)
    assert check_gradients(off(dtype(1.001)), x, raises=False).verdict == FAIL
    assert check_gradients(np.tanh, x).verdict == PASS


def test_softmax_is_caught_though_its_sum_hides_the_fault():
    x = np.random.default_rng(0).normal(size=5)
    assert check_gradients(SOFTMAX, x, raises=False).verdict == FAIL
    assert check_gradients(lambda x: SOFTMAX(x).sum(), x, raises=False).verdict == PASS  # it is 0, a thousand times


@pytest.mark.parametrize("error", [1e-4, 1e-3])
def test_taylor_catches_small_errors(error):
    xs = [np.random.default_rng(seed).normal(size=5) for seed in SEEDS]
    assert [check_taylor(off(1 + error), x, raises=False).verdict for x in xs] == [FAIL] * len(xs)
    assert [check_taylor(np.tanh, x, raises=False).verdict for x in xs] == [PASS] * len(xs)


RIGHT = {
    "tanh": (np.tanh, 3),
    "a product": (lambda x, y: x * y, 3, 3),
    "small gradients": (lambda x: 1e-9 * np.tanh(x), 3),
    "large gradients": (lambda x: 1e9 * np.tanh(x), 3),
    "softmax": (softmax, 3),
    "many": (np.tanh, 20_000),
    "many, with kinks nearby": (te.relu, 20_000),
    "a matrix": (lambda x: np.linalg.inv(x + 5 * np.eye(3)), (3, 3)),
    "a shared node": (lambda x: (y := x * x) * y + y, 3),
    "an order": (np.sort, 10),
    "a standard deviation": (np.std, 10),
    "large numbers that cancel": (lambda x: (x + 1e6) - 1e6, 3),
    "flat": (lambda x: x * 0.0, 3),
}


@pytest.mark.parametrize("name", RIGHT)
def test_a_right_rule_is_never_accused(name):
    f, *sizes = RIGHT[name]
    seeds = SEEDS[: 3 if isinstance(sizes[0], int) and sizes[0] > 1000 else None]
    for seed in seeds:
        found = report(f, sizes, seed, modes=("reverse", "forward"))
        assert (found.count(FAIL), found.count(INCONCLUSIVE)) == (0, 0), str(found)


@pytest.mark.parametrize(
    "f",
    [te.relu, lambda x: np.maximum(x, 0.0), lambda x: np.clip(x, 0.0, 1.0), np.abs],
)
@pytest.mark.parametrize("size", [3, 1000])
def test_relu_at_exactly_zero_is_no_false_alarm(f, size):
    x = np.random.default_rng(0).normal(size=size)
    x[::2] = 0.0
    found = check_gradients(f, x)  # raises nothing
    assert (found.count(FAIL), found.count(INCONCLUSIVE)) == (0, 0)


@pytest.mark.parametrize("slope", [0.0, 0.5, 1.0])
def test_any_convention_between_the_slopes_is_right_and_no_other(slope):
    relu = lambda x: np.maximum(x, 0.0)
    at_zero = lambda slope: planted(relu, lambda g, out, x: g * np.where(x == 0, slope, x > 0))
    x = np.array([0.0, 0.5, -0.5])
    assert check_gradients(at_zero(slope), x).verdict in (KINK, PASS)
    for outside in (-0.01, 1.01, 2.0, np.nan):
        assert check_gradients(at_zero(outside), x, raises=False).verdict == FAIL
