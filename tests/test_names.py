"""Answers to names and options that do not exist; the tables themselves are tested in tests/messages."""

import inspect
import sys
import types

import pytest

from tinygrad_edu.names import advice, nearest, of_package, spelled


@spelled
def train(params, *, lr=0.1, momentum=0.0):
    """Train."""
    return params, lr, momentum


def test_what_is_spelled_right_passes_unchanged():
    assert train(1, lr=0.2) == (1, 0.2, 0.0)
    assert train(params=3) == (3, 0.1, 0.0)
    assert train.__name__ == "train"
    assert list(inspect.signature(train).parameters) == ["params", "lr", "momentum"]


@pytest.mark.parametrize(
    ("option", "words"),
    [
        ("learning_rate", "it is called lr"),
        ("momentun", "did you mean 'momentum'?"),
        ("zzz", "there are lr, momentum, params"),
    ],
)
def test_an_unknown_option_is_answered(option, words):
    with pytest.raises(TypeError) as caught:
        train(1, **{option: 2})
    assert f"train has no option '{option}': {words}" in str(caught.value)
    assert "(test_names.py:" in str(caught.value)


def test_the_mistakes_that_python_explains_are_left_to_it():
    with pytest.raises(TypeError, match="missing 1 required positional argument: 'params'"):
        train()


def test_only_near_names_are_offered():
    assert nearest("lienar", ["linear", "tanh"], 0.7) == "linear"
    assert nearest("conv", ["linear", "tanh"], 0.7) is None
    assert advice("nn", ["Linear"], "Qqqq") == ""


def test_an_import_fails_as_imports_do_and_hasattr_is_false(monkeypatch):
    module = types.ModuleType("tinygrad_edu.nn_of_tests")
    module.__getattr__ = lambda name: (_ for _ in ()).throw(of_package("tinygrad_edu.nn", ["Linear"], name))
    assert not hasattr(module, "MSELoss")
    monkeypatch.setitem(sys.modules, module.__name__, module)
    with pytest.raises(ImportError):
        exec(f"from {module.__name__} import MSELoss")
    with pytest.raises(ImportError, match=r"nn has no 'MSELoss': losses are functions here"):
        exec("from tinygrad_edu.nn import MSELoss")
