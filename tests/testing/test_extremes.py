"""Rules that are right almost everywhere are found out at the ends of floating point, and right ones pass there."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import tinygrad_edu as te
from tinygrad_edu.rules.elementwise import sech_squared
from tinygrad_edu.table import OPERATIONS, POSITIVE, REALS, Op
from tinygrad_edu.testing import FAIL
from tinygrad_edu.testing.extremes import FAR, HUGE, WIDE, limit, of_extremes, reached, ways
from tinygrad_edu.testing.mutation import changed


def broken(op):
    """What is said about the failures."""
    findings = of_extremes(op, np.random.default_rng(0))
    return "\n".join(str(finding) for finding in findings if finding.verdict == FAIL)


LOST, ROUTE, UNSEEN = "digits are lost, or it overflows", "on the way there, with limit", "a nan would pass unseen"
FAULTS = {
    "s (1 - s)": (te.sigmoid, [lambda g, out, x: g * out * (1 - out)], LOST),
    "1 - tanh^2": (np.tanh, [lambda g, out, x: g * (1 - out * out)], LOST),
    "1 + x^2": (np.arctan, [lambda g, out, x: g / (1 + x * x)], LOST),
    "x / y^2": (np.divide, [lambda g, out, x, y: g / y, lambda g, out, x, y: -g * x / y**2], LOST),
    "0 at 0": (np.sqrt, [lambda g, out, x: g * 0.5 / np.where(out == 0, np.inf, out)], "x = 0: the gradient is 0"),
    "0 at 1": (np.arccos, [lambda g, out, x: -g / np.where(x**2 == 1, np.inf, np.sqrt(1 - x**2))], "limit -inf"),
    "1 at inf": (np.tanh, [lambda g, out, x: g * np.where(np.isinf(x), 1.0, sech_squared(x))], ROUTE),
    "x^(y - 1)": (
        np.power,
        [lambda g, out, x, y: g * y * x ** (y - 1), lambda g, out, x, y: g * out * np.log(x)],
        "power(x, 0), x = 0: the gradient is nan",
    ),
    "x > 0": (te.relu, [lambda g, out, x: g * (out > 0)], UNSEEN),
    "x > y": (np.maximum, [lambda g, out, x, y: g * (x > y), lambda g, out, x, y: g * (y > x)], UNSEEN),
    "overflow": (te.softplus, [lambda g, out, x: g * np.exp(x) / (1 + np.exp(x))], "but the result a number, 10000"),
    "warns": (te.softplus, [lambda g, out, x: g / (1 + np.exp(-x))], "the gradient complains of numbers that"),
    "clipped": (np.log, [lambda g, out, x: g / np.maximum(x, 1e-12)], "ratio"),
    "cut off": (np.exp, [lambda g, out, x: g * np.minimum(out, 1e6)], "x = 30, argument 0 at 30: analytic"),
}  # fmt: skip


@pytest.mark.parametrize("fault", FAULTS)
def test_a_rule_that_is_wrong_only_far_out_is_found(fault):
    function, rules, words = FAULTS[fault]
    assert not broken(OPERATIONS[function])
    assert words in broken(changed(OPERATIONS[function], pullbacks=rules))


def test_a_function_of_whole_arrays_keeps_its_digits_and_stays_finite():
    def norm(x):
        return np.sqrt(np.sum(x * x))

    naive = Op(norm, [lambda g, out, x: g * x / out], domain=REALS, cases=[te.case((3,))])
    assert "norm((3,)), entries times 1e-300: the result is finite, but a gradient is not" in broken(naive)
    lossy = Op(norm, [lambda g, out, x: g * ((x + 1e4) - 1e4) / out], domain=REALS, cases=[te.case((3,))])
    assert "entries times 0.0001: the gradient in float32 is" in broken(lossy)


def squares(x):
    return np.sum(x * x, axis=-1)


def declared(f, rule, domain=REALS):
    return Op(f, [rule], domain=domain, cases=[te.case((2, 3))])


def test_a_nan_among_the_entries_is_seen():
    assert not broken(declared(squares, lambda g, out, x: 2 * g[..., None] * x))
    blind = broken(declared(squares, lambda g, out, x: 2 * g[..., None] * np.nan_to_num(x)))
    assert "squares((2, 3)), nan in argument 0: the result is nan, but no gradient" in blind


def test_what_does_not_take_nan_is_not_asked():
    table = np.arange(11.0) ** 2
    looked_up = lambda x: x * table[np.floor(x).astype(int)]
    assert not broken(declared(looked_up, lambda g, out, x: g * table[np.floor(x).astype(int)], (1.0, 10.0)))


def refuses(x):
    if np.any(~np.isfinite(x)) or np.any(np.abs(x) > 20):
        raise ValueError("out of range")
    return x * x


def gelu(x):
    return 0.5 * x * (1 + np.tanh(0.8 * x))


def test_no_comparison_far_out_would_let_anything_pass():
    found = [f for f in of_extremes(OPERATIONS[np.exp], np.random.default_rng(0)) if f.allowed]
    assert len(found) > 5
    assert all(f.allowed <= 1e-2 * max(abs(f.analytic), abs(f.numeric)) for f in found)


def test_what_ones_own_function_cannot_do_is_not_asked_of_its_rule():
    assert not broken(Op(refuses, [lambda g, out, x: 2 * g * x], domain=REALS))
    rule = lambda g, out, x: g * (0.5 * (1 + np.tanh(0.8 * x)) + 0.4 * x * sech_squared(0.8 * x))
    assert not broken(Op(gelu, [rule], domain=REALS))
    assert not broken(Op(lambda x: np.sin(3 * x), [lambda g, out, x: 3 * g * np.cos(3 * x)], domain=REALS))
    assert not broken(Op(lambda x: np.log(x) * x, [lambda g, out, x: g * (np.log(x) + 1)], domain=POSITIVE))


@given(st.floats(0.125, 8.0), st.sampled_from([-1.0, 1.0]), st.sampled_from([0.0, -3.0, 2.5]))
def test_the_limit_of_a_sequence(size, sign, towards):
    k = np.arange(20.0)
    assert limit(sign * size * 2**k) == sign * np.inf
    assert limit(sign * size * 2**-k) == 0.0
    assert limit(np.full(20, towards)) == towards
    assert limit((towards or 1.0) * (1 + sign * size * 1e-8 * 2**-k)) == pytest.approx(towards or 1.0)
    assert limit(size * np.log(k + 2)) is None
    assert limit(size * np.sin(k)) is None
    assert limit([1.0, np.nan, 1.0]) is None
    assert limit([1.0, np.inf, np.inf]) == np.inf


def test_nan_is_never_a_limit_and_another_number_is_no_infinity():
    assert reached(np.inf, np.inf)
    assert reached(-1e200, -np.inf)
    assert not any(
        reached(g, e) for g, e in [(np.nan, 0.0), (np.nan, np.inf), (0.0, np.inf), (-np.inf, np.inf), (1.1, 1)]
    )


def test_the_ways_lead_to_every_extreme_and_stay_in_the_domain():
    for low, high in [(-np.inf, np.inf), (0.0, np.inf), (-1.0, 1.0), (1.0, np.inf)]:
        routes = list(ways(low, high))
        assert {end for end, _, _ in routes} == {low, high} | ({0.0} if low < 0 < high else set())
        for end, point, last in routes:
            points = [point(k) for k in (1, last // 4, last // 2, last)]
            assert all(low < x < high and x != end for x in points)
            assert abs(points[-1] - end) < 1e-15 or abs(points[-1]) > 1e300
    assert min(abs(point(last)) for _, point, last in ways(-1.0, 1.0)) == 5e-324


def test_float32_holds_the_numbers_that_are_compared_in_it():
    assert all(float(np.float32(x)) == x for x in FAR + WIDE)
    assert float(np.finfo(np.float32).max) > HUGE
