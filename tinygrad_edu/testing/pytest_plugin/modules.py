"""The modules that users name: imported with errors that teach, and the operations that each declares.

An operation belongs to the module in which its rules are written: a rule is a function, and a function knows its
module. So a chapter that gives rules to NumPy's own functions declares them, though the functions live elsewhere.

Source: the Python Reference, 3.2, "Special read-only attributes" of functions, for what a function knows.
"""

from __future__ import annotations

import sys
import traceback
from difflib import get_close_matches
from importlib import import_module
from pathlib import Path
from pkgutil import iter_modules
from types import ModuleType
from typing import Any

from tinygrad_edu.errors import INSIDE
from tinygrad_edu.table import OPERATIONS, Each, Op

MACHINERY = (*INSIDE, str(Path(traceback.__file__).parent / "importlib"), "<")


def load(name: str) -> ModuleType:
    """Import a module by its dotted name.

    Raises
    ------
    ImportError
        If there is no such module, with a name that is close; or if it fails while it is imported, with its line.
    """
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
    frames = [frame for frame in traceback.extract_tb(error.__traceback__) if mine(frame.filename)]
    where = f" at {Path(frames[-1].filename).name}:{frames[-1].lineno}" if frames else ""
    return f"importing {name} failed{where}: {type(error).__name__}: {error}"


def mine(file: str) -> bool:
    """Whether a line of a traceback is in the user's own file."""
    return not file.startswith(MACHINERY)


def home(op: Op) -> str:
    """The module in which an operation's rules are written."""
    rule = op.pullbacks.rule if isinstance(op.pullbacks, Each) else op.pullbacks[0]
    return rule.__globals__["__name__"]  # type: ignore[no-any-return]


def operations(module: ModuleType) -> dict[str, Op]:
    """The operations that a module declares, by name, in the order of the table.

    They are those whose rules or functions are written in it or in a module below it, and those of its own package
    that it offers: a package that imports `swish` from one of its modules declares it.
    """
    offered = {id(thing) for thing in vars(module).values()}
    named: dict[str, Op] = {}
    for function, op in OPERATIONS.items():
        rules = home(op)
        own = getattr(function, "__module__", None) or ""
        below = any(f"{place}.".startswith(f"{module.__name__}.") for place in (rules, own))
        if below or (id(function) in offered and top(rules) == top(module.__name__)):
            same = sum(other.name == op.name for other in named.values())
            named[f"{op.name}-{same + 1}" if same else op.name] = op
    return named


def top(name: str) -> str:
    """The package that a module is in."""
    return name.partition(".")[0]


def order(op: Op) -> int:
    """Up to which derivative an operation declares to be right: `order` of its function, or 2."""
    found: Any = getattr(op.function, "order", 2)
    return found if isinstance(found, int) else 2
