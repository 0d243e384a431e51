"""What pictures and texts call a Value.

Its own name; else the name it has in `names`, such as `locals()`; else, for what a module call returns, the path of
the module; else its operation and a count, `mul_3`. Names are for reading only: they need not be unique, and
nothing is looked up by them. They have no characters that could change how the rest of a line is read.

Source: the habit of torch.fx, which numbers the nodes of a graph by operation (Reed et al., 2022); Unicode Standard
Annex 9 for what bidirectional controls can do to a line.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from tinygrad_edu.errors import refusal
from tinygrad_edu.graph import Node
from tinygrad_edu.recording import Scope
from tinygrad_edu.table import Op

LONGEST = 40
"""A longer name would make its box wider than the rest of the picture."""


class Names:
    """The names of a graph's Values and constant arrays, some of them given, such as by `locals()`."""

    def __init__(self, nodes: Sequence[Node], given: Mapping[str, Any] | None) -> None:
        self.given = dict(listed(mapping(given)))
        self.told: set[Node] = set()  # those with a name that somebody gave, unlike `mul_3`
        self.names: dict[Node, str] = {}
        outputs = module_outputs(nodes)
        counts: dict[str, int] = {}
        for node in nodes:
            name = clean(node.name or "") or self.given.get(id(node), "") or outputs.get(node, "")
            if name:
                self.told.add(node)
            self.names[node] = name or counted(node, counts)

    def __getitem__(self, node: Node) -> str:
        return self.names[node]

    def given_names(self) -> dict[Node, str]:
        """The names that somebody gave, without `mul_3` and its like."""
        return {node: self.names[node] for node in self.told}

    def constant(self, operand: Any) -> str:
        """The name of a constant, or nothing; plain Python numbers have none, since equal ones can be one object."""
        return "" if isinstance(operand, float | int) else self.given.get(id(operand), "")


def mapping(names: Mapping[str, Any] | None) -> Mapping[str, Any]:
    """The names that were given, none of them if it is None; what is no dict is refused."""
    if names is not None and not isinstance(names, Mapping):
        raise refusal(TypeError, f"names is a dict of what things are called, such as locals(); got {names!r:.60}")
    return names or {}


def clean(name: Any, longest: int = LONGEST) -> str:
    """A name on one line, without control, bidirectional or unpaired characters, and not too long."""
    text = str(name)[: 4 * longest]
    if not text.isprintable():
        text = "".join(" " if c.isspace() else c if c.isprintable() else "" for c in text)
    words = " ".join(text.split())
    if len(words) <= longest and len(str(name)) <= 4 * longest:
        return words
    return f"{words[: longest - 3].rstrip()}..."


def listed(given: Mapping[str, Any]) -> Iterator[tuple[int, str]]:
    """Identity and name of every Value and array, those in lists and tuples too; the first name counts."""
    for name, thing in reversed(list(given.items())):
        if str(name).startswith("_") or not clean(name):
            continue
        if isinstance(thing, list | tuple):
            yield from ((id(item), f"{clean(name)}[{i}]") for i, item in enumerate(thing) if isinstance(item, Node))
        elif isinstance(thing, Node | np.ndarray | np.generic):
            yield id(thing), clean(name)


def counted(node: Node, counts: dict[str, int]) -> str:
    """The operation and how many of it there were so far."""
    kind = "value" if node.op is None else spelled(node.op)
    counts[kind] = counts.get(kind, 0) + 1
    return f"{clean(kind)}_{counts[kind]}"


def spelled(op: Op) -> str:
    """An operation as a word: its glyph where that is one, else the short name of Python's operator module."""
    return op.glyph if op.glyph.isidentifier() else op.compute.__name__.removeprefix("true")


def module_outputs(nodes: Sequence[Node]) -> dict[Node, str]:
    """What each module call returned, where that is one Value: its path, and a count from the second call on."""
    inside: set[Node] = set()
    for node in nodes:
        around = set(chain(node.scope))
        inside.update(arg for arg in node.args if isinstance(arg, Node) and arg.scope in around)
    leaving: dict[Scope, list[Node]] = {}
    for node in nodes:
        if node.op is not None and node.scope.path and node not in inside:
            leaving.setdefault(node.scope, []).append(node)
    calls: dict[str, int] = {}
    outputs: dict[Node, str] = {}
    for scope, results in leaving.items():
        calls[scope.path] = call = calls.get(scope.path, 0) + 1
        if len(results) == 1:
            outputs[results[0]] = clean(scope.path if call == 1 else f"{scope.path}#{call}")
    return outputs


def titled(scope: Scope) -> str:
    """A module call as its path and class."""
    return f"{clean(scope.path)} {clean(scope.kind)}".strip()


def chain(scope: Scope | None) -> Iterator[Scope]:
    """The module calls around a node, innermost first."""
    while scope is not None and scope.kind:
        yield scope
        scope = scope.parent
