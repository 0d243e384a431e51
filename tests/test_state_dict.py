"""States: what does not fit is refused in words, before anything changes."""

import copy
import pickle

import numpy as np
import pytest

import tinygrad_edu as te
from tinygrad_edu import Value, nn


class Normalised(nn.Module):
    def __init__(self, start=None):
        self.w = Value(np.ones((3, 2)))
        self.mean = np.zeros(2, np.float32)
        self.count = np.array(0)
        self.mask = np.array([True, False])
        self.late = start
        self.rate = 0.0

    def forward(self, x):
        h = np.asarray(x) @ self.w.data
        self.mean = (0.5 * self.mean + 0.5 * h.mean(0)).astype(np.float32)
        self.count += 1
        return x @ self.w - self.mean


X = np.arange(12.0).reshape(4, 3)


def trained():
    model = Normalised()
    model(X)
    model.w.data = model.w.data + 1.0
    return model


def saved(model, folder):
    pytest.importorskip("safetensors")
    other = Normalised()
    te.save(model, folder / "file")
    te.load(other, folder / "file")
    return other


def loaded(model, _):
    other = Normalised()
    other.load_state_dict(model.state_dict())
    return other


WAYS = {
    "state_dict": loaded,
    "save": saved,
    "pickle": lambda model, _: pickle.loads(pickle.dumps(model)),
    "deepcopy": lambda model, _: copy.deepcopy(model),
}


@pytest.mark.parametrize("way", WAYS)
def test_buffers_go_where_parameters_go(way, tmp_path):
    model = trained()
    before = model.state_dict()
    other = WAYS[way](model, tmp_path)
    after = other.state_dict()
    assert list(after) == list(before) == ["w", "mean", "count", "mask"]
    assert all(after[name].dtype == array.dtype for name, array in before.items())
    assert all(np.array_equal(after[name], array) for name, array in before.items())
    model(X)
    model.count += 1
    assert all(np.array_equal(other.state_dict()[name], array) for name, array in before.items())


FAULTS = {
    "missing": (lambda s: s.pop("mean"), "'mean' is missing"),
    "shape": (lambda s: s.update(mean=np.ones(3)), r"'mean' is \(2,\) here and \(3,\) in the state"),
    "kind": (lambda s: s.update(count=np.array(1.5)), "a buffer keeps its kind of numbers: 'count' is float64"),
    "bool": (lambda s: s.update(mask=np.ones(2)), "'mask' is float64"),
    "late": (
        lambda s: s.update(late=np.ones(2)),
        r"'late' is unknown here \(it is None: start a running statistic as",
    ),
    "plain": (
        lambda s: s.update(rate=np.ones(2)),
        r"'rate' is unknown here \(it is 0\.0: start a running statistic",
    ),
    "nested": (
        lambda s: s.update({"x.late": np.ones(2)}),
        r"'x\.late' is unknown here$|here \(test",
    ),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_state_that_does_not_fit_changes_nothing(fault, tmp_path):
    model, state = Normalised(), trained().state_dict()
    before = model.state_dict()
    spoil, message = FAULTS[fault]
    spoil(state)
    with pytest.raises((ValueError, TypeError), match=message):
        model.load_state_dict(state)
    assert all(np.array_equal(array, before[name]) for name, array in model.state_dict().items())


def test_a_file_of_a_module_that_made_a_statistic_late_says_what_to_do(tmp_path):
    pytest.importorskip("safetensors")
    te.save(Normalised(start=np.ones(2)), tmp_path / "file")
    with pytest.raises(te.CheckpointError, match=r"'late' is unknown here \(it is None: start a running statistic"):
        te.load(Normalised(), tmp_path / "file")


def test_any_module_converts_to_another_dtype():
    model = nn.Sequential(nn.Linear(3, 2, rng=0), nn.Tanh())
    model.mean, model.count, model.mask = np.zeros(2), np.arange(2), np.array([True])
    model(X).sum().backward()
    assert model.astype(np.float32) is model
    kinds = [array.dtype for array in model.state_dict().values()]
    assert kinds == [np.float32] * 3 + [np.int64, bool]
    assert model.parameters()[0].grad is None
    assert model(X).dtype == np.float32
    assert model.astype("float64")(X).dtype == np.float64


@pytest.mark.parametrize("dtype", [int, complex, bool])
def test_parameters_are_floating_point(dtype):
    with pytest.raises(TypeError, match=r"parameters are floating point: model\.astype\(np\.float32\); got"):
        nn.Linear(3, 2).astype(dtype)


@pytest.mark.parametrize("wrap", [lambda m: m, lambda m: nn.Sequential(m)])
def test_a_result_in_the_place_of_a_parameter_is_not_left_out_of_the_state_in_silence(wrap):
    class Net(nn.Module):
        def __init__(self):
            self.ws, self.seen = [Value(np.ones(3)), Value(np.ones(3))], []

        def forward(self, x):
            self.seen.append(x * self.ws[0])
            return self.seen[-1] + self.ws[1]

    net = Net()
    model = wrap(net)
    model(np.ones(3)).sum().backward()
    model.state_dict()  # what `forward` keeps in a list is no parameter
    for _ in range(2):
        net.ws[1] = net.ws[1] - 0.1 * net.ws[0].grad
    with pytest.raises(
        ValueError, match=r"ws\.1' was a parameter and is now the result of subtract.*its data \(test"
    ):
        model.state_dict()
    with pytest.raises(ValueError, match="was a parameter and is now"):
        model.load_state_dict({})
