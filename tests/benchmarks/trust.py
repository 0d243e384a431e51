"""How far checks can be trusted: false alarms, what they cannot judge, and which planted errors they catch.

Arguments are drawn from what the table declares, for every operation, and for random functions of several operations.
A check is one slope, of an entry or along a direction, beside its difference; every fourth round is in float32. An
error is planted into the gradients of a whole argument: it is caught if the argument fails.
"""

import argparse
import sys
import warnings
from collections import Counter
from contextlib import suppress
from time import perf_counter

import numpy as np

import tinygrad_edu as te
from tinygrad_edu.table import arrived
from tinygrad_edu.testing import FAIL, INCONCLUSIVE, KINK, PASS, check_gradients
from tinygrad_edu.testing.arguments import caller, calls, draw
from tinygrad_edu.value import apply

with suppress(ImportError):
    import scipy.special  # noqa: F401 - its functions are in the table then

PLANTED = (1e-3, 1e-4)
STEPS, NARROW = 4, 4


def off(f, error):
    """The same values, with gradients that are off by a relative error."""
    return lambda *xs: (1.0 + error) * (out := f(*xs)) - error * te.stop_gradient(out)


def smooth_operations():
    """The elementwise operations of an interval, or of two, that have no kinks and no singular points."""
    for op in te.entries():
        plain = op.elementwise and not op.kinks and not op.singular and not op.variadic
        if plain and len(op.pullbacks) <= 2 and op.with_constants is op:
            parts = [op.domain] * len(op.pullbacks) if not isinstance(op.domain, list) else op.domain
            if not any(isinstance(part, str) for part in parts):
                yield op, parts


def inside(part, x):
    """Any number brought into the middle of an interval."""
    low, high = max(part[0], -2.0), min(part[1], 2.0)
    return (low + high) / 2 + 0.35 * (high - low) * np.tanh(x)


def composed(rng, operations):
    """A random function of two arrays, of several operations, and its arguments."""
    chosen = [operations[i] for i in rng.integers(len(operations), size=STEPS)]
    places = rng.random((STEPS, 2))

    def f(x, y):
        made = [x, y]
        for (op, parts), place in zip(chosen, places, strict=True):
            picked = [made[-1 - int(len(made) * p * p)] for p in place[: len(parts)]]  # recent ones are likelier
            made.append(apply(op, tuple(inside(part, v) for part, v in zip(parts, picked, strict=True))))
        return sum(made[2:]) * x @ y

    f.__name__ = " ".join(op.name for op, _ in chosen)
    return f, [rng.normal(size=(2, 2)), rng.normal(size=(2, 2))], np.inf


def functions(rng):
    """Every operation of the table and as many random functions, with arguments and their distance from trouble."""
    operations = list(smooth_operations())
    for op in te.entries():
        options = calls(op)
        if options:
            drawn = draw(op, rng, options[rng.integers(len(options))])
            yield op.name, caller(op, drawn.options), drawn.arrays, drawn.distance
        yield "composed", *composed(rng, operations)


def argument(finding):
    """Which argument a finding is about."""
    return finding.place.partition("argument ")[2][:1]


def judged(f, arrays, distance, seed, check=check_gradients):
    """The slopes that were compared."""
    report = check(f, *arrays, seed=seed, distance=distance, raises=False)
    promises = [finding for finding in report.findings if np.isnan(finding.scale) and finding.verdict != PASS]
    return [finding for finding in report.findings if not np.isnan(finding.scale)], promises


def measure(checks, seed=0):
    """Count verdicts until enough slopes were compared."""
    rng, counts, names, worst = np.random.default_rng(seed), Counter(), set(), 0.0
    while counts["checks"] < checks:
        counts["rounds"] += 1
        narrow = counts["rounds"] % NARROW == 0
        for name, f, arrays, distance in functions(rng):
            arrays = [np.asarray(a, np.float32) for a in arrays] if narrow else arrays
            case = int(rng.integers(2**31))
            slopes, promises = judged(f, arrays, distance, case)
            names.add(name)
            counts["checks"] += len(slopes)
            counts["promises"] += len(promises)
            counts.update(finding.verdict for finding in slopes)
            worst = max([worst, *(finding.relative for finding in slopes if finding.verdict == PASS)])
            for finding in (f for f in (*slopes, *promises) if f.verdict != PASS):
                print(f"{name} {[np.shape(a) for a in arrays]} seed {case}: {finding}", file=sys.stderr)
            moved = {argument(finding) for finding in slopes if finding.analytic}
            for error in PLANTED[: 1 if narrow else None]:  # 1e-4 is what is allowed in float32
                failed = {argument(f) for f in judged(off(f, error), arrays, distance, case)[0] if f.verdict == FAIL}
                counts[f"planted {error:g}"] += len(moved)
                counts[f"caught {error:g}"] += len(moved & failed)
    return counts, names, worst


def main():
    """Print the figures, and fail if one of them misses its bar."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--checks", type=int, default=100_000, help="how many slopes to compare (default: 100,000)")
    parser.add_argument("--seed", type=int, default=0)
    given = parser.parse_args()
    arrived()
    warnings.simplefilter("ignore", te.BroadcastWarning)
    start = perf_counter()
    counts, names, worst = measure(given.checks, given.seed)
    seconds = perf_counter() - start
    rate = {error: counts[f"caught {error:g}"] / counts[f"planted {error:g}"] for error in PLANTED}
    alarms, unsure = counts[FAIL] + counts["promises"], counts[INCONCLUSIVE] / counts["checks"]
    rows = [
        (f"checks over {len(names) - 1} operations and random functions", f"{counts['checks']:,}", len(names) > 24),
        ("false alarms", f"{alarms}", alarms == 0),
        ("inconclusive", f"{counts[INCONCLUSIVE]} ({unsure:.3%})", unsure < 1e-3),
        ("kinks seen at smooth points", f"{counts[KINK]}", counts[KINK] == 0),
        ("planted 1e-4 errors caught", f"{rate[1e-4]:.3%} of {counts['planted 0.0001']:,}", rate[1e-4] >= 0.999),
        ("planted 1e-3 errors caught", f"{rate[1e-3]:.3%} of {counts['planted 0.001']:,}", rate[1e-3] == 1.0),
        ("largest relative error that passed", f"{worst:.1e}", True),
        ("seconds", f"{seconds:.0f}", True),
    ]
    for text, figure, held in rows:
        print(f"{text:52s} {figure:>24s}{'' if held else '   MISSED'}")
    return int(not all(held for _, _, held in rows))


if __name__ == "__main__":
    sys.exit(main())
