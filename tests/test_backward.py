"""The backward pass: accumulation, seeds, fitting, and rules run on Values."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tinygrad_edu import Value, grad, gradients, vjp
from tinygrad_edu.backward import backpropagate, unbroadcast

shapes = st.lists(st.integers(1, 3), max_size=3).map(tuple)


@given(shapes, st.data())
def test_fit_undoes_broadcasting(shape, data):
    lead = data.draw(shapes)
    wide = lead + tuple(n if n > 1 else data.draw(st.integers(1, 3)) for n in shape)
    g, x = np.random.default_rng(0).normal(size=wide), np.random.default_rng(1).normal(size=shape)
    fitted = unbroadcast(g, x)
    assert fitted.shape == shape
    assert abs(np.sum(fitted * x) - np.sum(g * np.broadcast_to(x, wide))) < 1e-12


def test_fit_undoes_promotion():
    assert unbroadcast(np.ones(3), np.ones(3, np.float32)).dtype == np.float32
    assert unbroadcast(np.ones((2, 3)), np.ones((1, 3), np.float32)).dtype == np.float32


def test_a_reused_result_collects_all_of_its_gradients():
    x = Value(3.0)
    a = x + x
    b = a * a
    (a + b).backward()
    assert (x.grad, a.grad, b.grad) == (26.0, 13.0, 1.0)


def test_a_second_pass_doubles_variables_only():
    x = Value(2.0)
    y = x * x
    loss = y * x
    for passes in (1, 2, 3):
        loss.backward()
        assert x.grad == 12.0 * passes
        assert (y.grad, loss.grad) == (2.0, 1.0)


def test_equal_leaves_keep_separate_gradients():
    a, b = Value(1.0), Value(1.0)
    (a * 2.0 + b * 3.0).backward()
    assert (a.grad, b.grad) == (2.0, 3.0)


def test_gradients_of_variables_share_no_memory():
    seed = np.ones(3)
    a, b = Value(np.zeros(3)), Value(np.zeros(3))
    (a + b).backward(seed)
    a.grad[0] = 100.0
    np.testing.assert_array_equal(b.grad, np.ones(3))
    np.testing.assert_array_equal(seed, np.ones(3))
    c = Value(np.zeros(3))
    c.sum().backward()
    c.grad[1] = 7.0
    np.testing.assert_array_equal(c.grad, [1.0, 7.0, 1.0])


def test_rebinding_data_after_the_forward_pass_changes_no_gradient():
    w = Value([2.0, 3.0])
    loss = (w * w).sum()
    w.data = np.array([100.0, 100.0])
    loss.backward()
    np.testing.assert_array_equal(w.grad, [4.0, 6.0])


def test_rebinding_before_a_differentiable_pass_is_refused():
    w = Value(2.0, name="w")
    loss = w * w
    w.data = np.float64(5.0)
    with pytest.raises(ValueError, match="the data of w was changed after the forward pass"):
        gradients(loss, [w], differentiable=True)


def test_a_seed_is_the_gradient_of_what_follows():
    x = Value([1.0, 2.0, 3.0])
    y = x * x
    y.backward(gradient=[1.0, 0.0, -1.0])
    np.testing.assert_array_equal(x.grad, [2.0, 0.0, -6.0])
    np.testing.assert_array_equal(y.grad, [1.0, 0.0, -1.0])


def test_a_single_number_of_any_rank_needs_no_seed():
    x = Value([[3.0]])
    (x * x).backward()
    np.testing.assert_array_equal(x.grad, [[6.0]])


def test_gradients_touches_no_grad_and_gives_zero_for_strangers():
    x, stranger = Value(3.0), Value([1.0, 2.0])
    g, none = gradients(x * x, [x, stranger])
    assert g == 6.0
    np.testing.assert_array_equal(none, [0.0, 0.0])
    assert x.grad is None


def test_differentiable_gradients_are_values_of_the_graph():
    x = Value(2.0)
    (first,) = gradients(x * x * x, [x], differentiable=True)
    (second,) = gradients(first, [x])
    assert (first.item(), second) == (12.0, 12.0)


def test_an_error_inside_a_rule_leaves_gradients_unchanged():
    x = Value(2.0)
    y = x * x
    y.backward()
    y.saved = (y.data, None, x.data)
    with pytest.raises(TypeError):
        (y + x).backward()
    assert x.grad == 4.0


def test_the_table_of_gradients_lists_results_before_operands():
    x = Value(1.0)
    y = x.tanh()
    assert list(backpropagate(y, np.float64(1.0))) == [y, x]


@pytest.mark.parametrize("strange", [1.0, np.ones(2), None, "w"])
def test_gradients_for_anything_but_values_are_refused(strange):
    w = Value(2.0)
    with pytest.raises(TypeError, match=rf"gradients are for Values.*{type(strange).__name__} \(test_backward"):
        gradients(w * w, [w, strange])


def test_gradients_for_a_number_are_refused():
    with pytest.raises(TypeError, match="gradients are for Values, such as a weight; got a float"):
        gradients(Value(2.0) * 2.0, 2.0)


def test_gradients_of_a_single_value_need_no_list():
    x = Value([2.0, 3.0])
    (g,) = gradients(np.sum(x * x), x)
    assert g.tolist() == [4.0, 6.0]


MOVES = [np.sum, np.mean, np.trace, lambda x: np.sum(x.T), lambda x: np.sum(x[:, 0]), lambda x: np.sum(x + x)]
MOVES += [lambda x: np.sum(np.broadcast_to(x, (2, 3, 3))), lambda x: np.sum(np.reshape(x, 9)), lambda x: x[1, 1]]


@pytest.mark.parametrize("f", MOVES)
def test_gradients_that_are_handed_out_may_be_changed(f):
    x = np.arange(9.0).reshape(3, 3)
    v = Value(x)
    twice = gradients(f(v), [v, v])
    value, pull = vjp(lambda x, y: (f(x) + f(y), x, y), x, x)
    handed = [*twice, grad(f)(x), *grad(lambda x, y: f(x) + f(y), (0, 1))(x, x)]
    cotangent = np.ones((3, 3))
    handed += [*pull((1.0, cotangent, cotangent)), *pull((0.0, cotangent, 2 * cotangent))]
    for i, g in enumerate(handed):
        assert g.flags.writeable
        assert not any(np.shares_memory(g, other) for other in (*handed[:i], x, cotangent, *value[1:]))
    handed[0][...] = 100.0
    np.testing.assert_array_equal(x, np.arange(9.0).reshape(3, 3))
