"""`watch` as users write it."""

import matplotlib
import numpy as np
import pytest
from matplotlib import pyplot as plt

from tests.viz.trainings import X, Y, trained
from tinygrad_edu import Value, data, nn, optim, viz


def train(model, x, y, steps=20):
    optimizer = optim.Adam(model.parameters(), lr=0.05)
    for _ in range(steps):
        loss = nn.binary_cross_entropy(model(x), y)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    return loss


def test_a_model_is_watched_and_every_picture_drawn_and_no_setting_changed(tmp_path):
    settings = dict(matplotlib.rcParams)
    x, y = data.moons(40)
    model = nn.Sequential(nn.Linear(2, 8, rng=0), nn.ReLU(), nn.Linear(8, 1, rng=1))
    with viz.watch(model) as w:
        loss = train(model, x, y)
    assert w.history.steps == 20
    assert w.history.losses[-1] == loss.item()
    figures = [w.loss(), w.ratio(), w.dead(), w.flow(), w.flow(0), w.overview(), w.overview("norm"), w.hist()]
    figures += [w.hist("layers.0.weight"), w.hist(of="gradient"), w.boundary(x, y)]
    assert len({id(figure) for figure in figures}) == len(plt.get_fignums()) == 11
    for figure in figures:
        figure.canvas.draw()
    w.animate(tmp_path / "train.gif", x, y, frames=2)
    assert (tmp_path / "train.gif").read_bytes().startswith(b"GIF89a")
    assert dict(matplotlib.rcParams) == settings


def test_the_boundary_is_of_the_model_as_it_is_now():
    model = nn.Linear(2, 1, rng=0)
    with viz.watch(model) as w:
        train(model, X, Y, 1)
    model.weight.data, model.bias.data = np.array([[1.0], [0.0]]), np.zeros(1)
    figure = w.boundary([[-1.0, 0.0], [1.0, 0.0]], [0, 1])
    assert figure.axes[0].get_title() == "100.0% of 2 points right"


def test_what_cannot_be_called_needs_a_function():
    v = Value(1.0)
    with viz.watch({"v": v}) as w:
        (v * v).backward()
    with pytest.raises(TypeError, match=r"give the function from inputs to outputs, watch\(parameters, predict="):
        w.boundary(X, Y)
    w = trained()
    assert w.boundary(X, Y).axes


def test_while_training_the_steps_that_are_over_can_be_seen():
    v, seen = Value(2.0), []
    with viz.watch(v) as w:
        for _ in range(3):
            v.grad = None
            (v * v).backward()
            v.data = v.data - 0.1 * v.grad
            seen.append(w.history.steps)
    assert seen == [0, 1, 2]
    assert w.history.steps == 3


def test_two_watches_see_the_same_training():
    u, v = Value(2.0, name="u"), Value(3.0, name="v")
    with viz.watch(u) as one, viz.watch([u, v]) as both:
        (u * v).backward()
        u.data = u.data - 1.0
    assert one.history.losses.tolist() == both.history.losses.tolist() == [6.0]
    assert one.history.updates.tolist() == [[1.0]]
    assert both.history.updates.tolist() == [[1.0, 0.0]]


def test_the_summary_is_printed_and_shown():
    w = trained(steps=3)
    assert str(w).startswith("3 steps of 4 parameters")
    assert repr(w).startswith("3 steps of 4 parameters")


def test_results_are_the_same_bit_for_bit():
    ends = []
    for watched in (False, True):
        model = nn.Sequential(nn.Linear(2, 8, rng=0), nn.Tanh(), nn.Linear(8, 1, rng=1))
        with viz.watch(model if watched else Value(1.0)):
            train(model, X, Y)
        ends.append([p.data.tobytes() for p in model.parameters()])
    assert ends[0] == ends[1]
