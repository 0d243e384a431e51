"""Forward mode: tangents by the rules of the table, with their conventions, at any length."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tinygrad_edu import Value, at, backward, checkpoint, grad, jacobian, jvp, vjp
from tinygrad_edu.forward import propagate
from tinygrad_edu.graph import toposort
from tinygrad_edu.table import OPERATIONS

STEPS = [lambda a, b: a + b, lambda a, b: np.tanh(a) * b, lambda a, b: np.tanh(a)]


def dual(program, x, dx):
    """A value and its slope, each number carrying its own: what forward mode is by hand."""
    pairs = [(x, dx), (np.sin(x), np.cos(x) * dx)]
    for kind, i, j in program:
        (a, da), (b, db) = pairs[-1 - i % len(pairs)], pairs[-1 - j % len(pairs)]
        t = np.tanh(a)
        pairs.append([(a + b, da + db), (t * b, (1 - t * t) * da * b + t * db), (t, (1 - t * t) * da)][kind])
    return pairs[-1]


def compute(program, x):
    """The same program for jvp."""
    results = [x, np.sin(x)]
    for kind, i, j in program:
        a, b = results[-1 - i % len(results)], results[-1 - j % len(results)]
        results.append(STEPS[kind](a, b))
    return results[-1]


@given(
    st.lists(st.tuples(st.integers(0, 2), st.integers(0, 9), st.integers(0, 9)), min_size=1, max_size=12),
    st.floats(-2.0, 2.0),
    st.floats(-2.0, 2.0),
)
def test_tangents_are_those_of_dual_numbers(program, x, dx):
    value, tangent = jvp(lambda x: compute(program, x), (x,), (dx,))
    np.testing.assert_allclose((value, tangent), dual(program, x, dx), rtol=1e-9, atol=1e-12)


def test_only_what_depends_on_the_variables_has_a_tangent():
    x, w = Value(2.0), Value(3.0)
    side = w * 2.0
    y = x * side
    found = propagate([y], {x: np.float64(1.0)}, False, 0)
    assert found == {x: 1.0, y: 6.0}


def test_kinks_are_shared_as_in_reverse():
    both = jvp(lambda x, y: np.maximum(x, y), (1.0, 1.0), (1.0, 0.0))[1]
    assert both == 0.5
    assert jvp(lambda x: np.maximum(x, 0.0), (0.0,), (1.0,))[1] == 0.0
    assert jvp(lambda x: np.max(x), (np.array([5.0, 1.0, 5.0]),), (np.array([1.0, 0.0, 0.0]),))[1] == 0.5


@pytest.mark.parametrize("function", [np.add, np.subtract, np.multiply, np.maximum])
def test_a_tangent_is_stretched_with_its_operand(function):
    x, y = np.array([[1.0], [2.0]]), np.array([[0.5, 1.5, 2.5]])
    dx = np.array([[1.0], [-1.0]])
    value, tangent = jvp(lambda x: function(x, y), (x,), (dx,))
    h = 1e-6
    slope = (function(x + h * dx, y) - function(x - h * dx, y)) / (2 * h)
    assert tangent.shape == value.shape == (2, 3)
    np.testing.assert_allclose(tangent, slope, atol=1e-9)


def test_a_long_chain_needs_no_recursion():
    def f(x):
        for _ in range(50_000):
            x = x * 1.00001
        return x

    assert jvp(f, (1.0,), (1.0,))[1] == pytest.approx(1.00001**50_000)


def test_a_linear_function_pushes_by_itself_and_gives_what_its_pullback_gives(monkeypatch):
    x, t = np.arange(6.0).reshape(2, 3), np.ones((2, 3))
    w = np.arange(12.0).reshape(3, 4)
    op = OPERATIONS[np.matmul]
    with monkeypatch.context() as patch:
        patch.setattr(op, "pullbacks", ())  # not needed
        direct = jvp(lambda x: x @ w, (x,), (t,))[1]
    monkeypatch.setattr(op, "linear", False)
    np.testing.assert_allclose(jvp(lambda x: x @ w, (x,), (t,))[1], direct)
    np.testing.assert_array_equal(direct, t @ w)


def test_the_transposed_pullbacks_do_not_walk_what_lies_behind(monkeypatch):
    walked = []
    monkeypatch.setattr(
        backward, "toposort", lambda *roots, since=0: walked.append(toposort(*roots, since=since)) or walked[-1]
    )

    def f(x):
        for _ in range(20):
            x = x - np.var(x) * x + checkpoint(np.cumsum)(x)
        return x

    slope = lambda x: np.sum(jvp(f, (x * 1.0,), (np.ones(3),))[1])
    with np.errstate(all="ignore"):
        vjp(slope, np.full(3, 0.01))
    assert len(walked) >= 40
    assert max(map(len, walked)) < 20


def test_tangents_may_be_values_and_are_differentiated():
    x, dx = np.array([0.3, 0.7]), Value([1.0, 2.0])
    tangent = jvp(lambda x: np.sum(x**3), (x,), (dx,))[1]
    tangent.backward()
    np.testing.assert_allclose(dx.grad, 3 * x**2)
    assert grad(lambda t: jvp(np.sin, (0.5,), (t,))[1])(2.0) == np.cos(0.5)


def test_results_that_do_not_depend_on_the_variables_have_tangent_zero():
    value, tangent = jvp(lambda x: {"same": np.ones(2), "sign": np.sign(x), "x": x}, (3.0,), (1.0,))
    np.testing.assert_array_equal(tangent["same"], np.zeros(2))
    assert (tangent["sign"], tangent["x"], value["sign"]) == (0.0, 1.0, 1.0)


def test_a_checkpointed_function_is_pushed_through():
    f = lambda x: np.sum(np.tanh(x) * x)
    x, t = np.array([0.3, -0.8]), np.array([1.0, 0.5])
    np.testing.assert_allclose(jvp(checkpoint(f), (x,), (t,))[1], vjp(f, x)[1](1.0)[0] @ t)


@pytest.mark.parametrize("join", [np.concatenate, np.stack, lambda parts: np.concatenate(parts, axis=None)])
def test_joined_tangents_are_joined_at_once_with_zeros_for_constants(join):
    x, y, c = np.array([1.0, 2.0]), np.array([3.0, -1.0]), np.array([7.0, 7.0])
    out, tangent = jvp(lambda x, y: join([x, c, y * y]), (x, y), (x + 1, y + 1))
    np.testing.assert_array_equal(out, join([x, c, y * y]))
    np.testing.assert_array_equal(tangent, join([x + 1, 0 * c, 2 * y * (y + 1)]))
    curved = jvp(grad(lambda x: np.sum(join([x, c, x]) ** 3)), (x,), (y,))[1]
    np.testing.assert_array_equal(curved, 12 * x * y)


BLANKS = [np.inf, -np.inf, np.nan]


@pytest.mark.parametrize("blank", BLANKS)
@pytest.mark.parametrize(
    "join",
    [
        lambda x, c: np.concatenate([x, c]),
        lambda x, c: np.stack([x, c]),
        lambda x, c: np.append(x, c),
        lambda x, c: np.insert(x, 1, c[0]),
        lambda x, c: np.block([x, c]),
        lambda x, c: np.choose([0, 1], [x, c]),
        lambda x, c: np.diff(x, prepend=c[:1], append=c),
        lambda x, c: np.hstack([c, x]),
        lambda x, c: np.pad(x, 1, constant_values=c[0]),
        lambda x, c: np.where([True, False], x, c),
        lambda x, c: np.select([np.array([True, False])], [x], c),
        lambda x, c: at(x, 0).set(c[0]),
        lambda x, c: np.linspace(x, x + 1, 3),
    ],
)
def test_beside_a_constant_that_is_no_number_tangents_are_what_they_are_beside_one(join, blank):
    x, t = np.array([1.0, 2.0]), np.array([1.0, 3.0])
    with np.errstate(invalid="ignore"):
        found = jvp(lambda x: join(x, np.full(2, blank)), (x,), (t,))[1]
        matrix = jacobian(lambda x: join(x, np.full(2, blank)))(x)
    expected = jvp(lambda x: join(x, np.full(2, 7.0)), (x,), (t,))[1]
    np.testing.assert_array_equal(found, expected)
    np.testing.assert_array_equal(matrix, jacobian(lambda x: join(x, np.full(2, 7.0)))(x))


def test_tangents_that_are_handed_out_may_be_changed():
    x = np.arange(3.0)
    given = np.ones(3)
    _, tangents = jvp(lambda x: (x, x[:], x), (x,), (given,))
    for i, t in enumerate(tangents):
        assert t.flags.writeable
        assert not any(np.shares_memory(t, other) for other in (*tangents[:i], given))
