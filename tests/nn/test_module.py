"""Modules: parameters found, named, saved and restored; calls named; mistakes explained."""

import copy
import pickle
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tinygrad_edu import Value, nn, no_grad


class Everything(nn.Module):
    """A parameter in every kind of place."""

    def __init__(self):
        self.scale = Value(2.0)
        self.layers = [nn.Linear(2, 3, rng=0), nn.Tanh()]
        self.heads = {"a": nn.Linear(3, 1, rng=1), "b": (nn.Linear(3, 1, bias=False, rng=2),)}
        self.constant = np.ones(3)

    def forward(self, x):
        for layer in self.layers:
            x = layer(x)
        return self.scale * self.heads["a"](x) + self.heads["b"][0](x)


PATHS = ["scale", "layers.0.weight", "layers.0.bias", "heads.a.weight", "heads.a.bias", "heads.b.0.weight"]


def test_parameters_are_found_everywhere_in_order_of_definition():
    model = Everything()
    assert [name for name, _ in model.named_parameters()] == PATHS
    assert list(map(id, model.parameters())) == [id(value) for _, value in model.named_parameters()]
    assert isinstance(model.parameters(), list)


def test_every_parameter_gets_a_gradient():
    model = Everything()
    model(np.ones((4, 2))).sum().backward()
    assert all(p.grad.shape == p.data.shape for p in model.parameters())


def test_modules_are_named():
    found = {path: type(module).__name__ for path, module in Everything().named_modules()}
    assert found == {
        "": "Everything",
        "layers.0": "Linear",
        "layers.1": "Tanh",
        "heads.a": "Linear",
        "heads.b.0": "Linear",
    }


def test_shared_parameters_are_one_parameter():
    first, second = nn.Linear(2, 2, rng=0), nn.Linear(2, 2, rng=1)
    second.weight = first.weight
    assert [name for name, _ in nn.Sequential(first, second).named_parameters()] == [
        "layers.0.weight",
        "layers.0.bias",
        "layers.1.bias",
    ]


def test_what_an_operation_made_is_no_parameter():
    model = Everything()
    model.hidden = model(np.ones((4, 2)))
    assert [name for name, _ in model.named_parameters()] == PATHS


def test_a_call_names_what_is_recorded():
    model = Everything()
    out = model(np.ones((4, 2)))
    assert (out.scope.path, out.scope.kind) == ("", "Everything")
    head = out.args[1]
    assert (head.scope.path, head.scope.kind) == ("heads.b.0", "Linear")
    assert head.scope.parent is out.scope


def test_outside_of_calls_nothing_is_named():
    model = Everything()
    out = model(np.ones((4, 2)))
    assert (out + 1.0).scope.kind == ""


def test_parameters_are_named_for_pictures_and_keep_the_names_of_users():
    class Named(nn.Module):
        def __init__(self):
            self.first, self.w = nn.Linear(1, 1), Value(1.0, name="my w")

    model = Named()
    assert [p.name for p in model.parameters()] == ["first.weight", "first.bias", "my w"]
    assert nn.Sequential(model).parameters()[0].name == "layers.0.first.weight"


def test_a_part_keeps_its_path_when_asked_on_its_own():
    model = nn.Sequential(nn.Linear(1, 1), nn.Sequential(nn.Linear(1, 1)))
    model(np.ones((1, 1)))
    inner = model.layers[1]
    assert [name for name, _ in inner.named_parameters()] == ["layers.0.weight", "layers.0.bias"]
    assert inner(np.ones((1, 1))).scope.parent.path == "layers.1"
    assert inner.layers[0].weight.name == "layers.1.layers.0.weight"


def test_a_layer_that_was_called_on_its_own_gets_its_path_in_a_network():
    layer = nn.Linear(1, 1)
    assert layer(np.ones((1, 1))).scope.path == ""
    assert nn.Sequential(layer)(np.ones((1, 1))).args[0].scope.path == "layers.0"


def test_state_goes_round():
    one, other = Everything(), Everything()
    for p in one.parameters():
        p.data = p.data + 1.0
    other.load_state_dict(one.state_dict())
    x = np.ones((4, 2))
    assert np.array_equal(one(x).data, other(x).data)


def test_a_state_is_a_copy():
    model = Everything()
    state = model.state_dict()
    state["layers.0.weight"][:] = 7.0
    assert not np.any(model.layers[0].weight.data == 7.0)
    model.load_state_dict(state)
    state["layers.0.weight"][:] = 8.0
    assert np.all(model.layers[0].weight.data == 7.0)


def test_loading_keeps_the_dtype():
    model = nn.Linear(2, 1, dtype=np.float32)
    model.load_state_dict({"weight": np.ones((2, 1)), "bias": [1]})
    assert model.weight.dtype == model.bias.dtype == np.float32


faults = {
    "missing": (lambda s: s.pop("scale"), "'scale' is missing"),
    "extra": (lambda s: s.update(other=np.ones(1)), "'other' is unknown here"),
    "shape": (
        lambda s: s.update({"layers.0.weight": np.ones((2, 4))}),
        r"'layers.0.weight' is \(2, 3\) here and \(2, 4\) in the state",
    ),
    "kind": (lambda s: s.update({"heads.a.bias": np.array(["x"])}), "'heads.a.bias' is <U1"),
    "value": (lambda s: s.update(scale=Value(1.0)), "'scale': a Value is not a plain array"),
    "ragged": (lambda s: s.update(scale=[[1.0], [2.0, 3.0]]), "'scale': this is not an array of numbers"),
    "none": (lambda s: s.update(scale=None), "'scale': None was given"),
    "masked": (lambda s: s.update(scale=np.ma.array(1.0, mask=True)), "'scale': a MaskedArray was given"),
}


@pytest.mark.parametrize("fault", faults)
def test_a_state_that_does_not_fit_leaves_the_module_untouched(fault):
    model = Everything()
    before = model.state_dict()
    state = {name: array + 1.0 for name, array in before.items()}
    spoil, message = faults[fault]
    spoil(state)
    with pytest.raises((ValueError, TypeError), match=message) as caught:
        model.load_state_dict(state)
    assert str(caught.value).count("(test_module.py:") == 1
    assert all(np.array_equal(model.state_dict()[name], before[name]) for name in before)


@pytest.mark.parametrize("state", [None, 1.0, "weights", [np.ones(2)], {"scale"}, np.ones(2)])
def test_what_is_no_state_is_refused(state):
    kind = type(state).__name__
    with pytest.raises(TypeError, match=rf"a state is a dict of arrays by path.*; got {kind} \(test_module.py:"):
        Everything().load_state_dict(state)


def test_two_parameters_of_one_path_are_refused():
    model = nn.Module()
    model.w = {1: Value(1.0), "1": Value(2.0)}
    with pytest.raises(ValueError, match=r"two parameters have one path: w\.1"):
        model.state_dict()


def test_train_and_eval_reach_every_module():
    model = Everything()
    assert model.training
    assert model.eval() is model
    assert not any(module.training for _, module in model.named_modules())
    assert model.train().layers[0].training


def test_a_typo_is_answered_with_the_nearest_name():
    model = nn.Module()
    model.linear = nn.Linear(1, 1)
    with pytest.raises(AttributeError, match=r"Module has no attribute 'lienar'; did you mean 'linear'\?"):
        _ = model.lienar
    with pytest.raises(AttributeError, match=r"no attribute 'zzzzzz' \(test_module\.py:"):
        _ = model.zzzzzz
    assert not hasattr(model, "__nothing__")


def test_a_module_without_forward_says_so():
    class Empty(nn.Module):
        pass

    with pytest.raises(NotImplementedError, match=r"def forward\(self, x\).*class Empty"):
        Empty()(1.0)


def test_repr_shows_paths_classes_and_shapes():
    assert repr(Everything()).splitlines() == [
        "Everything(scale ())",
        "  layers.0: Linear(weight (2, 3), bias (3,))",
        "  layers.1: Tanh()",
        "  heads.a: Linear(weight (3, 1), bias (1,))",
        "  heads.b.0: Linear(weight (3, 1))",
    ]


def test_dots_in_keys_and_parameters_deep_in_lists_are_shown_with_their_module():
    model = nn.Module()
    model.parts = {"a.b": nn.Linear(1, 1, rng=0), "a": [[Value(1.0)]]}
    assert repr(model).splitlines() == [
        "Module(parts.a.0.0 ())",
        "  parts.a.b: Linear(weight (1, 1), bias (1,))",
    ]


@pytest.mark.parametrize("twin", [copy.deepcopy, lambda m: pickle.loads(pickle.dumps(m))])
def test_copies_are_separate_and_compute_the_same(twin):
    model = Everything()
    x = np.ones((4, 2))
    other = twin(model)
    assert np.array_equal(model(x).data, other(x).data)
    other.scale.data = other.scale.data + 1.0
    assert model.scale.item() == 2.0


def test_no_grad_calls_record_nothing():
    with no_grad():
        assert Everything()(np.ones((1, 2))).op is None


@given(st.lists(st.integers(1, 4), min_size=2, max_size=5), st.integers(0, 5))
def test_any_chain_of_layers(widths, batch):
    model = nn.Sequential(*(nn.Linear(a, b, rng=0) for a, b in pairwise(widths)))
    assert model(np.ones((batch, widths[0]))).shape == (batch, widths[-1])
    assert len(model.parameters()) == 2 * (len(widths) - 1)


def test_a_property_that_fails_says_what_it_lacks():
    class Net(nn.Module):
        @property
        def width(self):
            return self.hidden

    with pytest.raises(AttributeError, match="Net has no attribute 'hidden'"):
        Net().width  # noqa: B018


def test_a_module_that_holds_itself_or_is_held_deep_inside_has_its_parameters_once():
    net = nn.Linear(2, 1)
    net.itself, net.deep = net, [net.weight]
    for _ in range(10_000):
        net.deep = [net.deep]
    assert [path for path, _ in net.named_parameters()] == ["weight", "bias"]


def test_a_network_may_inherit_from_another_class_too():
    class Named:
        def __init__(self, title):
            self.title = title

    class Net(nn.Module, Named):
        pass

    assert Net("first").title == "first"
