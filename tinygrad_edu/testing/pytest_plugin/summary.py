"""What the checks of a run found, added up: one row per operation or function, and a table of them.

Findings travel as numbers in a test's `user_properties`, which pytest puts into its reports and pytest-xdist carries
from the workers to the controller. So the table is the same with one process and with many.

Source: pytest's documentation of `user_properties`.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from tinygrad_edu.testing.function import check_gradients
from tinygrad_edu.testing.report import INCONCLUSIVE, KINK, GradientReport, concluded

Row = dict[str, Any]
Rows = dict[tuple[str, str], Row]

NAME = "tinygrad_edu-checks"
LIMIT = 0.01  # of an operation's checks may be inconclusive
HEAD = ("operation", "checks", "worst error", "inconclusive", "kinks", "mutants", "in")
COUNTS = ("checks", "inconclusive", "kinks", "killed", "mutants")


def row(place: str, report: GradientReport) -> Row:
    """A report in plain numbers: pytest-xdist carries no others from its workers."""
    return {
        "in": place,
        "operation": report.name,
        "checks": report.checks,
        "worst": float(report.worst),
        "inconclusive": report.count(INCONCLUSIVE),
        "kinks": report.count(KINK),
        "killed": 0,
        "mutants": 0,
    }


def record(item: Any, found: Row) -> None:
    """Add a row to what a test has found; the same function again adds to the same row."""
    rows = {key(old): old for name, old in item.user_properties if name == NAME}
    if key(found) in rows:
        add(rows[key(found)], found)
    else:
        item.user_properties.append((NAME, found))


def key(found: Row) -> tuple[str, str]:
    """What tells rows apart: where the operation is, and its name."""
    return found["in"], found["operation"]


def add(total: Row, found: Row) -> None:
    """Add counts, and keep the worst error; nan stands for none."""
    total.update({name: total[name] + found[name] for name in COUNTS})
    both = [error for error in (total["worst"], found["worst"]) if not math.isnan(error)]
    total["worst"] = max(both, default=math.nan)


def enter(rows: Rows, properties: Iterable[tuple[str, Any]]) -> None:
    """Add what a test's report carries."""
    for name, found in properties:
        if name == NAME:
            if key(found) in rows:
                add(rows[key(found)], found)
            else:
                rows[key(found)] = dict(found)


def unsettled(rows: Rows) -> list[str]:
    """A line for every operation of which too much could not be judged."""
    return [said for found in rows.values() if (said := doubt(found))]


def doubt(found: Row) -> str:
    """What to say of a row if more than 1 % of its checks are inconclusive."""
    if found["inconclusive"] <= LIMIT * found["checks"]:
        return ""
    return (
        f"{found['operation']}: {found['inconclusive']} of {found['checks']} checks are inconclusive, more than 1 %: "
        "keep the arguments away from singular points, with domain= or distance="
    )


def table(rows: Rows) -> Iterator[str]:
    """The lines of the table, and below it what fails the run."""
    cells = [HEAD, *(shown(found) for found in rows.values())]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    for first, *numbers, last in cells:
        middle = "  ".join(cell.rjust(width) for cell, width in zip(numbers, widths[1:-1], strict=True))
        yield f"{first.ljust(widths[0])}  {middle}  {last}".rstrip()
    for said in unsettled(rows):
        yield f"FAILED {said}"


def shown(found: Row) -> tuple[str, ...]:
    """The cells of a row."""
    worst = "-" if math.isnan(found["worst"]) else f"{found['worst']:.1e}"
    mutants = f"{found['killed']}/{found['mutants']}" if found["mutants"] else "-"
    counts = (str(found[name]) for name in ("inconclusive", "kinks"))
    return (found["operation"], str(found["checks"]), worst, *counts, mutants, found["in"])


def recording(current: Callable[[], Any]) -> Callable[..., GradientReport]:
    """`check_gradients` that records its findings for the test that runs at the time."""

    def gradcheck(f: Callable[..., Any], *args: Any, raises: bool = True, **options: Any) -> GradientReport:
        """As `check_gradients`; the findings are shown in the table at the end of the run."""
        __tracebackhide__ = True
        report = check_gradients(f, *args, raises=False, **options)
        item = current()
        record(item, row(item.nodeid.partition("::")[0], report))
        return concluded(report, raises)

    return gradcheck
