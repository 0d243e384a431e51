"""A trace as a DOT graph: boxes, hexagons, the edges between them, and a frame around every module call.

Node ids are generated, names are only ever labels, and nothing in the text depends on the order of a hash.

Source: Gansner and North, "An open graph visualization system" (2000), for DOT.
"""

from __future__ import annotations

from tinygrad_edu.viz.label import MERGING, box_label, edge_label, label, leftward, step_label, wrapped
from tinygrad_edu.viz.look import Look
from tinygrad_edu.viz.naming import chain, titled
from tinygrad_edu.viz.palette import LIGHT

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from tinygrad_edu.recording import Scope
    from tinygrad_edu.viz.palette import Palette
    from tinygrad_edu.viz.trace import Trace

    Graphs = dict[Scope | None, Any]


def source(trace: Trace, mode: str = "forward", ids: bool = False, palette: Palette = LIGHT) -> str:
    """The DOT text of a trace.

    Parameters
    ----------
    trace
        What to draw.
    mode
        In "backward" mode the arrows point the way gradients flow.
    ids
        For pictures that move: give every part its number in the trace as its id in the picture (v1, o1 for boxes
        and steps, e1 for edges, r1 for the edge from a step to its result), and leave out the heat maps.
    palette
        The colours.
    """
    from graphviz import Digraph

    look, known = Look(palette, trace.detail in MERGING), numbered if ids else nameless
    graph = Digraph(graph_attr=look.graph(), node_attr=look.node(), edge_attr=look.edge())
    if trace.caption or trace.note:
        lines = [*(line for text in trace.caption for line in wrapped(text)), *trace.note.splitlines()]
        graph.attr(label=leftward(["", *lines]), **look.caption(bool(trace.caption)))
    graphs = clusters(trace, graph, look)
    for box in trace.boxes:
        words = box_label(box, trace.detail, maps=not ids)
        within(graphs, box.scope).node(box.id, words, **look.box(box), **known(box.id))
    for step in trace.steps:
        within(graphs, step.scope).node(step.id, label([step.glyph]), **look.step(), **known(step.id))
    for scope, inner in reversed([(s, g) for s, g in graphs.items() if s is not None]):
        within(graphs, scope.parent).subgraph(inner)
    back = {"dir": "back"} if mode == "backward" else {}
    for number, edge in enumerate(trace.edges, 1):
        graph.edge(edge.tail, edge.head, edge_label(edge), **look.hop(edge), **back, **known(f"e{number}"))
    for step in trace.steps:
        own = known(f"r{step.id.removeprefix('o')}")
        graph.edge(step.id, step.result, step_label(step), **look.result(step), **back, **own)
    return str(graph.source)


def numbered(name: str) -> dict[str, str]:
    """The attribute that carries a part's number into the picture."""
    return {"id": name}


def nameless(name: str) -> dict[str, str]:
    """No attribute: Graphviz counts for itself."""
    return {}


def clusters(trace: Trace, graph: Any, look: Look) -> Graphs:
    """A subgraph for every module call, the calls around it first."""
    from graphviz import Digraph

    graphs: Graphs = {None: graph}
    innermost = [box.scope for box in trace.boxes] + [step.scope for step in trace.steps]
    for inner in dict.fromkeys(innermost):
        for scope in reversed(list(chain(inner))):
            if scope not in graphs:
                named = {**look.cluster(), "label": label([titled(scope)])}
                graphs[scope] = Digraph(name=f"cluster_{len(graphs)}", graph_attr=named)
    return graphs


def within(graphs: Graphs, scope: Scope | None) -> Any:
    """The subgraph of a module call, or the whole graph."""
    return graphs.get(scope, graphs[None])
