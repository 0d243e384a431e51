"""Modules are found by name and by file, errors say which line, and every operation has a home."""

import sys

import numpy as np
import pytest

import tinygrad_edu as te
from tinygrad_edu.table import OPERATIONS, PRIMITIVES
from tinygrad_edu.testing.modules import home, load, operations, order

MADE = "te.primitive(lambda x: x + 0.0, lambda g, out, x: g, name='{}', domain=te.REALS)\n"
SWISH = f"import tinygrad_edu as te\nswish = {MADE}"


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A folder from which modules can be imported, and forgotten again with what they have registered."""
    before = set(sys.modules), dict(OPERATIONS), dict(PRIMITIVES)
    monkeypatch.setattr(sys, "path", [str(tmp_path), *sys.path])
    yield tmp_path
    for name in set(sys.modules) - before[0]:
        del sys.modules[name]
    for now, then in zip((OPERATIONS, PRIMITIVES), before[1:], strict=True):
        now.clear()
        now.update(then)


def write(folder, name, text="x = 1\n"):
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return path


def test_a_name_and_a_file_are_the_same_module(folder):
    path = write(folder, "alone_here.py")
    assert load("alone_here") is load(str(path))


def test_a_file_in_a_package_has_its_dotted_name(folder):
    outer = folder / "elsewhere"
    for name in ("pack_a/__init__.py", "pack_a/inner/__init__.py"):
        write(outer, name)
    path = write(outer, "pack_a/inner/deep.py")
    assert load(str(path)).__name__ == "pack_a.inner.deep"
    assert load(str(path.parent / "__init__.py")).__name__ == "pack_a.inner"
    assert sys.path[0] == str(outer)


BROKEN = {
    "a typo": ("alone_heer", r"no module named 'alone_heer': did you mean alone_here\? A module is found if"),
    "a typo below": ("tinygrad_edu.nn.liner", r"'tinygrad_edu\.nn\.liner': did you mean tinygrad_edu\.nn\.linear"),
    "no package": ("qqqzzz.inner", r"no module named 'qqqzzz' \(for qqqzzz\.inner\): A module"),
    "a missing import": ("needy", r"importing needy failed at needy\.py:2: ModuleNotFoundError: No module"),
    "its own mistake": ("divides", r"importing divides failed at divides\.py:1: ZeroDivisionError"),
    "an exit": ("leaves", r"importing leaves failed at leaves\.py:2: SystemExit: 3"),
    "a syntax error": ("odd", r"importing odd failed: SyntaxError: .*odd\.py, line 1"),
    "a wrong rule": ("ruled", r"importing ruled failed at ruled\.py:2: ValueError: f is not registered"),
    "no file": ("none.py", r"there is no file .*none\.py"),
    "no name": ("a-b.py", r"a-b\.py cannot be imported: 'a-b' is no name in Python; rename it"),
    "a keyword": ("class.py", r"class\.py cannot be imported: 'class' is no name in Python; rename it"),
    "hidden": ("math.py", r"math\.py is hidden by another module math, .*: rename it"),
}


@pytest.mark.parametrize("case", BROKEN)
def test_what_cannot_be_imported_is_said(folder, monkeypatch, case):
    write(folder, "alone_here.py")
    write(folder, "needy.py", "\nimport qq\n")
    write(folder, "divides.py", "1 / 0")
    write(folder, "leaves.py", "import sys\nsys.exit(3)")
    write(folder, "odd.py", "def f(:")
    rule = "@te.custom((lambda g, out, x: g * x,), domain=te.REALS)\ndef f(x):\n    return x * x"
    write(folder, "ruled.py", f"import tinygrad_edu as te\n{rule}")
    for name in ("a-b.py", "class.py", "math.py"):
        write(folder, name)
    monkeypatch.chdir(folder)
    name, words = BROKEN[case]
    with pytest.raises(ImportError, match=words) as caught:
        load(name)
    assert type(caught.value) is ImportError
    assert caught.value.__suppress_context__ or caught.value.__context__ is None


def test_a_chapter_declares_what_its_rules_are_for():
    assert np.tanh in {op.function for op in operations(load("tinygrad_edu.rules.elementwise")).values()}
    assert "matmul" not in operations(load("tinygrad_edu.rules.elementwise"))
    assert operations(load("tinygrad_edu.nn.module")) == {}


def test_every_entry_has_a_name_and_a_home():
    ours = {function: op for function, op in OPERATIONS.items() if home(op).startswith("tinygrad_edu.")}
    found = operations(te)
    assert set(map(id, ours.values())) <= set(map(id, found.values()))
    assert all(name == op.name for name, op in found.items())


def test_a_package_declares_what_it_takes_from_its_modules_and_no_more(folder):
    write(folder, "pack_b/__init__.py", "from pack_b.inner import swish\nfrom numpy import tanh\nimport other_b\n")
    write(folder, "pack_b/inner.py", SWISH.format("b_one"))
    write(folder, "other_b.py", SWISH.format("b_two"))
    assert set(operations(load("pack_b"))) == {"b_one"}
    assert set(operations(load("other_b"))) == {"b_two"}
    write(folder, "uses_b.py", "import numpy as np\nfrom pack_b import swish\ndef plain(x):\n    return np.tanh(x)")
    assert operations(load("uses_b")) == {}


def test_two_of_a_name_are_both_kept(folder):
    write(folder, "twins.py", SWISH.format("same") + "other = " + MADE.format("same"))
    module = load("twins")
    assert {name: op.function for name, op in operations(module).items()} == {
        "same": module.swish,
        "same-2": module.other,
    }


def test_the_promised_order(folder):
    write(folder, "orders.py", SWISH.format("once") + "swish.order = 1\n")
    assert order(operations(load("orders"))["once"]) == 1
    assert order(OPERATIONS[np.tanh]) == 2


def test_a_package_declares_what_it_offers_from_beside_it(folder):
    write(folder, "pack_d/__init__.py")
    write(folder, "pack_d/hidden.py", SWISH.format("swish") + f"other = {MADE.format('other')}")
    write(folder, "pack_d/api/__init__.py", "from pack_d.hidden import swish\n")
    write(folder, "user_d.py", "from pack_d.hidden import swish\n")
    assert list(operations(load("pack_d.api"))) == ["swish"]
    assert list(operations(load("user_d"))) == []
