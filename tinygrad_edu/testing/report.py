"""What a check found, in words: where, how far off, and what the ratio suggests.

A verdict is PASS, FAIL, KINK (a convention between the slopes on both sides) or INCONCLUSIVE, which is no pass:
it is counted and shown. `hints` says what a failure suggests.
"""

from __future__ import annotations

import math

from tinygrad_edu.testing.hints import hint, ratio

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

PASS, FAIL, KINK, INCONCLUSIVE = "PASS", "FAIL", "KINK", "INCONCLUSIVE"


class GradientError(AssertionError):
    """A gradient disagrees with differences, or could not be judged."""


class Finding:
    """One comparison: an entry (or direction) of one argument.

    Attributes
    ----------
    verdict
        PASS, FAIL, KINK or INCONCLUSIVE.
    slopes
        Left and right of a kink.
    hint
        What the whole argument's gradient suggests, where it is wrong.
    order
        Of the Taylor remainder, where that was measured.
    note
        What was broken, if no slopes were compared: a promise about copies, dtypes, states.
    """

    def __init__(self, place: str, at: float, analytic: float, numeric: float, error: float, allowed: float) -> None:
        self.place, self.at = place, at
        self.analytic, self.numeric, self.error, self.allowed = analytic, numeric, error, allowed
        self.verdict = PASS
        self.slopes: tuple[float, float] | None = None
        self.size = 1
        self.hint = self.note = ""
        self.order = float("nan")

    def __str__(self) -> str:
        if self.note:
            return f"{self.verdict} {self.place}: {self.note}"
        at = "" if math.isnan(self.at) else f" at {self.at:.6g}"
        lines = [
            f"{self.verdict} {self.place}{at}: analytic {self.analytic:.10g}, numeric {self.numeric:.10g} "
            f"(error about {self.error:.1g}); they differ by {abs(self.analytic - self.numeric):.3g}, "
            f"allowed {self.allowed:.3g}"
        ]
        if self.slopes:
            lines.append(f"  a kink: slopes {self.slopes[0]:.6g} on the left, {self.slopes[1]:.6g} on the right")
        elif self.verdict == FAIL:
            suggestion = self.hint or hint(self.analytic, self.numeric, self.size)
            lines.append(f"  ratio {ratio(self.analytic, self.numeric):.6g}: {suggestion}")
        if not math.isnan(self.order):
            lines.append(f"  the Taylor remainder has order {self.order:.2f}: 2 if the gradient is right, 1 if not")
        return "\n".join(lines)


def promise(place: str, kept: bool, note: str) -> Finding:
    """A finding about something else than slopes: kept, or what was broken."""
    finding = Finding(place, math.nan, 0.0, 0.0, 0.0, 0.0)
    finding.verdict, finding.note = (PASS, "") if kept else (FAIL, note)
    return finding


class GradientReport:
    """The findings of one check.

    Attributes
    ----------
    findings
        One per compared entry or direction.
    verdict
        The worst of them: FAIL, INCONCLUSIVE, KINK, PASS.
    """

    def __init__(self, name: str, findings: Sequence[Finding], reproduce: str) -> None:
        self.name, self.findings, self.reproduce = name, list(findings), reproduce

    @property
    def verdict(self) -> str:
        """FAIL, INCONCLUSIVE, KINK or PASS: the worst that was found."""
        found = {finding.verdict for finding in self.findings}
        return next((v for v in (FAIL, INCONCLUSIVE, KINK) if v in found), PASS)

    def count(self, verdict: str) -> int:
        """How many findings have a verdict."""
        return sum(finding.verdict == verdict for finding in self.findings)

    def __str__(self) -> str:
        counts = ", ".join(f"{self.count(v)} {v}" for v in (PASS, FAIL, KINK, INCONCLUSIVE) if self.count(v))
        bad = [f for f in self.findings if f.verdict in (FAIL, INCONCLUSIVE)]
        worst = sorted(bad, key=lambda f: (not f.note, -abs(f.analytic - f.numeric)))[:3]
        more = [f"... and {len(bad) - 3} more"] if len(bad) > 3 else []
        again = [f"again: {self.reproduce}"] if bad else []
        return "\n".join([f"{self.name}: {counts or 'nothing to check'}", *map(str, worst), *more, *again])
