"""Checkpoints: the same derivatives, computed twice and kept once."""

import gc
import random
import tracemalloc
import weakref
from functools import partial

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.compositions import compose, programs
from tinygrad_edu import Value, checkpoint, grad, jacobian, nn, no_grad, vjp


@pytest.fixture
def net():
    return nn.Sequential(nn.Linear(2, 3, rng=0), nn.Tanh(), nn.Linear(3, 1, rng=1))


X, Y = np.random.default_rng(0).normal(size=(5, 2)), np.ones((5, 1))


def test_a_checkpointed_layer_has_the_same_gradients(net):
    plain = vjp(lambda x: nn.mse_loss(net(x), Y), X)[1](1.0)[0]
    nn.mse_loss(net(X), Y).backward()
    expected = {name: p.grad for name, p in net.named_parameters()}
    for parameter in net.parameters():
        parameter.grad = None
    block, x = checkpoint(net), Value(X)
    nn.mse_loss(block(x), Y).backward()
    np.testing.assert_array_equal(x.grad, plain.data)
    for name, parameter in net.named_parameters():
        np.testing.assert_array_equal(parameter.grad, expected[name])


@given(programs, st.floats(-1.0, 1.0))
def test_checkpointed_programs_have_the_same_derivatives(program, x):
    f = compose(program)
    w = Value(0.7)
    direct, again = (g(lambda y: f(y * w)) for g in (lambda f: f, checkpoint))
    nested = checkpoint(lambda y: checkpoint(f)(y * w) * 1.0)
    for derivative in (grad, lambda f: grad(grad(f))):
        expected = derivative(direct)(x).item()
        assert derivative(again)(x).item() == pytest.approx(expected, rel=1e-12, abs=1e-14)
        assert derivative(nested)(x).item() == pytest.approx(expected, rel=1e-12, abs=1e-14)
    assert grad(lambda w: grad(checkpoint(lambda y: f(y * w)))(x))(0.7) == pytest.approx(
        grad(lambda w: grad(lambda y: f(y * w))(x))(0.7), rel=1e-12, abs=1e-14
    )


def test_a_checkpoint_takes_and_gives_structures():
    @checkpoint
    def swap(pair):
        return {"a": pair[1] * 2.0, "b": (pair[0], np.sum(pair[1]))}

    value, pull = vjp(swap, (3.0, np.array([1.0, 2.0])))
    np.testing.assert_array_equal(value["a"], [2.0, 4.0])
    ((first, second),) = pull({"a": np.array([1.0, 0.0]), "b": (5.0, 10.0)})
    assert first == 5.0
    np.testing.assert_array_equal(second, [12.0, 10.0])


def test_a_checkpoint_of_constants_or_inside_no_grad_is_the_function():
    double = checkpoint(lambda x: x * 2.0)
    assert double(3.0) == 6.0
    with no_grad():
        assert double(Value(3.0)).op is None
    assert double.__name__ == "<lambda>"


def test_a_checkpointed_function_runs_once_forward_and_once_backward():
    calls = []

    @checkpoint
    def f(x, y):
        calls.append(1)
        return x * y * np.tanh(x)

    out = f(Value(1.0), Value(2.0))
    assert len(calls) == 1
    out.backward()
    assert len(calls) == 2


def test_a_recomputation_serves_one_gradient_and_is_forgotten():
    w, made = Value(3.0), []

    @checkpoint
    def f(x, w):
        made.append(weakref.ref(product := x * w))
        return np.concatenate([product, x * x])

    found = jacobian(lambda x: f(x, w))(np.array([2.0, 5.0]))  # forward: w does not move
    np.testing.assert_array_equal(found.data, [[3.0, 0.0], [0.0, 3.0], [4.0, 0.0], [0.0, 10.0]])
    out = f(Value([2.0, 5.0]), w)
    made.clear()
    out.backward(np.ones(4))
    assert (w.grad, len(made), made[0]()) == (7.0, 1, None)


def test_a_function_that_changes_is_found_out():
    count = iter(range(9))
    out = checkpoint(lambda x: x * next(count))(Value(1.0))
    with pytest.raises(ValueError, match="gave another result when it was computed again: it must not draw random"):
        out.backward()
    w = Value(2.0)
    out = checkpoint(lambda x: x * w)(Value(0.0))
    w.data = np.float64(5.0)
    with pytest.raises(ValueError, match="parameters are updated after backward, not before"):
        out.backward()


def peak(block, depth=12):
    """The most memory that the graph of a chain of blocks takes, and what is left when it is gone."""
    x = y = Value(np.zeros((100, 100)))
    gc.collect()
    tracemalloc.start()
    for _ in range(depth):
        y = block(y)
    kept, most = tracemalloc.get_traced_memory()
    loss = np.sum(y)
    loss.backward()
    assert x.grad.shape == x.shape
    del y, loss
    left = tracemalloc.get_traced_memory()[0]
    tracemalloc.stop()
    return kept, most, left


def test_a_checkpoint_keeps_results_instead_of_everything_inside():
    def block(x):
        for _ in range(10):
            x = np.tanh(x) + 1e-3
        return x

    array = 100 * 100 * 8
    kept, most, left = peak(checkpoint(block))
    assert kept < (12 + 1) * array
    assert most < (12 + 20 + 2) * array
    assert left < 2 * array
    assert peak(block)[0] > 12 * 19 * array


RNG = np.random.default_rng(0)


class Noisy(nn.Module):
    def __init__(self):
        self.rng = np.random.default_rng(0)

    def forward(self, x):
        self.rng.random()
        return x * 2.0


class NoisyGlobal(nn.Module):
    def forward(self, x):
        return x * (RNG.random() > -1.0)


def with_helper(x):
    return x + 0.0 * helper()


def helper():
    return RNG.normal()


OWN = np.random.RandomState(0)
DRAWING = {
    "a generator around it": lambda: (lambda rng: lambda x: x * (rng.random() > -1.0))(np.random.default_rng(0)),
    "NumPy's own": lambda: lambda x: x * (np.random.rand() > -1.0),
    "Python's own": lambda: lambda x: x * (random.random() > -1.0),
    "a global name": lambda: lambda x: x * (RNG.random() > -1.0),
    "an old generator": lambda: lambda x: x * (OWN.rand() > -1.0),
    "a default": lambda: lambda x, rng=np.random.default_rng(0): x * (rng.random() > -1.0),  # noqa: B008
    "a partial": lambda: partial(lambda rng, x: x * (rng.random() > -1.0), np.random.default_rng(0)),
    "a module": Noisy,
    "a method": lambda: Noisy().forward,
    "a module inside": lambda: nn.Sequential(nn.Tanh(), Noisy()),
    "a module and a global name": NoisyGlobal,
    "a function that it calls": lambda: with_helper,
}


@pytest.mark.parametrize("kind", DRAWING)
def test_random_numbers_are_noticed_at_the_call_even_if_the_result_agrees(kind):
    f = checkpoint(DRAWING[kind]())
    with pytest.raises(ValueError, match=r"drew random numbers.*draw them before, and give.*\(test_checkpoint\.py:"):
        f(Value(1.0))
    with no_grad():
        assert f(Value(1.0)).op is None


def test_a_generator_as_argument_is_noticed_and_one_that_rests_is_not():
    f = checkpoint(lambda x, rng: x * (rng.random() > -1.0))
    with pytest.raises(ValueError, match="drew random numbers"):
        f(Value(1.0), np.random.default_rng(0))
    resting = checkpoint(lambda x, rng: x * 2.0)(Value(1.0), np.random.default_rng(0))
    RNG.random()  # somebody else, in between
    resting.backward()


class Counting(nn.Module):
    def __init__(self):
        self.w, self.mean, self.total, self.calls, self.log = Value(2.0), np.zeros(2), np.zeros(2), 0, []

    def forward(self, x):
        self.mean = 0.9 * self.mean + 0.1 * x.data
        self.total += x.data
        self.calls += 1
        self.log.append(self.calls)
        self.hidden = x * self.w
        return self.hidden


@pytest.mark.parametrize("around", [lambda m: m, lambda m: nn.Sequential(m), lambda m: lambda x: m(x)])
def test_what_a_module_counts_is_counted_once(around):
    plain, model = Counting(), Counting()
    x = Value([1.0, 3.0])
    f = checkpoint(around(model))
    for _ in range(2):
        around(plain)(x).sum().backward()
        out = f(x)
        hidden = model.hidden
        out.sum().backward()
        assert model.hidden is hidden
    assert (model.calls, model.log) == (plain.calls, plain.log) == (2, [1, 2])
    assert np.array_equal(model.mean, plain.mean)
    assert np.array_equal(model.total, plain.total)
    assert model.w.grad == plain.w.grad


class Depending(nn.Module):
    """The output depends on what a call changes first, by rebinding and in place."""

    def __init__(self):
        self.w, self.mean, self.total, self.calls = Value(2.0), np.zeros(2), np.zeros(2), 0

    def forward(self, x):
        self.mean = 0.5 * self.mean + 0.5 * x.data
        self.total += x.data
        self.calls += 1
        return (x - self.mean) * self.w * self.calls + self.total.sum() * self.w


def test_the_second_computation_starts_from_the_state_of_the_first():
    plain, model = Depending(), Depending()
    xs = [Value([1.0, 3.0]), Value([2.0, -1.0]), Value([0.5, 0.5])]
    outs = [checkpoint(model)(x) for x in xs]
    expected = [plain(x) for x in xs]
    for place in (1, 0, 2, 1):
        outs[place].sum().backward()
        expected[place].sum().backward()
        assert np.isclose(model.w.grad, plain.w.grad, rtol=1e-12)
        assert model.calls == plain.calls == 3
        assert np.array_equal(model.mean, plain.mean)
        assert np.array_equal(model.total, plain.total)
