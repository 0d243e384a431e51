"""The README's Python runs as it stands, from top to bottom, as one reader would type it."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")


def words(picture):
    """What is written in an SVG; where it stands depends on the fonts of the machine."""
    return re.findall(r"<text[^>]*>([^<]*)</text>", picture.read_text(encoding="utf-8"))


def test_the_tour_runs_and_draws_the_pictures_of_the_page(tmp_path, monkeypatch, capsys):
    pytest.importorskip("pygraphviz")
    monkeypatch.chdir(tmp_path)
    exec(compile("\n".join(re.findall(r"```python\n(.*?)```", README, re.DOTALL)), "README.md", "exec"), {})
    for name in ("backward.svg", "path.svg"):
        assert len(words(tmp_path / name)) > 20
        assert words(tmp_path / name) == words(ROOT / "docs" / "_static" / name)
    assert (tmp_path / "backward.html").read_text(encoding="utf-8").startswith("<!DOCTYPE html>")
    lines = capsys.readouterr().out.splitlines()
    assert float(lines[2]) < 0.001
    assert lines[3].startswith("-0.479")


@pytest.mark.skipif(not (ROOT / ".github").exists(), reason="the source archive has no .github")
@pytest.mark.parametrize(("page", "least"), [("README.md", 10), (".github/CONTRIBUTING.md", 2)])
def test_links_point_at_files(page, least):
    text = (ROOT / page).read_text(encoding="utf-8")
    links = [link for link in re.findall(r"\]\(([^)]+)\)", text) if not link.startswith("http")]
    assert len(links) >= least
    assert [link for link in links if not (ROOT / page).parent.joinpath(link).exists()] == []


def test_each_command_is_one_line_and_marked_for_the_checks():
    for name in ("main", "test"):
        (block,) = re.findall(rf"<!-- ci: {name} -->\n```sh\n(.*?)```", README, re.DOTALL)
        assert block.count("\n") == 1
