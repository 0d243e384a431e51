"""The Python on the pages about trust runs as it stands, and its recipes are tests that pass."""

import ast
import doctest
import os
import re
import sys
from pathlib import Path
from subprocess import run

import pytest
from hypothesis import Phase, settings

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


def test_the_spellings_for_type_checkers_run():
    (block,) = blocks((DOCS / "types.rst").read_text(encoding="utf-8"))
    scope = {}
    exec(compile(block.replace("\n   ", "\n").lstrip(), "types.rst", "exec"), scope)
    assert scope["w"].grad.tolist() == [0.6, 0.8]
    assert scope["layer"](scope["w"]).shape == (2,)


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


def test_the_ten_properties_hold(tmp_path):
    tests = (DOCS / "properties" / "test_properties.py").read_text(encoding="utf-8")
    numbers = re.findall(r"^# (\d+)\.", tests, re.MULTILINE)
    assert numbers == [str(number) for number in range(1, 11)]
    page = (DOCS / "properties.rst").read_text(encoding="utf-8")
    assert [number for number in numbers if f":start-at: # {number}." not in page] == []
    assert "10 passed" in printed(tmp_path, "-m", "pytest", "--rootdir=.", *PLUGIN, "../properties")


@pytest.mark.parametrize(
    ("number", "right", "wrong"),
    [
        (1, "0.5 * x**2, np.abs(x) - 0.5", "0.5 * x**2, te.stop_gradient(np.abs(x)) - 0.5"),
        (2, "lambda x: np.max(x) + np.log", "lambda x: te.stop_gradient(np.max(x)) + np.log"),
        (3, "te.checkpoint(f), f", "te.checkpoint(f), lambda x: f(te.stop_gradient(x)) + 0 * np.sum(x)"),
        (4, "te.convolution(image, kernel), kernel", "np.abs(te.convolution(image, kernel)), kernel"),
        (5, "lambda scores: scores + shift", "lambda scores: scores * (1 + shift / 100)"),
        (6, "(x[order], y[order])", "(x[order], y)"),
        (7, "np.mean(model(x) ** 2)", "np.sum(model(x) ** 2)"),
        (8, "te.vjp(f, x)", "te.vjp(lambda x: f(x) + np.sum(x), x)"),
        (9, "    other.load_state_dict(model.state_dict())\n", ""),
        (
            10,
            "(second, again) = steps.run(), steps.run()",
            "(second, again) = steps.run(), steps._replace(times=0).run()",
        ),
    ],
)
def test_each_of_them_sees_a_mistake(number, right, wrong, tmp_path, monkeypatch):
    text = (DOCS / "properties" / "test_properties.py").read_text(encoding="utf-8")
    before, part = text.split(f"# {number}.")
    assert right in part
    scope = {"__name__": "planted"}
    planted = f"{before}# {number}.{part.replace(right, wrong, 1)}"
    path = tmp_path / "planted.py"
    path.write_text(planted, encoding="utf-8")
    exec(compile(planted, str(path), "exec"), scope)
    named = re.search(r"^(?:def )?(test_\w+)", part, re.MULTILINE)[1]
    with pytest.raises(AssertionError):
        settings(database=None, phases=[Phase.generate], deadline=None, derandomize=True)(scope[named])()


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
