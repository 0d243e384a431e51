"""The GIF: its frames, and a model that is afterwards what it was."""

import numpy as np
import pytest
from matplotlib import pyplot as plt
from PIL import Image

from tests.viz.trainings import X, Y, clear, descend, mean_square, network, parameters, trained
from tinygrad_edu import Value, nn
from tinygrad_edu.viz.training.animation import HOLD, moments, put_back
from tinygrad_edu.viz.training.watch import watch


@pytest.fixture(scope="module")
def w():
    return trained(steps=6)


def test_moments_begin_at_the_start_and_end_at_the_end(w):
    found = list(moments(w.recorder, 3))
    assert [step for step, _ in found] == [0, 3, 6]
    assert found[0][1] is w.history.snapshots[0].data
    assert found[-1][1] is w.history.after
    assert [step for step, _ in moments(w.recorder, 100)] == list(range(7))
    assert [step for step, _ in moments(w.recorder, 1)] == [6]


def test_parameters_are_put_back_and_restored(w):
    own = [p.data for p in w.recorder.parameters]
    grads = [p.grad for p in w.recorder.parameters]
    with put_back(w.recorder, w.history.snapshots[0].data):
        assert mean_square(dict(zip(w.history.names, w.recorder.parameters, strict=True))) == w.history.losses[0]
    with pytest.raises(KeyError), put_back(w.recorder, w.history.snapshots[0].data):
        raise KeyError
    assert all(p.data is data for p, data in zip(w.recorder.parameters, own, strict=True))
    assert all(p.grad is grad for p, grad in zip(w.recorder.parameters, grads, strict=True))


def test_put_back_keeps_the_dtype():
    v = Value(np.float32(2.0))
    with watch(v) as w:
        (v * v).backward()
    with put_back(w.recorder, w.history.snapshots[0].data):
        assert v.data.dtype == np.float32
        assert v.data.shape == ()


@pytest.mark.parametrize("points", [(), (X, Y)])
def test_the_gif_has_its_frames_and_the_last_one_stays(w, tmp_path, points):
    path = tmp_path / "train.gif"
    assert w.animate(path, *points, frames=3, fps=5) is None
    with Image.open(path) as image:
        durations = []
        for k in range(image.n_frames):
            image.seek(k)
            durations.append(image.info["duration"])
        assert image.info["loop"] == 0
        assert image.size == (640, 288)
    assert durations == [200, 200, HOLD]
    assert plt.get_fignums() == []


def test_each_frame_asks_the_parameters_of_its_moment(tmp_path):
    found, asked = parameters(), []

    def predict(x):
        asked.append(found["w0"].data.copy())
        return network(found, x)

    with watch(found, predict=predict) as w:
        for _ in range(2):
            clear(found)
            mean_square(found).backward()
            descend(found)
    w.animate(tmp_path / "train.gif", X, Y)
    moments_asked = asked[1:]  # the first call asks for the level
    expected = [w.history.parts(s.data)[0] for s in w.history.snapshots] + [found["w0"].data]
    np.testing.assert_equal(moments_asked, expected)


def test_a_training_that_broke_is_animated_too(tmp_path):
    v = Value(np.array([[1.0], [0.0]]))
    with watch(v, predict=lambda x: x @ v) as w, np.errstate(all="ignore"):
        for _ in range(3):
            np.log(v).sum().backward()
            v.data = v.data - v.grad * np.inf
    w.animate(tmp_path / "a.gif", X, Y, frames=2)
    w.animate(tmp_path / "b.gif", frames=1)
    assert [(tmp_path / name).read_bytes()[:6] for name in ("a.gif", "b.gif")] == [b"GIF89a"] * 2


@pytest.mark.parametrize(
    ("name", "options", "kind", "said"),
    [
        ("a.mp4", {}, ValueError, "cannot save 'a.mp4': the formats are .gif"),
        ("none/a.gif", {}, FileNotFoundError, "create the folder"),
        ("a.gif", {"frames": 0}, ValueError, "frames is 0, fps is 10; both are at least 1"),
        ("a.gif", {"fps": 0}, ValueError, "fps is 0"),
        ("a.gif", {"x": X}, ValueError, "animate needs x and y for the boundary, or neither"),
    ],
)
def test_what_cannot_be_saved(w, tmp_path, name, options, kind, said):
    with pytest.raises(kind, match=said):
        w.animate(tmp_path / name, **options)


def test_nothing_recorded(tmp_path):
    with watch(Value(1.0)) as w:
        pass
    with pytest.raises(ValueError, match=r"no step was recorded: train inside `with viz\.watch\(model\) as w:`"):
        w.animate(tmp_path / "a.gif")


def test_gradients_that_are_all_alike_still_have_an_axis(tmp_path):
    model = nn.Linear(2, 1, rng=0)
    with watch(model) as w:
        for _ in range(3):
            (model(np.ones((4, 2))) ** 2).mean().backward()
            for p in model.parameters():
                p.data, p.grad = p.data - 0.1 * p.grad, None
    w.animate(tmp_path / "train.gif", frames=1)  # a division by an axis without width would be a warning
    assert (tmp_path / "train.gif").exists()
