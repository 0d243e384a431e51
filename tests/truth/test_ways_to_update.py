"""Every way in which teaching code updates parameters and forgets gradients trains as rebinding does, bit for bit.

Sources of the loops: Karpathy, "micrograd" and "makemore" (2020, 2022); Saito, "DeZero" (2020).
"""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import tinygrad_edu as te
from tinygrad_edu import Value, nn, optim, viz

RATE = 0.1


def rebinding(p):
    p.data = p.data - RATE * p.grad


def minus_equals(p):
    p.data -= RATE * p.grad


def plus_equals(p):
    p.data += -RATE * p.grad


def without_recording(p):
    with te.no_grad():
        p -= RATE * p.grad


@te.no_grad
def in_a_function_that_records_nothing(p):
    p += -RATE * p.grad


def into_the_array(p):
    if p.ndim:
        np.subtract(p.data, RATE * p.grad, out=p.data)
    else:
        p.data = np.subtract(p.data, RATE * p.grad)


def through_a_name(p):
    array = p.data
    array -= RATE * p.grad
    p.data = array


def by_an_optimiser(p):
    optim.SGD([p], lr=RATE).step()


def through_a_list(p):
    p.data = (p.data - RATE * p.grad).tolist()


def none(p):
    p.grad = None


def zero(p):
    p.grad = np.zeros(p.shape)


def zeroed_in_place(p):
    if p.ndim:
        p.grad[...] = 0.0
    else:
        p.grad = 0


def times_zero(p):
    p.grad *= 0.0


UPDATES = [
    *(rebinding, minus_equals, plus_equals, without_recording, in_a_function_that_records_nothing),
    *(into_the_array, through_a_name, by_an_optimiser, through_a_list),
]
CLEARINGS = [none, zero, zeroed_in_place, times_zero]


def micrograd():
    """A network of single numbers, as lists of neurons: its parameters, and its loss."""
    rng = np.random.default_rng(0)
    layers = [[[Value(rng.normal()) for _ in range(n + 1)] for _ in range(m)] for n, m in ((2, 3), (3, 1))]
    rows, wanted = [[2.0, 3.0], [-1.0, 0.5]], [1.0, -1.0]

    def loss():
        found = []
        for row in rows:
            for layer in layers:
                row = [sum((w * x for w, x in zip(n[:-1], row, strict=True)), n[-1]).tanh() for n in layer]
            found.append(row[0])
        return sum((y - t) ** 2 for y, t in zip(found, wanted, strict=True))

    return [p for layer in layers for n in layer for p in n], loss


def makemore():
    """A table of embeddings, two layers and a cross-entropy; what is looked up twice is updated once."""
    rng = np.random.default_rng(1)
    table, w1, b1 = Value(rng.normal(size=(5, 2))), Value(rng.normal(size=(4, 6))), Value(np.zeros(6))
    w2, b2 = Value(rng.normal(size=(6, 5)) * 0.1), Value(np.zeros(5))
    contexts, following = np.array([[0, 1], [1, 1], [4, 2]]), np.array([1, 4, 0])

    def loss():
        hidden = np.tanh(table[contexts].reshape(-1, 4) @ w1 + b1)
        return nn.cross_entropy(hidden @ w2 + b2, following)

    return [table, w1, b1, w2, b2], loss


def dezero():
    """A line through points: a matrix of one column and a bias, in float32."""
    rng = np.random.default_rng(2)
    x = rng.random((10, 1), np.float32)
    y, w, b = 5 + 2 * x, Value(np.zeros((1, 1), np.float32)), Value(np.zeros(1, np.float32))
    return [w, b], lambda: np.mean((x @ w + b - y) ** 2)


PROGRAMS = [micrograd, makemore, dezero]


def trained(program, update, clear, steps=8, meanwhile=lambda parameters, loss: None):
    """The losses and the parameters of a training."""
    parameters, loss = program()
    losses = []
    for _ in range(steps):
        found = loss()
        found.backward()
        losses.append(found.item())
        meanwhile(parameters, found)
        for p in parameters:
            update(p)
        for p in parameters:
            clear(p)
    return losses, [p.data.tolist() for p in parameters]


@pytest.mark.parametrize("clear", CLEARINGS)
@pytest.mark.parametrize("update", UPDATES)
@pytest.mark.parametrize("program", PROGRAMS)
def test_every_way_to_update_trains_as_rebinding_does(program, update, clear):
    losses, parameters = trained(program, update, clear)
    assert (losses, parameters) == trained(program, rebinding, none)
    assert losses[-1] < losses[0]


def looked_at(parameters, loss):
    viz.explain(parameters[-1], loss)


def read(parameters, loss):
    for p in parameters:
        np.sum(p.data)


def used_again(parameters, loss):
    for p in parameters:
        np.sum(p * p)


@given(
    st.sampled_from([makemore, dezero]),
    st.lists(st.sampled_from(UPDATES), min_size=3, max_size=3),
    st.lists(st.sampled_from(CLEARINGS), min_size=3, max_size=3),
    st.sampled_from([looked_at, read, used_again]),
)
def test_ways_may_be_mixed_and_graphs_looked_at_meanwhile(program, updates, clears, meanwhile):
    turns = iter(range(10**6))
    update = lambda p: updates[next(turns) % 3](p)
    clear = lambda p: clears[next(turns) % 3](p)
    assert trained(program, update, clear, 4, meanwhile) == trained(program, rebinding, none, 4)


def test_an_algorithm_that_writes_into_the_weight_changes_no_graph():
    def update(w, g, state, lr):
        w -= lr * g
        return w, state

    w = Value([1.0, 2.0])
    optimizer, loss, older = optim.Optimizer([w], 0.1, optim.Algorithm(np.copy, update)), np.sum(w * w), np.sum(w**3)
    loss.backward()
    optimizer.step()
    assert w.data.tolist() == [0.8, 1.6]
    w.grad = None
    older.backward()
    assert w.grad.tolist() == [3.0, 12.0]
    second = Value([1.0])
    second.grad, w.grad = np.ones(1), np.ones(2)

    def failing(w, g, state, lr):
        w[:] = 9.0
        raise ValueError

    with pytest.raises(ValueError):  # noqa: PT011
        optim.Optimizer([w, second], 0.1, optim.Algorithm(np.copy, failing)).step()
    assert w.data.tolist() == [0.8, 1.6]


def test_attributes_and_items_are_updated_where_they_are():
    model = nn.Linear(2, 1, rng=0)
    weight, several = model.weight, [Value([1.0, 2.0]), Value(3.0)]
    for v in (weight, *several):
        v.grad = np.ones(v.shape)
    kept, expected = list(several), weight.data - 0.5
    with te.no_grad():
        model.weight -= 0.5 * model.weight.grad
        for i in range(2):
            several[i] -= 0.5 * several[i].grad
    assert model.weight is weight
    assert all(a is b for a, b in zip(several, kept, strict=True))
    assert weight.data.tolist() == expected.tolist()
    assert [v.data.tolist() for v in several] == [[0.5, 1.5], 2.5]
