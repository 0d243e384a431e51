"""What a module holds: parameters and buffers in every kind of place, with paths that last."""

import copy
import pickle
from collections import OrderedDict, defaultdict, deque, namedtuple
from dataclasses import dataclass
from types import SimpleNamespace

import numpy as np
import pytest

from tinygrad_edu import Value, nn, no_grad
from tinygrad_edu.tree import is_array

Pair = namedtuple("Pair", "left right")


@dataclass
class Block:
    weight: Value
    scale: np.ndarray
    label: str = "block"


@dataclass(frozen=True)
class Fixed:
    weight: Value
    scale: np.ndarray


def value(shape=(2,)):
    return Value(np.ones(shape))


def filled(defaults):
    made = defaultdict(list)
    made["a"].append(defaults)
    return made


PLACES = {
    "list": (lambda w, b: [w, b], "0", "1"),
    "tuple": (lambda w, b: (w, b), "0", "1"),
    "dict": (lambda w, b: {"w": w, "b": b}, "w", "b"),
    "ordered dict": (lambda w, b: OrderedDict(w=w, b=b), "w", "b"),
    "default dict": (lambda w, b: filled(w) | {"b": b}, "a.0", "b"),
    "deque": (lambda w, b: deque([w, b]), "0", "1"),
    "set": (lambda w, b: {w, (1, 2)}, "0", None),
    "frozenset": (lambda w, b: frozenset([w, "text"]), "0", None),
    "named tuple": (lambda w, b: Pair(w, b), "0", "1"),
    "dataclass": (lambda w, b: Block(w, b), "weight", "scale"),
    "frozen dataclass": (lambda w, b: Fixed(w, b), "weight", "scale"),
    "namespace": (lambda w, b: SimpleNamespace(w=w, b=b), "w", "b"),
    "nested": (lambda w, b: [{"x": (deque([Block(w, b)]),)}], "0.x.0.0.weight", "0.x.0.0.scale"),
}
EVERY = pytest.mark.parametrize("kind", PLACES)


def holder(kind):
    make, weight, buffer = PLACES[kind]
    model = nn.Module()
    model.parts = make(value(), np.zeros(2))
    return model, f"parts.{weight}", buffer and f"parts.{buffer}"


@EVERY
def test_parameters_and_buffers_are_found(kind):
    model, weight, buffer = holder(kind)
    assert [name for name, _ in model.named_parameters()] == [weight]
    assert [name for name, _ in model.named_buffers()] == [buffer] * (buffer is not None)
    assert sorted(model.state_dict()) == sorted([weight, *[buffer] * (buffer is not None)])


@EVERY
def test_they_are_loaded_where_they_are(kind):
    model, _, _ = holder(kind)
    state = {name: array + 3.0 for name, array in model.state_dict().items()}
    given = {name: array.copy() for name, array in state.items()}
    model.load_state_dict(state)
    for array in state.values():
        array[...] = 99.0
    assert all(np.array_equal(array, given[name]) for name, array in model.state_dict().items())


@EVERY
@pytest.mark.parametrize("twin", [copy.deepcopy, lambda m: pickle.loads(pickle.dumps(m))])
def test_copies_have_their_own(kind, twin):
    model, _, _ = holder(kind)
    other = twin(model)
    model.load_state_dict({name: array + 1.0 for name, array in model.state_dict().items()})
    before = holder(kind)[0].state_dict()
    assert all(np.array_equal(array, before[name]) for name, array in other.state_dict().items())
    assert list(other.state_dict()) == list(before)


def test_loading_does_not_write_into_arrays_of_the_user():
    mean = np.zeros(2)
    model = nn.Module()
    model.mean = model.var = mean
    model.load_state_dict({"mean": np.ones(2), "var": np.full(2, 2.0)})
    assert mean.tolist() == [0.0, 0.0]
    assert (model.mean.tolist(), model.var.tolist()) == ([1.0, 1.0], [2.0, 2.0])


def test_one_array_under_two_names_is_two_buffers():
    model = nn.Module()
    model.mean = model.var = np.zeros(2)
    assert list(model.state_dict()) == ["mean", "var"]


def test_a_read_only_array_in_a_tuple_is_refused_before_anything_changes():
    model = nn.Module()
    fixed = np.zeros(2)
    fixed.flags.writeable = False
    model.w, model.parts = value(), (fixed,)
    with pytest.raises(ValueError, match=r"'parts\.0' is in a tuple, and read-only"):
        model.load_state_dict({"w": np.zeros(2), "parts.0": np.ones(2)})
    assert model.w.data.tolist() == [1.0, 1.0]


@pytest.mark.parametrize(
    "array",
    [
        np.ones(3, np.float32),
        np.arange(3),
        np.array([True, False]),
        np.float64(2.0),
        np.ones(2, complex),
        np.ones(()),
    ],
)
def test_arrays_of_numbers_are_buffers_of_their_dtype(array):
    model = nn.Module()
    model.a = array
    state = model.state_dict()
    assert state["a"].dtype == array.dtype
    model.load_state_dict({"a": np.zeros_like(array)})
    assert type(model.a) is type(array)
    assert model.a.dtype == array.dtype
    assert not np.any(model.a)


@pytest.mark.parametrize(
    "thing", ["text", 3, 2.5, True, None, np.array(["a"]), np.array([None]), np.float64, [np.float64(1.0)], np.tanh]
)
def test_other_things_are_no_buffers(thing):
    model = nn.Module()
    model.thing = thing
    assert model.buffers() == []


def test_arrays_of_other_libraries_are_buffers():
    array = pytest.importorskip("dask.array").ones(3)
    assert is_array(array)


def test_results_are_neither():
    model = nn.Module()
    model.w = value()
    model.hidden = model.w * 2
    with no_grad():
        model.log = [model.w * 3]
    assert list(model.state_dict()) == ["w"]


@pytest.mark.parametrize("twin", [copy.deepcopy, lambda m: pickle.loads(pickle.dumps(m)), lambda m: m])
@pytest.mark.parametrize("count", [3, 12])
def test_paths_in_a_set_follow_age_and_stay_in_copies(twin, count):
    model = nn.Module()
    made = [Value(float(i)) for i in range(count)]
    model.parts = {*made[::-1]}
    first = {name: array.item() for name, array in model.state_dict().items()}
    assert first == {f"parts.{i}": float(i) for i in range(count)}
    again = twin(twin(model))
    assert {name: array.item() for name, array in again.state_dict().items()} == first


def test_modules_in_a_set():
    model = nn.Module()
    layers = [nn.Linear(1, 1, rng=i) for i in range(4)]
    model.parts = {*layers, nn.Tanh()}
    assert [id(m) for _, m in model.named_modules()][1:5] == [id(layer) for layer in layers]
    assert list(model.state_dict())[:2] == ["parts.0.weight", "parts.0.bias"]


def test_a_structure_that_holds_itself_is_walked_once():
    model = nn.Module()
    model.parts = [value()]
    model.parts.append(model.parts)
    model.me = model
    assert [name for name, _ in model.named_parameters()] == ["parts.0"]
