"""Directives that show what checks say of planted faults: those of the example `planted_faults.py`, which is run.

`fault-table` has a row for each fault: what other checkers said, and how often this one caught it. `fault-report`
prints what this one said of the fault that is named.
"""

import contextlib
import io
import runpy
from functools import cache
from pathlib import Path
from textwrap import fill

from docutils import nodes
from docutils.parsers.rst import Directive
from rule_table import Table

from tinygrad_edu.testing import FAIL

EXAMPLE = Path(__file__).parents[2] / "examples" / "planted_faults.py"
PASSES, CAUGHT = "passes", "caught"
# What tests/benchmarks/other_checkers.py printed with torch 2.13.0, jax 0.10.2, autograd 1.9.1.
OTHERS = {
    "a factor 1 + 1e-4 too large": (PASSES, "caught 44 of 50; passes in float32", CAUGHT, PASSES),
    "a factor 1 + 1e-3 too large": (PASSES, "caught; passes in float32", CAUGHT, PASSES),
    "twice too large, where gradients are 1e-6": (PASSES, PASSES, "passes 29 of 50", PASSES),
    "1.5 times too large, on 100,000 entries": (
        "passes with fast_mode; without not tried",
        "caught; passes in forward mode",
        CAUGHT,
        CAUGHT,
    ),
    "the wrong sign in one entry of 1,000": ("caught; passes with fast_mode", CAUGHT, CAUGHT, "passes 20 of 20"),
    "nonsense for the second argument": (CAUGHT, CAUGHT, PASSES, "caught 49 of 50"),
    "softmax, 1,000 times too large": (*["caught; passes through its sum"] * 3, PASSES),
    "the rule overwrites its incoming gradient": (
        "passes; caught with fast_mode",
        "arrays cannot be changed",
        CAUGHT,
        PASSES,
    ),
    "no fault: relu at exactly 0": (*["false alarm"] * 3, "false alarm 12 of 50"),
}


@cache
def reports():
    """The reports of the example, for each fault."""
    with contextlib.redirect_stdout(io.StringIO()):
        found = runpy.run_path(str(EXAMPLE))["reports"]
    if found.keys() != OTHERS.keys():
        raise ValueError(f"fault_table.py and planted_faults.py differ: {sorted(found.keys() ^ OTHERS.keys())}")
    return found


class FaultTable(Table):
    """A row for each fault, beside the answers of other checkers."""

    head = ("fault", "torch", "jax", "autograd", "minitorch", "here")
    widths, prose = (26, 16, 16, 14, 14, 14), head

    def rows(self):
        """The cells of each fault; its own are counted."""
        for fault, found in reports().items():
            caught = sum(report.verdict == FAIL for report in found)
            said = f"caught {caught} of {len(found)}" if caught else f"no alarm: {found[0].verdict}"
            yield fault, *OTHERS[fault], said


class FaultReport(Directive):
    """The report of the fault whose name is the argument; the first that is a FAIL."""

    required_arguments, final_argument_whitespace = 1, True

    def run(self):
        """The report as a block of text."""
        found = reports()[self.arguments[0]]
        text = broken(str(next((report for report in found if report.verdict == FAIL), found[0])))
        return [nodes.literal_block(text, text, language="none")]


def broken(text):
    """The text with lines that fit on the page."""
    lines = [(line, line[: len(line) - len(line.lstrip())] + "    ") for line in text.splitlines()]
    return "\n".join(fill(line, 72, subsequent_indent=indent, break_on_hyphens=False) for line, indent in lines)


def setup(app):
    """Called by Sphinx."""
    app.add_directive("fault-table", FaultTable)
    app.add_directive("fault-report", FaultReport)
    return {"version": "1", "parallel_read_safe": True}
