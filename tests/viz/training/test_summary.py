"""The summary in words, and a hint for every mistake, and none without."""

import numpy as np
import pytest

from tests.viz.trainings import clear, history_of, mean_square, parameters, trained
from tinygrad_edu import Value, sigmoid
from tinygrad_edu.viz.training import summary as module
from tinygrad_edu.viz.training.history import History
from tinygrad_edu.viz.training.summary import summary
from tinygrad_edu.viz.training.watch import watch


def hints(history):
    return list(module.hints(history))


def test_the_summary_of_a_sound_training():
    w = trained(steps=8)
    w.history.dead.clear()
    lines = summary(w.history).splitlines()
    first, last = (f"{loss:.4g}" for loss in w.history.losses[[0, -1]])
    assert lines[0] == "8 steps of 4 parameters with 17 numbers"
    assert lines[1] == f"  loss {first} -> {last}, lowest {last} at step 7"
    assert [line.split()[0] for line in lines[2:]] == ["parameter", "w0", "b0", "w1", "b1"]
    assert lines[3].split()[1] == f"{np.median(w.history.mean_gradients[:, 0]):.4g}"
    assert lines[3].split()[2] == f"{np.median(w.history.ratios[:, 0]):.4g}"
    assert hints(w.history) == []


def test_nothing_recorded():
    assert summary(History(["a"], [(3,)])) == (
        "no step of 1 parameter with 3 numbers: did backward() run inside the block, on what was made of them?"
    )


def test_passes_per_step_are_told():
    history = history_of((1.0, [1, 1], [1, 1]))
    history.add(1.0, 3, np.ones(2), np.ones(2), np.zeros(2))
    assert "1 to 3 backward passes per step; the loss is their sum" in summary(history)
    assert "backward passes" not in summary(history_of((1.0, [1, 1], [1, 1])))


def test_a_forgotten_zero_grad():
    found = parameters()
    with watch(found) as w:
        for _ in range(4):
            mean_square(found).backward()
            for p in found.values():
                p.data = p.data - 0.01 * p.grad
    said = "gradients of 4 parameters began 3 of 4 steps with what earlier backward passes had left: "
    assert said + "optimizer.zero_grad() missing?" in hints(w.history)


def test_a_forgotten_step():
    found = parameters()
    with watch(found) as w:
        for _ in range(4):
            clear(found)
            mean_square(found).backward()
    assert "no parameter ever changed: optimizer.step() missing?" in hints(w.history)


def test_a_parameter_that_no_gradient_reaches():
    u, v = Value(1.0, name="u"), Value(1.0, name="v")
    with watch([u, v]) as w:
        (u * u).backward()
        u.data = u.data - 0.1
    assert hints(w.history) == ["no gradient ever reached v: see viz.why(value, loss)"]


def test_a_loss_that_is_no_number():
    history = history_of(*((loss, [1, 1], [0.1, 0.1]) for loss in (1.0, np.inf, np.nan)))
    assert hints(history) == ["the loss is infinity at step 1: viz.why(parameter, loss) says where it begins"]
    assert "loss 1 -> nan, lowest 1 at step 0" in summary(history)
    assert "lowest" not in summary(history_of((np.nan, [1, 1], [0.1, 0.1])))


@pytest.mark.parametrize(
    ("gradient", "said"),
    [
        ([1e-9, 1.0], "the gradient vanishes in a: down to 1e-09 of the largest in the network"),
        ([1e5, 1e3], "the gradient explodes in a: up to 1e+05"),
        ([0.0, 1.0], "the gradient is 0 at most steps for a: see viz.why(value, loss)"),
        ([1e-9, 1e-9], None),
        ([0.01, 1.0], None),
    ],
)
def test_gradients_that_are_too_small_or_too_large(gradient, said):
    history = history_of(*[(1.0, gradient, [0.1, 0.1])] * 3)
    assert hints(history) == ([said] if said else [])


def test_a_real_gradient_that_vanishes():
    weights = [Value(np.full((2, 2), 0.01), name=f"w{i}") for i in range(6)]
    with watch(weights) as w:
        x = np.ones((1, 2))
        for weight in weights:
            x = sigmoid(x @ weight)
        np.sum(x).backward()
        for weight in weights:
            weight.data = weight.data - weight.grad
    (hint,) = hints(w.history)
    assert hint.startswith("the gradient vanishes in w0, w1, w2 and 1 more: down to ")


def test_dead_units():
    v = Value(np.full((2, 4), -1.0), name="v")
    with watch(v) as w:
        (np.ones((3, 2)) @ v).relu().sum().backward()
        v.data = v.data - 1.0
    assert "relu: 4 of 4 units dead, no row opens them" in hints(w.history)


def test_many_parameters_and_hostile_names_are_short():
    names = [f"p{i}\n‮\x1b[31m" + "x" * 100_000 for i in range(100)]
    with watch({name: Value(1.0) for name in names}) as w:
        sum(w.recorder.parameters).backward()
    text = summary(w.history)
    assert "and 70 more" in text
    assert text.isascii()
    assert "\x1b" not in text
    assert max(map(len, text.splitlines())) < 200


def test_a_new_value_in_place_of_the_parameter_is_named_and_no_step_is_missing():
    u = Value([1.0, 2.0], name="u")
    with watch(u) as w:
        for _ in range(3):
            (u * u).sum().backward()
            u = u - 0.1 * u.grad
    found = " ".join(hints(w.history))
    assert "a new Value took the place of u" in found
    assert "w.data = w.data - lr * w.grad" in found
    assert "optimizer.step() missing" not in found


def test_a_gradient_that_is_nan_has_come():
    v = Value([0.0, 1.0], name="v")
    with watch(v) as w, np.errstate(all="ignore"):
        (np.sqrt(v * 0.0) * 1.0 + 1.0).sum().backward()
    found = " ".join(hints(w.history))
    assert "no gradient ever reached" not in found
    assert "the gradient of v is nan at every step: viz.why(value, loss) says why" in found
