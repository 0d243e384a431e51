"""Names: a public name is in a module that a reader finds, and no module is hidden behind a function."""

import importlib
import inspect
import pkgutil

import pytest

from tinygrad_edu import testing

NAMES = ["tinygrad_edu.testing", *(m.name for m in pkgutil.walk_packages(testing.__path__, "tinygrad_edu.testing."))]


def modules():
    """Every module of the package, by name."""
    return {name: importlib.import_module(name) for name in NAMES}


def test_no_module_shares_its_name_with_something_public():
    """`import tinygrad_edu.testing.x` must never give a function."""
    found = modules()
    public = {name for module in found.values() for name in getattr(module, "__all__", ())}
    defined = {
        (name.rpartition(".")[0], attribute)
        for name, module in found.items()
        for attribute, thing in vars(module).items()
        if inspect.isroutine(thing) and getattr(thing, "__module__", "") == name
    }
    for name, module in found.items():
        package, _, stem = name.rpartition(".")
        assert stem not in public, name
        assert (package, stem) not in defined, f"{name} has the name of a function beside it"
        assert not inspect.ismodule(module) or importlib.import_module(name) is module


@pytest.mark.parametrize(
    ("name", "home"),
    [
        ("check_gradients", "function"), ("check_op", "operation"), ("check_module", "module"),
        ("check_taylor", "taylor"), ("compare", "frameworks"), ("conventions", "kink_conventions"),
        ("gradient_test", "property_tests"), ("hint", "diagnosis.hints"),
        ("numeric_gradient", "differences.numeric"), ("detect_kink", "differences.numeric"),
    ],
)  # fmt: skip
def test_a_public_function_is_where_a_reader_looks(name, home):
    assert getattr(testing, name).__module__ == f"tinygrad_edu.testing.{home}"
