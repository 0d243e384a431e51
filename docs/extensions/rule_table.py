"""Directives that print the table of rules: every function, its local derivatives, its domain and its kinks.

`rule-table` has the operations, `function-list` the functions that are made of others or give constants.
The page cannot drift from the code, because it is the code's own table.
"""

from docutils import nodes
from docutils.parsers.rst import Directive

from tinygrad_edu.op import CONSTANTS, OPERATIONS, REWRITES, TIES

HEAD = ("function", "derivative for each argument", "domain", "kinks", "no derivative at")


def interval(bounds):
    """An interval in the words of the page: `all`, `x > 0`, `-1 < x < 1`."""
    low, high = bounds
    left = "" if low == -float("inf") else f"{low:g} < "
    right = "" if high == float("inf") else f" < {high:g}"
    return f"{left}x{right}" if left or right else "all"


def row(op):
    """The cells of one operation."""
    domain = op.domain if isinstance(op.domain[0], tuple) else [op.domain]
    kinks = "equal arguments" if op.kinks == TIES else ", ".join(f"{kink:g}" for kink in op.kinks)
    singular = ", ".join(f"{point:g}" for point in op.singular)
    return op.name, "; ".join(op.formulas), ", ".join(map(interval, domain)), kinks, singular


class RuleTable(Directive):
    """A table with a row for each operation, in the order of the chapters."""

    def run(self):
        """The table as docutils nodes."""
        group = nodes.tgroup(cols=len(HEAD))
        group += [nodes.colspec(colwidth=width) for width in (18, 34, 20, 14, 14)]
        group += nodes.thead("", self.line(HEAD, nodes.Text))
        group += nodes.tbody("", *(self.line(row(op), self.code) for op in OPERATIONS.values()))
        return [nodes.table("", group)]

    def line(self, cells, form):
        """One row, its cells in a form."""
        return nodes.row("", *(nodes.entry("", nodes.paragraph("", "", form(cell))) for cell in cells))

    def code(self, cell):
        """A cell as code; an empty one stays empty."""
        return nodes.literal("", cell) if cell else nodes.Text("")


class FunctionList(Directive):
    """The names in one part of the table, in a paragraph."""

    required_arguments = 1

    def run(self):
        """The names as docutils nodes."""
        functions = {"rewrites": REWRITES, "constants": CONSTANTS}[self.arguments[0]]
        names = sorted(function.__name__ for function in functions)
        parts = [part for name in names for part in (nodes.Text(", "), nodes.literal("", name))]
        return [nodes.paragraph("", "", *parts[1:])]


def setup(app):
    """Called by Sphinx."""
    app.add_directive("rule-table", RuleTable)
    app.add_directive("function-list", FunctionList)
    return {"version": "1", "parallel_read_safe": True}
