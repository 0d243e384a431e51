"""Programs as learners write them, on modules, losses, optimisers, data and checkpoints: never silently wrong.

Each test is one habit; the order is modules, losses, optimisers, batches, functions that are computed twice, files.
"""

import copy
import os
import pickle
from collections import deque
from dataclasses import dataclass, field

import numpy as np
import pytest

import tinygrad_edu as te
from tinygrad_edu import Value, data, nn, no_grad, optim
from tinygrad_edu.testing import check_module

X = np.random.default_rng(0).normal(size=(8, 3))
Y = X[:, :1] - 2.0 * X[:, 1:2]
CLASSES = np.arange(8) % 2


def network(dtype=np.float64, out=1):
    return nn.Sequential(nn.Linear(3, 4, rng=0, dtype=dtype), nn.Tanh(), nn.Linear(4, out, rng=1, dtype=dtype))


def trained(model, optimizer, steps=3):
    for _ in range(steps):
        optimizer.zero_grad()
        nn.mse_loss(model(X), Y).backward()
        optimizer.step()
    return model


# -- float32 stays float32 ----------------------------------------------------------------------------------


@pytest.mark.parametrize("make", [lambda p: optim.SGD(p, lr=0.1, momentum=0.9), optim.Adam])
def test_a_float32_network_on_float64_data_stays_float32(make):
    model = network(np.float32)
    optimizer = make(model.parameters())
    loss = nn.mse_loss(model(X), Y)
    assert loss.dtype == np.float32
    trained(model, optimizer)
    assert {array.dtype for array in model.state_dict().values()} == {np.dtype(np.float32)}
    assert {p.grad.dtype for p in model.parameters()} == {np.dtype(np.float32)}


@pytest.mark.parametrize(
    ("loss", "out", "target"),
    [
        (nn.mse_loss, 1, Y),
        (nn.mse_loss, 1, Y.tolist()),
        (nn.mse_loss, 1, 0.5),
        (nn.binary_cross_entropy, 1, CLASSES[:, None]),
        (nn.binary_cross_entropy, 1, (Y > 0)),
        (nn.cross_entropy, 2, CLASSES),
    ],
)
def test_every_loss_has_the_dtype_of_the_prediction(loss, out, target):
    assert loss(network(np.float32, out)(X), target).dtype == np.float32


def test_a_model_is_converted():
    model = network().astype(np.float32)
    wide = network()
    assert model(X).dtype == np.float32
    assert np.allclose(model(X).data, wide(X).data, atol=1e-5)
    assert trained(model, optim.Adam(model.parameters()))(X).dtype == np.float32


# -- parameters and buffers ---------------------------------------------------------------------------------


class Normalise(nn.Module):
    """The running mean that everybody writes; `update` is the habit."""

    def __init__(self, update=lambda self, h: None):
        self.mean, self.scale, self.update = np.zeros(4), Value(np.ones(4)), update

    def forward(self, x):
        if self.training:
            self.update(self, x)
        return (x - self.mean) * self.scale


def by_data(self, x):
    self.mean = 0.9 * self.mean + 0.1 * x.data.mean(axis=0)


def in_place(self, x):
    self.mean *= 0.9
    self.mean += 0.1 * x.data.mean(axis=0)


def by_index(self, x):
    self.mean[...] = 0.9 * self.mean + 0.1 * x.data.mean(axis=0)


def without_recording(self, x):
    with no_grad():
        self.mean = 0.9 * self.mean + 0.1 * x.mean(axis=0)


HABITS = [by_data, in_place, by_index, without_recording]


def normalised(update):
    return nn.Sequential(nn.Linear(3, 4, rng=0), Normalise(update), nn.Linear(4, 1, rng=1))


@pytest.mark.parametrize("update", HABITS, ids=lambda f: f.__name__)
def test_running_statistics_are_kept_saved_loaded_copied_and_never_trained(update, tmp_path):
    model = normalised(update)
    optimizer = optim.SGD(model.parameters(), lr=0.01)
    expected = np.zeros(4)
    for _ in range(3):
        hidden = X @ model.layers[0].weight.data + model.layers[0].bias.data
        expected = 0.9 * expected + 0.1 * hidden.mean(axis=0)
        trained(model, optimizer, 1)
    assert np.allclose(model.layers[1].mean, expected, rtol=1e-12)
    assert type(model.layers[1].mean) is np.ndarray
    assert not any(p is model.layers[1].mean for p in optimizer.params)
    te.save(model, tmp_path / "model")
    loaded, taken = normalised(update), normalised(update)
    te.load(loaded, tmp_path / "model")
    taken.load_state_dict(model.state_dict())
    model.eval()
    out = model(X).data
    for twin in (loaded, taken, copy.deepcopy(model), pickled(model)):
        assert np.array_equal(twin.eval()(X).data, out)
        assert twin.layers[1].mean is not model.layers[1].mean


def pickled(model):
    """A copy by pickle, of a model whose habit is left out."""
    update, model.layers[1].update = model.layers[1].update, None
    twin = pickle.loads(pickle.dumps(model))
    model.layers[1].update = twin.layers[1].update = update
    return twin


def test_a_running_statistic_that_is_recorded_is_refused_with_the_remedy():
    def recorded(self, x):
        self.mean = 0.9 * self.mean + 0.1 * x.mean(axis=0)

    with pytest.raises(TypeError, match=r"Normalise\.mean is a buffer.*x\.data instead of x, or inside no_grad\(\)"):
        normalised(recorded)(X)


def test_a_running_statistic_that_starts_as_a_number_is_refused_before_it_grows():
    class Average(nn.Module):
        def __init__(self):
            self.linear, self.running = nn.Linear(3, 1, rng=0), 0.0

        def forward(self, x):
            h = self.linear(x)
            self.running = 0.9 * self.running + 0.1 * h.mean()
            return h - self.running

    model = Average()
    model(X)
    with pytest.raises(TypeError, match=r"Average\.running started as a number.*start it as an array.*test_modules"):
        model(X)


@pytest.mark.parametrize(
    ("assign", "error", "message"),
    [
        (lambda m: setattr(m, "weight", m.weight.data - 0.1), TypeError, r"would become an array.*weight\.data = "),
        (lambda m: setattr(m, "weight", m.weight - 0.1 * m.weight), TypeError, "would become the result of subtract"),
        (lambda m: setattr(m, "weight", np.zeros((3, 1))), TypeError, "which nothing trains"),
        (lambda m: setattr(m, "weight", Value(np.ones((1, 3)))), ValueError, r"and this one is \(1, 3\)"),
    ],
)
def test_what_would_make_a_parameter_none_is_refused(assign, error, message):
    layer = nn.Linear(3, 1, rng=0)
    weight = layer.weight
    with pytest.raises(error, match=rf"Linear\.weight is a parameter.*{message}.*\(test_modules\.py:"):
        assign(layer)
    assert layer.weight is weight


@dataclass
class Pair:
    first: Value
    more: list = field(default_factory=list)


HELD = {
    "list": lambda v: [v],
    "tuple": lambda v: (v,),
    "dict": lambda v: {"a": v},
    "set": lambda v: {v},
    "deque": lambda v: deque([v]),
    "dataclass": lambda v: Pair(v),
    "a list in a dict in a dataclass": lambda v: Pair(Value(0.0), [{"a": [v]}]),
    "module": lambda v: holding(v),
    "a module in a list": lambda v: [holding(v)],
}


def holding(v):
    module = nn.Module()
    module.inner = v
    return module


@pytest.mark.parametrize("kind", HELD)
def test_parameters_are_found_wherever_they_are_kept(kind):
    v = Value(np.ones(3))
    assert any(p is v for p in holding(HELD[kind](v)).parameters())


class ClassAttribute(nn.Module):
    w = Value(np.ones(3))

    def forward(self, x):
        return x * self.w


class ObjectArray(nn.Module):
    def __init__(self):
        self.w = np.empty(1, dtype=object)
        self.w[0] = Value(np.ones(3))

    def forward(self, x):
        return x * self.w[0]


class LambdaDefault(nn.Module):
    def __init__(self):
        self.f = lambda x, w=Value(np.ones(3)): x * w  # noqa: B008

    def forward(self, x):
        return self.f(x)


class InsideForward(nn.Module):
    def forward(self, x):
        return x @ Value(np.random.default_rng(0).normal(size=(3, 2)))


@pytest.mark.parametrize(
    "kind", [ClassAttribute, ObjectArray, LambdaDefault, InsideForward], ids=lambda c: c.__name__
)
def test_a_value_that_nothing_would_train_is_named_at_the_first_call_and_by_check_module(kind):
    with pytest.warns(nn.LostParameterWarning, match=r"\(test_modules\.py:"):
        kind()(X)
    assert "parameters" in str(check_module(kind, X, raises=False))
    with pytest.raises(AssertionError, match=r"set self\.w|keep them in a list|keep it in an attribute|make it in"):
        check_module(kind, X)


# -- losses -------------------------------------------------------------------------------------------------

PROBABILITIES = {
    "sigmoid": nn.sigmoid,
    "reshaped": lambda z: nn.sigmoid(z).reshape(8, 1),
    "indexed": lambda z: nn.sigmoid(z)[:, [0]],
    "transposed": lambda z: nn.sigmoid(z.T).T,
    "by hand": lambda z: 1 / (1 + np.exp(-z)),
    "by hand, with tanh": lambda z: (1 + np.tanh(z / 2)) / 2,
    "clipped": lambda z: np.clip(1 / (1 + np.exp(-z)), 1e-7, 1 - 1e-7),
}


@pytest.mark.parametrize("kind", PROBABILITIES)
def test_a_sigmoid_before_the_loss_that_applies_it_is_seen(kind):
    with pytest.raises(ValueError, match=r"applies the sigmoid itself: give it the logits.*test_modules"):
        nn.binary_cross_entropy(PROBABILITIES[kind](network()(X)), CLASSES[:, None])


@pytest.mark.parametrize(
    "softmax",
    [
        lambda z: np.exp(z) / np.exp(z).sum(axis=1, keepdims=True),
        lambda z: np.exp(z - z.max(axis=1, keepdims=True)) / np.exp(z - z.max(axis=1, keepdims=True)).sum(1)[:, None],
        lambda z: (np.exp(z).T / np.exp(z).sum(axis=1)).T[:8],
    ],
)
def test_a_softmax_before_the_loss_that_applies_it_is_seen(softmax):
    with pytest.raises(ValueError, match=r"applies the softmax itself: give it the logits.*test_modules"):
        nn.cross_entropy(softmax(network(out=2)(X)), CLASSES)


def test_cross_entropy_of_one_class_is_refused():
    with pytest.raises(ValueError, match=r"with one class the loss is 0 whatever.*binary_cross_entropy.*test_mod"):
        nn.cross_entropy(network()(X), np.zeros(8, int))


@pytest.mark.parametrize(
    "call",
    [
        lambda z: nn.cross_entropy(CLASSES, z),
        lambda z: nn.binary_cross_entropy(CLASSES[:, None], z),
        lambda z: nn.binary_cross_entropy(CLASSES[:, None], nn.sigmoid(z).data),
        lambda z: nn.accuracy(CLASSES, np.hstack([z.data, -z.data])),
    ],
)
def test_targets_given_as_predictions_are_noticed_where_ranges_tell(call):
    with pytest.raises((TypeError, ValueError), match=r"are the arguments swapped\?.*test_modules"):
        call(network()(X))


@pytest.mark.parametrize(
    ("prediction", "target", "message"),
    [
        ([np.nan, 1.0], [0, 1], r"prediction is nan at \(0,\): that is neither right nor wrong"),
        ([0, 1, 1], np.eye(3)[[0, 1, 2]], r"one-hot rows: for these use target\.argmax\(axis=-1\)"),
        (np.eye(3), np.eye(3), r"one-hot rows: for these use target\.argmax\(axis=-1\)"),
        ([3.0, -2.0], [1, 0], r"got -2\.0|got 3\.0"),
        ([2.0, 5.0], [1, 1], "use prediction > 0.5 for probabilities, or prediction > 0 for logits"),
        ([0.2, 0.9], [0, 1], "got fractions"),
    ],
)
def test_accuracy_refuses_what_it_would_misread(prediction, target, message):
    with pytest.raises(ValueError, match=message):
        nn.accuracy(np.array(prediction), np.array(target))


# -- optimisers ---------------------------------------------------------------------------------------------


def test_another_name_for_the_learning_rate_is_an_error_that_names_it():
    optimizer = optim.SGD([Value(1.0)], lr=0.1)
    with pytest.raises(AttributeError, match=r"SGD has no learning_rate to set: the learning rate is sgd\.lr"):
        optimizer.learning_rate = 0.01
    assert optimizer.lr == 0.1


def test_a_gradient_that_is_not_finite_is_refused_by_its_path_and_changes_nothing():
    model = network()
    optimizer = optim.Adam(model.parameters())
    nn.mse_loss(model(X), np.where(np.arange(8)[:, None] == 5, np.inf, Y)).backward()
    before = model.state_dict()
    with pytest.raises(ValueError, match=r"parameter 0 \(layers\.0\.weight\) is .*nothing was changed.*test_modules"):
        optimizer.step()
    assert all(np.array_equal(array, before[path]) for path, array in model.state_dict().items())


@pytest.mark.parametrize(
    ("params", "words"),
    [
        (lambda m: [{"params": m}], r"use model\.parameters\(\)"),
        (lambda m: m.state_dict(), r"state_dict\(\) copies: use model\.parameters\(\)"),
        (lambda m: m.named_parameters(), r"use model\.parameters\(\) in place of model\.named_parameters\(\)"),
        (lambda m: m.parameters, r"call it, parameters\(\)"),
    ],
)
def test_what_is_no_list_of_parameters_has_its_own_words(params, words):
    with pytest.raises(TypeError, match=rf"{words}.*\(test_modules\.py:"):
        optim.SGD(params(network()), lr=0.1)


def test_a_parameter_that_was_replaced_is_noticed_at_the_next_step():
    model = network()
    optimizer = optim.SGD(model.parameters(), lr=0.1)
    trained(model, optimizer)
    model.layers[0].weight = Value(np.zeros((3, 4)))
    with pytest.raises(ValueError, match=r"parameter 0 \(layers\.0\.weight\) was replaced.*make the optimiser again"):
        trained(model, optimizer)


def test_a_layer_that_came_later_is_noticed_at_the_next_step():
    model = network()
    optimizer = optim.SGD(model.parameters(), lr=0.1)
    trained(model, optimizer)
    model.layers.append(nn.Linear(1, 1, rng=2))
    with pytest.warns(nn.LostParameterWarning, match=r"layers\.3\.weight, layers\.3\.bias came into the model after"):
        trained(model, optimizer)


# -- batches ------------------------------------------------------------------------------------------------


def test_batches_are_there_again_in_every_epoch():
    batches = data.minibatches(X, Y, CLASSES, batch_size=3, rng=0)
    epochs = [np.concatenate([x for x, _, _ in batches]) for _ in range(3)]
    for rows in epochs:
        assert sorted(map(tuple, rows)) == sorted(map(tuple, X))
    assert not np.array_equal(epochs[0], epochs[1])


@pytest.mark.parametrize("arrays", [1, 2, 3])
def test_any_number_of_arrays_and_none_without_rows(arrays):
    whole = [X, Y, CLASSES][:arrays]
    assert len(list(data.minibatches(*whole, batch_size=3))) == 3
    with pytest.raises(ValueError, match=r"there are no rows \(test_modules\.py:"):
        data.minibatches(*(array[:0] for array in whole), batch_size=3)


# -- functions that are computed twice ----------------------------------------------------------------------


def test_checkpoint_notices_random_numbers_although_the_result_agrees():
    rng = np.random.default_rng(0)

    def dropped(x):
        return x * (rng.random(x.shape) < 2.0)

    with pytest.raises(ValueError, match=r"drew random numbers.*give them to it as an argument.*test_modules"):
        te.checkpoint(dropped)(Value(X))


@pytest.mark.parametrize("update", HABITS, ids=lambda f: f.__name__)
def test_checkpoint_keeps_the_state_of_the_first_run(update):
    plain, saving = normalised(update), normalised(update)
    out = te.checkpoint(saving)(X)
    nn.mse_loss(out, Y).backward()
    nn.mse_loss(plain(X), Y).backward()
    assert np.array_equal(saving.layers[1].mean, plain.layers[1].mean)
    for one, other in zip(saving.parameters(), plain.parameters(), strict=True):
        assert np.allclose(one.grad, other.grad, rtol=1e-12)


# -- files, and operations of one's own ---------------------------------------------------------------------


@pytest.mark.skipif(os.name == "nt", reason="Windows has no modes")
def test_a_file_keeps_its_mode(tmp_path):
    te.save(network(), tmp_path / "model")
    (tmp_path / "model").chmod(0o640)
    te.save(network(), tmp_path / "model")
    assert (tmp_path / "model").stat().st_mode & 0o777 == 0o640


def test_ctrl_c_after_the_rename_does_not_say_that_nothing_was_saved(tmp_path, monkeypatch):
    replace = os.replace

    def interrupted(*paths):
        replace(*paths)
        raise KeyboardInterrupt

    monkeypatch.setattr(os, "replace", interrupted)
    with pytest.raises(KeyboardInterrupt) as caught:
        te.save(network(), tmp_path / "model")
    assert caught.value.__notes__ == [f"{tmp_path / 'model'} was saved"]
    te.load(network(), tmp_path / "model")
