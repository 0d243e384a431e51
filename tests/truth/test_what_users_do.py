"""Whatever a user does after the forward pass: random programs and networks, gradients and pictures.

Gradients and pictures are those of a copy that nobody touched, or an error names the array that was refilled.
"""

import warnings
from functools import partial

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

import tinygrad_edu as te
from tests.fuzz.drafting import graphs
from tinygrad_edu import nn, optim, viz
from tinygrad_edu.errors import StaleGraphWarning
from tinygrad_edu.graph import toposort
from tinygrad_edu.notes import given as given_to
from tinygrad_edu.notes import suspects
from tinygrad_edu.testing import strategies


def in_place(w):
    w.data -= 0.5


def added(w):
    w.data += -0.1 * np.ones(w.shape)


def at_an_index(w):
    if w.ndim and w.size:
        w.data[0] = 100.0


def by_out(w):
    if w.ndim:
        np.multiply(w.data, 3.0, out=w.data)


def through_a_view(w):
    if w.ndim:
        w.data.T[..., :1].fill(7.0)


def rebound(w):
    w.data = w.data * 3.0 - 1.0


def by_a_list(w):
    w.data = np.zeros(w.shape).tolist()


def without_recording(w):
    with te.no_grad():
        w -= 0.25


def by_an_optimiser(w):
    before = w.grad
    w.grad = np.ones(w.shape)
    optim.SGD([w], lr=1.0).step()
    w.grad = before


DATA = [in_place, added, at_an_index, by_out, through_a_view, rebound, by_a_list, without_recording, by_an_optimiser]


def cleared(w):
    w.grad = None


def scaled(w):
    if w.grad is not None:
        w.grad *= 0.1


def clipped(w):
    if w.grad is not None and w.ndim:
        np.clip(w.grad, -1e-3, 1e-3, out=w.grad)


def overwritten(w):
    w.grad = np.full(w.shape, 9.0)


def through_a_view_of_it(w):
    if w.grad is not None and w.ndim:
        w.grad.T[..., :1] = 5.0


GRADS = [cleared, scaled, clipped, overwritten, through_a_view_of_it]


def act(data, steps, values):
    """Do what was drawn, each step to one of the Values."""
    for step in steps:
        step(data.draw(st.sampled_from(values)))


def same(first, second):
    """Whether two lists of arrays hold the same numbers, nan included."""
    return all(np.array_equal(a, b, equal_nan=True) for a, b in zip(first, second, strict=True))


@given(graphs(max_steps=6), st.lists(st.sampled_from(DATA), min_size=1, max_size=4), st.booleans(), st.data())
def test_changed_data_change_nothing_of_a_program_that_was_recorded(graph, steps, held_before, data):
    untouched, touched = graph.run(), graph.run()
    leaves = [touched[name] for name in graph.leaves]
    held = [leaf.data for leaf in leaves] if held_before else []
    picture = viz.draw(untouched["out"]).source
    act(data, steps, leaves)
    for array in held:
        if array.ndim:
            array[...] = -5.0
    assert viz.draw(touched["out"]).source == picture
    for run in (untouched, touched):
        run["out"].backward()
    assert same(*([run[name].grad for name in graph.leaves] for run in (untouched, touched)))


@given(graphs(max_steps=6), st.lists(st.sampled_from([*GRADS, *DATA]), min_size=1, max_size=4), st.data())
def test_changed_gradients_are_added_to_and_change_no_other(graph, steps, data):
    found = graph.run()
    out, leaves = found["out"], [found[name] for name in graph.leaves]
    expected = te.gradients(out, leaves)
    out.backward()
    act(data, steps, list(found.values()) if all(step in GRADS for step in steps) else leaves)
    before = [0.0 if leaf.grad is None else np.copy(leaf.grad) for leaf in leaves]
    assert same(te.gradients(out, leaves), expected)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", StaleGraphWarning)  # backward once more, after the variables have changed
        out.backward()
    after = [0.0 if leaf.grad is None else leaf.grad for leaf in leaves]  # None where it does not depend on it
    assert same(after, [b + g for b, g in zip(before, expected, strict=True)])


def outside(root):
    """The arrays from outside that a graph has by reference."""
    found = [given_to(node, key) for node in toposort(root) if node.op is not None for key in suspects(node)]
    arrays = [part for thing in found for part in (thing if isinstance(thing, tuple | list) else (thing,))]
    return [array for array in arrays if isinstance(array, np.ndarray) and array.size and array.flags.writeable]


def complaint(call):
    """What a call is refused with; nothing if it is not."""
    try:
        call()
    except ValueError as error:
        return str(error)
    return ""


@given(graphs(max_steps=6), st.data())
def test_a_refilled_constant_of_a_program_is_named_by_gradients_and_pictures(graph, data):
    with te.verified():
        found = graph.run()
        out, leaves = found["out"], [found[name] for name in graph.leaves]
        expected = te.gradients(out, leaves)
        changed = False
        for array in outside(out):
            before = array.copy()
            if data.draw(st.booleans()):
                array[...] = data.draw(st.sampled_from([0, 1, 2]))
            changed |= not np.array_equal(array, before)
        for call in (partial(te.gradients, out, leaves), partial(viz.draw, out)):
            assert ("has changed since the forward pass" in complaint(call)) is changed
        assert changed or same(te.gradients(out, leaves), expected)


def refill(array, kind):
    """An array refilled in one of the ways in which programs do it."""
    if kind == "out":
        np.multiply(array, -2.0, out=array)
    elif kind == "view":
        array.reshape(-1)[:1] = 7.0
    else:
        array[...] = np.flip(array) + 1.0


def gradients_of(network):
    """The gradients of a network's parameters, in nested lists."""
    return [p.grad if p.grad is None else p.grad.tolist() for p in network.parameters()]


@given(
    strategies.networks(),
    st.lists(st.sampled_from(DATA), max_size=3),
    st.sampled_from(["out", "view", "all"]),
    st.data(),
)
def test_a_network_is_what_it_was_or_the_refilled_batch_is_named(network, steps, kind, data):
    X = [np.copy(x) for x in network.inputs]
    untouched, touched = network(), network()
    expected = nn.mse_loss(untouched(*map(np.copy, X)), np.full(untouched(*X).shape, 0.5))
    expected.backward()
    with te.verified():
        Y = np.full(untouched(*X).shape, 0.5)
        loss = nn.mse_loss(touched(*X), Y)
        parameters = list(touched.parameters())
        act(data, steps, parameters)
        changed = data.draw(st.sampled_from([None, Y, *X]))
        if changed is not None:
            refill(changed, kind)
        words = complaint(loss.backward)
    if words:
        assert changed is not None
        assert "has changed since the forward pass" in words
        assert all(p.grad is None for p in parameters)
    else:  # a layer may have no use for its input, such as dropout with p = 1
        assert gradients_of(touched) == gradients_of(untouched)
