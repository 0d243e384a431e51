"""The directive `house`: a picture of the package, made from its imports each time the documentation is built.

The rows are the layers that tests/test_architecture.py holds. A yellow box is a folder; a blue one has the files of a
layer that stand in no folder. An arrow goes from a box to one that it imports; what follows from other arrows is left
out: if a imports b and c, and b imports c, there is no arrow from a to c.
"""

import ast
from functools import cache
from itertools import pairwise, product
from pathlib import Path
from textwrap import fill

from docutils.nodes import image
from docutils.parsers.rst import Directive
from graphviz import Digraph
from pygraphviz import AGraph

ROOT = Path(__file__).parents[2]
TOP = "tinygrad_edu"
PICTURE = "_build/house.svg"
ALT = "The parts of the package in seven layers. Arrows go to what a part imports; between layers they lead down."
# What the layers are for, in the order of LAYERS in tests/test_architecture.py.
TITLES = (
    "a computation as data",
    "how to record, how to go back",
    "the derivatives",
    "functions of functions",
    "subjects",
    "what ties subjects together",
    "a training as a whole",
)
WIDTH = 44  # letters of a row of files in a box: five or six names
FONT = {"fontname": "Helvetica, Arial, sans-serif", "fontcolor": "#1a1a1a"}
BOX = {
    "shape": "box",
    "style": "filled,rounded",
    "fillcolor": "#dbe9f6",
    "color": "#4a6a8a",
    "fontsize": "17",
    **FONT,
}
FOLDER = {"fillcolor": "#fff2b3", "color": "#8a7a2a"}
FRAME = {"fontsize": "17", "labeljust": "l", "style": "rounded", "color": "#9a9a9a", "margin": "14", **FONT}


@cache
def layers():
    """The layers of tests/test_architecture.py, lowest first: sets of top-level names, with "" for the package."""
    tree = ast.parse((ROOT / "tests" / "test_architecture.py").read_text(encoding="utf-8"))
    found = (node for node in tree.body if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "LAYERS")
    return ast.literal_eval(next(found).value)


@cache
def level(module):
    """The number of a module's layer, from 1."""
    part = module.partition(".")[2].partition(".")[0]
    return next(number for number, layer in enumerate(layers(), 1) if part in layer)


@cache
def box(module):
    """The box of a module: its folder, such as `viz/motion/`, or the layer of a file that stands in none."""
    folders = module.split(".")[1:]
    if not ROOT.joinpath(TOP, *folders).is_dir():
        folders.pop()
    return "".join(f"{folder}/" for folder in folders) or f"layer {level(module)}"


def imported(tree, known):
    """The modules of the package that a module imports when it runs."""
    guards = [
        node for node in ast.walk(tree) if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test)
    ]
    skipped = {id(node) for guard in guards for part in guard.body for node in ast.walk(part)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Import) and id(node) not in skipped:
            yield from (alias.name for alias in node.names if alias.name in known)
        elif isinstance(node, ast.ImportFrom) and id(node) not in skipped and node.module.split(".")[0] == TOP:
            names = [f"{node.module}.{alias.name}" for alias in node.names]
            yield from (name if name in known else node.module for name in names)


@cache
def modules():
    """Every module of the package: dotted name to path."""
    paths = sorted((ROOT / TOP).rglob("*.py"))
    names = [".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__") for path in paths]
    return dict(zip(names, paths, strict=True))


@cache
def imports():
    """Which boxes each box imports, itself left out."""
    found = {box(module): set() for module in modules()}
    for module, path in modules().items():
        others = imported(ast.parse(path.read_text(encoding="utf-8")), modules())
        found[box(module)] |= {box(other) for other in others} - {box(module)}
    return found


def reachable(edges):
    """Everything that each box imports, directly or through others."""
    found = {name: set(others) for name, others in edges.items()}
    changed = True
    while changed:
        before = {name: len(others) for name, others in found.items()}
        for others in found.values():
            others |= {further for other in tuple(others) for further in found[other]}
        changed = before != {name: len(others) for name, others in found.items()}
    return found


def arrows(edges):
    """The imports that do not follow from others; boxes that import each other keep both arrows."""
    beyond = reachable(edges)
    for name, others in edges.items():
        for other in sorted(others):
            between = [b for b in others - {other} if other in beyond[b] and b not in beyond[other]]
            if not any(name not in beyond[b] for b in between):
                yield name, other


def rows():
    """The boxes of each layer, lowest first, each with the names of its files if it is not a folder."""
    found = [{} for _ in TITLES]
    for module in modules():
        files = found[level(module) - 1].setdefault(box(module), [])
        files.append(module.partition(".")[2] or "__init__")
    return found


def draw_layer(graph, number, row):
    """Add a layer with its title: as one box, or as a frame around its boxes."""
    title = f"{number}  {TITLES[number - 1]}"
    if len(row) == 1:
        ((name, files),) = row.items()
        inside = name if name.endswith("/") else fill("   ".join(files), WIDTH).replace("\n", "<br/>")
        graph.node(name, f"<<b>{title}</b><br/>{inside}>", **looks(name))
        return
    with graph.subgraph(name=f"cluster {number}", graph_attr={"label": f"<<b>{title}</b>>", **FRAME}) as frame:
        for name, files in row.items():
            frame.node(name, name if name.endswith("/") else "   ".join(files), **looks(name))


def looks(name):
    """The colours of a box: yellow for a folder."""
    return FOLDER if name.endswith("/") else {}


def house():
    """The picture in the DOT language."""
    graph = Digraph(graph_attr={"newrank": "true", "nodesep": "0.3", "ranksep": "0.4", "bgcolor": "white"})
    graph.attr("node", **BOX)
    graph.attr("edge", color="#555555", arrowsize="0.8")
    layered = rows()
    for number, row in enumerate(layered, 1):
        draw_layer(graph, number, row)
    for lower, upper in pairwise(layered):  # one row below the other, whether or not arrows say so
        for name, other in product(upper, lower):
            graph.edge(name, other, style="invis")
    for name, other in arrows(imports()):
        graph.edge(name, other)
    return graph.source


def svg():
    """The picture as SVG."""
    return AGraph(string=house()).draw(format="svg", prog="dot")


class House(Directive):
    """`.. house::` is the picture."""

    def run(self):
        """Draw it into the build folder, and show it."""
        target = Path(self.state.document.settings.env.srcdir, PICTURE)
        target.parent.mkdir(exist_ok=True)
        target.write_bytes(svg())
        return [image(uri=f"/{PICTURE}", alt=ALT)]


def setup(app):
    """Called by Sphinx."""
    app.add_directive("house", House)
    return {"version": "1", "parallel_read_safe": True}
