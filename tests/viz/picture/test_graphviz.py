"""Layout with the program `dot`, the library, or neither; with a limit on its time, and a warning without fonts."""

import os
import stat
import sys
import warnings

import pytest

from tinygrad_edu import Value, viz
from tinygrad_edu.viz.picture import graphviz
from tinygrad_edu.viz.saving import DrawingError

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
    assert graphviz.render(SOURCE, "svg") == b"-Tsvg " + SOURCE.encode()


@needs_dot_program
def test_its_complaint_is_passed_on(program):
    program("sys.exit('syntax error in line 3')")
    with pytest.raises(DrawingError, match="Graphviz failed: syntax error in line 3"):
        graphviz.render(SOURCE, "svg")


@needs_dot_program
def test_it_is_stopped_when_its_time_is_up(program):
    program("import time; time.sleep(60)")
    with pytest.raises(graphviz.LayoutTimeout, match=r"more than 0\.2 s for 18 characters"):
        graphviz.render(SOURCE, "svg", seconds=0.2)


@needs_dot_program
def test_nothing_is_no_picture(program):
    program("")
    with pytest.raises(DrawingError):
        graphviz.render(SOURCE, "svg")


@pytest.mark.parametrize(("form", "start"), [("svg", b"<?xml"), ("png", b"\x89PNG"), ("pdf", b"%PDF")])
def test_the_library_draws_without_the_program(form, start, monkeypatch):
    pytest.importorskip("pygraphviz")
    monkeypatch.setenv("PATH", "")
    assert graphviz.render(SOURCE, form).startswith(start)


def test_a_long_caption_is_no_crash(monkeypatch):
    pytest.importorskip("pygraphviz")
    monkeypatch.setenv("PATH", "")
    source = f'digraph {{ label="{"word " * 2000}"; a -> b }}'
    assert b"word word" in graphviz.render(source, "svg")


def test_a_broken_graph_is_an_error_here_too(monkeypatch):
    pytest.importorskip("pygraphviz")
    monkeypatch.setenv("PATH", "")
    with pytest.raises(DrawingError):
        graphviz.render("digraph { a -> ", "svg")


def test_without_graphviz_the_remedy_is_named(monkeypatch):
    monkeypatch.setenv("PATH", "")
    monkeypatch.setitem(sys.modules, "pygraphviz", None)
    assert not graphviz.has_library()
    with pytest.raises(DrawingError, match=r'pip install "tinygrad_edu\[viz\]"'):
        graphviz.render(SOURCE, "svg")


def test_an_old_library_has_no_graphviz_inside(monkeypatch):
    pytest.importorskip("pygraphviz")
    monkeypatch.setattr("importlib.metadata.version", lambda name: "1.14")
    assert not graphviz.has_library()


@pytest.fixture
def bare(tmp_path, monkeypatch):
    """A Linux machine without fonts, and the folder to put one."""
    monkeypatch.setattr(graphviz, "FOLDERS", (str(tmp_path / "fonts"), str(tmp_path / "absent")))
    monkeypatch.setattr(graphviz.sys, "platform", "linux")
    (tmp_path / "fonts" / "truetype").mkdir(parents=True)
    return tmp_path / "fonts" / "truetype"


def test_a_font_in_any_folder_is_found(bare):
    assert not graphviz.has_fonts()
    (bare / "readme.txt").touch()
    assert not graphviz.has_fonts()
    (bare / "Letters.TTF").touch()
    assert graphviz.has_fonts()


def test_only_linux_comes_without_fonts(bare, monkeypatch):
    monkeypatch.setattr(graphviz.sys, "platform", "win32")
    assert graphviz.has_fonts()


@pytest.mark.parametrize("form", ["png", "pdf"])
def test_a_picture_of_boxes_comes_with_a_warning_on_the_users_line(bare, form, tmp_path, monkeypatch):
    monkeypatch.setattr(graphviz, "in_child", lambda *ignored: b"picture")
    with pytest.warns(graphviz.FontWarning, match=r"no fonts.*save as \.svg") as caught:
        viz.draw(Value(1.0) * 2.0).save(tmp_path / f"x.{form}")
    assert caught[0].filename == __file__


def test_a_picture_whose_letters_are_text_needs_no_fonts(bare):
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        graphviz.warn_without_fonts("svg")
    assert caught == []
