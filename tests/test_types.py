"""What type checkers say of users' files: nothing of those that are right, and of mistakes what they are."""

import os
import re
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

FILE = Path(__file__).parent / "types" / "users_file.py"
OPTIONS = {"mypy": ["--strict", "--cache-dir=../types_cache"], "pyright": ["--pythonpath", sys.executable]}
MISTAKES = """
import numpy as np
import tinygrad_edu as te
from tinygrad_edu import Value, nn

w = Value([1.0, 2.0])
w.bakward()
w.tanh().bakward()
te.sigmoid(w).bakward()
nn.mse_loss(w, 1.0).bakward()
Value()
"""
KINDS = """
import numpy as np
import tinygrad_edu as te
from tinygrad_edu import Value, nn

w = Value([1.0, 2.0])
x: Value = nn.Linear(2, 2)(np.ones(2)); a: Value = te.sigmoid(w); b: Value = te.softmax(w, axis=0)
c: Value = nn.mse_loss(x, w); d: Value = nn.cross_entropy(x, np.array([0])); e: Value = -w + 2 * w / 3
f: Value = w.tanh().sum(axis=0); g: Value = np.sum(w); h: Value = w[0]; i: float = w.item()
"""


@pytest.fixture(params=["mypy", "pyright"])
def said(request, tmp_path):
    """What a type checker says of a text, by line; mypy keeps what it knows of NumPy for the other tests."""
    name = request.param
    if find_spec(name) is None and "CI" not in os.environ:
        pytest.skip(f"{name} comes with .[test]")

    def run(text):
        file = tmp_path / "users_file.py"
        file.write_text(text, encoding="utf-8")
        command = [sys.executable, "-m", name, *OPTIONS[name], file.name]
        done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=500)
        found = re.findall(r"users_file\.py:(\d+).*?error: (.*)", done.stdout)
        assert bool(found) == bool(done.returncode), done.stdout + done.stderr
        return {int(line): words for line, words in found}

    return run


def test_a_users_file_has_no_false_alarm(said):
    assert said(FILE.read_text(encoding="utf-8")) == {}


def test_the_spellings_of_the_page_pass(said):
    page = (FILE.parents[2] / "docs" / "types.rst").read_text(encoding="utf-8")
    block = page.partition(".. code-block:: python\n\n")[2].partition("\n\nFor the second")[0]
    assert "cast(" in block
    assert said("\n".join(line.removeprefix("   ") for line in block.splitlines())) == {}


def test_mistakes_are_still_seen(said):
    lines = [number for number, line in enumerate(MISTAKES.splitlines(), 1) if "bakward" in line or "Value()" in line]
    assert list(said(MISTAKES)) == lines


def test_what_is_known_to_be_a_value_is_one(said):
    assert said(KINDS) == {}
    assert len(said(KINDS.replace(": Value", ": str"))) == 3


def test_the_file_runs(tmp_path, monkeypatch, table):
    monkeypatch.chdir(tmp_path)
    scope = {"__name__": "users_file"}
    exec(compile(FILE.read_text(encoding="utf-8"), str(FILE), "exec"), scope)
    assert scope["error"].grad is not None


def test_the_package_says_that_it_has_types():
    import tinygrad_edu

    assert Path(tinygrad_edu.__file__).with_name("py.typed").exists()
