"""Layout with the program `dot`, or the library, or neither; in another process, with a limit on its time."""

import os
import stat
import sys

import pytest

from tinygrad_edu.viz import layout

SOURCE = "digraph { a -> b }"


@pytest.fixture
def program(tmp_path, monkeypatch):
    """Put a program called `dot` on the path."""

    def install(text):
        path = tmp_path / "dot"
        path.write_text(f"#!{sys.executable}\nimport sys\n{text}\n", encoding="utf-8")
        path.chmod(path.stat().st_mode | stat.S_IEXEC)
        monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}{os.environ['PATH']}")

    return install


needs_dot_program = pytest.mark.skipif(os.name == "nt", reason="the stand-in for dot is a script with a shebang line")


@needs_dot_program
def test_the_program_comes_first(program):
    program("sys.stdout.write(sys.argv[1] + ' ' + sys.stdin.read())")
    assert layout.render(SOURCE, "svg") == b"-Tsvg " + SOURCE.encode()


@needs_dot_program
def test_its_complaint_is_passed_on(program):
    program("sys.exit('syntax error in line 3')")
    with pytest.raises(layout.DrawingError, match="Graphviz failed: syntax error in line 3"):
        layout.render(SOURCE, "svg")


@needs_dot_program
def test_it_is_stopped_when_its_time_is_up(program):
    program("import time; time.sleep(60)")
    with pytest.raises(layout.LayoutTimeout, match=r"more than 0\.2 s for 18 characters"):
        layout.render(SOURCE, "svg", seconds=0.2)


@needs_dot_program
def test_nothing_is_no_picture(program):
    program("")
    with pytest.raises(layout.DrawingError):
        layout.render(SOURCE, "svg")


@pytest.mark.parametrize(("form", "start"), [("svg", b"<?xml"), ("png", b"\x89PNG"), ("pdf", b"%PDF")])
def test_the_library_draws_without_the_program(form, start, monkeypatch):
    pytest.importorskip("pygraphviz")
    monkeypatch.setenv("PATH", "")
    assert layout.render(SOURCE, form).startswith(start)


def test_a_long_caption_is_no_crash(monkeypatch):
    pytest.importorskip("pygraphviz")
    monkeypatch.setenv("PATH", "")
    source = f'digraph {{ label="{"word " * 2000}"; a -> b }}'
    assert b"word word" in layout.render(source, "svg")


def test_a_broken_graph_is_an_error_here_too(monkeypatch):
    pytest.importorskip("pygraphviz")
    monkeypatch.setenv("PATH", "")
    with pytest.raises(layout.DrawingError):
        layout.render("digraph { a -> ", "svg")


def test_without_graphviz_the_remedy_is_named(monkeypatch):
    monkeypatch.setenv("PATH", "")
    monkeypatch.setitem(sys.modules, "pygraphviz", None)
    assert not layout.has_library()
    with pytest.raises(layout.DrawingError, match=r'pip install "tinygrad_edu\[viz\]"'):
        layout.render(SOURCE, "svg")


def test_an_old_library_has_no_graphviz_inside(monkeypatch):
    pytest.importorskip("pygraphviz")
    monkeypatch.setattr("importlib.metadata.version", lambda name: "1.14")
    assert not layout.has_library()
