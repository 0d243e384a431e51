"""The architecture, held by reading the source: layers, no cycles, docstrings, sizes, mirrored tests."""

import ast
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
TOP = "tinygrad_edu"
LAYERS = (
    {"table", "graph", "errors", "recording", "collection", "inputs", "listeners"},
    {"backward", "value"},
    {"rules"},
    {"transforms", "forward", "tree", ""},  # "": the package itself, which offers layers 1 to 4
    {"nn", "optim", "data", "testing", "viz", "compile"},
    {"saving", "train", "export", "extension", "__main__"},
)
LEVEL = {part: level for level, parts in enumerate(LAYERS, 1) for part in parts}
NEIGHBOURS = {("testing", "nn"), ("testing", "optim")}


def sources():
    """Every module of the package: dotted name to text."""
    paths = sorted((ROOT / TOP).rglob("*.py"))
    names = [".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__") for path in paths]
    return {name: path.read_text(encoding="utf-8") for name, path in zip(names, paths, strict=True)}


def imports(text, known, types=True):
    """The modules of the package that a module imports; `types=False` leaves out `if TYPE_CHECKING:`."""
    tree = ast.parse(text)
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
    """Imports that go up, or to a neighbour in layers 5 and 6; modules that stand in no layer."""
    for name, text in modules.items():
        own = part(name)
        if own not in LEVEL:
            yield f"{name} stands in no layer"
            continue
        for other in imports(text, modules) if own else ():
            theirs = part(other)
            level, below = LEVEL[own], LEVEL.get(theirs, 0)
            beside = level == below and (level <= 4 or own == theirs or (own, theirs) in NEIGHBOURS)
            if below >= level and not beside:
                yield f"{name} imports {other}"


def cycle(modules):
    """The modules on an import cycle, or nothing."""
    edges = {name: imports(text, modules, types=False) - {name} for name, text in modules.items()}
    try:
        TopologicalSorter(edges).prepare()
    except CycleError as error:
        return error.args[1]
    return []


def functions(text):
    """Every function's name and its number of lines without the docstring."""
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            first = node.body[0]
            documented = ast.get_docstring(node) is not None
            docstring = first.end_lineno - first.lineno + 1 if documented else 0
            yield node.name, node.end_lineno - node.lineno + 1 - docstring


def mirror(name):
    """The test file of a module: `tests/nn/test_layers.py` for `tinygrad_edu.nn.layers`."""
    *folders, stem = name.split(".")[1:]
    return ROOT.joinpath("tests", *folders, f"test_{stem}.py")


def packages():
    """The names of the folders that are packages; their modules have tests, they themselves need none."""
    folders = (path.parent.relative_to(ROOT) for path in (ROOT / TOP).rglob("__init__.py"))
    return {".".join(folder.parts) for folder in folders}


def test_modules_import_only_from_lower_layers():
    assert list(misplaced(sources())) == []


def test_imports_have_no_cycle():
    assert cycle(sources()) == []


def test_every_module_says_what_it_is():
    assert [name for name, text in sources().items() if not ast.get_docstring(ast.parse(text))] == []


def test_files_have_at_most_500_lines():
    assert {name: n for name, text in sources().items() if (n := len(text.splitlines())) > 500} == {}


def test_functions_have_at_most_25_lines_and_most_at_most_20():
    sizes = [(n, f"{module}.{name}") for module, text in sources().items() for name, n in functions(text)]
    assert [entry for entry in sizes if entry[0] > 25] == []
    assert sorted(sizes)[int(0.95 * len(sizes))] <= (20, "~")


def test_an_entry_of_the_table_has_three_lines_on_average():
    sizes = [
        node.end_lineno - node.lineno + 1
        for name, text in sources().items()
        if part(name) == "rules"
        for node in ast.walk(ast.parse(text))
        if isinstance(node, ast.Call) and ast.unparse(node.func) in ("differentiable", "primitive", "moves")
    ]
    assert len(sizes) > 90
    assert sum(sizes) / len(sizes) <= 3.0


def test_every_module_has_its_tests():
    modules = [name for name in sources() if name not in packages() and not name.rpartition(".")[2].startswith("_")]
    modules = [name for name in modules if part(name) != "testing"]  # its tests are by topic
    missing = [mirror(name).relative_to(ROOT).as_posix() for name in modules if not mirror(name).exists()]
    assert missing == [], f"{len(missing)} modules without a test file"


@pytest.mark.parametrize(
    ("name", "text", "allowed"),
    [
        ("tinygrad_edu.graph", "from tinygrad_edu.value import Value", False),
        ("tinygrad_edu.value", "from tinygrad_edu import errors, table", True),
        ("tinygrad_edu.nn.layers", "import tinygrad_edu.viz.layout", False),
        ("tinygrad_edu.nn.layers", "def f():\n    from tinygrad_edu import viz", False),
        ("tinygrad_edu.nn.layers", "from tinygrad_edu.nn.module import Module", True),
        ("tinygrad_edu.nn.layers", "from tinygrad_edu import Value", True),
        ("tinygrad_edu.testing.networks", "from tinygrad_edu import nn", True),
        ("tinygrad_edu.helpers", "", False),
    ],
)
def test_the_layer_check_sees(name, text, allowed):
    names = ["graph", "value", "errors", "table", "nn", "nn.module", "viz", "viz.layout"]
    modules = {TOP: ""} | {f"{TOP}.{other}": "" for other in names}
    assert (not list(misplaced(modules | {name: text}))) == allowed


def test_the_cycle_check_sees_a_cycle_and_forgives_types():
    modules = {f"{TOP}.table": f"import {TOP}.graph", f"{TOP}.graph": f"import {TOP}.table"}
    assert set(cycle(modules)) == set(modules)
    assert cycle(modules | {f"{TOP}.table": f"if TYPE_CHECKING:\n    import {TOP}.graph"}) == []


def test_the_size_check_counts_lines_without_the_docstring():
    text = 'def f():\n    """One.\n\n    Two.\n    """\n    x = 1\n\n    return x\n'
    assert list(functions(text)) == [("f", 4)]
    assert mirror(f"{TOP}.rules.elementwise") == ROOT / "tests/rules/test_elementwise.py"
