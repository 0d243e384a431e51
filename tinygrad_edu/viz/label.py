"""The labels of a picture as DOT text: nothing in a name means anything to Graphviz.

Lines are escaped one by one. Only the box of a large array is a table, since its heat maps are cells of one; there
the words are escaped as HTML is.

Source: the Graphviz documentation of string escapes and of HTML-like labels.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Any

    from tinygrad_edu.viz.trace import Box, Edge, Map, Step

WIDTH = 96
ASIDE = "  "
CELL = 7
MERGING = ("merged", "folded")
TABLE = '<TABLE BORDER="0" CELLBORDER="0" CELLSPACING="{}" CELLPADDING="0">'


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


def box_label(box: Box, detail: str, maps: bool) -> Any:
    """Name, data and gradient of a value; the operation, too, where it is drawn in its result."""
    flags, made = [f"! {flag}" for flag in box.flags], [box.line] if box.line else []
    name = f"{box.name} ({box.glyph})" if box.glyph and detail in MERGING else box.name
    if box.kind == "module":
        return label([box.name, box.glyph, f"out {box.data}", f"grad {box.grad}", *flags])
    if detail == "merged":
        return label([name, *flags])
    if maps and box.maps:
        return table(box, name, [*made, *flags])
    words = [f"data {box.data}", f"grad {box.grad}"]
    if box.kind in ("constant", "copy") or detail == "short":
        words = list(filter(None, [box.data]))
    return label([*filter(None, [name]), *words, *made, *flags])


def table(box: Box, name: str, remarks: Iterable[str]) -> str:
    """The box of an array: name, shape and dtype, and a heat map beside the norm of its data and its gradient."""
    shape = box.array.rpartition(" ")[0]
    norms = [f"{what} {text.removeprefix(f'{shape}, ')}" for what, text in (("data", box.data), ("grad", box.grad))]
    rows = [wide(line) for line in (name, box.array) if line]
    for words, drawn in zip(norms, box.maps, strict=False):
        rows.append(f'<TR><TD ALIGN="RIGHT">{inert(words)}  </TD><TD ALIGN="LEFT">{heat_map(drawn)}</TD></TR>')
    if len(box.maps) == 1 and box.kind != "constant":
        rows.append(wide(norms[1]))
    return f"<{TABLE.format(3)}{''.join([*rows, *map(wide, remarks)])}</TABLE>>"


def wide(line: str) -> str:
    """A row of a table with one line of text."""
    return f'<TR><TD COLSPAN="2">{inert(line)}</TD></TR>'


def heat_map(rows: Map) -> str:
    """Colours as small squares."""
    square = '<TD BGCOLOR="{}" FIXEDSIZE="TRUE" WIDTH="' + f'{CELL}" HEIGHT="{CELL}"></TD>'
    size = f' FIXEDSIZE="TRUE" WIDTH="{CELL * len(rows[0])}" HEIGHT="{CELL * len(rows)}">'
    lines = (f"<TR>{''.join(map(square.format, row))}</TR>" for row in rows)
    return f"{TABLE.format(0).removesuffix('>')}{size}{''.join(lines)}</TABLE>"


def inert(line: str) -> str:
    """Text that an HTML-like label shows as it is."""
    from html import escape

    return escape(line) or " "


def edge_label(edge: Edge) -> Any:
    """The local derivative by name and by number, after the numbers of its paths."""
    lines = [line for line in (f"{edge.marks} {edge.slope}".strip(), edge.text) if line]
    if edge.closed and lines:
        lines.append("closed: no gradient passes")
    return leftward(lines, ASIDE) if lines else None


def step_label(step: Step) -> Any:
    """The numbers of the paths, and the factor that spans several steps."""
    return leftward(f"{step.marks} {step.factor}".strip().split(" = ", 1), ASIDE) if step.factor else None
