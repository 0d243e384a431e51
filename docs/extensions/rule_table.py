"""Directives that print the table of rules: every function, its local derivatives, its domain and its kinks.

`rule-table` has the operations, `function-list` the functions that are made of others or give constants,
`refusal-table` those that are refused, `convention-table` the gradients at kinks. The pages cannot drift from the
code, because they are the code's own tables.
"""

from docutils import nodes
from docutils.parsers.rst import Directive

from tinygrad_edu.table import CONSTANTS, MULTIPLES, OPERATIONS, REFUSED, REWRITES, TIES
from tinygrad_edu.testing import conventions

# What torch 2.13 and jax 0.10 answered in float64; where they are left out, nobody has asked them.
OTHERS = {
    ("abs(x)", "x = 0"): ("0", "1"),
    ("relu(x)", "x = 0"): ("0", "0"),
    ("maximum(x, 0.0)", "x = 0"): ("1/2", "1/2"),
    ("minimum(x, 0.0)", "x = 0"): ("1/2", "1/2"),
    ("maximum(x, y)", "x = y"): ("1/2, 1/2", "1/2, 1/2"),
    ("minimum(x, y)", "x = y"): ("1/2, 1/2", "1/2, 1/2"),
    ("fmax(x, 0.0)", "x = 0"): ("1", "0"),
    ("fmax(x, y)", "x = y"): ("1, 0", "0, 1"),
    ("fmin(x, y)", "x = y"): ("1, 0", "0, 1"),
    ("clip(x, 0.0, 1.0)", "x = 0"): ("1", "1/2"),
    ("clip(x, 0.0, 1.0)", "x = 1"): ("1", "1/2"),
    ("max(x)", "x[0] = x[1]"): ("1/2, 1/2", "1/2, 1/2"),
    ("min(x)", "x[0] = x[1]"): ("1/2, 1/2", "1/2, 1/2"),
    ("std(x)", "x[0] = x[1]"): ("0, 0", "nan, nan"),
    ("vector_norm(x)", "x = 0"): ("0, 0", "nan, nan"),
    ("hypot(x, y)", "x = y = 0"): ("nan, nan", "1/2, 1/2"),
    ("x ** 0", "x = 0"): ("0", "0"),
    ("relu(x) - relu(-x)", "x = 0"): ("0", "0"),
    ("sqrt(x)", "x = 0"): ("inf", "inf"),
    ("log(x)", "x = 0"): ("inf", "inf"),
    ("log1p(x)", "x = -1"): ("inf", "inf"),
    ("reciprocal(x)", "x = 0"): ("-inf", "-inf"),
    ("arcsin(x)", "x = 1"): ("inf", "inf"),
    ("arccos(x)", "x = 1"): ("-inf", "-inf"),
    ("arctanh(x)", "x = 1"): ("inf", "inf"),
    ("arccosh(x)", "x = 1"): ("inf", "inf"),
}
HEAD = ("function", "derivative for each argument", "domain", "kinks", "no derivative at")


def interval(bounds):
    """An interval in the words of the page: `all`, `x > 0`, `-1 < x < 1`; what is said of matrices as it is."""
    if isinstance(bounds, str):
        return bounds
    low, high = bounds
    left = "" if low == -float("inf") else f"{low:g} < "
    right = "" if high == float("inf") else f" < {high:g}"
    return f"{left}x{right}" if left or right else "all"


def row(op):
    """The cells of one operation."""
    one = isinstance(op.domain, str) or isinstance(op.domain[0], float)
    domain = [op.domain] if one else op.domain
    words = {TIES: "equal arguments", MULTIPLES: "multiples"}
    kinks = words[op.kinks] if isinstance(op.kinks, str) else ", ".join(f"{kink:g}" for kink in op.kinks)
    singular = ", ".join(f"{point:g}" for point in op.singular)
    return op.name, "; ".join(op.formulas), ", ".join(map(interval, domain)), kinks, singular


class Table(Directive):
    """A table of `rows()` under a head; `widths` are those of its columns, `prose` the columns that are no code."""

    prose = ()

    def run(self):
        """The table as docutils nodes."""
        group = nodes.tgroup(cols=len(self.head))
        group += [nodes.colspec(colwidth=width) for width in self.widths]
        group += nodes.thead("", self.line(self.head, [nodes.Text] * len(self.head)))
        forms = [nodes.Text if title in self.prose else self.code for title in self.head]
        group += nodes.tbody("", *(self.line(row, forms) for row in self.rows()))
        return [nodes.table("", group)]

    def line(self, cells, forms):
        """One row, each cell in its form."""
        pairs = zip(cells, forms, strict=True)
        return nodes.row("", *(nodes.entry("", nodes.paragraph("", "", form(cell))) for cell, form in pairs))

    def code(self, cell):
        """A cell as code; an empty one stays empty."""
        return nodes.literal("", cell) if cell else nodes.Text("")


class RuleTable(Table):
    """A row for each operation, in the order of the chapters."""

    head, widths = HEAD, (18, 34, 20, 14, 14)

    def rows(self):
        """The cells of each operation."""
        return map(row, OPERATIONS.values())


class RefusalTable(Table):
    """A row for each reason, with the functions that are refused for it."""

    head, widths, prose = ("because", "functions"), (45, 55), ("because", "functions")

    def rows(self):
        """The reasons, in the order of the chapter."""
        for reason in dict.fromkeys(REFUSED.values()):
            functions = [function for function, why in REFUSED.items() if why == reason]
            names = [f"{getattr(f, '__module__', 'numpy')}.{f.__name__}".removeprefix("numpy.") for f in functions]
            yield reason, ", ".join(names)


class ConventionTable(Table):
    """A row for each convention, beside the answers of torch and jax."""

    head = ("expression", "where", "gradient", "torch", "jax", "because")
    widths, prose = (20, 14, 12, 10, 10, 34), ("because",)

    def rows(self):
        """The cells of each convention."""
        for expression, point, gradient, reason in conventions():
            numbers = gradient if isinstance(gradient, tuple) else (gradient,)
            ours = ", ".join("1/2" if g == 0.5 else f"{g:g}" for g in numbers)
            yield expression, point, ours, *OTHERS.get((expression, point), ("", "")), reason


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
    app.add_directive("refusal-table", RefusalTable)
    app.add_directive("convention-table", ConventionTable)
    app.add_directive("function-list", FunctionList)
    return {"version": "1", "parallel_read_safe": True}
