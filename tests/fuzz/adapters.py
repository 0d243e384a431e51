"""Domain adapters: expressions that bring any number into the domain of an operation, and away from its kinks.

`log(v)` needs a positive v, so where v is not, the program says `log(log1p(exp(v)) + 0.1)`. Nothing is thrown away
and drawn again, and every program is legal. Numbers that fit already are left as they are.
Source: Bishop, "Pattern Recognition and Machine Learning" (2006), section 4.2: softplus and tanh map the reals.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import combinations, pairwise
from typing import Any

import numpy as np

from tests.fuzz.source import enclosed
from tinygrad_edu.table import DEFINITE, MULTIPLES, REGULAR, TIES, Op
from tinygrad_edu.testing.arguments import intervals, special

MARGIN, LIMIT = 0.1, 2.5
SHIFTS = tuple(sign * (0.3 + 0.4 * k) for k in range(15) for sign in (1, -1))


def number(x: float) -> str:
    """A number of a few digits."""
    return repr(float(f"{x:.3g}"))


def fitted(op: Op, texts: list[str], options: dict[str, Any], valued: Callable[[str], Any]) -> list[str]:
    """The operands of a call, given as expressions and how to evaluate them, brought into the operation's domain."""
    points = special(op.kinks, op.singular)
    if op.kinks == MULTIPLES:
        return [f"2.25 + 0.1 * np.tanh({texts[0]})", f"1.5 + 0.1 * np.tanh({texts[1]})"]
    if not op.elementwise and op.kinks:
        fixed = [*points, *(value for value in options.values() if isinstance(value, float))]
        return [spread(text, valued(text), fixed) for text in texts]
    made = [
        matrix(text, valued(text), part) if isinstance(part, str) else inside(text, valued(text), part, points)
        for text, part in zip(texts, intervals(op, len(texts)), strict=True)
    ]
    if op.kinks == TIES and len(made) == 2:
        made[1] = beside(made[1], valued(made[1]), valued(made[0]))
    return made


def scaled(text: str, value: Any) -> tuple[str, Any]:
    """The expression, times a factor if it is large."""
    largest = float(np.max(np.abs(value), initial=0.0))
    if largest <= LIMIT:
        return text, value
    factor = number(float(f"{0.8 * LIMIT / largest:.1g}"))
    return f"{factor} * {enclosed(text)}", float(factor) * value


def inside(text: str, value: Any, domain: tuple[float, float], points: Sequence[float]) -> str:
    """The expression, mapped into the last part of the interval that is free of points, unless all of it has room."""
    text, value = scaled(text, value)
    ends = sorted({*domain, *(p for p in points if domain[0] < p < domain[1])})
    if all(np.all(np.abs(value - end) > MARGIN) for end in ends if np.isfinite(end)) and np.all(
        (domain[0] < value) & (value < domain[1])
    ):
        return text
    low, high = list(pairwise(ends))[-1]
    if np.isfinite(low) and np.isfinite(high):
        middle = (low + high) / 2
        half = (high - low) / 2
        return (f"{number(middle)} + " if middle else "") + f"{number(0.8 * half)} * np.tanh({text})"
    if np.isfinite(low):
        return f"np.log1p(np.exp({text})) + {number(low + MARGIN)}"
    return f"{number(high - MARGIN)} - np.log1p(np.exp({text}))"


def beside(text: str, y: Any, x: Any) -> str:
    """The second of two expressions, shifted so that it is nowhere equal to the first."""
    for shift in (0.0, *SHIFTS):
        if np.all(np.abs(x - y - shift) > MARGIN):
            return f"{enclosed(text)} + {number(shift)}" if shift else text
    raise ValueError("no shift keeps them apart")


def spread(text: str, value: Any, points: Sequence[float]) -> str:
    """The expression, with entries that differ from each other, from each other's negatives and from points."""
    text, value = scaled(text, value)
    sizes = np.abs(np.ravel(value))
    apart = all(abs(a - b) > MARGIN for a, b in combinations([0.0, *sizes, *map(abs, points)], 2))
    if apart:
        return text
    ramp = np.arange(1.0, np.size(value) + 1) * (-1.0) ** np.arange(np.size(value))
    steps = np.reshape(ramp, np.shape(value)).tolist()
    return f"0.3 * np.tanh({text}) + {f'np.array({steps})' if np.ndim(value) else steps}"


def matrix(text: str, value: Any, kind: str) -> str:
    """The expression, as a small change of matrices with the singular values 1, 2, 3, ..., or symmetric ones."""
    if kind not in (REGULAR, DEFINITE):
        raise ValueError(f"no such domain: {kind!r}")
    rows, columns = np.shape(value)[-2:]
    rng = np.random.default_rng(5)
    rank = min(rows, columns)
    left, right = (np.linalg.qr(rng.normal(size=(n, n)))[0][:, :rank] for n in (rows, columns))
    middle = (left * np.arange(1.0, rank + 1)) @ (left if kind == DEFINITE else right).T
    base = f"np.array({np.round(middle, 2).tolist()})"
    if kind == DEFINITE:
        return f"0.05 * np.tanh({enclosed(text)} + {enclosed(text)}.mT) + {base}"
    return f"0.1 * np.tanh({text}) + {base}"
