"""The house of pictures: who imports whom, names that find their file, and how few files a reader needs."""

import ast
import gc
import pkgutil
import sys
from importlib import import_module
from pathlib import Path
from statistics import median

import numpy as np
import pytest

from tinygrad_edu import Value, sigmoid, viz

FOLDER = Path(viz.__file__).parent
PACKAGE = FOLDER.parent
BASE = {"saving", "model"}  # what the media stand on: files, and the data
MEDIA = {"picture", "words", "page", "motion", "training"}


def modules():
    """Every module of `viz` as its dotted name inside of it, with the names of the modules of `viz` it imports."""
    for path in sorted(FOLDER.rglob("*.py")):
        name = ".".join(path.relative_to(FOLDER).with_suffix("").parts)
        yield name, {other for node in ast.walk(ast.parse(path.read_text("utf-8"))) for other in imported(node)}


def imported(node):
    """The modules of `viz` that a statement imports."""
    if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("tinygrad_edu.viz"):
        within = node.module.removeprefix("tinygrad_edu.viz").removeprefix(".")
        yield from [within] if within else (alias.name for alias in node.names)


def test_a_medium_imports_the_model_and_no_other_medium():
    wrong = []
    for name, others in modules():
        own = name.partition(".")[0]
        for other in (other.partition(".")[0] for other in others):
            if own in BASE:
                allowed = other in BASE
            elif own in MEDIA:
                allowed = other in BASE or other == own
            else:
                allowed = True
            wrong += [] if allowed else [f"{name} imports {other}"]
    assert wrong == []
    assert {name.partition(".")[0] for name, _ in modules()} >= BASE | MEDIA


def test_there_are_few_files_and_they_have_a_size_worth_opening():
    sizes = {path: len(path.read_text("utf-8").splitlines()) for path in FOLDER.rglob("*.py")}
    assert len(sizes) <= 48
    assert len([path for path in sizes if path.parent == FOLDER]) <= 8
    assert median(sizes.values()) >= 130
    assert sum(sizes.values()) <= 6_900


def packages():
    """`viz` and every package inside it."""
    inside = [name for _, name, package in pkgutil.walk_packages(viz.__path__, "tinygrad_edu.viz.") if package]
    return ["tinygrad_edu.viz", *inside]


@pytest.mark.parametrize("package", packages())
def test_no_function_hides_a_module_of_its_name(package):
    found = import_module(package)
    for module in pkgutil.iter_modules(found.__path__):
        loaded = import_module(f"{package}.{module.name}")
        assert getattr(found, module.name) is loaded
        assert module.name not in getattr(found, "__all__", ())


def neuron():
    """Six operations: the tutorial's neuron, with a penalty on a weight."""
    w, bias = Value([1.45, -0.66], name="weights"), Value(0.0, name="bias")
    prediction = sigmoid(np.array([2.0, 1.5]) @ w + bias)
    error = np.square(prediction - 1.0) * 0.5
    error.backward()
    return error


def files_of(call):
    """The files of the package in which a function runs during a call."""
    found = set()

    def note(frame, event, _):
        if event == "call" and Path(frame.f_code.co_filename).is_relative_to(PACKAGE):
            found.add(frame.f_code.co_filename)

    gc.disable()  # what is finalised meanwhile is no part of the call
    sys.setprofile(note)
    try:
        call()
    finally:
        sys.setprofile(None)
        gc.enable()
    return {Path(file).relative_to(PACKAGE).as_posix() for file in found}


@pytest.mark.parametrize(
    ("call", "most"),
    [
        (viz.draw, 11),
        (lambda error: viz.draw(error).source, 14),
        (lambda error: viz.trace(error).story, 13),
    ],
    ids=["draw", "source", "story"],
)
def test_few_files_are_on_the_way(call, most):
    error = neuron()
    files = files_of(lambda: call(error))
    assert "viz/model/build.py" in files
    assert len(files) <= most, sorted(files)
