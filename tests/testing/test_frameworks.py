"""Frameworks are asked the same question; what they disagree on is ranked, what is missing is said to be missing."""

import importlib.util
import sys
import types

import numpy as np
import pytest

import tinygrad_edu as te
from tinygrad_edu import stop_gradient
from tinygrad_edu.testing import compare
from tinygrad_edu.testing.frameworks import FRAMEWORKS, between

X = np.random.default_rng(0).normal(size=(4, 3))
PARAMETERS = {"w": np.random.default_rng(1).normal(size=(3, 2)), "b": np.array([0.5, -1.0])}
INSTALLED = [name for name in ("torch", "jax", "autograd") if importlib.util.find_spec(name)]


def softmax(x):
    e = np.exp(x - np.max(x))
    return e / np.sum(e)


def loss(p, x):
    return -np.log(softmax(np.tanh(x @ p["w"]) + p["b"]))


def test_a_right_gradient_agrees_with_differences():
    found = compare(loss, PARAMETERS, X)
    assert set(found.answers) == {"tinygrad_edu", "numeric"}
    assert found.agrees
    assert str(found).startswith("loss: tinygrad_edu, ")


def test_what_is_not_installed_is_said_to_be_so():
    found = compare(np.tanh, 0.5, with_=["torch", "jax", "autograd"])
    for name in {"torch", "jax", "autograd"} - set(INSTALLED):
        assert found.missing[name] == f"not installed: pip install {name}"
        assert f"  {name}: not installed: pip install {name}" in str(found).splitlines()


def test_disagreements_are_ranked():
    factors = np.array([1.0, 1.1, 3.0, 1.0])
    wrong = lambda x: factors * (y := np.sin(x)) - (factors - 1) * stop_gradient(y)
    found = compare(wrong, np.zeros(4), with_=["numeric"], seed=1)
    assert not found.agrees
    assert [d.place for d in found.disagreements] == ["argument 0[2]", "argument 0[1]"]
    first, second = found.disagreements
    assert first.apart > second.apart
    assert first.found["tinygrad_edu"] == pytest.approx(3 * first.found["numeric"])
    lines = repr(found).splitlines()
    assert lines[0] == "f: tinygrad_edu, numeric: 2 disagreements"
    assert lines[1].startswith("  argument 0[2] at 0: tinygrad_edu ")


def test_many_disagreements_are_counted():
    doubled = lambda x: 2 * (y := np.sin(x)) - stop_gradient(y)
    text = str(compare(doubled, X, with_=["numeric"]))
    assert "12 disagreements" in text
    assert "... and 7 more" in text
    assert "1 disagreement\n" in str(compare(doubled, 0.5, with_=["numeric"]))


def test_a_nan_beside_a_number_comes_first():
    assert between(np.array([np.nan, 1.0]), np.zeros(2)) == np.inf
    assert between(np.array([np.nan, np.nan]), np.zeros(2)) == 0.0
    assert between(np.array([np.inf, np.inf]), np.zeros(2)) == 0.0
    assert between(np.array([1.0, 1.5]), np.array([0.0, 0.1])) == pytest.approx(0.4)


def test_another_version_can_be_given_for_a_framework():
    right, wrong = (lambda x: np.sin(x) * x), (lambda x: np.sin(x) * x + 1e-3 * x)
    assert compare(right, X, with_={"numeric": right}).agrees
    found = compare(right, X, with_={"numeric": wrong})
    assert found.disagreements[0].place.startswith(("argument 0", "result"))
    other_shape = compare(right, X, with_={"numeric": lambda x: np.sin(x) * x * np.ones((1, 4, 3))})
    assert "shapes of the result" in str(other_shape) or other_shape.missing


def test_a_large_argument_is_differenced_with_four_points():
    assert compare(lambda x: np.sum(np.sin(x) * x), np.linspace(0.1, 2.0, 100), with_=["numeric"]).agrees


def test_bad_questions_are_refused():
    with pytest.raises(ValueError, match=r"with_=\['torch'\]; got a single name"):
        compare(np.tanh, 0.5, with_="torch")
    with pytest.raises(ValueError, match="'chainer' is no framework to compare with; known are torch, jax"):
        compare(np.tanh, 0.5, with_=["chainer"])
    with pytest.raises(TypeError, match="no floating point argument to compare among 1"):
        compare(np.tanh, 3)


@pytest.fixture
def stand_in(monkeypatch):
    """A module by the name of autograd, whose gradients come from this library."""
    made = types.ModuleType("autograd")
    numpy = types.ModuleType("autograd.numpy")
    made.grad = te.grad
    made.numpy = numpy
    numpy.sum = np.sum
    monkeypatch.setitem(sys.modules, "autograd", made)
    monkeypatch.setitem(sys.modules, "autograd.numpy", numpy)
    return made


def test_a_framework_is_given_the_function_that_was_written_for_it(stand_in):
    by_hand = lambda x: 2.0 * (np.exp(x) - np.exp(-x)) / (np.exp(x) + np.exp(-x))
    f = lambda x: np.tanh(x) * 2.0
    assert compare(f, X, with_={"autograd": by_hand, "numeric": f}).agrees
    stand_in.grad = lambda f, places: lambda *args: [2 * g for g in te.grad(f, places)(*args)]
    assert len(compare(f, X, with_={"autograd": by_hand}).disagreements) == X.size


def test_a_framework_without_a_function_of_its_own_is_given_f_itself(stand_in):
    assert compare(lambda p, x: (x @ p["w"] + p["b"]) ** 2, PARAMETERS, X, with_=["autograd"]).agrees
    stand_in.grad = lambda f, places: lambda *args: f(*map(object, args))
    found = compare(lambda x: x * 2.0, X, with_=["autograd"])
    assert "; with_={'autograd': g} takes the same function, written for it" in found.missing["autograd"]


def versions(name):
    """Functions for a framework, in pairs with the same ones in NumPy, and their arguments."""
    lib = importlib.import_module({"torch": "torch", "jax": "jax.numpy", "autograd": "autograd.numpy"}[name])

    def their_loss(p, x):
        z = lib.tanh(x @ p["w"]) + p["b"]
        e = lib.exp(z - lib.max(z))
        return -lib.log(e / lib.sum(e))

    pairs = [
        (loss, their_loss, PARAMETERS, X),
        (np.tanh, lib.tanh, 0.5),
        (lambda x: np.linalg.det(x[:3]), lambda x: lib.linalg.det(x[:3]), X),
        (lambda x: np.where(x > 0, x, np.exp(x)), lambda x: lib.where(x > 0, x, lib.exp(x)), X),
    ]
    return [*pairs, (lambda x: x.sum(axis=0) * x.mean(), None, X)]


@pytest.mark.parametrize("name", ["torch", "jax", "autograd"])
@pytest.mark.filterwarnings("ignore")
def test_the_real_frameworks_agree(name):
    pytest.importorskip(name)
    for f, theirs, *args in versions(name):
        found = compare(f, *args, with_={name: theirs or f, "numeric": f})
        assert not found.missing
        assert found.agrees, str(found)


def test_every_framework_has_an_answer():
    assert list(FRAMEWORKS) == ["torch", "jax", "autograd", "numeric"]
