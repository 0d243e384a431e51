"""Fonts: a machine without any is noticed before somebody wonders about boxes."""

import warnings

import pytest

from tinygrad_edu import Value, viz
from tinygrad_edu.viz import fonts, layout


@pytest.fixture
def bare(tmp_path, monkeypatch):
    """A Linux machine without fonts, and the folder to put one."""
    monkeypatch.setattr(fonts, "FOLDERS", (str(tmp_path / "fonts"), str(tmp_path / "absent")))
    monkeypatch.setattr(fonts.sys, "platform", "linux")
    (tmp_path / "fonts" / "truetype").mkdir(parents=True)
    return tmp_path / "fonts" / "truetype"


def test_a_font_in_any_folder_is_found(bare):
    assert not fonts.found()
    (bare / "readme.txt").touch()
    assert not fonts.found()
    (bare / "Letters.TTF").touch()
    assert fonts.found()


def test_only_linux_comes_without_fonts(bare, monkeypatch):
    monkeypatch.setattr(fonts.sys, "platform", "win32")
    assert fonts.found()


@pytest.mark.parametrize("form", ["png", "pdf"])
def test_a_picture_of_boxes_comes_with_a_warning_on_the_users_line(bare, form, tmp_path, monkeypatch):
    monkeypatch.setattr(layout, "in_child", lambda *ignored: b"picture")
    with pytest.warns(fonts.FontWarning, match=r"no fonts.*save as \.svg") as caught:
        viz.draw(Value(1.0) * 2.0).save(tmp_path / f"x.{form}")
    assert caught[0].filename == __file__


def test_a_picture_whose_letters_are_text_needs_no_fonts(bare):
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        fonts.warn_without("svg")
    assert caught == []
