"""The architecture, held by reading the source: layers, no circles, names that find their file, sizes."""

import ast
from functools import cache
from graphlib import CycleError, TopologicalSorter
from pathlib import Path
from statistics import median

import pytest

ROOT = Path(__file__).parents[1]
TOP = "tinygrad_edu"

# Who may import whom: only what stands in an earlier layer, and inside a folder one's own. "" is the package itself.
LAYERS = (
    {
        "blocks",
        "conversions",
        "errors",
        "graph",
        "inputs",
        "kinds",
        "later",
        "listeners",
        "names",
        "notes",
        "numeric_warnings",
        "probabilities",
        "recording",
        "spellings",
        "table",
        "typed",
    },
    {"backward", "value"},
    {"rules"},
    {"forward", "state_dict", "stateful", "surroundings", "targets", "transforms", "tree", ""},
    {"data", "nn", "optim", "testing", "viz"},
    {"__main__", "extension", "saving"},
    {"train"},
)
LEVEL = {part: level for level, parts in enumerate(LAYERS) for part in parts}
# Inside the first four layers files import only files before them, which is also the order to read them in.
ORDER = (
    *(
        "typed",
        "later",
        "recording",
        "graph",
        "errors",
        "numeric_warnings",
        "blocks",
        "inputs",
        "kinds",
        "conversions",
    ),
    *("probabilities", "spellings", "names", "listeners", "table", "notes"),
    *("backward", "value", "rules", "tree", "state_dict", "stateful", "targets", "forward"),
    *("surroundings", "transforms", ""),
)
# Testing offers networks to test with; an optimiser asks modules for the parameters that they have now.
NEIGHBOURS = {("testing", "nn"), ("testing", "optim"), ("optim", "nn")}

MEDIA = {"picture", "words", "page", "motion", "training"}  # of viz: each imports its model, none another medium

# Imports by name: `later` for what is imported when it is first used, the others for what the user names.
BY_NAME = {f"{TOP}.later", f"{TOP}.testing.frameworks", f"{TOP}.testing.pytest_plugin.items"}


@cache
def sources():
    """Every module of the package: dotted name to text."""
    paths = sorted((ROOT / TOP).rglob("*.py"))
    names = [".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__") for path in paths]
    return {name: path.read_text(encoding="utf-8") for name, path in zip(names, paths, strict=True)}


@cache
def parsed(text):
    return ast.parse(text)


def imports(text, known, types=True):
    """The modules of the package that a module imports; `types=False` leaves out `if TYPE_CHECKING:`."""
    tree = parsed(text)
    guards = [n for n in ast.walk(tree) if isinstance(n, ast.If) and ast.unparse(n.test) == "TYPE_CHECKING"]
    skipped = set() if types else {id(n) for guard in guards for n in ast.walk(guard)}
    found = set()
    for node in (n for n in ast.walk(tree) if id(n) not in skipped):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            full = [f"{node.module}.{alias.name}" for alias in node.names]
            found |= {name if name in known else node.module for name in full}
    return found & set(known)


def part(name):
    """The layer's entry that a module belongs to: `nn` for `tinygrad_edu.nn.layers`."""
    return name.removeprefix(TOP).removeprefix(".").partition(".")[0]


def misplaced(modules):
    """Imports of what stands in the same layer or a later one, or later in the order; modules in no layer."""
    for name, text in modules.items():
        own = part(name)
        if own not in LEVEL:
            yield f"{name} stands in no layer"
            continue
        for other in imports(text, modules) if own else ():
            theirs = part(other)
            if own in ORDER and theirs in ORDER:
                allowed = LEVEL[theirs] <= LEVEL[own] and ORDER.index(theirs) <= ORDER.index(own)
            else:
                allowed = own == theirs or LEVEL[theirs] < LEVEL[own] or (own, theirs) in NEIGHBOURS
            if not allowed:
                yield f"{name} imports {other}"


def between_media(modules):
    """Imports from one medium of viz, or from its model, to another medium."""
    folder = lambda name: name.removeprefix(f"{TOP}.viz.").partition(".")[0] if name.count(".") > 1 else ""
    inside = {name: text for name, text in modules.items() if name.startswith(f"{TOP}.viz.")}
    for name, text in inside.items():
        if folder(name) in MEDIA | {"model"}:
            others = [x for x in imports(text, inside) if folder(x) in MEDIA - {folder(name)}]
            yield from (f"{name} imports {other}" for other in others)


def circle(modules, types=False):
    """The modules on an import circle, or nothing."""
    edges = {name: imports(text, modules, types) - {name} for name, text in modules.items()}
    try:
        TopologicalSorter(edges).prepare()
    except CycleError as error:
        return error.args[1]
    return []


def by_name(text):
    """Whether a module imports something whose name is a text."""
    calls = [n.func for n in ast.walk(parsed(text)) if isinstance(n, ast.Call)]
    calls += [n for n in ast.walk(parsed(text)) if isinstance(n, ast.Name)]  # map(import_module, ...)
    return any(ast.unparse(call) in ("import_module", "importlib.import_module", "__import__") for call in calls)


def hidden(modules):
    """Modules whose package offers something else under the same name."""
    for package, text in modules.items():
        tree = parsed(text)
        offered, itself = set(), set()
        for node in tree.body:
            if isinstance(node, ast.ImportFrom):
                for alias in node.names:
                    same = f"{node.module}.{alias.name}" in modules
                    (itself if same else offered).add(alias.asname or alias.name)
            elif isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "__all__":
                offered |= set(ast.literal_eval(node.value))
            elif isinstance(node, ast.FunctionDef | ast.ClassDef):
                offered.add(node.name)
        yield from (name for o in sorted(offered - itself) if (name := f"{package}.{o}") in modules)


def functions(text):
    """Every function's name and its number of lines without the docstring."""
    for node in ast.walk(parsed(text)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            first = node.body[0]
            documented = ast.get_docstring(node) is not None
            docstring = first.end_lineno - first.lineno + 1 if documented else 0
            yield node.name, node.end_lineno - node.lineno + 1 - docstring


def test_modules_import_only_from_earlier_layers():
    assert list(misplaced(sources())) == []


def test_no_medium_of_viz_imports_another():
    assert list(between_media(sources())) == []


def test_imports_have_no_circle():
    assert circle(sources()) == []


def test_types_have_no_circle_in_the_engine():
    engine = {name: text for name, text in sources().items() if part(name) not in ("", "viz", "testing")}
    assert circle(engine, types=True) == []


def test_only_declared_modules_import_by_name():
    assert {name for name, text in sources().items() if by_name(text)} <= BY_NAME


def test_public_names_hide_no_module():
    assert list(hidden(sources())) == []


def test_every_module_says_what_it_is():
    assert [name for name, text in sources().items() if not ast.get_docstring(parsed(text))] == []


def test_functions_are_short():
    sizes = sorted((n, f"{module}.{name}") for module, text in sources().items() for name, n in functions(text))
    assert [entry for entry in sizes if entry[0] > 40] == []
    assert median(n for n, _ in sizes) <= 5  # with the line of its name
    assert sizes[int(0.95 * len(sizes))] <= (20, "~")


@pytest.mark.parametrize(
    ("name", "text", "allowed"),
    [
        ("graph", "from tinygrad_edu.value import Value", False),
        ("graph", "from tinygrad_edu import errors", False),
        ("inputs", "from tinygrad_edu.tree import walk", False),
        ("value", "from tinygrad_edu import errors, table", True),
        ("nn.layers", "import tinygrad_edu.viz.layout", False),
        ("nn.layers", "def f():\n    from tinygrad_edu import viz", False),
        ("nn.layers", "from tinygrad_edu.nn.module import Module", True),
        ("nn.layers", "from tinygrad_edu import Value", True),
        ("testing.networks", "from tinygrad_edu import nn", True),
        ("helpers", "", False),
    ],
)
def test_the_layer_check_sees(name, text, allowed):
    names = ["graph", "value", "errors", "table", "tree", "nn", "nn.module", "viz", "viz.layout"]
    modules = {TOP: ""} | {f"{TOP}.{other}": "" for other in names}
    assert (not list(misplaced(modules | {f"{TOP}.{name}": text}))) == allowed


@pytest.mark.parametrize(
    ("name", "text", "allowed"),
    [
        ("words.tree", "from tinygrad_edu.viz.model.steps import Step", True),
        ("words.tree", "from tinygrad_edu.viz.words import terminal", True),
        ("words.tree", "from tinygrad_edu.viz.picture.boxes_and_hexagons import escape", False),
        ("model.steps", "from tinygrad_edu.viz.words.tree import indent", False),
        ("drawing", "from tinygrad_edu.viz.picture.boxes_and_hexagons import escape", True),
    ],
)
def test_the_check_between_media_sees(name, text, allowed):
    names = ["model", "model.steps", "picture", "picture.boxes_and_hexagons", "words", "words.tree", "words.terminal"]
    modules = {f"{TOP}.viz.{other}": "" for other in names} | {f"{TOP}.viz.{name}": text}
    assert (not list(between_media(modules))) == allowed


def test_the_circle_check_sees_a_circle_and_forgives_types_where_asked_to():
    modules = {f"{TOP}.table": f"import {TOP}.graph", f"{TOP}.graph": f"import {TOP}.table"}
    assert set(circle(modules)) == set(modules)
    modules[f"{TOP}.table"] = f"if TYPE_CHECKING:\n    import {TOP}.graph"
    assert circle(modules) == []
    assert set(circle(modules, types=True)) == set(modules)


@pytest.mark.parametrize("text", ["import_module('x')", "importlib.import_module(n)", "map(import_module, names)"])
def test_the_check_of_imports_by_name_sees(text):
    assert by_name(text)
    assert not by_name("from importlib import import_module\nimport x")


def test_the_check_of_hidden_modules_sees():
    modules = {f"{TOP}.data": "", f"{TOP}.data.moons": ""}
    for text in ("from tinygrad_edu.data.moons import moons", "__all__ = ['moons']", "def moons(): pass"):
        assert list(hidden(modules | {f"{TOP}.data": text})) == [f"{TOP}.data.moons"]
    assert list(hidden(modules | {f"{TOP}.data": "from tinygrad_edu.data import moons\n__all__ = ['moons']"})) == []


def test_the_size_check_counts_lines_without_the_docstring():
    text = 'def f():\n    """One.\n\n    Two.\n    """\n    x = 1\n\n    return x\n'
    assert list(functions(text)) == [("f", 4)]


def test_the_checks_of_gradients_stay_small_enough_to_read():
    checks = {name: text for name, text in sources().items() if part(name) == "testing"}
    assert len(checks) > 20
    assert sum(len(text.splitlines()) for text in checks.values()) <= 7_050
