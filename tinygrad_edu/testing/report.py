"""What a check found, in words: where, how far off, and what the ratio suggests.

A ratio of analytic to numeric that is a plain number is a diagnosis: -1 a sign, 2 a factor, 1/n a mean.
"""

from __future__ import annotations

import math

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

PASS, FAIL, KINK, INCONCLUSIVE = "PASS", "FAIL", "KINK", "INCONCLUSIVE"


class GradientError(AssertionError):
    """A gradient disagrees with differences, or could not be judged."""


class Finding:
    """One comparison: an entry (or direction) of one argument."""

    def __init__(self, place: str, at: float, analytic: float, numeric: float, error: float, allowed: float) -> None:
        self.place, self.at = place, at
        self.analytic, self.numeric, self.error, self.allowed = analytic, numeric, error, allowed
        self.verdict = PASS
        self.slopes: tuple[float, float] | None = None
        self.size = 1

    def __str__(self) -> str:
        at = "" if math.isnan(self.at) else f" at {self.at:.6g}"
        lines = [
            f"{self.verdict} {self.place}{at}: analytic {self.analytic:.10g}, numeric {self.numeric:.10g} "
            f"(error about {self.error:.1g}); they differ by {abs(self.analytic - self.numeric):.3g}, "
            f"allowed {self.allowed:.3g}"
        ]
        if self.slopes:
            lines.append(f"  a kink: slopes {self.slopes[0]:.6g} on the left, {self.slopes[1]:.6g} on the right")
        elif self.verdict == FAIL:
            lines.append(f"  ratio {ratio(self.analytic, self.numeric):.6g}: {hint(self)}")
        return "\n".join(lines)


class GradientReport:
    """The findings of one call of `check_gradients`.

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
        worst = sorted(bad, key=lambda f: -abs(f.analytic - f.numeric))[:3]
        more = [f"... and {len(bad) - 3} more"] if len(bad) > 3 else []
        again = [f"again: {self.reproduce}"] if bad else []
        return "\n".join([f"{self.name}: {counts or 'nothing to check'}", *map(str, worst), *more, *again])


def ratio(analytic: float, numeric: float) -> float:
    """Analytic over numeric; inf where the numeric slope is 0."""
    return analytic / numeric if numeric else math.copysign(math.inf, analytic)


def hint(finding: Finding) -> str:
    """What a ratio of analytic to numeric suggests."""
    r, n = ratio(finding.analytic, finding.numeric), finding.size
    known = {
        -1.0: "the sign is flipped",
        0.0: "no gradient arrives: a missing term, or a cut graph (.data, item())",
        2.0: "exactly double: counted twice, or a factor 2 too many",
        0.5: "exactly half: a factor 2 is missing, as in d(x^2)/dx = 2x",
    }
    if n > 2:
        known |= {
            float(n): f"{n} times too large: a mean's 1/n is missing",
            1 / n: f"1/{n} of it: divided by n too often",
        }
    close = [text for value, text in known.items() if abs(r - value) <= 1e-3 * max(abs(value), 1e-3)]
    return close[0] if close else "no simple factor: look at the formula itself, or at swapped arguments"
