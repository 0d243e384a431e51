"""`Graph`: a program of the library as data, which is its text.

The lines are NumPy that can be read, pasted and run. Run with Values they give a living graph; called with arrays,
complex ones too, they are the same function for differences or for another oracle. Besides operations a line may do
what a training loop does around a graph: rebind the data of a leaf, or run a backward pass that must leave no trace.
Source: Claessen and Hughes, "QuickCheck" (2000), section 3: what is generated is shown as its user would write it.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Mapping, Sequence
from functools import cached_property
from textwrap import dedent, indent
from types import CodeType
from typing import Any, NamedTuple

import numpy as np

import tinygrad_edu as te
from tinygrad_edu.table import PRIMITIVES
from tinygrad_edu.value import Value

Array = np.ndarray[Any, Any]

SHIFT = 0.5
LEAF = re.compile(r"(\w+) = Value\((.*)\)")
MOVE = re.compile(r"kept, (\w+)\.data = \1\.data, \1\.data \+ 0\.5")
PASS = re.compile(r"(\w+)\.backward\(np\.ones\(\1\.shape\)\)")
STEP = re.compile(r"(\w+) = (.+)")
AGAIN = re.compile(r"\w+\.data = kept|(\w+\.grad = )+None|(import|from) .*|#.*|")
IMPORTS = """import numpy as np
import tinygrad_edu as te
from tinygrad_edu import Value
from tinygrad_edu.table import PRIMITIVES"""


class Line(NamedTuple):
    """A name and the expression it stands for.

    `moved` names a leaf whose data is another array while the line is computed; `passed` tells that a backward pass
    starts from the result at once.
    """

    name: str
    expression: str
    moved: str = ""
    passed: bool = False


def read(text: str) -> tuple[dict[str, str], list[Line]]:
    """The leaves and the lines of a program's text; ValueError for a line that means nothing here."""
    leaves: dict[str, str] = {}
    lines: list[Line] = []
    moved = ""
    for line in map(str.strip, text.splitlines()):
        if found := LEAF.fullmatch(line):
            leaves[found[1]] = found[2]
        elif found := MOVE.fullmatch(line):
            moved = found[1]
        elif PASS.fullmatch(line):
            lines[-1] = lines[-1]._replace(passed=True)
        elif found := STEP.fullmatch(line):
            lines.append(Line(found[1], found[2], moved))
            moved = ""
        elif not AGAIN.fullmatch(line):
            raise ValueError(f"not a line of a graph: {line!r}; write `a = Value(1.0)` or `b = np.tanh(a)`")
    if not lines or lines[-1].name != "out":
        raise ValueError("a graph ends with its result, a single number: `out = ...`")
    return leaves, lines


def write(leaves: dict[str, Any], lines: list[Line]) -> str:
    """The text of a program, as `read` understands it."""
    text = [f"{name} = Value({np.asarray(array).tolist()!r})" for name, array in leaves.items()]
    for name, expression, moved, passed in lines:
        before = [f"kept, {moved}.data = {moved}.data, {moved}.data + {SHIFT}"] if moved else []
        after = [f"{moved}.data = kept"] if moved else []
        after += [f"{name}.backward(np.ones({name}.shape))"] if passed else []
        text += [*before, f"{name} = {expression}", *after]
    if any(line.passed for line in lines):
        text.append("".join(f"{name}.grad = " for name in leaves) + "None")
    return "\n".join(text)


def namespace() -> dict[str, Any]:
    """What the names in a program mean, besides its own."""
    names = {"np": np, "te": te, "PRIMITIVES": PRIMITIVES, "slice": slice, "Value": Value, "__builtins__": {}}
    return names | ({"scipy": sys.modules["scipy"]} if "scipy.special" in sys.modules else {})


class Graph:
    r"""A program of Values: leaves, lines of NumPy, and a single number as its result.

    Parameters
    ----------
    text
        Lines such as `a = Value([1.0, 2.0])`, `b = np.tanh(a)`, and last `out = np.sum(b)`. It is evaluated: give
        it only what you would run.

    Attributes
    ----------
    leaves
        The array of every leaf, by name.
    lines
        The steps; see `Line`.

    Raises
    ------
    ValueError
        For a line that is none of these, and for a program without `out`.

    Examples
    --------
    >>> from tests.fuzz.program import Graph
    >>> graph = Graph("a = Value(3.0)\nb = a * a\nout = b + a")
    >>> values = graph.run()
    >>> values["out"].backward()
    >>> print(values["a"].grad, graph(3.0))
    7.0 12.0
    """

    takes_arrays = True  # `check_gradients` moves them without recording anything

    def __init__(self, text: str) -> None:
        self.text = dedent(text).strip()
        leaves, self.lines = read(self.text)
        self.leaves: dict[str, Array] = {
            name: np.array(eval(numbers, namespace()), dtype=float) for name, numbers in leaves.items()
        }

    @cached_property
    def codes(self) -> list[CodeType]:
        """The expressions, compiled."""
        return [compile(line.expression, f"<graph, {line.name}>", "eval") for line in self.lines]

    @property
    def arrays(self) -> list[Array]:
        """Copies of the leaves' arrays, in order: `check_gradients(graph, *graph.arrays)`."""
        return [array.copy() for array in self.leaves.values()]

    def __call__(self, *operands: Any) -> Any:
        """The result for other leaves, in order: Values, arrays, or complex arrays; a pure function of them.

        Where `run` rebinds the data of a leaf, this adds the same number, so the derivatives are the same.
        """
        return self.shifted(operands, {})

    def shifted(self, operands: Sequence[Any], shifts: Mapping[str, Any]) -> Any:
        """As a call, with something added to the result of some lines, by name."""
        names = namespace()
        found = dict(zip(self.leaves, operands, strict=True))
        for line, code in zip(self.lines, self.codes, strict=True):
            known = found | {line.moved: found[line.moved] + SHIFT} if line.moved else found
            found[line.name] = eval(code, names, known)
            if line.name in shifts:
                found[line.name] = found[line.name] + shifts[line.name]
        return found["out"]

    def run(self, *data: Any) -> dict[str, Value]:
        """Run the program as it is written, with new Values of its own numbers or of these: every Value, by name.

        The leaves hold their data and no gradient, whatever happened on the way.
        """
        found = {name: Value(np.array(array)) for name, array in zip(self.leaves, data or self.arrays, strict=True)}
        names = namespace()
        leaves = list(found.values())
        for line, code in zip(self.lines, self.codes, strict=True):
            kept = [leaf.data for leaf in leaves]
            if line.moved:
                found[line.moved].data = found[line.moved].data + SHIFT
            found[line.name] = eval(code, names, found)
            for leaf, array in zip(leaves, kept, strict=True):
                leaf.data = array
            if line.passed:
                found[line.name].backward(np.ones(found[line.name].shape))
        for leaf in leaves:
            leaf.grad = None
        return found

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Graph) and self.text == other.text

    def __hash__(self) -> int:
        return hash(self.text)

    def __str__(self) -> str:
        scipy = "import scipy.special\n" * ("scipy.special." in self.text)
        return f"{scipy}{IMPORTS}\n\n{self.text}"

    def __repr__(self) -> str:
        return f"Graph('''\n{indent(self.text, '    ')}\n''')"

    @property
    def __name__(self) -> str:
        return f"graph of {len(self.lines)} lines"
