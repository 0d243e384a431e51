"""The Python on the pages about trust runs as it stands, and its recipes are tests that pass."""

import ast
import doctest
import os
import re
import sys
from pathlib import Path
from subprocess import run

import pytest

DOCS = Path(__file__).parents[1] / "docs"
RECIPES = DOCS / "recipes"
PLUGIN = [
    "-p",
    "no:tinygrad_edu",
    "-p",
    "tinygrad_edu.testing.pytest_plugin.hooks",
    "-p",
    "no:cacheprovider",
    "-c",
    os.devnull,
]


@pytest.fixture(autouse=True)
def imported_anew(table):
    yield
    sys.modules.pop("activations", None)


def printed(folder, *command):
    """What a command prints in the folder of recipes; hypothesis writes into another."""
    env = os.environ | {
        "PYTHONDONTWRITEBYTECODE": "1",
        "PYTHONPATH": os.pathsep.join([str(DOCS.parent), str(RECIPES)]),
        "PYTEST_ADDOPTS": "",
        "HYPOTHESIS_STORAGE_DIRECTORY": str(folder),
        "CI": "true",
    }
    done = run([sys.executable, *command], cwd=RECIPES, env=env, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def blocks(page):
    """The blocks of Python on a page."""
    return re.findall(r"^\.\. code-block:: python\n\n((?:   .*\n|\n)+)", page, re.MULTILINE)


def test_the_chapter_says_what_python_says():
    found = doctest.testfile(str(DOCS / "trust.rst"), module_relative=False)
    assert found.failed == 0
    assert found.attempted > 30


def run_blocks(page):
    """Run the blocks of Python on a page, one after the other; returns their number."""
    found = blocks((DOCS / page).read_text(encoding="utf-8"))
    text = "\n".join(line.removeprefix("   ") for block in found for line in block.splitlines())
    exec(compile(text, page, "exec"), {})
    return len(found)


def test_the_page_about_the_loop_runs_from_top_to_bottom(monkeypatch, tmp_path, capsys):
    for package in ("matplotlib", "safetensors", "scipy"):
        pytest.importorskip(package)
    monkeypatch.chdir(tmp_path)
    assert run_blocks("the_loop.rst") == 5
    printed = capsys.readouterr().out.splitlines()[0]
    assert f"# {printed}" in (DOCS / "the_loop.rst").read_text(encoding="utf-8")


def test_the_recipes_run_from_top_to_bottom(monkeypatch, capsys):
    monkeypatch.syspath_prepend(RECIPES)
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    page = (DOCS / "testing.rst").read_text(encoding="utf-8")
    found = blocks(page)
    assert len(found) >= 6
    text = "\n".join(line.removeprefix("   ") for block in found for line in block.splitlines())
    exec(compile(text, "testing.rst", "exec"), {})
    verdict, wrong, *compared = capsys.readouterr().out.splitlines()
    assert verdict.startswith("PASS")
    assert wrong == "FAIL"
    assert "argument 0[0] at 0: tinygrad_edu 0" in compared[1]
    assert "numeric -0.5684808437" in compared[1]
    assert "numeric -0.5684808437" in page  # and so the answers on the page are to the same question


def test_the_files_of_the_recipes_are_tests_that_pass_and_no_planted_fault_survives(tmp_path):
    out = printed(
        tmp_path, "-m", "pytest", "--rootdir=.", *PLUGIN, "-o", "grad_modules=activations", "--grad-mutate", "."
    )
    tests = ast.parse((RECIPES / "test_activations.py").read_text(encoding="utf-8")).body
    named = [node for node in tests if isinstance(node, ast.FunctionDef | ast.Assign)]
    assert len(named) == 6
    assert f"{len(named) + 1} passed" in out  # and swish, for which nobody wrote a test
    killed, planted = re.search(r"^swish .* (\d+)/(\d+) +activations$", out, re.MULTILINE).groups()
    assert int(killed) == int(planted) > 0
    assert re.search(r"^entropy .*test_activations\.py$", out, re.MULTILINE)
