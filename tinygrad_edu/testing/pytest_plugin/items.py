"""Operations as pytest's tests: a module is a collector, and every operation that it declares is an item.

An item runs `check_op`, so a new operation is tested before anybody writes a test. A failure prints the report and
nothing else: no frame of a traceback says more about a wrong rule.

An operation belongs to the module in which its rules are written: a rule is a function, and a function knows its
module. So a chapter that gives rules to NumPy's own functions declares them, though the functions live elsewhere.

Sources: pytest's documentation, "Working with non-python tests"; White et al., "ChainRulesTestUtils" (2021); the
Python Reference, 3.2, "Special read-only attributes" of functions, for what a function knows.
"""

from __future__ import annotations

import os
import sys
import traceback
from collections.abc import Iterator, Sequence
from difflib import get_close_matches
from importlib import import_module
from pathlib import Path
from pkgutil import iter_modules
from types import ModuleType
from typing import Any

import pytest

from tinygrad_edu.errors import INSIDE
from tinygrad_edu.table import OPERATIONS, Op
from tinygrad_edu.testing.after_all import home
from tinygrad_edu.testing.mutation import KILLED, SURVIVED, outcomes
from tinygrad_edu.testing.operation import check_op
from tinygrad_edu.testing.pytest_plugin.summary import doubt, record, row
from tinygrad_edu.testing.report import FAIL, GradientError

MACHINERY = (*INSIDE, str(Path(traceback.__file__).parent / "importlib"), "<")
NOTHING = (
    "grad_modules: {} declares no operation: te.custom and te.differentiable make one. "
    "Functions made of differentiable ones are tested with gradient_test(f)"
)
SHOWN = 5  # planted faults that were not noticed, by name


def collected(session: pytest.Session, modules: Sequence[str], requested: Sequence[str]) -> list[pytest.Item]:
    """The items of every module, or those requested by name; UsageError if what was requested is not there."""
    items: list[Any] = []
    for name in modules:
        items += session.genitems(Operations.from_parent(session, name=name, nodeid=f"grad::{name}"))
    once = list({getattr(item, "op", item): item for item in reversed(items)}.values())[::-1]
    for name in requested:
        if not any(item.belongs(name) for item in once):
            raise pytest.UsageError(f"not found: {name}; there are {', '.join(item.nodeid for item in once)}")
    chosen = [item for item in once if not requested or any(map(item.belongs, requested))]
    for item in chosen:
        item.add_marker("gradients")
    return chosen


def within(nodeid: str, requested: str) -> bool:
    """Whether an item is what an argument names, or below it."""
    return f"{nodeid}::".startswith(f"{requested.removesuffix('::')}::")


class Operations(pytest.Collector):
    """A module and the operations that it declares."""

    def collect(self) -> Iterator[pytest.Item]:
        """An item for every operation; if there is none, one that fails and says what is wrong with the module."""
        try:
            found = operations(load(self.name))
        except ImportError as error:
            yield Broken.from_parent(self, name="import", text=f"grad_modules: {error}")
            return
        if not found:
            yield Broken.from_parent(self, name="import", text=NOTHING.format(self.name))
        for name, op in found.items():
            yield Operation.from_parent(self, name=name, op=op)


class Broken(pytest.Item):
    """A module whose operations cannot be checked: a failed test, so that all others run."""

    def __init__(self, *, text: str, **given: Any) -> None:
        super().__init__(**given)
        self.text = text

    def belongs(self, requested: str) -> bool:
        """Whether an argument names the module, or anything in it."""
        module = self.nodeid.rpartition("::")[0]
        return within(module, requested) or within(requested, module)

    def runtest(self) -> None:
        """Fail."""
        raise ImportError(self.text)

    def repr_failure(self, excinfo: pytest.ExceptionInfo[BaseException], style: Any = None) -> str:
        """What is wrong with the module, and nothing else."""
        return self.text

    def reportinfo(self) -> tuple[Path, int | None, str]:
        """What the test is called."""
        return self.path, None, self.nodeid


class Operation(pytest.Item):
    """The check of one operation."""

    def __init__(self, *, op: Op, **given: Any) -> None:
        super().__init__(**given)
        self.op = op

    def belongs(self, requested: str) -> bool:
        """Whether an argument names the operation, or its module."""
        return within(self.nodeid, requested)

    def runtest(self) -> None:
        """Check the operation, and with `--grad-mutate` the check."""
        report = check_op(self.op, order=order(self.op), raises=False)
        place = self.nodeid.split("::")[1]
        found = row(place, report)
        text = str(report)
        if report.findings and not report.count(FAIL) and self.config.getoption("grad_mutate"):
            became = outcomes(self.op)
            alive = [label for label, what in became.items() if what == SURVIVED]
            found["killed"] = list(became.values()).count(KILLED)
            found["mutants"] = found["killed"] + len(alive)
            text = unnoticed(self.name, found, alive)
        record(self, found)
        if report.count(FAIL) or found["killed"] < found["mutants"]:
            raise GradientError(text)
        if not report.findings or doubt(found):
            raise GradientError(f"{text}\n{doubt(found) or 'no call could be drawn: what do domain and cases say?'}")

    def repr_failure(self, excinfo: pytest.ExceptionInfo[BaseException], style: Any = None) -> Any:
        """The report, and nothing else; of any other error, the lines of the user's own files."""
        if isinstance(excinfo.value, GradientError):
            return str(excinfo.value)
        return excinfo.getrepr(style="short", tbfilter=outside)

    def reportinfo(self) -> tuple[Path, int | None, str]:
        """Where the operation's function is written."""
        code = getattr(getattr(self.op.compute, "__wrapped__", self.op.compute), "__code__", None)
        path = Path(code.co_filename) if code else self.path
        return path, code.co_firstlineno - 1 if code else None, f"{self.nodeid.split('::')[1]}.{self.name}"


def outside(excinfo: pytest.ExceptionInfo[BaseException]) -> Any:
    """The traceback without the frames of this package and of pytest; whole if nothing is left."""
    site = Path(pytest.__file__).parents[1]
    machinery = (*INSIDE, *(f"{site / name}{os.sep}" for name in ("pytest", "_pytest", "pluggy")), "<")
    return excinfo.traceback.filter(lambda frame: not str(frame.path).startswith(machinery)) or excinfo.traceback


def unnoticed(name: str, found: dict[str, Any], alive: Sequence[str]) -> str:
    """What a surviving mutant means."""
    more = [f"  ... and {len(alive) - SHOWN} more"] if len(alive) > SHOWN else []
    first = f"{name}: {len(alive)} of {found['mutants']} planted faults are not noticed"
    advice = (
        "a rule that is wrong in this way passes its check: the entry's domain, cases or kinks leave out the "
        "arguments at which it would differ"
    )
    return "\n".join([first, *(f"  {label}" for label in alive[:SHOWN]), *more, advice])


# -- the modules that users name, and what each declares ------------------------------------------------------


def load(name: str) -> ModuleType:
    """Import a module by its dotted name; ImportError says a name that is close, or the line at which it fails."""
    try:
        return import_module(name)
    except ModuleNotFoundError as error:
        if error.name is None or not f"{name}.".startswith(f"{error.name}."):
            raise ImportError(broken(name, error)) from None
        raise ImportError(unknown(name, error.name)) from None
    except (Exception, SystemExit) as error:
        raise ImportError(broken(name, error)) from None


def unknown(name: str, missing: str) -> str:
    """What to say of a module that is not there: `missing` is the part of its name that was not found."""
    parent = missing.rpartition(".")[0]
    folders = getattr(sys.modules.get(parent), "__path__", None) if parent else None
    known = [found.name for found in iter_modules(folders)] if folders or not parent else []
    close = get_close_matches(missing.rpartition(".")[2], known, 1)
    guess = f"did you mean {parent + '.' if parent else ''}{close[0]}? " if close else ""
    return (
        f"no module named {missing!r}{'' if missing == name else f' (for {name})'}: {guess}A module is found if "
        'its folder is where Python looks: with pytest, set pythonpath = ["."] or install the package'
    )


def broken(name: str, error: BaseException) -> str:
    """What to say of a module that fails while it is imported: the innermost line of the user's own."""
    every = traceback.extract_tb(error.__traceback__)
    frames = [frame for frame in every if not frame.filename.startswith(MACHINERY)]
    where = f" at {Path(frames[-1].filename).name}:{frames[-1].lineno}" if frames else ""
    return f"importing {name} failed{where}: {type(error).__name__}: {error}"


def operations(module: ModuleType) -> dict[str, Op]:
    """The operations that a module declares, by name, in the order of the table.

    They are those whose rules or functions are written in it or in a module below it, and those of its own package
    that it offers: a package that imports `swish` from one of its modules declares it.
    """
    offered = {id(thing) for thing in vars(module).values()}
    package = module.__name__.partition(".")[0]
    named: dict[str, Op] = {}
    for function, op in OPERATIONS.items():
        rules = home(op)
        own = getattr(function, "__module__", None) or ""
        below = any(f"{place}.".startswith(f"{module.__name__}.") for place in (rules, own))
        if below or (id(function) in offered and rules.partition(".")[0] == package):
            same = sum(other.name == op.name for other in named.values())
            named[f"{op.name}-{same + 1}" if same else op.name] = op
    return named


def order(op: Op) -> int:
    """Up to which derivative an operation declares to be right: `order` of its function, or 2."""
    found: Any = getattr(op.function, "order", 2)
    return found if isinstance(found, int) else 2
