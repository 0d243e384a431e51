"""A function with another library in place of NumPy.

Python looks names up when a function runs. So a copy that has the same code and other globals, where `np` means
something else, is the same function for another library; what it calls is copied with it, closures too.

Source: the Python language reference, section 3.2, for what a function object holds.
"""

from __future__ import annotations

import sysconfig
from types import CellType, FunctionType, ModuleType

import numpy as np

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

INSTALLED = tuple(sysconfig.get_paths()[key] for key in ("stdlib", "platstdlib", "purelib", "platlib"))


def translated(thing: Any, library: ModuleType) -> Any:
    """A function, or a function of NumPy's, for the NumPy of another library.

    Parameters
    ----------
    thing
        A Python function that uses `np`, or NumPy's own, such as `np.tanh`.
    library
        What stands in for NumPy: a module with the same names.

    Returns
    -------
    callable
        A copy; the function itself is not changed.

    Raises
    ------
    AttributeError
        If the library has no function of NumPy's of that name.
    """
    return Translation(library)(thing)


class Translation:
    """One translation; what was copied is copied once, so functions may call each other."""

    def __init__(self, library: ModuleType) -> None:
        self.offered = library
        self.known: dict[int, tuple[Any, Any]] = {}

    def __call__(self, thing: Any) -> Any:
        """The same for the other library: NumPy and its parts, functions of the user's; anything else as it is."""
        if isinstance(thing, ModuleType):
            return self.part(thing)
        name = getattr(thing, "__name__", "")
        if name and getattr(np, name, None) is thing:
            return getattr(self.offered, name)
        users = isinstance(thing, FunctionType) and not thing.__code__.co_filename.startswith(INSTALLED)
        return self.function(thing) if users and not thing.__module__.startswith("tinygrad_edu.") else thing

    def part(self, module: ModuleType) -> Any:
        """The part of the other library, such as `linalg`, that stands for a part of NumPy."""
        if module is np:
            return self.offered
        inside, _, name = module.__name__.partition(".")
        return getattr(self.offered, name, module) if inside == "numpy" else module

    def function(self, f: FunctionType) -> Any:
        """A copy of a function with translated globals, defaults and closure."""
        if id(f) in self.known:
            return self.known[id(f)][1]
        names: dict[str, Any] = dict(f.__globals__)
        cells = tuple(CellType() for _ in f.__closure__ or ())
        copy = FunctionType(f.__code__, names, f.__name__, f.__defaults__, cells or None)
        copy.__kwdefaults__ = f.__kwdefaults__
        self.known[id(f)] = f, copy  # f is kept, so that its id stays its own
        for name in all_names(f):
            if name in names:
                names[name] = self(names[name])
        for cell, old in zip(cells, f.__closure__ or (), strict=True):
            cell.cell_contents = self(old.cell_contents)
        return copy


def all_names(f: FunctionType) -> set[str]:
    """The names of globals that a function uses, also in the functions inside it."""
    found, waiting = set[str](), [f.__code__]
    for code in waiting:
        found |= set(code.co_names)
        waiting += [const for const in code.co_consts if isinstance(const, type(code))]
    return found
