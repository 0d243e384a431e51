"""What a check found, in words: where, how far off, and what the ratio suggests.

A verdict is PASS, FAIL, KINK (a convention between the slopes on both sides) or INCONCLUSIVE, which is no pass:
it is counted and shown. `hints` says what a failure suggests, and the last line repeats the check.
"""

from __future__ import annotations

import ast
import linecache
import math
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from types import CodeType
from typing import Any

import numpy as np

from tinygrad_edu.inputs import plain
from tinygrad_edu.testing.diagnosis.hints import of_slopes, ratio

PASS, FAIL, KINK, INCONCLUSIVE = "PASS", "FAIL", "KINK", "INCONCLUSIVE"
ROUGH = "differences are too rough here to tell: a kink or a singular point nearby, or a noisy f"
BESIDE = "f is not finite on one side: a slope at the end of a domain is compared with nothing"
SHOWN = 3  # findings in a message: what comes after the worst is mostly the same fault
WIDTH = 300  # of the line that repeats a check; arguments that do not fit are left out
ORDER = re.compile(r"order (\d+),")
SHARP = 1e-3  # a comparison that would let a larger relative error pass says nothing about precision


class GradientError(AssertionError):
    """A gradient disagrees with differences, or could not be judged."""

    __module__ = "tinygrad_edu.testing"  # where users import it from


@dataclass(eq=False, repr=False)
class Finding:
    """One comparison: an entry (or direction) of one argument.

    Parameters
    ----------
    place, at
        Which argument and entry, and its input value; nan for a direction.
    analytic, numeric, error, allowed
        The slope of the gradient and that of differences, how far off the latter may be, and by how much the two
        may differ.
    verdict
        PASS, FAIL, KINK or INCONCLUSIVE.
    slopes
        Left and right of a kink.
    size, scale
        How many entries the argument has, and the largest of its gradient, which errors are relative to.
    hint
        What the whole argument's gradient suggests, where it is wrong.
    order
        Of the Taylor remainder, where that was measured.
    note
        What is wrong, if no slopes were compared: with copies, dtypes, states.
    regime
        What was tried when it was found, such as kinks.
    """

    place: str
    at: float
    analytic: float
    numeric: float
    error: float
    allowed: float
    verdict: str = PASS
    slopes: tuple[float, float] | None = None
    size: int = 1
    hint: str = ""
    note: str = ""
    order: float = math.nan
    scale: float = math.nan
    regime: str = ""

    @property
    def relative(self) -> float:
        """How far the two slopes are apart, relative to the scale; 0 where no slopes were compared."""
        apart = abs(self.analytic - self.numeric)
        scale = self.scale if self.scale > 0 else max(abs(self.analytic), abs(self.numeric))
        return apart / scale if apart and scale else apart

    @property
    def sharp(self) -> bool:
        """Whether slopes agree, and would not if they differed by a thousandth."""
        return self.verdict == PASS and not self.slopes and 0 < self.allowed <= SHARP * self.scale

    @property
    def level(self) -> tuple[int, bool]:
        """Of which order the slope is, from what its place says, and whether it is inside of another function."""
        found = ORDER.search(self.place)
        return (int(found[1]) if found else 1), "another function" in self.place

    @property
    def apart(self) -> float:
        """How far the two slopes are apart; inf if one is no number."""
        return abs(self.analytic - self.numeric) if self.analytic == self.analytic else math.inf

    def __str__(self) -> str:
        return self.told() + (f"\n  found with {self.regime}" if self.regime else "")

    def told(self) -> str:
        """What was compared, and what the ratio suggests."""
        if self.note:
            return f"{self.verdict} {self.place}: {self.note}"
        at = "" if math.isnan(self.at) else f" at {self.at:.6g}"
        lines = [
            f"{self.verdict} {self.place}{at}: analytic {self.analytic:.10g}, numeric {self.numeric:.10g} "
            f"(error about {self.error:.1g})",
            f"  they differ by {abs(self.analytic - self.numeric):.3g}, allowed {self.allowed:.3g}; "
            f"relative error {self.relative:.3g}",
        ]
        if self.slopes:
            outside = ", and the gradient is none between them" * (self.verdict == FAIL)
            left, right = self.slopes
            lines.append(f"  a kink: slopes {left:.6g} on the left, {right:.6g} on the right{outside}")
        elif self.verdict == FAIL:
            suggestion = self.hint or of_slopes(self.analytic, self.numeric, self.size)
            lines.append(f"  ratio {ratio(self.analytic, self.numeric):.6g}: {suggestion}")
            lines.append("  no kink: left and right of it the slopes are the same")
        elif self.verdict == INCONCLUSIVE:
            lines.append(f"  {self.hint or (ROUGH if math.isfinite(self.numeric) else BESIDE)}")
        if not math.isnan(self.order):
            lines.append(f"  the Taylor remainder has order {self.order:.2f}: 2 if the gradient is right, 1 if not")
        return "\n".join(lines)


def condition(place: str, holds: bool, note: str, verdict: str = FAIL) -> Finding:
    """A finding about something else than slopes: PASS if it holds, else the verdict, and a note that says why."""
    said = "" if holds else note
    return Finding(place, math.nan, 0.0, 0.0, 0.0, 0.0, verdict=PASS if holds else verdict, note=said)


def placed(before: str, findings: Iterable[Finding]) -> Iterator[Finding]:
    """Findings with something written before their places, such as the call in which they were made."""
    for finding in findings:
        finding.place = before + finding.place
        yield finding


@dataclass(eq=False, repr=False)
class GradientReport:
    """The findings of one check.

    Parameters
    ----------
    name
        What was checked.
    findings
        One per compared entry or direction, and one per invariant, such as that nothing is changed in place.
    reproduce
        The call that repeats the check.
    program
        The operations behind the result, and which rule is wrong, if slopes are.
    """

    name: str
    findings: list[Finding]
    reproduce: str
    program: str = ""

    @property
    def verdict(self) -> str:
        """FAIL, INCONCLUSIVE, KINK or PASS: the worst that was found."""
        found = {finding.verdict for finding in self.findings}
        return next((v for v in (FAIL, INCONCLUSIVE, KINK) if v in found), PASS)

    @property
    def checks(self) -> int:
        """How many findings there are."""
        return len(self.findings)

    @property
    def worst(self) -> float:
        """The largest relative error of what was compared sharply, or is wrong; nan if nothing was."""
        told = [f.relative for f in self.findings if f.sharp or (f.verdict == FAIL and not f.note)]
        return max(told, default=math.nan)

    def count(self, verdict: str) -> int:
        """How many findings have a verdict.

        Parameters
        ----------
        verdict
            PASS, FAIL, KINK or INCONCLUSIVE.
        """
        return sum(finding.verdict == verdict for finding in self.findings)

    @property
    def counts(self) -> str:
        """How many findings have each verdict, in words."""
        found = [f"{self.count(v)} {v}" for v in (PASS, FAIL, KINK, INCONCLUSIVE) if self.count(v)]
        return ", ".join(found) or "nothing to check"

    def __repr__(self) -> str:
        worst = "" if math.isnan(self.worst) else f"; worst relative error {self.worst:.2g}"
        return f"<GradientReport of {self.name}: {self.counts}{worst}>"

    def __str__(self) -> str:
        bad = [f for f in self.findings if f.verdict in (FAIL, INCONCLUSIVE)]
        more = [f"... and {len(bad) - SHOWN} more"] if len(bad) > SHOWN else []
        program = [self.program] if self.program else []
        again = [f"again: {self.reproduce}"] if bad else []
        return "\n".join([f"{self.name}: {self.counts}", *map(str, shown(bad)), *more, *program, *again])


def concluded(report: GradientReport, raises: bool) -> GradientReport:
    """The report, or GradientError if something is wrong or could not be judged."""
    __tracebackhide__ = True
    if raises and report.verdict in (FAIL, INCONCLUSIVE):
        raise GradientError(str(report))
    return report


def shown(bad: list[Finding]) -> list[Finding]:
    """The findings to print: one broken invariant, then the worst slopes of the plainest kind, then whatever is left.

    Slopes at drawn arguments come before those in other calls and far out, and first order before second.
    """
    regimes = list(dict.fromkeys(f.regime for f in bad))
    notes = [f for f in bad if f.note]
    slopes = [f for f in bad if not f.note]
    slopes.sort(key=lambda f: (f.verdict != FAIL, regimes.index(f.regime), f.level, -f.apart))
    first = [f for f in notes[:1] if not slopes or f.regime in ("", slopes[0].regime)]
    return [*first, *slopes, *(f for f in notes if f not in first)][:SHOWN]


def repeated(check: str, f: Any, args: Sequence[Any], **options: Any) -> str:
    """The call that repeats a check, with its arguments if there is room for them."""
    given = [f"{key}={value!r}" for key, value in options.items()]
    text = f"{check}({', '.join([called(f), *map(written, args), *given])})"
    return text if len(text) <= WIDTH and "\n" not in text else f"{check}({', '.join([called(f), '...', *given])})"


def called(f: Any) -> str:
    """A function as code: its name, for NumPy's with `np.`, a lambda as it was written; `f` if that is not known."""
    name = str(getattr(f, "__name__", "f"))
    if name == "<lambda>":
        return text_of(f.__code__)
    module = str(getattr(f, "__module__", None))
    before = f"np{module.removeprefix('numpy')}." if module.partition(".")[0] == "numpy" else ""
    return before + name if name.isidentifier() or name.startswith("lambda ") else "f"


def text_of(code: CodeType) -> str:
    """A lambda as it was written, found by the places of its instructions; `f` if it cannot be read, or is long."""
    known = lambdas("".join(linecache.getlines(code.co_filename)))
    found = {known[place[0], place[2]] for place in code.co_positions() if (place[0], place[2]) in known}
    text = found.pop() if len(found) == 1 else "f"
    return text if len(text) <= WIDTH // 2 and "\n" not in text else "f"


@lru_cache(maxsize=8)
def lambdas(source: str) -> dict[tuple[int | None, int | None], str]:
    """The lambdas of a file, by line and column at which what they return begins."""
    try:
        tree = ast.parse(source)
    except SyntaxError:
        return {}
    found = [node for node in ast.walk(tree) if isinstance(node, ast.Lambda)]
    return {(node.body.lineno, node.body.col_offset): ast.unparse(node) for node in found}


def written(thing: Any) -> str:
    """An argument as code: arrays with all of their digits."""
    thing = plain(thing)
    if isinstance(thing, np.ndarray):
        dtype = "" if thing.dtype in (float, int) and thing.size else f", dtype=np.{thing.dtype}"
        shaped = "" if thing.size else f".reshape{thing.shape}"
        return f"np.array({thing.tolist() if thing.size else []}{dtype}){shaped}" if thing.size < WIDTH else "..."
    if isinstance(thing, np.generic):
        return repr(thing.item())
    if isinstance(thing, dict):
        return "{" + ", ".join(f"{key!r}: {written(value)}" for key, value in thing.items()) + "}"
    if type(thing) in (list, tuple):
        inside = ", ".join(map(written, thing))
        return f"[{inside}]" if isinstance(thing, list) else f"({inside}{',' if len(thing) == 1 else ''})"
    return repr(thing)
