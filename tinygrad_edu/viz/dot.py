"""A trace as a DOT graph, in the tutorial's look.

Functions are yellow hexagons and results blue rectangles; variables have a double border, constants a dashed one, the
result a thick one: shape and border carry the meaning, colour repeats it. The wanted path is bold and red.

Source: the diagrams of the tutorial; Gansner and North, "An open graph visualization system" (2000), for DOT.
"""

from __future__ import annotations

from tinygrad_edu.viz.naming import chain

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Any

    from tinygrad_edu.recording import Scope
    from tinygrad_edu.viz.trace import Box, Edge, Step, Trace

    Graphs = dict[Scope | None, Any]

YELLOW, BLUE, PALE, GREY, INK = "#FFD84D", "#CFE6FB", "#F2F2F2", "#444444", "#1A1A1A"
FOLDED = "#FFF3C2"
WANTED, LIVE, IDLE = "#C81E1E", "#0B5394", "#8A8A8A"
FONT = "Helvetica,Arial,DejaVu Sans,sans-serif"
WIDTH = 96
ASIDE = "  "

MERGING = ("merged", "folded")
GRAPH = {"rankdir": "TB", "bgcolor": "white", "fontname": FONT, "nodesep": "0.35", "ranksep": "0.18", "pad": "0.2"}
NODE = {"shape": "box", "style": "filled", "fontname": FONT, "fontsize": "15", "fontcolor": INK, "color": INK}
EDGE = {"fontname": FONT, "fontsize": "13", "color": LIVE, "fontcolor": LIVE, "arrowsize": "0.8"}
KINDS = {
    "result": {"fillcolor": BLUE},
    "variable": {"fillcolor": BLUE, "peripheries": "2"},
    "constant": {"fillcolor": PALE, "style": "filled,dashed", "color": IDLE},
    "root": {"fillcolor": BLUE, "penwidth": "4"},
    "module": {"fillcolor": FOLDED, "style": "filled,rounded", "peripheries": "1"},
    "copy": {"fillcolor": BLUE, "style": "filled,rounded", "color": IDLE},
}
STEP = {"shape": "hexagon", "fillcolor": YELLOW, "fontsize": "18", "margin": "0.04,0.02"}
CLUSTER = {"style": "rounded", "color": IDLE, "fontcolor": GREY, "fontsize": "14", "labelloc": "t", "labeljust": "l"}


def source(trace: Trace, mode: str = "forward", ids: bool = False) -> str:
    """The DOT text of a trace.

    Parameters
    ----------
    trace
        What to draw.
    mode
        In "backward" mode the arrows point the way gradients flow.
    ids
        Give every part its number in the trace as its id in the picture: v1, o1 for boxes and steps, e1 for
        edges, r1 for the edge from a step to its result.
    """
    from graphviz import Digraph

    graph = Digraph(graph_attr=GRAPH, node_attr=NODE, edge_attr=EDGE)
    if trace.caption or trace.note:
        lines = [*(line for text in trace.caption for line in wrapped(text)), *trace.note.splitlines()]
        colour = WANTED if trace.caption else GREY
        graph.attr(label=leftward(["", *lines]), labelloc="b", fontsize="18", fontcolor=colour)
    if trace.detail in MERGING:
        graph.attr(ranksep="0.35")
    graphs, known = clusters(trace, graph), numbered if ids else nameless
    for box in trace.boxes:
        within(graphs, box.scope).node(box.id, box_label(box, trace.detail), **KINDS[box.kind], **known(box.id))
    for step in trace.steps:
        within(graphs, step.scope).node(step.id, label([step.glyph]), **STEP, **known(step.id))
    for scope, inner in reversed([(s, g) for s, g in graphs.items() if s is not None]):
        within(graphs, scope.parent).subgraph(inner)
    back = {"dir": "back"} if mode == "backward" else {}
    for number, edge in enumerate(trace.edges, 1):
        graph.edge(edge.tail, edge.head, edge_label(edge), **edge_look(edge), **back, **known(f"e{number}"))
    for step in trace.steps:
        own = known(f"r{step.id.removeprefix('o')}")
        graph.edge(step.id, step.result, step_label(step), **step_look(step), **back, **own)
    return str(graph.source)


def numbered(name: str) -> dict[str, str]:
    """The attribute that carries a part's number into the picture."""
    return {"id": name}


def nameless(name: str) -> dict[str, str]:
    """No attribute: Graphviz counts for itself."""
    return {}


def label(lines: Iterable[str]) -> Any:
    """Lines as the centred label of a node, nothing in them with a meaning of its own."""
    from graphviz import nohtml

    return nohtml(r"\n".join(map(plain, lines)))


def leftward(lines: Iterable[str], margin: str = "") -> Any:
    """Lines that begin below each other, as captions and the labels beside edges do."""
    from graphviz import nohtml

    return nohtml("".join(rf"{margin}{plain(line)}\l" for line in lines))


def plain(line: str) -> str:
    """Text that DOT shows as it is; never nothing, since the library crashes on labels that begin so."""
    from graphviz import escape

    return str(escape(line.replace("&", "&amp;") or " "))


def wrapped(text: str) -> list[str]:
    """A caption on lines that fit under the picture, broken before ' = '."""
    lines = [""]
    for part in text.split(" = "):
        joined = f"{lines[-1]} = {part}" if lines[-1] else part
        if lines[-1] and len(joined) > WIDTH:
            lines.append(f"    = {part}")
        else:
            lines[-1] = joined
    return lines


def clusters(trace: Trace, graph: Any) -> Graphs:
    """A subgraph for every module call, the calls around it first."""
    from graphviz import Digraph

    graphs: Graphs = {None: graph}
    innermost = [box.scope for box in trace.boxes] + [step.scope for step in trace.steps]
    for inner in dict.fromkeys(innermost):
        for scope in reversed(list(chain(inner))):
            if scope not in graphs:
                look = {**CLUSTER, "label": label([f"{scope.path}  {scope.kind}".strip()])}
                graphs[scope] = Digraph(name=f"cluster_{len(graphs)}", graph_attr=look)
    return graphs


def within(graphs: Graphs, scope: Scope | None) -> Any:
    """The subgraph of a module call, or the whole graph."""
    return graphs.get(scope, graphs[None])


def box_label(box: Box, detail: str) -> Any:
    """Name, data and gradient of a value; the operation, too, where it is drawn in its result."""
    if box.kind == "module":
        return label([box.name, box.glyph, f"out {box.data}", f"grad {box.grad}"])
    name = f"{box.name} ({box.glyph})" if box.glyph and detail in MERGING else box.name
    if detail == "merged":
        return label([name])
    if box.kind in ("constant", "copy") or detail == "short":
        return label(filter(None, [name, box.data]))
    return label([name, f"data {box.data}", f"grad {box.grad}"])


def edge_label(edge: Edge) -> Any:
    """The local derivative by name and by number, after the numbers of its paths."""
    lines = [line for line in (f"{edge.marks} {edge.slope}".strip(), edge.text) if line]
    if edge.closed and lines:
        lines.append("closed: no gradient passes")
    return leftward(lines, ASIDE) if lines else None


def edge_look(edge: Edge) -> dict[str, str]:
    """Red and bold on the wanted path, dashed where nothing passes, grey at constants."""
    look = {} if edge.live else {"color": IDLE, "fontcolor": IDLE}
    if edge.wanted:
        look = {"color": WANTED, "fontcolor": WANTED, "penwidth": "3", "weight": "8"}
    return {**look, "style": "dashed"} if edge.closed else look


def step_label(step: Step) -> Any:
    """The numbers of the paths, and the factor that spans several steps."""
    return leftward(f"{step.marks} {step.factor}".strip().split(" = ", 1), ASIDE) if step.factor else None


def step_look(step: Step) -> dict[str, str]:
    """Red and bold on the wanted path."""
    return {"color": WANTED, "fontcolor": WANTED, "penwidth": "3", "weight": "8"} if step.wanted else {}
