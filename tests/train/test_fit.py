"""`fit` is the loop by hand, and what it adds is what it says."""

import json
import os
import re
import signal
import subprocess
import sys
import warnings
from pathlib import Path

import numpy as np
import pytest

import tinygrad_edu as te
from tinygrad_edu import Value, data, nn, optim, train

ROOT = Path(__file__).parents[2]
X, Y = data.moons(90, rng=0)


def network(dtype=float):
    return nn.Sequential(nn.Linear(2, 8, rng=0, dtype=dtype), nn.Tanh(), nn.Linear(8, 1, rng=1, dtype=dtype))


def accuracy(p, y):
    return np.mean((p > 0) == y)


def fitted(model=None, make=optim.Adam, loss=nn.binary_cross_entropy, arrays=(X, Y), epochs=3, **options):
    model = model or network()
    optimizer = make(model.parameters(), lr=0.02)
    return model, train.fit(model, loss, optimizer, arrays, epochs=epochs, **{"rng": 0} | options)


def state(model):
    return {name: a.tobytes() for name, a in model.state_dict().items()}


# -- the loop ------------------------------------------------------------------------------------------------


def by_hand(epochs, schedule, clip):
    model, history = network(), {"loss": [], "accuracy": [], "val_loss": [], "val_accuracy": []}
    optimizer, rng, step = optim.Adam(model.parameters(), lr=0.02), np.random.default_rng(0), 0
    for _ in range(epochs):
        losses, right = [], []
        for x, y in data.minibatches(X, Y, batch_size=32, rng=rng):
            optimizer.lr = schedule(step)
            optimizer.zero_grad()
            output = model(x)
            loss = nn.binary_cross_entropy(output, y)
            loss.backward()
            optim.clip_grad_norm(optimizer.params, clip)
            optimizer.step()
            losses += [loss.item()] * len(x)
            right += list((output.data > 0) == y)
            step += 1
        history["loss"].append(np.mean(losses))
        history["accuracy"].append(np.mean(right))
        history["val_loss"].append(nn.binary_cross_entropy(model(X[:20]), Y[:20]).item())
        history["val_accuracy"].append(accuracy(model(X[:20]).data, Y[:20]))
    return model, history


def test_it_is_the_loop_by_hand():
    schedule = optim.cosine(0.05, 9, low=0.001)
    model, history = fitted(
        schedule=schedule, clip=0.1, validation=(X[:20], Y[:20]), metrics={"accuracy": accuracy}, checkpoint=None
    )
    expected, columns = by_hand(3, schedule, 0.1)
    assert state(model) == state(expected)
    assert list(history.as_dict()) == ["loss", "accuracy", "val_loss", "val_accuracy", "lr"]
    for name, column in columns.items():
        np.testing.assert_allclose(history[name], column, rtol=1e-12)
    assert history["lr"] == [schedule(2), schedule(5), schedule(8)]
    assert {type(number) for column in history.as_dict().values() for number in column} == {float}


def test_several_inputs_and_targets_of_any_kind():
    class Sum(nn.Module):
        def __init__(self):
            self.w = Value(np.zeros((2, 3)))

        def forward(self, a, b):
            return (a + b) @ self.w

    classes = np.arange(90) % 3
    options = {"loss": nn.cross_entropy, "metrics": {"accuracy": nn.accuracy}, "validation": (X, X, classes)}
    _, history = fitted(Sum(), arrays=(X, -X, classes), **options)
    assert len(history) == 3


@pytest.mark.parametrize("make", [optim.SGD, optim.Adam, optim.AdamW, optim.RMSprop, optim.Adagrad, optim.Lion])
def test_float32_stays_float32(make):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        model, _ = fitted(
            network(np.float32), make, validation=(X, Y), schedule=optim.exponential(0.1, 0.9), clip=1.0
        )
    assert {p.dtype for p in model.parameters()} == {np.dtype(np.float32)}


class Modes(nn.Module):
    """Notes in which mode it is called, and whether its results have a past."""

    def __init__(self):
        self.w = Value([1.0])
        self.part = nn.Sequential(nn.Tanh())
        self.part.eval()
        self.seen = {}

    def forward(self, x):
        out = self.part(x * self.w)
        self.seen[len(x)] = self.training, self.part.training, out.op is not None
        return out


def test_validation_is_in_evaluation_mode_without_a_past_and_modes_come_back():
    model = Modes()
    x = np.ones((8, 1))
    assert train.evaluate(model, nn.mse_loss, (x, x)) == {"loss": pytest.approx((1 - np.tanh(1)) ** 2)}
    assert model.seen == {8: (False, False, False)}
    assert (model.training, model.part.training) == (True, False)
    fitted(model, loss=nn.mse_loss, arrays=(x, x), validation=(x[:5], x[:5]), epochs=1)
    assert model.seen == {8: (True, True, True), 5: (False, False, False)}
    assert model.training


def test_evaluation_means_every_row_the_same_and_gives_metrics_all_rows():
    model, seen = network(), []
    found = train.evaluate(
        model, nn.mse_loss, (X, Y), {"rows": lambda p, y: seen.append((p.shape, y.shape)) or 1}, batch_size=32
    )
    assert found == {"loss": pytest.approx(nn.mse_loss(model(X), Y).item(), rel=1e-14), "rows": 1.0}
    assert seen == [((90, 1), (90, 1))]


def test_hooks_are_told_every_step():
    seen = []
    model, _ = fitted(after_step=[seen.append, lambda step: None], epochs=2)
    assert [(step.number, step.epoch) for step in seen] == [(0, 0), (1, 0), (2, 0), (3, 1), (4, 1), (5, 1)]
    assert all(step.model is model and isinstance(step.loss, float) for step in seen)


def test_a_batch_that_is_refilled_is_noticed_in_the_first_steps():
    kept = np.ones((4, 1))

    def refilled(output, y):
        loss = nn.mse_loss(output * kept[: len(y)], y)
        kept[...] += 1.0
        return loss

    with pytest.raises(ValueError, match="has changed since the forward pass"):
        fitted(loss=refilled, batch_size=4)


# -- early stopping ------------------------------------------------------------------------------------------


def test_patience_ends_and_restores_the_best_weights():
    states = []
    validation = (X[:20], 1 - Y[:20])  # learning makes it worse, from some epoch on
    spy = lambda step: states.append(state(step.model)) if step.number % 3 == 2 else None
    model, history = fitted(validation=validation, patience=2, epochs=50, after_step=[spy])
    best = int(np.argmin(history["val_loss"]))
    assert history.ended == "patience"
    assert len(history) == best + 3 < 50
    assert state(model) == states[best] != states[-1]


def test_a_training_that_gets_better_runs_to_its_end_and_the_last_weights_are_the_best():
    model, history = fitted(patience=1, epochs=4)
    assert (len(history), history.ended) == (4, "")
    assert state(model) == state(fitted(epochs=4)[0])


def test_a_plateau_reduces_the_rate():
    _, history = fitted(schedule=optim.reduce_on_plateau(0.5, 0.5, patience=0, threshold=0.9), epochs=4)
    assert history["lr"] == [0.5, 0.5, 0.25, 0.125]


# -- history -------------------------------------------------------------------------------------------------


def test_a_history_says_what_it_holds():
    _, history = fitted(metrics={"accuracy": accuracy})
    assert re.fullmatch(r"<History of 3 epochs: loss 0\.\d+, accuracy 0\.\d+, lr 0\.02>", repr(history))
    history.as_dict()["loss"].clear()
    history["loss"].clear()
    assert len(history["loss"]) == 3
    with pytest.raises(KeyError, match=r"a history has loss, accuracy, lr; not 'acc' \(test_fit\.py:"):
        history["acc"]


def test_a_history_is_drawn():
    pyplot = pytest.importorskip("matplotlib.pyplot")
    _, history = fitted(validation=(X, Y))
    figure = history.plot()
    lines = figure.axes[0].get_lines()
    assert [line.get_label() for line in lines] == ["loss", "val_loss"]
    assert list(lines[1].get_ydata()) == history["val_loss"]
    _, ax = pyplot.subplots()
    assert history.plot(ax=ax) is ax.figure
    pyplot.close("all")


# -- the line of progress ------------------------------------------------------------------------------------


def test_no_line_without_a_terminal(capfd):
    fitted()
    assert capfd.readouterr() == ("", "")


def test_one_line_on_a_terminal(monkeypatch, capfd):
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True, raising=False)
    fitted(metrics={"accuracy": accuracy})
    out, err = capfd.readouterr()
    assert out == ""
    assert err.count("\n") == 1
    assert re.search(r"100%.* 9/9 .*step.*loss 0\.\d+, accuracy 0\.\d+", err)
    fitted(progress=False)
    assert capfd.readouterr() == ("", "")


# -- files ---------------------------------------------------------------------------------------------------


def program(rounds, folder, way):
    """What the program of this folder found."""
    command = [
        sys.executable,
        os.fspath(Path(__file__).with_name("killed_fit.py")),
        str(rounds),
        os.fspath(folder),
        way,
    ]
    environment = os.environ | {"PYTHONPATH": os.fspath(ROOT), "OPENBLAS_NUM_THREADS": "1"}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@pytest.mark.no_cover
@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork and kill -9")
@pytest.mark.parametrize(("rounds", "way"), [(50, "kill"), (10, "interrupt"), (10, "full")])
def test_a_training_that_dies_anywhere_and_is_resumed_is_the_uninterrupted_one(rounds, way, tmp_path):
    pytest.importorskip("safetensors")
    found = program(rounds, tmp_path, way)
    print(found)
    assert found["same"] == found["died"] == rounds
    assert 0 < found["with a file"] < rounds


def test_ctrl_c_returns_the_history():
    interrupt = lambda step: signal.raise_signal(signal.SIGINT) if step.number == 7 else None
    model, history = fitted(epochs=10, after_step=[interrupt], patience=5)
    assert history.ended == "Ctrl-C"
    assert repr(history).endswith("; Ctrl-C>")
    assert history.as_dict() == fitted(epochs=2)[1].as_dict()
    assert state(model) == state(fitted(epochs=2)[0]), "the weights of the best epoch"


def test_more_epochs_go_on_from_the_last_weights(tmp_path):
    pytest.importorskip("safetensors")
    path = tmp_path / "training.safetensors"
    options = {"validation": (X[:20], 1 - Y[:20]), "patience": 50, "checkpoint": path}
    fitted(epochs=5, **options)
    first = path.read_bytes()
    model, history = fitted(epochs=8, resume=True, **options)
    expected, whole = fitted(epochs=8, **options | {"checkpoint": None})
    assert history.as_dict() == whole.as_dict()
    assert state(model) == state(expected)
    path.write_bytes(first)
    model, history = fitted(epochs=5, resume=True, **options)
    assert len(history) == 5
    assert state(model) == state(fitted(epochs=5, **options | {"checkpoint": None})[0])


def test_a_file_of_another_training_is_refused_and_nothing_is_changed(tmp_path):
    pytest.importorskip("safetensors")
    path = tmp_path / "training.safetensors"
    fitted(checkpoint=path)
    model = network()
    before = state(model)
    with pytest.raises(te.CheckpointError, match=r"'optimizer\.states\.0\.0' is unknown here") as caught:
        fitted(model, make=optim.SGD, checkpoint=path, resume=True)
    assert str(path) in str(caught.value)
    assert "(test_fit.py:" in str(caught.value)
    with pytest.raises(te.CheckpointError, match=r"'history\.accuracy' is missing"):
        fitted(model, checkpoint=path, resume=True, metrics={"accuracy": accuracy})
    assert state(model) == before


# -- what is refused -----------------------------------------------------------------------------------------

REFUSED = [
    ({"arrays": (X[:0], Y[:0])}, ValueError, r"are \(0, 2\), \(0, 1\): there are no rows"),
    ({"arrays": (X, Y[:5])}, ValueError, "must have as many rows as each other"),
    ({"arrays": X}, TypeError, r"fit: data is a tuple of arrays \(x, y\), the targets last; got a ndarray"),
    ({"arrays": (X,)}, TypeError, r"data is a tuple of arrays \(x, y\)"),
    ({"arrays": {"x": X}}, TypeError, "got a dict"),
    ({"arrays": X.tolist()}, TypeError, "got a list"),
    ({"validation": X}, TypeError, r"validation is a tuple of arrays .*, or None; got a ndarray"),
    ({"validation": (X[:0], Y[:0])}, ValueError, "there are no rows"),
    ({"epochs": -1}, TypeError, "epochs is a whole number from 0; got -1"),
    ({"epochs": 2.0}, TypeError, "epochs is a whole number from 0; got 2.0"),
    ({"batch_size": 0}, ValueError, "batch_size is 0; it must be at least 1"),
    ({"metrics": accuracy}, TypeError, "metrics is a dict of functions by name, such as .*; got a function"),
    ({"metrics": {"loss": accuracy}}, TypeError, "'loss' and 'lr' are there already"),
    (
        {"metrics": {"p": lambda p, y: p}},
        TypeError,
        r"p gives one number .*; got shape \(32, 1\): take .mean",
    ),
    ({"schedule": 0.1}, TypeError, "schedule is a function: f, not its result"),
    ({"schedule": optim.cosine(0.1, 2)}, ValueError, r"lr is 0\.0; it must be a finite number above 0"),
    ({"clip": 0}, TypeError, "clip is a positive number, or None; got 0"),
    ({"patience": 0}, TypeError, "patience is a whole number of at least 1, or None; got 0"),
    ({"resume": True}, TypeError, r"resume=True goes on from a file: fit\(..., checkpoint="),
    ({"checkpoint": 3}, TypeError, "checkpoint is the name of a file"),
    ({"checkpoint": "/nowhere/at/all"}, FileNotFoundError, "there is no folder for /nowhere/at/all"),
    ({"after_step": print}, TypeError, "after_step is a list of functions; got a builtin_function"),
    ({"rng": "0"}, TypeError, "rng is a whole number from 0"),
    ({"loss": 1.0}, TypeError, "loss is a function: f, not its result"),
    ({"loss": lambda p, y: 1.0}, TypeError, r"loss\(model\(x\), y\) gave a float, which has no gradient"),
    ({"loss": lambda p, y: np.mean(p.data - y)}, TypeError, "was .data used"),
    ({"loss": lambda p, y: p - y}, ValueError, r"shape \(32, 1\): call \.mean\(\) or \.sum\(\) first"),
    ({"validation_data": (X, Y)}, TypeError, "fit has no option 'validation_data': it is called validation"),
    ({"n_epochs": 3}, TypeError, "it is called epochs"),
    ({"callbacks": []}, TypeError, "functions to call after each step are after_step"),
    ({"model": lambda x: x}, TypeError, "fit: model is a Module, with parameters in attributes, and a forward"),
    ({"optimizer": "adam"}, TypeError, r"optimizer is an optimiser, optim\.Adam\(model\.parameters\(\), lr=0\.01\)"),
]


@pytest.mark.parametrize(("options", "error", "message"), REFUSED)
def test_wrong_arguments(options, error, message):
    model = network()
    before = state(model)
    given = {
        "model": model,
        "loss": nn.binary_cross_entropy,
        "optimizer": optim.Adam(model.parameters()),
        "epochs": 1,
    }
    given |= {"arrays": (X, Y)} | options
    with pytest.raises(error, match=message) as caught:
        train.fit(given.pop("model"), given.pop("loss"), given.pop("optimizer"), given.pop("arrays"), **given)
    assert "(test_fit.py:" in str(caught.value)
    if "validation" not in options and "metrics" not in options and "schedule" not in options:
        assert state(model) == before


def test_epochs_are_asked_for():
    with pytest.raises(TypeError, match=r"missing 1 required keyword-only argument: 'epochs'|missing.*epochs"):
        train.fit(network(), nn.mse_loss, optim.Adam(network().parameters()), (X, Y))
