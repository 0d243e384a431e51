"""The command: tables, pictures, exit status, and one clear line for every mistake."""

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

import tinygrad_edu
from tests.robustness.running import LONG, within
from tinygrad_edu import __main__ as command
from tinygrad_edu import viz

PICTURES = ["cumulative_error.png", "graph.svg", "path.svg"]


@pytest.fixture
def short(monkeypatch):
    """A run of a few steps."""
    monkeypatch.setattr(command, "STEPS_NEURON", 300)
    monkeypatch.setattr(command, "STEPS_NETWORK", 50)


@pytest.fixture
def plain(monkeypatch):
    """A machine without the extra [viz]."""
    for module in ("pygraphviz", "matplotlib", "matplotlib.figure", "matplotlib.backends.backend_agg"):
        monkeypatch.setitem(sys.modules, module, None)
    monkeypatch.setenv("PATH", "")


def run(*options):
    root = str(Path(__file__).parents[1])
    return subprocess.run(
        [sys.executable, "-W", "error", "-m", "tinygrad_edu", *options],
        env=os.environ | {"PYTHONPATH": root},
        capture_output=True,
        text=True,
        timeout=120,
    )


def expect_numbers(printed):
    """The command prints the documents' numbers; .ci/run asks this of the README's command."""
    assert printed.count(" same\n") == 10
    assert " differs\n" not in printed
    for number in ("0.7784302101100966", "0.00395876528027", "0.00426668", "path.svg"):
        assert number in printed


@pytest.mark.skipif(not LONG, reason="runs in .ci/run, and in the profile nightly: all 60,000 steps")
def test_the_whole_command(tmp_path):
    pytest.importorskip("pygraphviz")
    start = time.perf_counter()
    done = run("--out", str(tmp_path / "new" / "folder"))
    assert within(time.perf_counter() - start, 30)
    assert done.returncode == 0, done.stderr
    assert sorted(path.name for path in (tmp_path / "new" / "folder").iterdir()) == PICTURES
    expect_numbers(done.stdout)
    assert "50000/50000" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_run_of_a_few_steps_counts_them_and_compares_what_it_has_in_aligned_columns(short, tmp_path, capsys):
    assert command.main(["--out", str(tmp_path / "new" / "folder")]) == 0
    printed = capsys.readouterr()
    assert printed.out.count(" same\n") == 2  # the first prediction, and the error at step 0
    assert printed.out.count(" differs\n") == 4  # the outputs of a network that has hardly learnt
    assert "50/50" in printed.err
    rows = [line for line in printed.out.splitlines() if " step 0 " in line or "output for" in line]
    assert len(rows) == 6
    assert len({len(row[:60].rstrip()) // 60 for row in rows}) == 1
    assert {row[39] for row in rows} <= set("0-")
    assert {row[60] for row in rows} <= set("0123456789")


def test_pictures_are_pictures_and_take_the_place_of_those_of_the_run_before(short, tmp_path, capsys):
    pytest.importorskip("pygraphviz")
    for name in PICTURES:
        (tmp_path / name).write_text("old")
    assert command.main(["--out", str(tmp_path)]) == 0
    assert sorted(path.name for path in tmp_path.iterdir()) == PICTURES
    assert (tmp_path / "cumulative_error.png").read_bytes().startswith(b"\x89PNG")
    graph, path = ((tmp_path / name).read_text(encoding="utf-8") for name in ("graph.svg", "path.svg"))
    assert "<svg" in graph
    assert "<svg" in path
    assert "derror_dweights" in path
    assert "derror_dweights" not in graph


def test_without_the_extra_it_trains_and_says_what_is_missing(short, plain, tmp_path, capsys):
    assert command.main(["--out", str(tmp_path)]) == 0
    last = capsys.readouterr().out.splitlines()[-1]
    assert all(name in last for name in PICTURES)
    assert 'pip install "tinygrad_edu[viz]"' in last
    assert list(tmp_path.iterdir()) == []


def test_a_picture_that_graphviz_cannot_draw_is_named(short, tmp_path, capsys, monkeypatch):
    def fail(error, to=None):
        raise viz.DrawingError("Graphviz failed: syntax error")

    monkeypatch.setattr(viz, "draw", fail)
    assert command.main(["--out", str(tmp_path)]) == 1
    assert "skipped graph.svg, path.svg: Graphviz failed: syntax error\n" in capsys.readouterr().out


def below_a_file(folder):
    (folder / "file").write_text("mine")
    return folder / "file" / "below"


def a_file(folder):
    return below_a_file(folder).parent


@pytest.mark.parametrize("target", [a_file, below_a_file])
def test_a_folder_that_cannot_be_written_to(target, tmp_path, capsys):
    out = target(tmp_path)
    assert command.main(["--out", str(out)]) == 2
    said = capsys.readouterr().err
    assert said.startswith(f"tinygrad-edu: cannot write to {out}: ")
    assert said.endswith("choose another folder, --out DIR\n")
    assert said.count("\n") == 1
    assert [path.read_text() for path in tmp_path.iterdir()] in ([], ["mine"])


def test_a_read_only_folder(tmp_path, capsys, monkeypatch):
    def refuse(*args, **kwargs):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(command.tempfile, "mkdtemp", refuse)
    assert command.main(["--out", str(tmp_path)]) == 2
    assert "Permission denied; choose another folder" in capsys.readouterr().err


def test_a_picture_that_fails_leaves_nothing_half_written(short, tmp_path, capsys, monkeypatch):
    def fill_the_disk(path, errors):
        path.write_bytes(b"half")
        raise OSError(28, "No space left on device")

    (tmp_path / "cumulative_error.png").write_text("old")
    monkeypatch.setattr(command, "plot_errors", fill_the_disk)
    assert command.main(["--out", str(tmp_path)]) == 2
    assert "No space left on device" in capsys.readouterr().err
    assert (tmp_path / "cumulative_error.png").read_text() == "old"
    assert not [path for path in tmp_path.iterdir() if path.name.startswith(".")]


def test_an_interruption_is_no_traceback(tmp_path, capsys, monkeypatch):
    def interrupt(*args):
        raise KeyboardInterrupt

    monkeypatch.setattr(command, "train_neuron", interrupt)
    assert command.main(["--out", str(tmp_path)]) == 130
    assert "interrupted" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("options", [["--outt", "x"], ["stray"], ["--out"]])
def test_bad_options(options, capsys):
    with pytest.raises(SystemExit) as stop:
        command.main(options)
    assert stop.value.code == 2
    assert "usage: tinygrad-edu" in capsys.readouterr().err


def test_help(capsys):
    with pytest.raises(SystemExit) as stop:
        command.main(["--help"])
    assert stop.value.code == 0
    said = capsys.readouterr().out
    assert "--out DIR" in said
    assert "tinygrad_edu_out" in said


def test_version(capsys):
    with pytest.raises(SystemExit, match="0"):
        command.main(["--version"])
    assert capsys.readouterr().out == f"tinygrad_edu {tinygrad_edu.__version__}\n"


def test_the_command_imports_little():
    heavy = {"tqdm", "matplotlib", "graphviz", "pygraphviz"}
    code = f"import sys, tinygrad_edu.__main__; print(sorted({heavy} & set(sys.modules)))"
    env = os.environ | {"PYTHONPATH": str(Path(__file__).parents[1])}
    done = subprocess.run([sys.executable, "-c", code], env=env, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
