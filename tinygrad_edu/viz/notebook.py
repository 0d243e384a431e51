"""Cards for notebooks: a Value, or the parameters of a module, as a small HTML table with heat maps.

There is no script and no style sheet in a card, so that notebooks show it also where they trust nobody. Beside it
stands the plain `repr`, for everything that knows no HTML.

Source: the representations that xarray and pandas show in notebooks.
"""

from __future__ import annotations

from collections.abc import Iterable
from html import escape
from typing import Any

import numpy as np

from tinygrad_edu.errors import refusal
from tinygrad_edu.graph import Node
from tinygrad_edu.kinds import shown
from tinygrad_edu.notes import line_of
from tinygrad_edu.viz.model import formatting
from tinygrad_edu.viz.model.names import clean
from tinygrad_edu.viz.model.palette import thumbnail

ROWS = 60
HEIGHT = 48


class Picture(str):
    """A picture as a data URI: the only content of a card that is not escaped into text."""


def bundle(thing: Any) -> dict[str, str]:
    """What a notebook shows of a Value, or of a module: for each MIME type a text.

    Parameters
    ----------
    thing
        The Value or the module, which is anything with `named_parameters()`.
    """
    if not isinstance(thing, Node) and (isinstance(thing, type) or not hasattr(thing, "named_parameters")):
        raise refusal(TypeError, f"what is shown is a Value or a module; got {shown(thing)}")
    card = value_card(thing) if isinstance(thing, Node) else module_card(thing)
    return {"text/plain": repr(thing), "text/html": card}


def value_card(value: Node) -> str:
    """A Value: what it is and where it comes from, its data, its gradient."""
    made = "variable" if value.op is None else f"result of {value.op.name}"
    place = line_of(value)
    kind = f"{formatting.shape(value.array)} {value.array.dtype}"
    facts = [kind, made, *([] if place is None else [f"at {place}"])]
    rows = [["data", *pictured(value.array)], ["grad", *pictured(value.gradient)]]
    return table(["Value", clean(value.name or ""), ", ".join(facts)], rows)


def module_card(module: Any) -> str:
    """A module: a row for each parameter, and how many numbers they are in all."""
    named = list(module.named_parameters())
    total = sum(value.array.size for _, value in named)
    rows = [["parameter", "shape", "data", "", "grad", ""]]
    for name, value in named[:ROWS]:
        kind = f"{formatting.shape(value.array)} {value.array.dtype}"
        rows.append([clean(name), kind, *pictured(value.array), *pictured(value.gradient)])
    if len(named) > ROWS:
        rows.append([f"... {len(named) - ROWS:,} more"])
    return table([type(module).__name__, "", f"{total:,} numbers in {len(named):,} parameters"], rows)


def pictured(data: Any) -> list[str]:
    """An array in words, and as a heat map where not all of its numbers are shown; None is a missing gradient."""
    if data is None:
        return ["not computed yet", ""]
    return [formatting.array(data), Picture(thumbnail(data) if np.size(data) > formatting.FULL else "")]


def table(head: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    """Rows of text and of pictures as HTML; everything that is not a picture of ours is escaped."""
    bold, name, facts = map(escape, head)
    lines = "".join(f"<tr>{''.join(map(cell, row))}</tr>" for row in rows)
    return f"<div><b>{bold}</b> <code>{name}</code> {facts}<table>{lines}</table></div>"


def cell(content: str) -> str:
    """One entry of the table."""
    if content and isinstance(content, Picture):
        attributes = f'height="{HEIGHT}" style="image-rendering: pixelated" alt="heat map"'
        return f'<td><img src="{escape(content)}" {attributes}></td>'
    return f"<td>{escape(content)}</td>"
