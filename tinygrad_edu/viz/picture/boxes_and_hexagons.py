"""A diagram as DOT text: boxes, hexagons, the arrows between them, a frame around every module call; and their style.

Functions are yellow hexagons and results blue rectangles; variables have a double border, constants a dashed one, the
result a thick one, and what is flagged one in the colour of alarm. The wanted path is bold and red, other gradients
are blue. Shape and border carry the meaning, colour repeats it.

Node ids are generated, names are only ever labels, and nothing in the text depends on the order of a hash. Nothing in
a name means anything to Graphviz: lines are escaped one by one. Only the box of a large array is a table, since its
heat maps are cells of one; there the words are escaped as HTML is.

Source: the diagrams of the tutorial; Gansner and North, "An open graph visualization system" (2000), for DOT; the
Graphviz documentation of string escapes and of HTML-like labels.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from tinygrad_edu.recording import Scope
from tinygrad_edu.viz.model import formatting
from tinygrad_edu.viz.model.formula import arrow_texts, circled, glyph
from tinygrad_edu.viz.model.names import chain, titled
from tinygrad_edu.viz.model.palette import FONT, LIGHT, Palette, cells
from tinygrad_edu.viz.model.records import Arrow, Box, Diagram, Operation

Attributes = dict[str, str]
Graphs = dict[Scope | None, Any]

WIDTH = 96
"""A caption of more characters is wider than most pictures."""

CELL = 7
"""The side of a cell of a heat map, in points: twelve of them are as wide as the words beside them."""

DIRECTIONS: dict[str, dict[str, str]] = {"forward": {}, "backward": {"dir": "back"}, "both": {"dir": "both"}}
MERGING = ("merged", "folded")
ASIDE = "  "
TABLE = '<TABLE BORDER="0" CELLBORDER="0" CELLSPACING="{}" CELLPADDING="0">'


def source(
    diagram: Diagram, mode: str = "forward", palette: Palette = LIGHT, grads: Mapping[str, str] | None = None
) -> str:
    """The DOT text of a diagram; in "backward" mode the arrows point the way gradients flow.

    For pictures that move, `grads` is what boxes show for a gradient, by their ids. Then every part has its id in the
    picture too, and the heat maps are left out.
    """
    return Writer(diagram, mode, palette, grads).source()


class Writer:
    """Writes one diagram."""

    def __init__(self, diagram: Diagram, mode: str, palette: Palette, grads: Mapping[str, str] | None) -> None:
        from graphviz import Digraph

        self.diagram = diagram
        self.style = Style(palette, diagram.detail in MERGING)
        self.back = DIRECTIONS[mode]
        self.grads = grads
        self.graph = Digraph(graph_attr=self.style.graph, node_attr=self.style.node, edge_attr=self.style.edge)
        self.graphs: Graphs = {None: self.graph}

    def source(self) -> str:
        """The finished text."""
        self.write_caption()
        self.open_clusters()
        for box in self.diagram.boxes:
            self.within(box.scope).node(box.id, self.box_label(box), **self.style.box(box), **self.known(box.id))
        for operation in self.diagram.operations:
            words = label([glyph(operation.node)])
            own = {**self.style.operation, **self.known(operation.id)}
            self.within(operation.scope).node(operation.id, words, **own)
        self.close_clusters()
        for arrow in self.diagram.arrows:
            own = {**self.style.arrow(arrow), **self.back, **self.known(arrow.id)}
            self.graph.edge(arrow.tail, arrow.head, self.arrow_label(arrow), **own)
        for operation in self.diagram.operations:
            wanted = self.style.wanted if operation.wanted else {}
            own = {**wanted, **self.back, **self.known(operation.link)}
            self.graph.edge(operation.id, operation.result, self.factor_label(operation), **own)
        return str(self.graph.source)

    def known(self, number: str) -> dict[str, str]:
        """The attribute that carries a part's id into the picture; else Graphviz counts for itself."""
        return {} if self.grads is None else {"id": number}

    def write_caption(self) -> None:
        """The chain rule below the picture, and what the picture leaves out."""
        diagram = self.diagram
        caption = diagram.chain.lines() if diagram.chain else []
        if caption or diagram.note:
            lines = [*(line for text in caption for line in wrapped(text)), *diagram.note.splitlines()]
            self.graph.attr(label=leftward(["", *lines]), **self.style.caption(bool(caption)))

    def open_clusters(self) -> None:
        """A subgraph for every module call, the calls around it first."""
        from graphviz import Digraph

        innermost = [box.scope for box in self.diagram.boxes] + [one.scope for one in self.diagram.operations]
        for inner in dict.fromkeys(innermost):
            for scope in reversed(list(chain(inner))):
                if scope not in self.graphs:
                    named = {**self.style.cluster, "label": label([titled(scope)])}
                    self.graphs[scope] = Digraph(name=f"cluster_{len(self.graphs)}", graph_attr=named)

    def close_clusters(self) -> None:
        """Put each subgraph into the one around it, the innermost first."""
        for scope, inner in reversed(list(self.graphs.items())):
            if scope is not None:
                self.within(scope.parent).subgraph(inner)

    def within(self, scope: Scope | None) -> Any:
        """The subgraph of a module call, or the whole graph."""
        return self.graphs.get(scope, self.graph)

    def box_label(self, box: Box) -> Any:
        """Name, data and gradient of a value; the operation, too, where it is drawn in its result."""
        detail = self.diagram.detail
        made = [str(box.line)] if box.line else []
        flags = [f"! {flag}" for flag in box.flags]
        name = called(box) if detail in MERGING else box.name
        data = formatting.data(box)
        grad = formatting.gradient(box) if self.grads is None else self.grads.get(box.id, formatting.gradient(box))
        if box.kind == "module":
            return label([box.name, formatting.folded_count(box), f"out {data}", f"grad {grad}", *flags])
        if detail == "merged":
            return label([name, *flags])
        kind = formatting.kind_of_array(box, detail)
        if kind and self.grads is None and not box.before:
            return table(box, [*filter(None, [name]), kind], [*made, *flags])
        words = [f"data {data}", f"grad {grad}"]
        if box.kind in ("constant", "copy") or detail == "short":
            words = list(filter(None, [data]))
        return label([*filter(None, [name]), *words, *made, *flags])

    def arrow_label(self, arrow: Arrow) -> Any:
        """The local derivative by name and by number, after the numbers of its paths."""
        name, text = arrow_texts(arrow, self.diagram.detail)
        lines = [line for line in (f"{circled(arrow.paths)} {name}".strip(), text) if line]
        if arrow.derivative is not None and arrow.derivative.closed and lines:
            lines.append("closed: no gradient passes")
        return leftward(lines, ASIDE) if lines else None

    def factor_label(self, operation: Operation) -> Any:
        """The numbers of the paths, and the factor that spans several operations."""
        if not operation.factor or self.diagram.chain is None:
            return None
        text = self.diagram.chain.factor(operation.factor)
        return leftward(f"{circled(operation.paths)} {text}".strip().split(" = ", 1), ASIDE)


def called(box: Box) -> str:
    """A value by name, and the operation that made it."""
    return box.name if box.node is None or box.node.op is None else f"{box.name} ({glyph(box.node)})"


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


def table(box: Box, heads: Iterable[str], remarks: Iterable[str]) -> str:
    """The box of an array: name, shape and dtype, and a heat map beside the norm of its data and its gradient."""
    shape = formatting.shape(box.data)
    rows = list(map(wide, heads))
    texts = {"data": formatting.data(box), "grad": formatting.gradient(box)}
    for (what, text), drawn in zip(texts.items(), (box.data, box.grad), strict=True):
        words = f"{what} {text.removeprefix(f'{shape}, ')}"
        if drawn is not None:
            row = f'<TD ALIGN="RIGHT">{inert(words)}  </TD><TD ALIGN="LEFT">{heat_map(cells(drawn))}</TD>'
            rows.append(f"<TR>{row}</TR>")
        elif text:
            rows.append(wide(words))
    return f"<{TABLE.format(3)}{''.join([*rows, *map(wide, remarks)])}</TABLE>>"


def wide(line: str) -> str:
    """A row of a table with one line of text."""
    return f'<TR><TD COLSPAN="2">{inert(line)}</TD></TR>'


def heat_map(rows: Sequence[Sequence[str]]) -> str:
    """Colours as small squares."""
    square = '<TD BGCOLOR="{}" FIXEDSIZE="TRUE" WIDTH="' + f'{CELL}" HEIGHT="{CELL}"></TD>'
    size = f' FIXEDSIZE="TRUE" WIDTH="{CELL * len(rows[0])}" HEIGHT="{CELL * len(rows)}">'
    lines = (f"<TR>{''.join(map(square.format, row))}</TR>" for row in rows)
    return f"{TABLE.format(0).removesuffix('>')}{size}{''.join(lines)}</TABLE>"


def inert(line: str) -> str:
    """Text that an HTML-like label shows as it is."""
    from html import escape

    return escape(line) or " "


class Style:
    """The attributes of every part; `roomy` where rows of boxes follow each other without steps between them."""

    def __init__(self, palette: Palette, roomy: bool) -> None:
        p = self.palette = palette
        gaps = {"nodesep": "0.35", "ranksep": "0.35" if roomy else "0.18", "pad": "0.2"}
        self.graph = {"rankdir": "TB", "bgcolor": p.paper, "fontname": FONT, **gaps}
        ink = {"fontcolor": p.ink, "color": p.ink}
        self.node = {"shape": "box", "style": "filled", "fontname": FONT, "fontsize": "15", **ink}
        ink = {"fontcolor": p.live, "color": p.live}
        self.edge = {"fontname": FONT, "fontsize": "13", "arrowsize": "0.8", **ink}
        frame = {"style": "rounded", "color": p.idle, "labelloc": "t", "labeljust": "l"}
        self.cluster = {**frame, "fontsize": "14", "fontcolor": p.quiet}
        hexagon = {"shape": "hexagon", "fontsize": "18", "margin": "0.04,0.02"}
        self.operation = {**hexagon, "fillcolor": p.step, "fontcolor": p.step_ink}
        self.wanted = {"color": p.wanted, "fontcolor": p.wanted, "penwidth": "3", "weight": "8"}

    def caption(self, wanted: bool) -> Attributes:
        """The lines under the picture."""
        colour = self.palette.wanted if wanted else self.palette.quiet
        return {"labelloc": "b", "fontsize": "18", "fontcolor": colour}

    def box(self, box: Box) -> Attributes:
        """A value."""
        p = self.palette
        kinds = {
            "result": {"fillcolor": p.value},
            "variable": {"fillcolor": p.value, "peripheries": "2"},
            "constant": {"fillcolor": p.constant, "style": "filled,dashed", "color": p.idle},
            "root": {"fillcolor": p.value, "penwidth": "4"},
            "module": {"fillcolor": p.folded, "style": "filled,rounded", "peripheries": "1"},
            "copy": {"fillcolor": p.value, "style": "filled,rounded", "color": p.idle},
        }
        return {**kinds[box.kind], **({"color": p.alarm, "penwidth": "4"} if box.flags else {})}

    def arrow(self, arrow: Arrow) -> Attributes:
        """From an operand to an operation: bold if wanted, dashed where nothing passes, grey at constants."""
        p = self.palette
        idle = {} if arrow.live else {"color": p.idle, "fontcolor": p.idle}
        attributes = self.wanted if arrow.wanted else idle
        closed = arrow.derivative is not None and arrow.derivative.closed
        return {**attributes, "style": "dashed"} if closed else attributes
