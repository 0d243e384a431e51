"""Ten properties of gradients, of functions, layers and trainings: each holds for all arguments."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

import tinygrad_edu as te
from tinygrad_edu import nn
from tinygrad_edu.testing import assert_close, assert_invariant, assert_linear, assert_same_gradient, gradient_test
from tinygrad_edu.testing.strategies import cotangents, networks, tensors, training_steps

rows = tensors((4, 3), domain=(-10, 10))


# 1. Its gradient agrees with differences, wherever it is defined.
def huber(x):
    """A squared error that is linear beyond 1."""
    return np.where(np.abs(x) < 1, 0.5 * x**2, np.abs(x) - 0.5)


test_huber = gradient_test(huber)


# 2. A stable way to write a function has the values and gradients of the way in the book.
@given(x=rows)
def test_stable_as_in_the_book(x):
    """log(sum(exp)) with the maximum taken out."""
    stable = lambda x: np.max(x) + np.log(np.sum(np.exp(x - np.max(x))))
    assert_same_gradient(stable, lambda x: np.log(np.sum(np.exp(x))), x, order=2)


# 3. What is computed again in the backward pass has the same gradient.
@given(x=rows)
def test_checkpoint_changes_nothing(x):
    """Less memory, and the same numbers."""
    f = lambda x: np.sum(np.tanh(x) @ x.T)
    assert_same_gradient(te.checkpoint(f), f, x)


# 4. A function is linear in what it says it is linear in.
@given(image=tensors((1, 1, 5, 5)), kernel=tensors((1, 1, 2, 2)))
def test_a_convolution_is_linear_in_image_and_kernel(image, kernel):
    """In each of them by itself: it is a product."""
    assert_linear(lambda image: te.convolution(image, kernel), image)
    assert_linear(lambda kernel: te.convolution(image, kernel), kernel)


# 5. A constant that is added to all scores changes no probability and no gradient.
@given(scores=rows, shift=st.floats(-100, 100))
def test_cross_entropy_sees_differences_of_scores_only(scores, shift):
    """So scores may be shifted to keep exp small."""
    classes = np.array([0, 2, 1, 1])
    loss = lambda scores: nn.cross_entropy(scores, classes)
    assert_invariant(loss, lambda scores: scores + shift, scores)


# 6. The order of the rows of a batch does not matter.
@given(x=rows, order=st.permutations(range(4)))
def test_the_order_of_a_batch_does_not_matter(x, order):
    """Prediction and target change places together."""
    y = np.linspace(-1, 1, 12).reshape(4, 3)
    assert_invariant(nn.mse_loss, lambda x, y: (x[order], y[order]), x, y)


# 7. The gradient of a batch is the mean of the gradients of its halves: so gradients may be accumulated.
@given(x=rows)
def test_gradients_of_halves_add_up(x):
    """For the parameters of a small network."""
    model = nn.Sequential(nn.Linear(3, 2, rng=0), nn.Tanh())
    slope = te.grad(lambda model, x: np.mean(model(x) ** 2))
    whole, first, second = slope(model, x), slope(model, x[:2]), slope(model, x[2:])
    assert_close(whole, {name: (first[name] + second[name]) / 2 for name in whole})


# 8. Forward and backward mode agree: <g, J t> = <J^T g, t>.
@given(x=rows, t=rows, g=cotangents((4,)))
def test_forward_and_backward_mode_agree(x, t, g):
    """Along any direction t, for any gradient g of the result."""
    f = lambda x: np.sum(np.sin(x) * x, axis=1)
    pushed = te.jvp(f, (x,), (t,))[1]
    (pulled,) = te.vjp(f, x)[1](g)
    assert_close(np.sum(g * pushed), np.sum(pulled * t), atol=1e-10 * np.sum(np.abs(pulled * t)))


# 9. What is loaded computes what was saved.
@given(network=networks())
def test_a_saved_network_is_the_same(network):
    """Whatever layers it has."""
    model, other = network(), network()
    other.load_state_dict({name: p * 0 for name, p in model.state_dict().items()})
    other.load_state_dict(model.state_dict())
    assert_close(other(*network.inputs), model(*network.inputs))


# 10. A training can be repeated.
@given(steps=training_steps())
def test_the_same_training_twice_gives_the_same_losses(steps):
    """Model, data, optimiser and its settings are drawn."""
    (first, losses), (second, again) = steps.run(), steps.run()
    assert_close((first, losses), (second, again))
