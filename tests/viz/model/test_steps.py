"""The steps of a pass: all of them, in order, in the engine's numbers; the update; the paths to each variable."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from tinygrad_edu import Value, sigmoid, viz
from tinygrad_edu.graph import toposort
from tinygrad_edu.viz.model import formula
from tinygrad_edu.viz.model.replay import Replay, consumers, gradients
from tinygrad_edu.viz.model.steps import backward

CALLS = (np.add, np.subtract, np.multiply, np.maximum, lambda x, y: np.tanh(x), lambda x, y: x @ y)


@st.composite
def losses(draw):
    """A number computed from two variables, single numbers or matrices, with results used again."""
    shape = draw(st.sampled_from([(), (2, 2), (3, 3)]))
    calls = CALLS if shape else CALLS[:-1]
    values = [
        Value(np.full(shape, 0.5), name="v"),
        Value(np.reshape(np.linspace(-1, 1, 9)[: int(np.prod(shape))], shape)),
    ]
    for _ in range(draw(st.integers(1, 8))):
        x, y = draw(st.sampled_from(values)), draw(st.sampled_from(values))
        values.append(draw(st.sampled_from(calls))(x, y))
    return np.sum(values[-1])


def steps_of(loss, **names):
    return list(backward(Replay(loss, names)))


@settings(max_examples=settings().max_examples // 2)  # one graph is looked at from many sides
@given(losses())
def test_the_steps_are_those_of_the_graph_and_no_gradient_is_written(loss):
    found = steps_of(loss)
    every_edge_is_walked_once_after_everything_that_reaches_its_result(toposort(loss), found)
    sums_begin_at_nothing_continue_and_end_at_the_gradient(gradients(loss), found)
    assert all(node.grad is None for node in toposort(loss))


def every_edge_is_walked_once_after_everything_that_reaches_its_result(nodes, found):
    assert {step.edge for step in found} == {edge for uses in consumers(nodes).values() for edge in uses}
    assert len({step.edge for step in found}) == len(found)
    for k, step in enumerate(found):
        assert all(later.edge.operand is not step.edge.result for later in found[k:])


def sums_begin_at_nothing_continue_and_end_at_the_gradient(table, found):
    sums, done = {}, {}
    for step in found:
        operand = step.edge.operand
        assert step.before is sums.get(operand)
        np.testing.assert_array_equal(step.upstream, table[step.edge.result])
        total = step.contribution if step.before is None else step.before + step.contribution
        np.testing.assert_array_equal(step.after, total)
        sums[operand] = step.after
        done[operand] = done.get(operand, 0) + 1
        assert step.done == done[operand]
    for operand, total in sums.items():
        np.testing.assert_array_equal(total, table[operand])
    assert all(step.total == done[step.edge.operand] for step in found)


def test_a_step_of_numbers_in_words():
    w = Value(1.45)
    z = w * 1.66 + w * w
    last = steps_of(z, w=w, z=z)[-1]
    local = last.derivative
    assert formula.equation(local) == "dmul_1_dw = 1.66"
    assert (formula.product(last), formula.progress(last)) == ("1 * 1.66 = 1.66", "3 of 3")
    assert formula.accumulation(last) == "w.grad: 2.9 += 1.66 -> 4.56"


def test_negative_factors_are_bracketed_and_matrices_told_by_shape_and_norm():
    x, w = np.ones((4, 3)), Value(np.ones((3, 2)), name="w")
    _, second, third = steps_of((-(x @ w)).sum(), x=x)
    assert formula.product(second) == "(4, 2), norm 2.828 * (-1) = (4, 2), norm 2.828"
    assert (formula.formula(third.derivative), formula.figure(third.derivative)) == ("x^T", "(3, 4)")
    assert formula.product(third) == "(3, 2), norm 9.798"


def test_an_array_and_a_variable_have_no_steps():
    assert steps_of(Value(np.ones(3)) * 2.0) == []
    assert steps_of(Value(1.0)) == []


def told(loss, lr=0.1, names=None):
    return viz.trace(loss, names=names, lr=lr).story


def test_the_update_takes_a_step_against_the_gradient():
    w, b = Value([1.0, 2.0], name="w"), Value(-0.5, name="b")
    story = told((w * 3.0).sum() + b * b, lr=0.1)
    assert [(one.node, formula.updated(one)) for one in story.update] == [
        (w, "[1, 2] - 0.1 * [3, 3] = [0.7, 1.7]"),
        (b, "-0.5 - 0.1 * (-1) = -0.4"),
    ]


def test_after_an_update_the_story_is_still_of_its_own_forward_pass():
    w = Value(2.0, name="w")
    loss = w * w
    w.data = np.float64(100.0)
    story = told(loss)
    assert formula.computed_from(story.forward[0]) == "2 * 2"
    assert formula.updated(story.update[0]) == "2 - 0.1 * 4 = 1.6"


def test_what_was_left_from_an_earlier_pass_is_told():
    w = Value(3.0, name="w")
    (w * 2.0).backward()
    loss = w * 5.0
    loss.backward()
    (leaf,) = told(loss).leaves
    assert (leaf.paths.gradient, leaf.earlier) == (5.0, 2.0)


def test_more_paths_than_are_listed_are_counted_and_summed():
    x = Value(1.0, name="x")
    y = x
    for _ in range(70):
        y = y + y
    (leaf,) = told(y).leaves
    assert leaf.paths.count == 2**70
    assert leaf.paths.more == 2**70 - len(leaf.paths.listed)
    assert leaf.paths.gradient == 2.0**70
    assert leaf.paths.rest == leaf.paths.gradient - len(leaf.paths.listed)


def test_a_step_of_the_tutorials_neuron():
    w, b = Value([0.5, -0.25], name="weights"), Value(0.1, name="bias")
    layer_1 = np.array([1.66, 1.56]) @ w + b
    prediction = sigmoid(layer_1)
    story = told(np.square(prediction), names={"layer_1": layer_1, "prediction": prediction})
    step = story.backward[1]
    assert formula.equation(step.derivative) == "dprediction_dlayer_1 = prediction * (1 - prediction) = 0.2326"
    assert formula.product(step) == "1.264 * 0.2326 = 0.294"
    assert formula.accumulation(step) == "layer_1.grad: 0 += 0.294 -> 0.294"
    assert formula.computed_as(layer_1, story.replay.names) == "matmul_1 + bias"
    assert formula.computed_from(layer_1) == "0.44 + 0.1"
