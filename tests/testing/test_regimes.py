"""Where operations are called: at drawn arguments, at kinks and beside them, far out; and faults only there."""

from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import tinygrad_edu as te
from tinygrad_edu import Value, entries
from tinygrad_edu.rules.elementwise import sech_squared
from tinygrad_edu.table import DEFINITE, OPERATIONS, POSITIVE, REALS, REGULAR, TIES, Op, case
from tinygrad_edu.testing import FAIL
from tinygrad_edu.testing.arguments import (
    caller,
    calls,
    draw,
    draw_array,
    draw_matrix,
    gap,
    intervals,
    read_only,
    strided,
    turned,
)
from tinygrad_edu.testing.extremes import FAR, HUGE, WIDE, limit, of_extremes, reached, ways
from tinygrad_edu.testing.kinks import of_kinks, smallest, spots, steps
from tinygrad_edu.testing.mutation import changed

# -- drawn arguments -----------------------------------------------------------------------------------------


few = settings(max_examples=max(10, settings().max_examples // 8))  # each looks at dozens of draws
seeds = st.integers(0, 2**16)
PARTS = [(-np.inf, np.inf), (0.0, np.inf), (-1.0, 1.0), (0.0, 0.2), (1.0, np.inf)]
SHAPES = [(), (3,), (2, 2), (16,), (4, 5), (0, 3)]


def room(part, points, array, margin):
    """Whether an array keeps its distance from the ends and from points."""
    ends = [end for end in part if np.isfinite(end)]
    return all(np.min(np.abs(array - point), initial=np.inf) >= margin - 1e-12 for point in (*ends, *points))


@few
@given(seed=seeds)
def test_numbers_are_in_the_interval_with_room_and_apart(seed):
    for part, shape in product(PARTS, SHAPES):
        points = (0.5,) if part[1] > 1 else ()
        array, margin = draw_array(np.random.default_rng(seed), shape, part, points)
        assert array.shape == shape
        assert np.all((part[0] < array) & (array < part[1]))
        assert room(part, points, array, margin)
        if array.size > 1:
            assert np.min(np.diff(np.sort(array.ravel()))) >= gap(part, shape) - 1e-12


def test_many_numbers_come_from_all_over_the_domain():
    array, _ = draw_array(np.random.default_rng(0), (16,), (-np.inf, np.inf))
    assert array.min() < -2.0
    assert array.max() > 2.0
    assert np.max(np.diff(np.sort(array))) < 1.0


@few
@given(seed=seeds)
def test_matrices_are_regular_and_definite(seed):
    rng = np.random.default_rng(seed)
    singular = np.linalg.svd(draw_matrix(rng, (2, 4, 3), REGULAR), compute_uv=False)
    np.testing.assert_allclose(np.sort(singular), [[0.6, 1.1, 1.6]] * 2)
    definite = draw_matrix(rng, (3, 3), DEFINITE)
    np.testing.assert_allclose(definite, definite.T, atol=1e-15)
    assert np.linalg.eigvalsh(definite).min() == pytest.approx(0.6)
    with pytest.raises(ValueError, match="no such domain: 'nice'"):
        draw_matrix(rng, (2, 2), "nice")


@pytest.mark.parametrize("op", list(entries()), ids=lambda op: op.name)
def test_every_entry_can_be_drawn_and_called(op):
    rng = np.random.default_rng(0)
    for call in calls(op):
        arrays, options, distance = draw(op, rng, call)
        assert [np.shape(a) for a in arrays] == list(call[0])
        assert 0.0 < distance <= 0.15
        assert np.all(np.isfinite(caller(op, options)(*map(Value, arrays)).data))
        if op.kinks == TIES and len(arrays) == 2:
            assert np.min(np.abs(np.subtract.outer(*arrays))) >= 1.3 * distance


def test_any_number_of_arguments_can_be_declared():
    three = Op(
        lambda x, y, z: x * y * z,
        [lambda g, out, x, y, z: g * y * z, lambda g, out, x, y, z: g * x * z, lambda g, out, x, y, z: g * x * y],
        domain=[(0.0, 1.0), (1.0, 2.0), (-1.0, 1.0)],
    )
    assert [shapes for shapes, _ in calls(three)] == [((), (), ()), ((2, 3), (3,), (3,))]
    assert intervals(three, 3)[1] == (1.0, 2.0)
    shown = Op(three.function, three.pullbacks, domain=(0.0, 1.0), cases=[case((2,), (2,), (2,))])
    assert calls(shown) == [case((2,), (2,), (2,))]


# -- layouts in memory ---------------------------------------------------------------------------------------


ARRAYS = [np.float64(1.5), np.array(2.0), np.arange(3.0), np.arange(6.0).reshape(2, 3), np.zeros((0, 3))]


@pytest.mark.parametrize("layout", [read_only, strided, turned])
@pytest.mark.parametrize("a", ARRAYS, ids=lambda a: str(np.shape(a)))
def test_the_numbers_stay_the_same(layout, a):
    np.testing.assert_array_equal(layout(a), a)
    assert layout(a).dtype == a.dtype


def test_they_lie_somewhere_else():
    a = np.arange(6.0).reshape(2, 3)
    assert strided(a).strides == (48, 16)
    assert turned(a).strides == (-24, 8)


def test_what_is_read_only_refuses_and_the_original_does_not():
    a = np.zeros(2)
    with pytest.raises(ValueError, match="read-only"):
        read_only(a)[0] = 1.0
    a[0] = 1.0
    assert read_only(2.5) == 2.5


# -- kinks ---------------------------------------------------------------------------------------------------


seeds = st.integers(0, 2**16)


def broken_at_kinks(op, with_constants=False):
    """What is said about the failures."""
    findings = of_kinks(op, np.random.default_rng(0), with_constants)
    return "\n".join(str(finding) for finding in findings if finding.verdict == FAIL)


def slope(at, wrong):
    """The rule of abs with something else where a condition holds."""
    return [lambda g, out, x: g * np.where(at(np.abs(x)), wrong, np.sign(x))]


AT_KINKS = {
    "1 at 0": (np.abs, slope(lambda r: r == 0, 1.0), "at a kink: the gradient is [1.], not the smallest of all"),
    "nan at 0": (np.abs, slope(lambda r: r == 0, np.nan), "at a kink: the gradient is [nan], not the smallest"),
    "0 up to 1e-11": (np.abs, slope(lambda r: r < 1e-11, 0.0), "1e-12 beside a kink: the gradient is [0.], but"),
    "0 up to 1e-8": (np.abs, slope(lambda r: r < 1e-8, 0.0), "1e-09 beside a kink: the gradient is [0.], but"),
    "0 up to 1e-2": (np.abs, slope(lambda r: r < 1e-2, 0.0), "0.001 beside a kink, argument 0 at"),
    "all to one": (
        np.maximum, [lambda g, out, x, y: g * (x >= y), lambda g, out, x, y: g * (y > x)], "at a kink: the gradient",
    ),
    "1 to each": (
        np.maximum, [lambda g, out, x, y: g * (x >= y), lambda g, out, x, y: g * (y >= x)], "at a kink: the gradient",
    ),
    "jump": (te.relu, [lambda g, out, x: g * (x >= 0)], "at a kink: the gradient is [1.]"),
}  # fmt: skip


@pytest.mark.parametrize("fault", AT_KINKS)
def test_a_rule_that_is_wrong_only_at_a_kink_is_found(fault):
    function, rules, words = AT_KINKS[fault]
    assert not broken_at_kinks(OPERATIONS[function])
    assert words in broken_at_kinks(changed(OPERATIONS[function], pullbacks=rules))


def test_a_tie_with_a_constant_has_a_gradient_of_its_own():
    op = OPERATIONS[np.maximum]
    assert not broken_at_kinks(op.with_constants, with_constants=True)
    assert "at a kink" in broken_at_kinks(
        changed(op.with_constants, pullbacks=op.pullbacks), with_constants=True
    )  # 1/2 instead of 0


def clipped(x):
    return np.minimum(np.abs(x), 1.0)


def test_ones_own_kinks_are_checked():
    right = Op(clipped, [lambda g, out, x: g * np.sign(x) * (np.abs(x) < 1)], domain=REALS, kinks=(-1.0, 0.0, 1.0))
    assert not broken_at_kinks(right)
    wrong = Op(clipped, [lambda g, out, x: g * np.sign(x) * (np.abs(x) <= 1)], domain=REALS, kinks=(-1.0, 0.0, 1.0))
    assert "at a kink: the gradient is" in broken_at_kinks(wrong)


def test_a_function_without_kinks_has_no_such_regime():
    assert list(of_kinks(OPERATIONS[np.tanh], np.random.default_rng(0))) == []


@given(st.integers(1, 5), st.integers(1, 8), seeds)
def test_no_mixture_is_shorter_than_the_smallest(n, count, seed):
    rng = np.random.default_rng(seed)
    points = rng.normal(size=(count, n)) + rng.normal(size=n)
    found = smallest(points)
    mixtures = rng.dirichlet(np.ones(count), size=50) @ points
    assert np.linalg.norm(found) <= np.min(np.linalg.norm(mixtures, axis=1)) + 1e-9
    assert np.min(points @ found) >= found @ found - 1e-9  # no point lies on the near side of the shortest


@given(st.integers(1, 7))
def test_steps_leave_a_kink_in_every_entry_and_apart(n):
    for step in steps(n):
        assert np.min(np.abs(step)) >= 0.2 / n
        assert len(set(step)) == n


@few
@given(seeds)
def test_spots_are_exactly_at_kinks(seed):
    rng = np.random.default_rng(seed)
    for function in (np.abs, np.hypot, np.maximum, np.max, np.sort, np.fmod):
        op = OPERATIONS[function]
        for spot in spots(op, rng):
            flat = np.concatenate([np.ravel(a) for a in spot.drawn.arrays])[spot.places]
            if op.kinks == TIES:
                assert np.ptp(flat) == 0.0
            elif function is np.fmod:
                assert np.fmod(*flat) == 0.0
            else:
                assert set(flat) <= set(op.kinks)
            moved = spot.moved(np.full(len(spot.places), 0.5))
            assert sum(np.sum(a != b) for a, b in zip(moved.drawn.arrays, spot.drawn.arrays, strict=True)) == len(
                flat
            )


# -- extremes ------------------------------------------------------------------------------------------------


def broken_far_out(op):
    """What is said about the failures."""
    findings = of_extremes(op, np.random.default_rng(0))
    return "\n".join(str(finding) for finding in findings if finding.verdict == FAIL)


LOST, ROUTE, UNSEEN = "digits are lost, or it overflows", "on the way there, with limit", "a nan would pass unseen"
FAR_OUT = {
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


@pytest.mark.parametrize("fault", FAR_OUT)
def test_a_rule_that_is_wrong_only_far_out_is_found(fault):
    function, rules, words = FAR_OUT[fault]
    assert not broken_far_out(OPERATIONS[function])
    assert words in broken_far_out(changed(OPERATIONS[function], pullbacks=rules))


def test_a_function_of_whole_arrays_keeps_its_digits_and_stays_finite():
    def norm(x):
        return np.sqrt(np.sum(x * x))

    naive = Op(norm, [lambda g, out, x: g * x / out], domain=REALS, cases=[te.case((3,))])
    assert "norm((3,)), entries times 1e-300: the result is finite, but a gradient is not" in broken_far_out(naive)
    lossy = Op(norm, [lambda g, out, x: g * ((x + 1e4) - 1e4) / out], domain=REALS, cases=[te.case((3,))])
    assert "entries times 0.0001: the gradient in float32 is" in broken_far_out(lossy)


def squares(x):
    return np.sum(x * x, axis=-1)


def declared(f, rule, domain=REALS):
    return Op(f, [rule], domain=domain, cases=[te.case((2, 3))])


def test_a_nan_among_the_entries_is_seen():
    assert not broken_far_out(declared(squares, lambda g, out, x: 2 * g[..., None] * x))
    blind = broken_far_out(declared(squares, lambda g, out, x: 2 * g[..., None] * np.nan_to_num(x)))
    assert "squares((2, 3)), nan in argument 0: the result is nan, but no gradient" in blind


def test_what_does_not_take_nan_is_not_asked():
    table = np.arange(11.0) ** 2
    looked_up = lambda x: x * table[np.floor(x).astype(int)]
    assert not broken_far_out(declared(looked_up, lambda g, out, x: g * table[np.floor(x).astype(int)], (1.0, 10.0)))


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
    assert not broken_far_out(Op(refuses, [lambda g, out, x: 2 * g * x], domain=REALS))
    rule = lambda g, out, x: g * (0.5 * (1 + np.tanh(0.8 * x)) + 0.4 * x * sech_squared(0.8 * x))
    assert not broken_far_out(Op(gelu, [rule], domain=REALS))
    assert not broken_far_out(Op(lambda x: np.sin(3 * x), [lambda g, out, x: 3 * g * np.cos(3 * x)], domain=REALS))
    assert not broken_far_out(Op(lambda x: np.log(x) * x, [lambda g, out, x: g * (np.log(x) + 1)], domain=POSITIVE))


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


def test_a_product_that_overflows_on_the_way_is_found():
    """The product of what stands before an entry, times that of what stands behind it, which need not fit."""
    before = lambda x: np.cumprod(np.concatenate([np.ones(1), x[:-1]]))
    rule = lambda g, out, x: g * before(x) * before(x[::-1])[::-1]
    op = te.table.Op(lambda x: np.prod(x), (rule,), domain=te.REALS, cases=[te.case((4,))])
    places = [f.place for f in of_extremes(op, np.random.default_rng(0)) if f.verdict == "FAIL"]
    assert any("1e+160" in place for place in places)
