"""From backward passes to steps: whatever the optimiser, the order of calls, or the loss."""

import gc
import weakref

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

import tinygrad_edu as te
from tests.viz.trainings import clear, descend, mean_square, parameters
from tinygrad_edu import Value, nn, no_grad, optim
from tinygrad_edu.graph import ancestors
from tinygrad_edu.viz.training.recorder import named, open_units
from tinygrad_edu.viz.training.watch import watch


def run(steps, lr=0.1, update=descend):
    """What a recording should hold: losses, gradients, lengths of updates."""
    found, losses, gradients, updates = parameters(), [], [], []
    for _ in range(steps):
        clear(found)
        loss = mean_square(found)
        loss.backward()
        before = [p.data.copy() for p in found.values()]
        gradients.append([np.max(np.abs(p.grad)) for p in found.values()])
        update(found, lr)
        losses.append(loss.item())
        updates.append([np.linalg.norm(p.data - b) for p, b in zip(found.values(), before, strict=True)])
    return losses, gradients, updates


def in_place(found, lr):
    for p in found.values():
        p.data -= lr * p.grad


def in_place_slice(found, lr):
    for p in found.values():
        p.data[...] = p.data - lr * p.grad


def expect(history, losses, gradients, updates):
    np.testing.assert_allclose(history.losses, losses)
    np.testing.assert_allclose(history.max_gradients, gradients)
    np.testing.assert_allclose(history.updates, updates, rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("update", [descend, in_place, in_place_slice])
@pytest.mark.parametrize("steps", [1, 7])
def test_every_way_to_change_the_data_is_followed(update, steps):
    found = parameters()
    with watch(found) as w:
        for _ in range(steps):
            clear(found)
            mean_square(found).backward()
            update(found, 0.1)
    expect(w.history, *run(steps, update=update))
    assert w.history.leftovers.tolist() == [0] * 4


@pytest.mark.parametrize("make", [lambda p: optim.SGD(p, 0.1, momentum=0.9), lambda p: optim.Adam(p, 0.01)])
def test_any_optimiser_is_followed_and_not_disturbed(make):
    ends = []
    for watched in (False, True):
        model = nn.Sequential(nn.Linear(2, 4, rng=0), nn.ReLU(), nn.Linear(4, 1, rng=1))
        optimizer = make(model.parameters())
        with watch(model if watched else Value(1.0)) as w:
            for _ in range(5):
                loss = nn.mse_loss(model(np.eye(2)), np.ones((2, 1)))
                optimizer.zero_grad()
                loss.backward()
                optimizer.step()
        ends.append([(p.data.tobytes(), p.grad.tobytes()) for p in model.parameters()])
    assert ends[0] == ends[1]
    assert w.history.steps == 5
    assert w.history.losses[-1] == loss.item()
    assert w.history.names == ["layers.0.weight", "layers.0.bias", "layers.2.weight", "layers.2.bias"]


@given(st.integers(1, 4), st.integers(1, 4))
def test_passes_that_add_up_are_one_step_with_one_loss(passes, steps):
    found = parameters()
    with watch(found) as w:
        for _ in range(steps):
            clear(found)
            for _ in range(passes):
                (mean_square(found) / passes).backward()
            descend(found)
    expect(w.history, *run(steps))
    assert w.history.passes.tolist() == [passes] * steps
    assert w.history.leftovers.tolist() == [0] * 4


def loss_of(u, v, c):
    return c * np.square(u) * v


def by_backward(u, v, c):
    loss = loss_of(u, v, c)
    loss.backward()
    return loss.item(), None


def by_gradients(u, v, c):
    loss = loss_of(u, v, c)
    return loss.item(), te.gradients(loss, [u, v])


def one_parameter_after_the_other(u, v, c):
    loss = loss_of(u, v, c)
    return loss.item(), te.gradients(loss, u) + te.gradients(loss, v)


def with_a_gradient_penalty(u, v, c):
    inner = loss_of(u, v, c)
    gu, gv = te.gradients(inner, [u, v], differentiable=True)
    loss = inner + 0.1 * (np.square(gu) + np.square(gv))
    return loss.item(), te.gradients(loss, [u, v])


def by_value_and_grad(u, v, c):
    loss, found = te.value_and_grad(lambda p: loss_of(*p, c))([u, v])
    return te.stop_gradient(loss), [te.stop_gradient(g) for g in found]


WAYS = [by_backward, by_gradients, one_parameter_after_the_other, with_a_gradient_penalty, by_value_and_grad]
passes_of_steps = st.lists(
    st.lists(st.tuples(st.sampled_from(WAYS), st.floats(0.1, 1.0)), min_size=1, max_size=3), min_size=1, max_size=3
)


@given(passes_of_steps)
def test_the_loss_and_the_gradient_are_those_that_the_update_was_made_of(steps):
    u, v, expected = Value(0.7, name="u"), Value(-0.4, name="v"), []
    with watch([u, v]) as w:
        for step in steps:
            u.grad = v.grad = None
            found = [way(u, v, c) for way, c in step]
            returned = u.grad is None  # else other gradients are looked at only
            used = [gs for _, gs in found if gs is not None] if returned else [(u.grad, v.grad)]
            loss = sum(loss for loss, gs in found if (gs is not None) == returned)
            gu, gv = (sum(gs) for gs in zip(*used, strict=True))
            u.data, v.data = u.data - 0.1 * gu, v.data - 0.1 * gv
            expected.append((loss, abs(gu), abs(gv)))
    found = np.column_stack([w.history.losses, w.history.max_gradients])
    np.testing.assert_allclose(found, expected, rtol=1e-12)
    assert w.history.leftovers.tolist() == [0, 0]


def test_what_backward_left_is_no_leftover_for_gradients_that_are_only_returned():
    v = Value(2.0, name="v")
    (v * v).backward()
    with watch(v) as w:
        for _ in range(3):
            v.data = v.data - 0.1 * te.gradients(v * v, v)[0]
    assert w.history.steps == 3
    assert w.history.leftovers.tolist() == [0]


@pytest.mark.parametrize("part_first", [True, False])
def test_a_gradient_that_only_a_part_of_the_loss_has_is_known(part_first):
    u, v = Value(2.0, name="u"), Value(3.0, name="v")
    with watch([u, v]) as w:
        part = np.square(u)
        asked = [(part, u), (part * v, v)]
        for loss, parameter in asked if part_first else reversed(asked):
            te.gradients(loss, parameter)
        u.data, v.data = u.data - 0.1, v.data - 0.1
    assert w.history.losses.tolist() == [12.0]
    assert w.history.max_gradients.tolist() == [[4.0, 4.0]]


def test_several_losses_of_different_parameters_are_one_step():
    u, v = Value(2.0, name="u"), Value(3.0, name="v")
    with watch([u, v]) as w:
        (u * u).backward()
        (v * 5.0).backward()
        u.data, v.data = u.data - 1.0, v.data - 1.0
    assert w.history.losses.tolist() == [19.0]
    assert w.history.max_gradients.tolist() == [[4.0, 5.0]]


def test_a_seed_scales_the_loss_as_it_does_the_gradient():
    v = Value([1.0, 2.0], name="v")
    with watch(v) as w:
        (v * v).backward(gradient=[0.5, 0.25])
    assert w.history.losses.tolist() == [1.5]
    assert w.history.max_gradients.tolist() == [[1.0]]


def test_evaluation_and_strangers_are_not_seen():
    v, other = Value(2.0), Value(1.0)
    with watch(v) as w:
        with no_grad():
            v * v
        (other * other).backward()
        with no_grad():
            loss = v * v
        with pytest.raises(TypeError, match="keeps no past"):
            loss.backward()
    assert w.history.steps == 0


def test_a_forgotten_zero_grad_is_noted_and_the_first_step_is_innocent():
    found = parameters()
    with watch(found) as w:
        for _ in range(5):
            mean_square(found).backward()
            descend(found)
    assert w.history.steps == 5
    assert w.history.passes.tolist() == [1] * 5
    assert w.history.leftovers.tolist() == [4] * 4


def test_frozen_parameters_may_keep_their_gradients():
    free, frozen = Value(1.0, name="free"), Value(2.0, name="frozen")
    with watch([free, frozen]) as w:
        for _ in range(3):
            free.grad = None
            (free * frozen).backward()
            free.data = free.data - 0.1
    assert w.history.leftovers.tolist() == [0, 0]
    assert w.history.updates[:, 1].tolist() == [0, 0, 0]


def test_gradients_cleared_without_an_update_are_steps_that_change_nothing():
    v = Value(2.0)
    with watch(v) as w:
        for _ in range(3):
            v.grad = None
            (v * v).backward()
    assert w.history.losses.tolist() == [4.0] * 3
    assert w.history.updates.tolist() == [[0.0]] * 3


def test_a_step_without_effect_is_a_step():
    v = Value(2.0)
    with watch(v) as w:
        for _ in range(3):
            (v * 0.0).backward()
            v.data = v.data - 0.1 * v.grad
    assert w.history.steps == 3


def test_nan_is_recorded_and_the_recording_goes_on():
    v = Value([1.0, -1.0], name="v")
    with watch(v) as w, np.errstate(all="ignore"):
        for _ in range(3):
            v.grad = None
            np.log(v).sum().backward()
            v.data = v.data - 0.1 * v.grad
    assert np.isnan(w.history.losses).all()
    assert w.history.steps == 3
    assert np.isfinite(w.history.max_gradients[0]).all()


def test_an_error_inside_keeps_what_was_recorded():
    v = Value(2.0)

    def fail():
        (v * v).backward()
        v.data = v.data - 1.0
        raise KeyError

    with pytest.raises(KeyError), watch(v) as w:
        fail()
    assert w.history.updates.tolist() == [[1.0]]


def test_a_parameter_without_gradient_has_none():
    u, v = Value(2.0, name="u"), Value(3.0, name="v")
    with watch({"u": u, "v": v}) as w:
        (u * u).backward()
    np.testing.assert_equal(w.history.max_gradients, [[4.0, np.nan]])


def test_graphs_are_not_kept():
    found = parameters()
    with watch(found):
        loss = mean_square(found)
        loss.backward()
        gone = weakref.ref(loss)
        del loss
        gc.collect()
        assert gone() is None


def test_snapshots_are_not_changed_by_what_comes_later():
    v = Value(np.ones(2))
    with watch(v) as w:
        for _ in range(3):
            v.grad = None
            v.sum().backward()
            v.data -= 1.0
    assert [snapshot.data.tolist() for snapshot in w.history.snapshots] == [[1, 1], [0, 0], [-1, -1]]
    assert w.history.after.tolist() == [-2, -2]


def test_single_precision_and_single_numbers():
    v = Value(np.float32(2.0))
    with watch(v) as w:
        (v * v).backward()
        v.data = v.data - np.float32(0.5) * v.grad
    assert w.history.updates.tolist() == [[2.0]]
    assert v.data.dtype == np.float32


def test_what_can_be_watched():
    u, v = Value(1.0, name="u"), Value(2.0)
    assert named(v) == {"value": v}
    assert list(named([u, v, u])) == ["u", "[1]"]
    assert list(named({"a": u, "b\n‮": v})) == ["a", "b"]
    assert list(named([u, Value(1.0, name="u"), Value(1.0, name="u")])) == ["u", "u (2)", "u (3)"]
    assert list(named({"a": Value(np.ones((0, 3))), "b": v})) == ["b"]


@pytest.mark.parametrize(
    ("thing", "kind", "said"),
    [
        ([], ValueError, "no parameters to watch in the list: watch a model with named_parameters"),
        (nn.Tanh(), ValueError, "no parameters to watch in the Tanh"),
        (3.0, TypeError, "a float was given: watch a model"),
        ({"a": 1.0}, TypeError, "a is a float, not a Value"),
        ([Value(1.0) * 2.0], TypeError, "is the result of multiply, not a parameter"),
    ],
)
def test_what_cannot_be_watched(thing, kind, said):
    with pytest.raises(kind, match=said):
        named(thing)


inputs = arrays(float, (3, 4), elements=st.sampled_from([-2.0, -1.0, 1.0, 2.0]))


def units(loss):
    return {name: flags.tolist() for name, flags in open_units(ancestors(loss)).items()}


@given(inputs)
def test_a_unit_is_open_if_some_row_opens_it(x):
    v = Value(x)
    expected = (x > 0).any(axis=0).tolist()
    assert units(v.relu().sum()) == {"relu": expected}
    assert units(np.maximum(v, 0.0).sum()) == {"maximum": expected}
    assert units(np.maximum(0.0, v).sum()) == {"maximum": expected}
    assert units(np.maximum(v * 1.0, np.zeros(4)).sum()) == {"maximum": expected}


def test_no_switch_without_a_kink_without_an_axis_or_between_two_variables():
    v = Value([1.0, -1.0])
    assert units(np.tanh(v).sum() + v.sum().relu() + np.maximum(v, 2.0 * v).sum()) == {}


def test_layers_are_named_after_their_modules_in_forward_order():
    model = nn.Sequential(
        nn.Linear(2, 3, rng=0), nn.ReLU(), nn.Linear(3, 5, rng=0), nn.ReLU(), nn.Linear(5, 1, rng=0)
    )
    found = units(np.mean(model(np.ones((4, 2)))))
    assert [(name, len(flags)) for name, flags in found.items()] == [("layers.1 relu", 3), ("layers.3 relu", 5)]


def test_the_calls_of_one_module_are_one_layer_and_two_in_one_call_are_two():
    relu, v = nn.ReLU(), Value([[1.0, -1.0]])
    assert units((relu(v) + relu(-v)).sum()) == {"relu": [True, True]}
    assert units((v.relu() + (-v).relu()).sum()) == {"relu": [True, False], "relu 2": [False, True]}
