"""How a program writes an operation: its name as users call it, its operator, its options as literals.

Everything is found from the entry of the table and from where NumPy keeps the function; an operation that cannot be
written, or options that would not come back the same, have no wording.
Source: Python's reference, chapter 6, for operators and what may stand beside them.
"""

from __future__ import annotations

import ast
import sys
from collections.abc import Sequence
from typing import Any

import numpy as np

from tinygrad_edu.table import PRIMITIVES, Op

WHOLE = ast.Name | ast.Constant | ast.Call | ast.Attribute | ast.Subscript
PLACES = {
    "np": "numpy",
    "np.linalg": "numpy.linalg",
    "te": "tinygrad_edu",
    "np.lib.stride_tricks": "numpy.lib.stride_tricks",
    "scipy.special": "scipy.special",
}


def called(op: Op) -> str:
    """What a program calls the function of an entry; nothing if it cannot be reached by a name."""
    name = op.function.__name__
    for place, module in PLACES.items():
        if getattr(sys.modules.get(module), name, None) is op.function:
            return f"{place}.{name}"
    return f'PRIMITIVES["{name}"]' if PRIMITIVES.get(name) is op.function else ""


def operator_of(op: Op) -> str:
    """The operator that computes an operation, if one does."""
    built_in = getattr(op.compute, "__module__", "") == "_operator"
    return {"^": "**"}.get(op.glyph, op.glyph) if built_in else ""


def enclosed(text: str) -> str:
    """An expression as an operand of an operator: in parentheses, unless it is one thing already."""
    whole = isinstance(ast.parse(text, mode="eval").body, WHOLE)
    return text if whole else f"({text})"


def written(op: Op, operands: Sequence[str], options: dict[str, Any]) -> str:
    """The call of an operation, as a program writes it."""
    if symbol := operator_of(op):
        return f" {symbol} ".join(map(enclosed, operands)) if len(operands) > 1 else symbol + enclosed(operands[0])
    if op.function is PRIMITIVES["getitem"]:
        return f"{enclosed(operands[0])}[{literal(options['index'])}]"
    named = [f"{name}={literal(value)}" for name, value in options.items()]
    return f"{called(op)}({', '.join([*operands, *named])})"


def literal(value: Any) -> str:
    """The text of an option; ValueError if there is none that means the same."""
    if isinstance(value, np.ndarray):
        return f"np.array({value.tolist()!r})"
    if isinstance(value, type) and issubclass(value, np.generic):
        return f"np.{value.__name__}"
    if value is Ellipsis:
        return "..."
    if isinstance(value, tuple):
        return f"({', '.join(map(literal, value))}{',' * (len(value) == 1)})"
    if isinstance(value, list):
        return f"[{', '.join(map(literal, value))}]"
    if isinstance(value, slice):
        return f"slice({', '.join(map(repr, (value.start, value.stop, value.step)))})"
    if isinstance(value, bool | int | float | str) or value is None:
        return repr(value)
    raise ValueError(f"no literal for {value!r}")
