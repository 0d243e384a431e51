"""From backward passes to steps: whatever the optimiser, the order of calls, or the loss."""

import gc
import weakref

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.viz.trainings import clear, descend, mean_square, parameters
from tinygrad_edu import Value, nn, no_grad, optim
from tinygrad_edu.viz.training.recorder import named
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


def test_a_parameter_of_another_shape_is_an_error():
    v = Value([1.0, 2.0], name="v")
    with watch(v):
        v.data = np.ones(3)
        with pytest.raises(ValueError, match=r"v had shape \(2,\) when viz.watch began, and has \(3,\) now"):
            v.sum().backward()
        v.data = np.ones(2)


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
