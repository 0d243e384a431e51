"""What `gradient_test` looks at once, after all drawn calls: what chance rarely draws, and what only many calls show.

The first call again; other shapes; thousands of numbers, or lines between calls; numbers at which something inside
overflows; and the user's own operations behind the function, as `check_op` checks them. A run in which every slope
was 0 has shown nothing, and says so.

Source: Hypothesis' documentation, "How many times will Hypothesis run my test?": a run is a sample.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import Any

import numpy as np

from tinygrad_edu.backward import vjps
from tinygrad_edu.errors import BroadcastWarning
from tinygrad_edu.graph import Node, toposort
from tinygrad_edu.inputs import plain
from tinygrad_edu.table import OPERATIONS, REALS, Each, Op
from tinygrad_edu.testing.arguments import calls
from tinygrad_edu.testing.differences.comparing import Settings
from tinygrad_edu.testing.differences.numeric import EPS, Array
from tinygrad_edu.testing.function import floating, slopes_of
from tinygrad_edu.testing.operation import REFUSALS, How, report_of
from tinygrad_edu.testing.other_calls import ELEMENTWISE
from tinygrad_edu.testing.report import FAIL, Finding, GradientReport, condition, placed
from tinygrad_edu.testing.scan import agrees, of_line, of_numbers
from tinygrad_edu.value import Value

PAIRS = 4  # calls between which lines are followed
HUGE = 800.0  # its exponential overflows
STATE = "the gradient of the first call is another one after all calls: f or a rule keeps a state"
OVERFLOWS = (
    "at {} the {} is not finite, though with longer floats the function is {:.6g} there: numbers inside of it "
    "overflow. Subtract the largest exponent, as te.logsumexp and te.softmax do, or say the domain, args={{...}}"
)
SHOWN_NOTHING = (
    "every slope is 0 at all {} drawn calls: nothing there could have shown a fault. Draw from where f varies, "
    "args={{...}}"
)


class Seen:
    """The calls of one run: their arguments as a list, and their reports."""

    def __init__(self) -> None:
        self.calls: list[tuple[Callable[..., Any], list[Any], GradientReport]] = []
        self.failed = ""  # the last failure, in words

    def add(self, f: Callable[..., Any], values: list[Any], report: GradientReport) -> None:
        """Remember a call."""
        self.calls.append((f, values, report))
        self.failed = str(report) if report.verdict == FAIL else self.failed

    @property
    def shown_nothing(self) -> bool:
        """Whether no slope was anything but 0."""
        slopes = [one for _, _, report in self.calls for one in report.findings if not np.isnan(one.scale)]
        return bool(slopes) and not any(one.analytic or one.numeric for one in slopes)


def of_run(seen: Seen, again: Callable[[list[Any]], GradientReport], default: bool) -> Iterator[Finding]:
    """The failures after a run; `default` says that nobody told which arguments to draw."""
    f, values, first = seen.calls[0]
    if seen.shown_nothing:
        yield condition("slopes", False, SHOWN_NOTHING.format(len(seen.calls)))
    yield from of_state(first, again(values))
    flat = [(call, list(map(np.asarray, given))) for call, given, _ in seen.calls if all(map(is_floating, given))]
    rng = np.random.default_rng(0)
    with np.errstate(all="ignore"), warnings.catch_warnings():
        warnings.simplefilter("ignore", BroadcastWarning)
        for regime, found in (
            ("other shapes", of_shapes(flat, rng) if default else ()),
            ("many places", of_places(flat, rng, default)),
            ("numbers that overflow", of_overflow(flat) if default and f not in OPERATIONS else ()),
            ("its own operations", of_operations(f, values)),
        ):
            for finding in found:
                finding.regime = finding.regime or regime
                yield finding


def is_floating(value: Any) -> bool:
    """Whether an argument is a number or an array that is moved."""
    return isinstance(value, float) or getattr(getattr(value, "dtype", None), "kind", "") == "f"


def of_state(first: GradientReport, last: GradientReport) -> Iterator[Finding]:
    """Whether the first call gives the same gradient in the end."""
    pairs = zip(first.findings, last.findings, strict=False)
    same = all(a.analytic == b.analytic or a.analytic != a.analytic for a, b in pairs)
    yield condition("later", same and last.verdict != FAIL, STATE)


def failures(f: Any, arrays: list[Array]) -> list[Finding]:
    """The wrong slopes of a call that does not look right at first."""
    with suppress(*REFUSALS):
        if agrees(f, arrays, np.random.default_rng(0), np.inf):
            return [one for one in slopes_of(f, arrays, Settings()) if one.verdict == FAIL]
    return []


def of_shapes(flat: list[Any], rng: np.random.Generator) -> Iterator[Finding]:
    """Shapes that are rarely drawn, if the function takes them."""
    f, arrays = flat[0] if flat else (None, [])
    numbers = np.concatenate([np.ravel(a) for _, given in flat for a in given]) if flat else np.zeros(0)
    for shapes in ELEMENTWISE.get(len(arrays), ()) if numbers.size else ():
        given = [rng.choice(numbers, shape) + 1e-3 * rng.random(shape) for shape in shapes]
        yield from placed(f"shapes {', '.join(map(str, shapes))}, ", failures(f, given))


def of_places(flat: list[Any], rng: np.random.Generator, default: bool) -> Iterator[Finding]:
    """Many numbers of an elementwise function, in the range of what was drawn; lines between calls of any other."""
    if flat and is_elementwise(*flat[0]):
        f, arrays = flat[0]
        columns = [np.concatenate([np.ravel(given[k]) for _, given in flat]) for k in range(len(arrays))]
        hulls = [REALS if default else (float(np.min(x)), float(np.max(x))) for x in columns]
        if all(low < high for low, high in hulls):
            every = of_numbers(f, hulls, (), True, rng)
            yield from (one for one in every if np.isfinite(one.analytic))  # what overflows has words of its own
        return
    pairs = [
        (f, (a, b)) for i, (f, a) in enumerate(flat) for _, b in flat[i + 1 :]
        if list(map(np.shape, a)) == list(map(np.shape, b)) and any(np.any(x != y) for x, y in zip(a, b, strict=True))
    ]  # fmt: skip
    for i in rng.permutation(len(pairs))[:PAIRS]:
        f, (start, end) = pairs[i]
        with suppress(*REFUSALS):
            yield from of_line(f, start, end, rng)


def is_elementwise(f: Any, arrays: list[Array]) -> bool:
    """Whether each entry of the result is that of the entries in its place."""
    x = [np.linspace(0.3, 0.7, 4) + 0.05 * k for k in range(len(arrays))]
    with suppress(Exception):
        whole = np.asarray(plain(f(*map(Value, x))))
        alone = [np.asarray(plain(f(*(Value(a[i]) for a in x)))) for i in range(4)]
        return whole.shape == (4,) and all(one.shape == () for one in alone) and np.allclose(whole, alone)
    return False


def of_overflow(flat: list[Any]) -> Iterator[Finding]:
    """Where the result or the gradient is not finite, though the function has a value and a slope."""
    if float(np.finfo(np.longdouble).max) < np.inf:
        return  # no longer floats than those of 64 bits here
    for f, arrays in [next((one for one in flat if all(np.ndim(a) for a in one[1])), *flat[:1])] if flat else []:
        for sign in (1.0, -1.0):
            with suppress(Exception):  # f may refuse such numbers, or plain arrays
                yield from overflowing(f, [np.full(np.shape(a), sign * HUGE) for a in arrays], f"{sign * HUGE:g}")


def overflowing(f: Any, arrays: list[Array], place: str) -> Iterator[Finding]:
    """What is said of one place."""
    xs = [Value(a) for a in arrays]
    out = f(*xs)
    found = vjps(out, np.ones_like(out.array)[()], xs)
    which = "result" if not np.all(np.isfinite(out.array)) else "gradient"
    if which == "gradient" and all(np.all(np.isfinite(g)) for g in found):
        return
    near = [np.asarray(f(*(a.astype(np.longdouble) * (1 + h) for a in arrays))) for h in (0.0, EPS**0.5)]
    slope = (near[1] - near[0]) / EPS**0.5
    if all(np.all(np.abs(y) < np.finfo(float).max) for y in (*near, slope)):
        yield condition("overflow", False, OVERFLOWS.format(place, which, float(np.ravel(near[0])[0])))


def of_operations(f: Any, values: list[Any]) -> Iterator[Finding]:
    """What `check_op` finds in the operations of the user's own that the result is made of."""
    _, arrays, call = floating(f, values)
    out = call([Value(a) for a in arrays])
    own = dict.fromkeys(node.op for node in toposort(out) if node.op) if isinstance(out, Node) else ()
    for op in own:
        if not home(op).startswith("tinygrad_edu.") and calls(op):
            order = getattr(op.function, "order", 2)
            report = report_of(op, 0, How(order if isinstance(order, int) else 2, repeats=1))
            yield from (one for one in report.findings if one.verdict == FAIL)


def home(op: Op) -> str:
    """The module in which an operation's rules are written."""
    rule = op.pullbacks.rule if isinstance(op.pullbacks, Each) else op.pullbacks[0]
    return rule.__globals__["__name__"]  # type: ignore[no-any-return]
