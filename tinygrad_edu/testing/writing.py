"""Writing tests: a module's operations, layers and functions, each with the line that tests its gradient.

An operation of the table needs `check_op` and nothing more; a layer needs sizes, a function needs shapes and a
domain, which are found by trying. What no test can be written for is listed with the reason.

Source: Pacheco and Ernst, "Randoop" (2007), for tests that are written by trying the code.
"""

from __future__ import annotations

import inspect
import re
import sys
import textwrap
from itertools import product

import numpy as np

from tinygrad_edu.nn import Module
from tinygrad_edu.testing.drawing import calls
from tinygrad_edu.testing.modules import operations, order, top
from tinygrad_edu.testing.trials import Unwritable, inspected, other, quiet, tried
from tinygrad_edu.tree import leaves

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from types import ModuleType
    from typing import Any

    from tinygrad_edu.table import Op

WIDTH = 88
SIZES, INPUTS = ((3, 2, 2), (3, 3, 3), (2, 3, 3)), ((4, 3), (3,), (4, 2), (2, 4, 3), (2, 3, 6, 6))
TAKEN = {"np", "check_gradients", "check_module", "check_op", "gradient_test", "tensors"}
HOMES = {"np": "numpy", "np.linalg": "numpy.linalg", "np.fft": "numpy.fft", "scipy.special": "scipy.special"}
HEAD = '''\
"""Gradient tests of {name}, written by `python -m tinygrad_edu.testing write`.

Domains and shapes were found by trying: widen those that are narrower than yours.
"""
'''


def written(module: ModuleType) -> tuple[str, int]:
    """The text of a test file for a module, and how many tests it has.

    Parameters
    ----------
    module
        Imported already. Its functions with numeric parameters are called, to find out shapes and domains.

    Raises
    ------
    Unwritable
        If there is nothing to test, with the reasons.
    """
    tests: list[str] = []
    refused: list[str] = []
    names = set[str]()
    for name, thing in things(module):
        try:
            tests.append(thing(fresh(name, names)))
        except Unwritable as reason:
            refused += comment(f"{name}: {' '.join(str(reason).split())}")
    listed = "# No test is written for\n" + "\n".join(refused) + "\n" if refused else ""
    if not tests:
        nothing = "has nothing to test: it needs an operation, a layer or a public function of arrays"
        raise Unwritable(f"{module.__name__} {nothing}\n{listed}".rstrip())
    body = "".join(tests) + f"\n\n{listed}" * bool(refused)
    return HEAD.format(name=module.__name__) + "\n" + imports(module, body) + body, len(tests)


def things(module: ModuleType) -> Iterator[tuple[str, Callable[[str], str]]]:
    """The name of everything that can be tested, and what writes its test under a name."""
    prefix = short(module)
    for name, op in operations(module).items():
        yield name, lambda test, op=op: of_operation(module, test, op)  # type: ignore[misc]
    declared = {id(op.function) for op in operations(module).values()}
    offered = getattr(module, "__all__", None) or [name for name in vars(module) if not name.startswith("_")]
    for name in offered:
        thing = getattr(module, name, None)
        if id(thing) in declared or getattr(thing, "__module__", "") != module.__name__:
            continue
        if inspect.isclass(thing) and issubclass(thing, Module):
            yield name, lambda test, f=thing, path=f"{prefix}.{name}": of_layer(test, path, f)  # type: ignore[misc]
        elif inspect.isfunction(thing):
            yield name, lambda test, f=thing, path=f"{prefix}.{name}": of_function(test, path, f)  # type: ignore[misc]


def short(module: ModuleType) -> str:
    """What the tests call the module."""
    last = module.__name__.rpartition(".")[2]
    return f"{last}_" if last in TAKEN else last


def fresh(name: str, names: set[str]) -> str:
    """The name of a test that no other has: `test_gated_unit` for `GatedUnit`."""
    plain = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", re.sub(r"\W", "_", name.strip("_"))).lower()
    found = next(text for k in range(1, 10_000) if (text := f"test_{plain}{f'_{k}' * (k > 1)}") not in names)
    names.add(found)
    return found


def comment(text: str) -> list[str]:
    """A text as lines of a comment."""
    if len(text) > 5 * WIDTH:
        text = text[: 5 * WIDTH] + " ..."
    return textwrap.wrap(text, WIDTH, initial_indent="# * ", subsequent_indent="#   ")


def imports(module: ModuleType, body: str) -> str:
    """The import lines that the tests need."""
    code = "\n".join(line for line in body.splitlines() if not line.startswith("#"))
    used = [name for name in sorted(TAKEN - {"np", "tensors"}) if re.search(rf"\b{name}\(", code)]
    lines = ["import numpy as np"] * ("np." in code) + ["import scipy.special"] * ("scipy.special." in code)
    parent, _, last = module.__name__.rpartition(".")
    renamed = f" as {short(module)}" * (short(module) != last)
    own = f"from {parent} import {last}{renamed}" if parent else f"import {last}{renamed}"
    own = own if re.search(rf"\b{short(module)}\.", code) else ""
    apart = top(module.__name__) != "tinygrad_edu"
    lines += [own] * (own != "" and not apart)
    lines += [f"from tinygrad_edu.testing import {', '.join(used)}"] * bool(used)
    lines += ["from tinygrad_edu.testing.strategies import tensors"] * ("tensors(" in code)
    lines += ["", own] * (own != "" and apart)
    return "".join(f"{line}\n" for line in lines)


def of_operation(module: ModuleType, test: str, op: Op) -> str:
    """The test of an operation of the table."""
    if not calls(op):
        raise Unwritable("it takes any number of arguments and shows none: cases=[case((2,), (2,))]")
    options = ", order=1" * (order(op) == 1)
    return f"\n\ndef {test}():\n    check_op({path_of(module, op.function)}{options})\n"


def path_of(module: ModuleType, function: Any) -> str:
    """How the tests name an operation's function: in the module, or where NumPy or SciPy has it."""
    for name, thing in vars(module).items():
        if thing is function:
            return f"{short(module)}.{name}"
    for prefix, home in HOMES.items():
        name = function.__name__
        if getattr(sys.modules.get(home), name, None) is function:
            return f"{prefix}.{name}"
    raise Unwritable(f"{module.__name__} has no name for it")


def of_function(test: str, path: str, f: Any) -> str:
    """The test of a function: at drawn arguments if it works everywhere, else at random ones."""
    trial = tried(f)
    shapes: Any = trial.shapes or ((),) * len(trial.names)
    if trial.everywhere:
        rows = [
            f'"{name}": tensors({f"shape={shape}, " if trial.shapes else ""}domain={domain})'
            for name, shape, domain in zip(trial.names, shapes, trial.domains, strict=True)
        ]
        return f"\n\n{call(f'{test} = gradient_test', path, f'args={{{chr(10)}', rows)}"
    rows = [f"rng.uniform({low}, {high}, {shape})" for shape, (low, high) in zip(shapes, trial.domains, strict=True)]
    body = ",\n        ".join([path, *rows])
    return f"\n\ndef {test}():\n    rng = np.random.default_rng(0)\n    check_gradients(\n        {body},\n    )\n"


def call(start: str, path: str, opening: str, rows: list[str]) -> str:
    """A call of `gradient_test`, on one line if it fits."""
    line = f"{start}({path}, args={{{', '.join(rows)}}})\n"
    if len(line) <= WIDTH:
        return line
    inner = "".join(f"        {row},\n" for row in rows)
    return f"{start}(\n    {path},\n    {opening}{inner}    }},\n)\n"


def of_layer(test: str, path: str, cls: type[Module]) -> str:
    """The test of a layer, with the first sizes and inputs with which it works."""
    needed, count, first = sizes(cls), inputs(cls), ""
    for numbers, shape in product(SIZES, INPUTS):
        given = [str(numbers[min(i, 2)]) if whole else "0.5" for i, whole in enumerate(needed)]
        complaint = stumbles(lambda given=given: cls(*map(float_or_int, given)), (shape,) * count)  # type: ignore[misc]
        if not complaint:
            drawn = "".join(f"        rng.normal(size={shape}),\n" for _ in range(count))
            made = f"lambda: {path}({', '.join(given)}),\n{drawn}"
            return f"\n\ndef {test}():\n    rng = np.random.default_rng(0)\n    check_module(\n        {made}    )\n"
        first = first or complaint
    raise Unwritable(f"no sizes and inputs of those tried work; {first}")


def float_or_int(text: str) -> float:
    """The number that a text says."""
    return float(text) if "." in text else int(text)


def sizes(cls: type[Module]) -> list[bool]:
    """For each parameter of a layer without a default, whether it is a whole number."""
    parameters = inspect.signature(cls).parameters.values()
    needed = [p for p in parameters if p.default is p.empty and p.kind is not p.VAR_KEYWORD]
    whole: list[bool] = []
    for p in needed:
        if p.kind in (p.VAR_POSITIONAL, p.KEYWORD_ONLY):
            raise Unwritable(f"it takes {p}, for which there is no default")
        if (reason := other(p.name, p.annotation)) and p.annotation not in (int, "int"):
            raise Unwritable(reason.replace("floating point", "a number"))
        whole.append(p.annotation not in (float, "float"))
    return whole


def inputs(cls: type[Module]) -> int:
    """How many inputs a layer takes."""
    parameters = list(inspect.signature(cls.forward).parameters.values())[1:]
    if any(p.kind is p.KEYWORD_ONLY and p.default is p.empty for p in parameters):
        raise Unwritable("its forward takes options without a default")
    return sum(p.default is p.empty and p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD) for p in parameters)


def stumbles(make: Callable[[], Module], shapes: tuple[tuple[int, ...], ...]) -> str:
    """Why a layer does not work with inputs of these shapes; empty if it does."""
    rng = np.random.default_rng(0)
    try:
        with quiet():
            layer = make().eval()
            arrays = [rng.normal(size=shape) for shape in shapes]
            inspected(lambda x: sum((np.sum(out) for out in leaves(layer(*arrays))), start=x * 0.0), [np.zeros(())])
    except Unwritable:
        raise
    except (Exception, SystemExit) as error:
        return f"with {shapes}: {type(error).__name__}: {error}"
    return ""
