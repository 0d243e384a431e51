"""What holds for every gradient holds for right rules; a planted fault breaks the invariant that is named."""

from itertools import count

import numpy as np
import pytest

from tinygrad_edu import Value
from tinygrad_edu.table import REALS, Op
from tinygrad_edu.testing import FAIL, INCONCLUSIVE, PASS, check_gradients
from tinygrad_edu.testing.arguments import Entry, caller, draw, read_only
from tinygrad_edu.testing.invariants import INVARIANTS, alike, check_invariants, close, same
from tinygrad_edu.value import apply

X = np.random.default_rng(0).normal(size=(3, 2))
COUNT = count(1)
NAMES = [invariant.name for invariant in INVARIANTS if not invariant.of_operations]


def planted(function, *rules):
    op = Op(function, rules, domain=REALS)
    return lambda *xs: apply(op, xs)


def tanh(x):
    return np.tanh(x)


def plus(x, y):
    return x + y


def writing(g, out, x):
    g *= 1 - out**2
    return g


def counting(g, out, x):
    return g * (1 - out**2) * (1 + 1e-12 * next(COUNT))


def clobbering(g, out, x):
    x[...] = 0.0
    return g * (1 - out**2)


def state(x):
    return x * float(next(COUNT))


def changing(x, calls):
    calls += 1
    return x * 2.0


def order_k(g, out, x):
    return (g.ravel("K") * (1 - out.ravel("K") ** 2)).reshape(x.shape)


def unlike(x, y):
    return x * y * (3.0 if x is y else 1.0)


FAULTS = {
    "writes to its gradient": (planted(tanh, writing), (X,), "in place"),
    "writes to it, deep": (lambda x: 2.0 * planted(tanh, writing)(x * 3.0), (X,), "in place"),
    "a state in the rule": (planted(tanh, counting), (X,), "repeated"),
    "not linear": (planted(tanh, lambda g, out, x: g * np.abs(g) * (1 - out**2)), (X,), "linear"),
    "linear only for multiples": (planted(tanh, lambda g, out, x: np.abs(g) * np.sign(np.sum(g))), (X,), "linear"),
    "a constant": (planted(tanh, lambda g, out, x: g * (1 - out**2) + 1e-3), (X,), "zero"),
    "writes to its argument": (planted(tanh, clobbering), (X,), "in place"),
    "f has a state": (state, (X,), "repeated"),
    "f changes its argument": (changing, (X, np.array([0])), "arguments"),
    "a layout": (planted(tanh, order_k), (X,), "layout"),
    "a layout of the result": (lambda x: np.sin(x) * float(x.data.strides[0]), (X,), "layout"),
    "identity": (unlike, (X, X + 1), "twice"),
}  # fmt: skip


@pytest.mark.parametrize("fault", FAULTS)
def test_what_is_broken_is_named(fault):
    f, args, name = FAULTS[fault]
    report = check_gradients(f, *(a.copy() for a in args), raises=False)
    broken = {finding.place: finding.verdict for finding in report.findings if finding.note}
    assert broken.get(name) in (FAIL, INCONCLUSIVE)


def test_shared_memory_is_seen_where_the_engine_lets_it_through(monkeypatch):
    honest = Value.backward

    def sharing(self, gradient=None):
        honest(self, gradient)
        for node in self.args:
            if isinstance(node, Value) and node.grad is not None:
                node.gradient = gradient

    monkeypatch.setattr(Value, "backward", sharing)
    report = check_gradients(plus, X, X + 1, raises=False)
    assert "share memory" in str(report)


def test_a_wrong_dtype_is_seen_where_the_engine_lets_it_through(monkeypatch):
    honest = Value.backward

    def narrowing(self, gradient=None):
        honest(self, gradient)
        for node in self.args:
            if isinstance(node, Value):
                node.gradient = node.grad.astype(np.float32)

    monkeypatch.setattr(Value, "backward", narrowing)
    assert "a gradient is float32 (3, 2) for float64 (3, 2)" in str(check_gradients(np.tanh, X, raises=False))


@pytest.mark.parametrize("seed", range(10))
@pytest.mark.parametrize(
    "f",
    [
        lambda x, y: x * y, lambda x, y: np.maximum(x, y), lambda x, y: x @ y.T, lambda x, y: x / (1.0 + y * y),
        lambda x, y: np.sort(x, axis=0) - np.cumsum(y, axis=1), lambda x, y: np.concatenate([x, y[::-1]]),
        lambda x, y: np.einsum("ij,ik->jk", x, y), lambda x, y: np.std(x) * y[[0, 0, 2]],
    ],
)  # fmt: skip
@pytest.mark.parametrize("dtype", [float, np.float32])
def test_right_gradients_have_every_invariant(f, seed, dtype):
    rng = np.random.default_rng(seed)
    report = check_gradients(f, *(rng.normal(size=(3, 2)).astype(dtype) for _ in range(2)), seed=seed)
    assert [finding.place for finding in report.findings if np.isnan(finding.scale)] == NAMES
    assert report.verdict == PASS


def test_a_function_that_is_not_defined_for_equal_arguments_is_not_asked():
    def apart(x, y):
        assert x is not y
        return np.log((x - y) ** 2)

    names = [finding.place for finding in check_gradients(apart, X, X + 1).findings]
    assert "twice" not in names


def test_gradients_from_outside_are_left_alone():
    w = Value(np.ones(2))
    w.grad = np.full(2, 7.0)
    check_gradients(lambda x: x @ w, X)
    assert w.grad.tolist() == [7.0, 7.0]


def test_of_a_constant_result_nothing_is_asked():
    assert check_gradients(lambda x: np.ones(3), X).verdict == PASS


def test_bits_and_rounding():
    assert same(np.array([1.0, np.nan]), np.array([1.0, np.nan]))
    assert not same(np.ones(2), np.ones(3))
    assert not same(np.ones(2), np.ones(2) + 1e-15)
    assert close(np.ones(2), np.ones(2) + 1e-15, np.ones(2))
    assert not close(np.ones(2), np.ones(2) + 1e-12, np.ones(2))
    assert alike(np.ones(2), np.ones(2) + 1e-12, [np.ones(2)])
    assert not alike(np.ones(2), np.ones(2) + 1e-6, [np.ones(2)])


def test_a_view_that_cannot_be_written_to():
    view = read_only(X)
    with pytest.raises(ValueError, match="read-only"):
        view[0] = 1.0
    assert read_only(2.0) == 2.0


def test_a_gradient_that_lies_in_an_argument_is_noticed(monkeypatch):
    honest = Value.backward

    def lying(self, gradient=None):
        honest(self, gradient)
        for node in self.args:
            if isinstance(node, Value) and node.grad is not None:
                node.gradient = node.array

    monkeypatch.setattr(Value, "backward", lying)
    findings, _ = check_invariants(lambda xs: xs[0] * 1.0, [X], [X], X.copy())
    assert [f.place for f in findings if f.note and "share memory" in f.note] == ["memory"]


def test_a_rule_that_remembers_the_last_call_is_found():
    last = {}

    def sine(x):
        last["x"] = np.array(x)
        return np.sin(x)

    report = check_gradients(planted(sine, lambda g, out, x: g * np.cos(last["x"])), X, raises=False)
    assert "arguments of the last call" in str(report)


def test_a_rule_that_hands_out_one_array_is_found():
    kept = np.empty_like(X)

    def into(g, out, x):
        kept[...] = 2 * g * x
        return kept

    report = check_gradients(planted(lambda x: x * x, into), X, raises=False)
    assert report.verdict == FAIL
    assert "hands out the same array" in str(report)


@pytest.mark.parametrize(
    ("rule", "words"),
    [
        (lambda g, out, x: 2.0, "gives 2.0, not an array: write it with g"),
        (lambda g, out, x: None, "gives None, not an array"),
        (lambda g, out, x: g.ravel()[:5], r"gives the shape \(5,\) for an argument of the shape \(3, 2\)"),
    ],
)
def test_what_is_no_gradient_is_said_to_be_none(rule, words):
    with pytest.raises(AssertionError, match=words):
        check_gradients(planted(lambda x: x * 2.0, rule), X)


def test_a_changed_cotangent_is_the_only_fault_that_is_reported():
    report = check_gradients(planted(tanh, writing), X, raises=False)
    assert {finding.place for finding in report.findings if finding.verdict == FAIL} == {"in place"}


# -- of operations of the table ------------------------------------------------------------------------------


def product(x, y):
    return x * y


def by(rule):
    """The product of two numbers with another rule for the first."""
    return Op(product, [rule, lambda g, out, x, y: g * x], domain=REALS)


def where(condition):
    """The right rule, and where a condition on its arguments holds one that is 1e-6 off."""
    return by(lambda g, out, x, y: g * y * (1.0 + 1e-6 * bool(condition(g, x, y))))


def strides(a):
    return getattr(a, "strides", ()) or (8,)


def writeable(a):
    return not isinstance(a, np.ndarray) or a.flags.writeable or 0 in strides(a)


STORE = np.ones(64)


def stored(g, out, x, y):
    """The right gradient, in memory that is used for the next one too."""
    share = STORE[: np.size(g)].reshape(np.shape(g))
    np.multiply(g, y, out=share)
    return share


OF_OPERATIONS = {
    "read-only": (where(lambda g, x, y: not writeable(x)), "layouts: arrays read-only give another result"),
    "negative": (where(lambda g, x, y: min(strides(x)) < 0), "layouts: arrays with a negative stride"),
    "strided": (where(lambda g, x, y: strides(x)[-1] == 16), "layouts: arrays strided give another result"),
    "Fortran": (
        where(lambda g, x, y: np.ndim(x) == 2 and not x.flags.c_contiguous and x.flags.f_contiguous),
        "layouts: arrays in Fortran's order",
    ),
    "stride 0": (where(lambda g, x, y: 0 in strides(x)), "stride 0: arrays that repeat one number with stride 0"),
    "same array": (where(lambda g, x, y: x is y), "twice: one variable in two places does not have the sum"),
    "stored": (by(stored), "later: the gradient changes later: return a new array"),
    "narrow": (by(lambda g, out, x, y: g * y * (1 + (x.dtype == np.float32))), "float32: the gradient of argument 0"),
    "quadratic": (by(lambda g, out, x, y: g * y + 1e-12 * g * g), "is not linear in the gradient"),
    "affine": (by(lambda g, out, x, y: g * y + 1e-300), "zero: the rule of product for argument 0 gives something"),
    "writes": (by(lambda g, out, x, y: twice(g) * y), "cotangent: the rule changes its incoming gradient"),
    "changes x": (by(lambda g, out, x, y: moved(x, g * y)), "arguments: the backward pass changes the arguments"),
}  # fmt: skip


def twice(g):
    """The gradient, and after that something else in its place."""
    before = np.array(g)
    if isinstance(g, np.ndarray) and g.ndim and g.flags.writeable:
        g *= 2.0
    return before


def moved(x, share):
    """A share of the gradient, after a change of the argument."""
    if isinstance(x, np.ndarray) and x.ndim and x.flags.writeable:
        x *= 1.0 + 1e-13
    return share


def findings(op):
    """What the invariants say of an operation, in several shapes."""
    rng = np.random.default_rng(0)
    found = []
    for shapes in [((3,), (3,)), ((2, 3), (2, 3)), ((), ()), ((3, 1), (1, 2))]:
        drawn = draw(op, rng, (shapes, {}))
        arrays = list(map(np.asarray, drawn.arrays))
        f, start = caller(op, {}), rng.normal(size=np.broadcast_shapes(*shapes))
        found += check_invariants(lambda xs, f=f: f(*xs), arrays, arrays, start, Entry(op, drawn, 2))[0]
    return found


RIGHT = by(lambda g, out, x, y: g * y)


@pytest.mark.parametrize("fault", OF_OPERATIONS)
def test_a_fault_of_an_operation_is_named(fault):
    wrong, words = OF_OPERATIONS[fault]
    broken = [str(finding) for finding in findings(wrong) if finding.verdict == FAIL]
    assert any(words in text for text in broken), broken


def test_a_right_operation_is_asked_for_every_invariant_and_has_them_all():
    found = findings(RIGHT)
    assert {finding.place for finding in found} == {invariant.name for invariant in INVARIANTS}
    assert [finding for finding in found if finding.verdict == FAIL] == []


@pytest.mark.parametrize("name", ["value", "memory", "forward", "layouts"])
def test_an_invariant_is_checked_because_it_is_in_the_list(name, monkeypatch):
    others = tuple(invariant for invariant in INVARIANTS if invariant.name != name)
    monkeypatch.setattr("tinygrad_edu.testing.invariants.INVARIANTS", others)
    assert name not in {finding.place for finding in findings(RIGHT)}
