"""The command `write`: where it prints, what it never overwrites, and its exit status."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tinygrad_edu.testing import __main__ as command

TWICE = "print('printed by the module')\n\ndef twice(x):\n    return 2.0 * x\n"


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A folder to work in, with three modules."""
    known = set(sys.modules)
    for name, text in (("twice_of_it", TWICE), ("nothing_in_it", "x = 1\n"), ("broken_thing", "1 / 0\n")):
        (tmp_path / f"{name}.py").write_text(text, encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [str(tmp_path), *sys.path])
    yield tmp_path
    for name in set(sys.modules) - known:
        del sys.modules[name]


def test_the_tests_are_printed_and_nothing_else(folder, capsys):
    assert command.main(["write", "twice_of_it"]) == 0
    out, err = capsys.readouterr()
    assert out.startswith('"""Gradient tests of twice_of_it, written by `python -m tinygrad_edu.testing write`.\n')
    assert "test_twice = gradient_test(" in out
    assert "printed" not in out
    assert err.splitlines() == ["printed by the module", "1 test"]
    assert command.main(["write", "twice_of_it.py"]) == 0
    assert capsys.readouterr().out == out


def test_a_file_is_written_once_and_never_overwritten(folder, capsys):
    assert command.main(["write", "twice_of_it", "-o", "test_it.py"]) == 0
    text = (folder / "test_it.py").read_text(encoding="utf-8")
    assert "test_twice" in text
    assert "test_twice" not in capsys.readouterr().out
    (folder / "test_it.py").write_text("# mine\n", encoding="utf-8")
    assert command.main(["write", "twice_of_it", "--output", "test_it.py"]) == 2
    assert (folder / "test_it.py").read_text(encoding="utf-8") == "# mine\n"
    assert "cannot write test_it.py: File exists; choose another file, -o FILE" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "status", "words"),
    [
        (["nothing_in_it"], 1, "nothing_in_it has nothing to test: "),
        (["nothing_in_it", "-o", "new.py"], 1, "nothing_in_it has nothing to test: "),
        (["nothing_in_eet"], 2, "no module named 'nothing_in_eet': did you mean nothing_in_it? "),
        (["elsewhere.py", "-o", "new.py"], 2, "there is no file "),
        (["broken_thing"], 2, "importing broken_thing failed at broken_thing.py:1: ZeroDivisionError"),
        (["twice_of_it", "-o", "no/such/folder/new.py"], 2, "cannot write "),
    ],
)
def test_what_is_wrong_is_said_in_one_line_and_nothing_is_written(folder, capsys, arguments, status, words):
    before = set(folder.iterdir())
    assert command.main(["write", *arguments]) == status
    out, err = capsys.readouterr()
    last = err.splitlines()[-1]
    assert last.startswith(f"python -m tinygrad_edu.testing: {words}")
    assert out == ""
    assert {path for path in folder.iterdir() if path.name != "__pycache__"} == before


@pytest.mark.parametrize("arguments", [[], ["write"], ["erase", "x"], ["write", "x", "--force"]])
def test_a_wrong_command_line_shows_the_usage(arguments, capsys):
    with pytest.raises(SystemExit) as stopped:
        command.main(arguments)
    assert stopped.value.code == 2
    assert "usage: python -m tinygrad_edu.testing" in capsys.readouterr().err


def test_it_runs_as_a_module_and_warns_before_it_calls_anything(folder):
    def run(*arguments):
        return subprocess.run(
            [sys.executable, "-Werror", "-m", "tinygrad_edu.testing", *arguments],
            env=os.environ | {"PYTHONPATH": str(Path(__file__).parents[2])},
            capture_output=True, text=True, timeout=60,
        )  # fmt: skip

    done = run("write", "--help")
    assert done.returncode == 0
    assert "public functions are called" in done.stdout
    assert run("write", "nothing_in_it").returncode == 1
