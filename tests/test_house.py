"""The picture of the package on the page *How it works*: it is drawn, and its arrows are the imports."""

import ast
import sys
from pathlib import Path

import pytest

pytest.importorskip("pygraphviz")
DOCS = Path(__file__).parents[1] / "docs"


@pytest.fixture
def house(monkeypatch):
    monkeypatch.syspath_prepend(DOCS / "extensions")
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    import house

    yield house
    del sys.modules["house"]


def test_arrows_are_imports_and_nothing_is_lost_with_those_that_are_left_out(house):
    edges, drawn = house.imports(), {}
    for name, other in house.arrows(edges):
        drawn.setdefault(name, set()).add(other)
    assert all(others <= edges[name] for name, others in drawn.items())
    assert sum(map(len, drawn.values())) < sum(map(len, edges.values()))
    assert house.reachable({name: drawn.get(name, set()) for name in edges}) == house.reachable(edges)


def test_what_follows_from_other_arrows_is_left_out(house):
    chain = {"a": {"b", "c"}, "b": {"c"}, "c": set()}
    assert list(house.arrows(chain)) == [("a", "b"), ("b", "c")]
    circle = {"a": {"b", "c"}, "b": {"a", "c"}, "c": set()}
    assert set(house.arrows(circle)) == {("a", "b"), ("b", "a"), ("a", "c"), ("b", "c")}


def test_imports_are_read_as_python_runs_them(house):
    known = {f"tinygrad_edu{name}" for name in ("", ".nn", ".nn.layers", ".value", ".graph", ".viz")}
    text = (
        "import numpy, tinygrad_edu.value\nfrom tinygrad_edu import nn, Value\n"
        "from tinygrad_edu.nn.layers import Linear\n"
        "if TYPE_CHECKING:\n    from tinygrad_edu.graph import Node\ndef f():\n    from tinygrad_edu import viz\n"
    )
    found = set(house.imported(ast.parse(text), known))
    assert found == known - {"tinygrad_edu.graph"}
    assert house.box("tinygrad_edu.nn.layers") == house.box("tinygrad_edu.nn") == "nn/"
    assert house.box("tinygrad_edu.value") == "layer 2"


def test_every_module_is_in_a_row_and_no_arrow_goes_up(house):
    rows = house.rows()
    assert sum(len(files) for row in rows for files in row.values()) == len(house.modules())
    floor = {name: number for number, row in enumerate(rows) for name in row}
    assert [(a, b) for a, others in house.imports().items() for b in others if floor[b] > floor[a]] == []


def test_the_picture_names_every_folder_and_the_page_every_part(house):
    picture = house.svg().decode()
    assert [name for name in house.imports() if f">{name}<" not in picture and name.endswith("/")] == []
    assert [title for title in house.TITLES if title not in picture] == []
    page = (DOCS / "how_it_works.rst").read_text(encoding="utf-8")
    parts = {module.split(".")[1] for module in house.modules() if "." in module}
    assert [part for part in sorted(parts) if f"``{part}``" not in page and f"``{part}/``" not in page] == []
