"""`graphs()`: random programs of the library, made from its own table of operations.

What single operations cannot show, a graph does: results used twice, leaves of equal value, gradients that arrive by
two ways, arrays stretched by broadcasting. Operands are drawn with a bias to recent results, results that nobody used
are summed into the output, and half of the new leaves are equal to another.
Source: Yang, Chen, Eide and Regehr, "Finding and understanding bugs in C compilers" (2011): random legal programs.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from typing import Any

import numpy as np
from hypothesis import strategies as st

from tests.fuzz.adapters import fitted
from tests.fuzz.program import SHIFT, Graph, Line, namespace, write
from tests.fuzz.source import called, operator_of, written
from tinygrad_edu.table import OPERATIONS, Op, arrived
from tinygrad_edu.testing.strategies.shapes_and_indices import calm, narrower

Shape = tuple[int, ...]

LEAVES, RESULTS = "abcdefghijk", "mnpqrstuvwxyz"
SHAPES: tuple[Shape, ...] = ((), (3,), (2, 3), (1, 3), (2, 1), (1,), (1, 1))
NUMBERS = (1.0, 0.5, -0.5, 2.0, -1.0, 0.3, -0.7, 1.3, -1.6, 0.9, 1.8, -0.2)
LARGEST, ENTRIES = 1e3, 24


def kinds(chosen: Callable[[Op], bool] | None) -> list[list[Op]]:
    """The operations that a program can write: those with an operator, elementwise ones, and those with cases."""
    arrived()
    known = [op for op in OPERATIONS.values() if called(op) and (chosen is None or chosen(op))]
    operators = [op for op in known if operator_of(op)]
    elementwise = [op for op in known if op.elementwise and not op.variadic and op not in operators]
    shaped = [op for op in known if op.cases and op not in operators]
    sums = [op for op in operators if operator_of(op) == "+"]
    found = [operators, elementwise, operators, shaped, sums, elementwise, shaped]
    return [kind for kind in found if kind]


class Draft:
    """A program while it is drawn: its leaves, its lines, and the value of every name."""

    def __init__(self, draw: Any) -> None:
        self.draw = draw
        self.leaves: dict[str, Any] = {}
        self.values: dict[str, Any] = {}
        self.lines: list[Line] = []
        self.used: set[str] = set()

    def one_in(self, n: int) -> bool:
        """True once in n times; False when shrunk."""
        return bool(self.draw(st.integers(0, n - 1)) == n - 1)

    def recent(self, names: Collection[str]) -> str:
        """One of the names, the later the likelier."""
        late = list(names)[::-1]
        i, j = (self.draw(st.integers(0, len(late) - 1)) for _ in range(2)) if len(late) > 1 else (0, 0)
        return late[min(i, j)]

    def leaf(self, shapes: Collection[Shape]) -> str:
        """A new leaf of one of the shapes: half of the time the equal of another."""
        alike = [name for name, array in self.leaves.items() if array.shape in shapes]
        if len(self.leaves) == len(LEAVES):
            return self.recent(alike or self.leaves)
        if alike and self.draw(st.booleans()):
            array = self.leaves[self.recent(alike)]
        else:
            shape = self.draw(st.sampled_from(list(shapes)))
            size = int(np.prod(shape))
            array = np.reshape(self.draw(st.lists(st.sampled_from(NUMBERS), min_size=size, max_size=size)), shape)
        name = LEAVES[len(self.leaves)]
        self.leaves[name] = self.values[name] = array
        return name

    def constant(self, shape: Shape) -> str:
        """Numbers that are no variable: a Python number or an array."""
        x = self.draw(st.sampled_from(NUMBERS))
        array = np.round(x + 0.4 * np.arange(np.prod(shape)).reshape(shape), 2)
        return f"np.array({array.tolist()})" if shape else repr(x)

    def beside(self, name: str) -> str:
        """Another operand for an elementwise operation: a result, a leaf or a constant that broadcasts with one."""
        shape = self.values[name].shape
        kind = self.draw(st.sampled_from(("result", "leaf", "result", "stretched", "constant")))
        if kind == "constant":
            return self.constant(self.draw(st.sampled_from([(), *narrower(shape)])))
        fitting = [other for other, x in self.values.items() if calm(shape, x.shape) and x.size <= ENTRIES]
        if kind == "result":
            return self.recent(fitting)
        shapes = [*narrower(shape), *(wide for wide in SHAPES if calm(shape, wide))]
        others = [other for other in shapes if other != shape]  # one of the two is stretched then
        return self.leaf(others if others and kind == "stretched" else shapes)

    def of_shape(self, shape: Shape) -> str:
        """An operand of a given shape: a result or a leaf that has it, or one that is made to fit."""
        fitting = [name for name, x in self.values.items() if x.shape == shape]
        kind = self.draw(st.sampled_from(("fitting", "resized", "leaf") if fitting else ("resized", "leaf")))
        name = self.leaf([shape]) if kind == "leaf" else self.recent(fitting if kind == "fitting" else self.values)
        return name if self.values[name].shape == shape else f"np.resize({name}, {shape})"

    def late_pairs(self) -> list[tuple[str, str]]:
        """Operands of a sum, one of which the last line used: both get one array, and one of them more besides."""
        if not self.lines:
            return []
        older = list(self.values)[:-1]
        inside = named(self.lines[-1].expression)
        used = [name for name in older if name in inside]
        shapes = {name: self.values[name].shape for name in older}
        return [(x, y) for x in used for y in older if x != y and shapes[x] == shapes[y] != ()]

    def operands(self, op: Op) -> tuple[list[str], dict[str, Any]]:
        """Expressions for the arguments of a call, not yet in its domain, and its options."""
        if op.cases:
            shapes, options = self.draw(st.sampled_from(list(op.cases)))
            return [self.of_shape(shape) for shape in shapes], options
        if operator_of(op) == "+" and (pairs := self.late_pairs()) and not self.one_in(4):
            return list(self.draw(st.sampled_from(pairs))), {}
        first = self.recent(self.values)
        found = [first, *(self.beside(first) for _ in range(len(op.pullbacks) - 1))]  # type: ignore[arg-type]
        return (found[::-1] if len(found) == 2 and self.draw(st.booleans()) else found), {}

    def step(self, ops: list[list[Op]]) -> None:
        """One more line, if what was drawn can be computed."""
        op = self.draw(st.sampled_from(self.draw(st.sampled_from(ops))))
        texts, options = self.operands(op)
        inside = set().union(*map(named, texts))
        names = [name for name in self.values if name in inside]
        moved = next((name for name in names if name in self.leaves), "") if self.one_in(4) else ""
        known = self.values | ({moved: self.values[moved] + SHIFT} if moved else {})
        with np.errstate(all="raise", under="ignore"):
            try:
                adapted = fitted(op, texts, options, lambda text: evaluated(text, known))
                expression = written(op, adapted, options)
                value = np.asarray(evaluated(expression, known))
            except (ArithmeticError, ValueError, TypeError, np.linalg.LinAlgError):
                return  # an operation whose declaration does not tell all that it needs
        if not np.all(np.isfinite(value)) or np.max(np.abs(value), initial=0.0) > LARGEST or value.size > ENTRIES:
            return
        name = RESULTS[len(self.lines)]
        self.lines.append(Line(name, expression, moved, self.one_in(6)))
        self.values[name] = value
        self.used.update(names)

    def text(self) -> str:
        """The program, which ends with the sum of what nobody used, each entry with a weight of its own."""
        rest = [name for name in self.values if name not in self.used]
        terms = [weighted(name, np.shape(self.values[name]), i) for i, name in enumerate(rest)]
        lines = [Line("out", f"out + {term}" if i else term) for i, term in enumerate(terms)]
        return write(self.leaves, [*self.lines, *lines])


def named(expression: str) -> set[str]:
    """The names of a program in an expression."""
    return set(compile(expression, "<operand>", "eval").co_names)


def evaluated(expression: str, values: dict[str, Any]) -> Any:
    """What an expression of arrays is."""
    return eval(expression, namespace(), values)


def weighted(name: str, shape: Shape, i: int) -> str:
    """A weighted sum of a result; no weight is 0 or 1, and no two are equal."""
    weights = np.round(np.cos(1 + i + 0.7 * np.arange(np.prod(shape))) + 1.3 * (-1) ** i, 2).reshape(shape)
    return f"np.sum({name} * {weights.tolist()})" if shape else f"{weights} * {name}"


@st.composite
def graphs(draw: Any, max_steps: int = 10, operations: Callable[[Op], bool] | None = None) -> Graph:
    """Random programs of the library, each a `Graph`.

    Parameters
    ----------
    max_steps
        How many lines there are at most, 12 or fewer; a line is an operation, its operands adapted to its domain.
    operations
        Which entries of the table to use, such as `lambda op: op.elementwise`; all of them if None.

    Raises
    ------
    ValueError
        If no operation is left, and for more lines than there are names.

    Examples
    --------
    ::

        @given(graphs())
        def test_the_engine(graph):
            check_graph(graph)
    """
    ops = kinds(operations)
    if not ops or not 1 <= max_steps < len(RESULTS):
        raise ValueError(f"graphs() needs an operation, and 1 to {len(RESULTS) - 1} steps; got {max_steps}")
    draft = Draft(draw)
    draft.leaf(SHAPES)
    for _ in range(draw(st.integers(0, 2))):
        draft.leaf(SHAPES)
    for _ in range(draw(st.sampled_from([*range(1, max_steps + 1), *range(max_steps // 2 + 1, max_steps + 1)]))):
        draft.step(ops)
    return Graph(draft.text())
