"""Values that a network uses and that nothing finds: named at the first call, and by `check_module`."""

import functools
import warnings

import numpy as np
import pytest

import tinygrad_edu as te
from tinygrad_edu import Value, nn, no_grad
from tinygrad_edu.surroundings import lost_places

X = np.arange(12.0).reshape(4, 3)
OUTSIDE = Value(np.ones(3))


class Shared(nn.Module):
    w = Value(np.ones(3))

    def forward(self, x):
        return x * self.w


class SharedList(nn.Module):
    ws = [Value(np.ones(3))]  # noqa: RUF012

    def forward(self, x):
        return x * self.ws[0]


class ObjectArray(nn.Module):
    def __init__(self):
        self.ws = np.empty(1, object)
        self.ws[0] = Value(1.0)

    def forward(self, x):
        return x * self.ws[0]


class Default(nn.Module):
    def __init__(self):
        self.f = lambda x, w=Value(np.ones(3)): x * w  # noqa: B008

    def forward(self, x):
        return self.f(x)


class KeywordDefault(nn.Module):
    def __init__(self):
        def f(x, *, w=Value(np.ones(3))):  # noqa: B008
            return x * w

        self.layers = [f]

    def forward(self, x):
        return self.layers[0](x)


class Closure(nn.Module):
    def __init__(self):
        w = Value(np.ones(3))
        self.f = lambda x: x * w

    def forward(self, x):
        return self.f(x)


class Partial(nn.Module):
    def __init__(self):
        self.f = functools.partial(np.multiply, Value(np.ones(3)))

    def forward(self, x):
        return self.f(x)


class Layer:
    def __init__(self):
        self.w = Value(np.ones(3))

    def __call__(self, x):
        return x * self.w


class NoModule(nn.Module):
    def __init__(self):
        self.layers = [Layer()]

    def forward(self, x):
        return self.layers[0](x)


class Method(nn.Module):
    def __init__(self):
        self.f = Layer().__call__

    def forward(self, x):
        return self.f(x)


class MadeInside(nn.Module):
    def forward(self, x):
        w = Value(np.random.default_rng(0).normal(size=(3, 2)))
        return x @ w


class LayerInside(nn.Module):
    def forward(self, x):
        return nn.Linear(3, 2, rng=0)(x)


class Deeper(nn.Module):
    def __init__(self):
        self.first, self.inner = nn.Linear(3, 3, rng=0), MadeInside()

    def forward(self, x):
        return self.inner(self.first(x))


KINDS = {
    Shared: r"w is an attribute of the class Shared, which all its objects share: set self\.w in __init__",
    SharedList: r"ws\.0 is in a structure that belongs to no module",
    ObjectArray: r"ws\.0 is in an object array.*keep them in a list",
    Default: r"f\.w belongs to a function, where no parameters",
    KeywordDefault: r"layers\.0\.w belongs to a function",
    Closure: r"f\.w belongs to a function",
    Partial: r"f\.0 belongs to a function",
    NoModule: r"layers\.0\.w is in a Layer, which is no module: write class Layer\(nn\.Module\)",
    Method: r"f\.object\.w is in a Layer, which is no module",
    MadeInside: r"forward of MadeInside '' makes a Value of shape \(3, 2\).*make it in __init__",
    LayerInside: r"forward of Linear '' makes a Value of shape \(3, 2\)|forward of LayerInside",
    Deeper: r"forward of MadeInside 'inner' makes a Value of shape \(3, 2\)",
}
EVERY = pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)


@EVERY
def test_the_first_call_warns_and_no_other(kind):
    model = kind()
    with pytest.warns(nn.LostParameterWarning, match=KINDS[kind]) as caught:
        model(X)
    assert all("(test_lost.py:" in str(warning.message) for warning in caught)
    assert all(warning.filename == __file__ for warning in caught)
    model(X)


@EVERY
def test_check_module_names_it(kind):
    with pytest.raises(te.testing.GradientError, match=KINDS[kind]):
        te.testing.check_module(kind, X)


@EVERY
def test_without_recording_nothing_is_known_and_the_next_call_warns(kind):
    model = kind()
    with no_grad():
        model(X)
    model.parameters()
    with pytest.warns(nn.LostParameterWarning):
        model(X)


def test_what_is_not_used_is_named_by_check_module_alone():
    class Unused(nn.Linear):
        spare = Value(1.0)

    make = lambda: Unused(3, 1, rng=0)
    make()(X)
    with pytest.raises(te.testing.GradientError, match="spare is an attribute of the class Unused"):
        te.testing.check_module(make, X)
    assert [text for _, text in lost_places(make())] != []


class Wrapping(nn.Module):
    def __init__(self):
        self.cell = nn.Linear(3, 3, rng=0)

    def forward(self, x):
        x, hidden = Value(np.asarray(x)), Value(np.zeros((4, 3)))
        return np.tanh(self.cell(x) + hidden)


HEALTHY = {
    "data wrapped in forward": lambda: Wrapping()(X),
    "a Value as input": lambda: nn.Linear(3, 1, rng=0)(Value(X)),
    "inputs with a past": lambda: nn.Linear(3, 1, rng=0)(np.tanh(Value(X) * OUTSIDE)),
    "a Value of the program": lambda: nn.Sequential(lambda x: x * OUTSIDE)(X),
    "an attribute before the class's": lambda: setattr(model := Shared(), "w", Value(np.ones(3))) or model(X),
    "a gradient through a network": lambda: te.grad(lambda x: nn.Linear(3, 1, rng=0)(x).sum())(X),
    "a network as an argument": lambda: te.grad(lambda model: model(X).sum())(nn.Linear(3, 1, rng=0)),
    "a checkpoint": lambda: te.checkpoint(nn.Linear(3, 1, rng=0))(X),
    "a class that starts empty": lambda: nn.Linear(3, 1, bias=False, rng=0)(X),
}


@pytest.mark.parametrize("healthy", HEALTHY)
def test_healthy_networks_are_silent(healthy):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        HEALTHY[healthy]()
