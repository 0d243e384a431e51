"""The few named errors and warnings, and the words that explain a mistake.

A message says what happened, where in the user's own file, why, and what to write instead. Whoever refuses writes
`raise refusal(TypeError, "what is wrong: what to write instead")`, and the user's line is added here. Nothing here
computes: it is given names, shapes and NumPy's complaint, and returns an exception to be raised.
"""

from __future__ import annotations

import contextlib
import functools
import sys
import warnings
from collections.abc import Iterable, Sequence
from os.path import basename, dirname, join
from types import FrameType
from typing import Any, TypeVar

import numpy as np

from tinygrad_edu.graph import Node, same_bits

Refusal = TypeVar("Refusal", bound=Exception)
Shape = tuple[int, ...]
LETTERS = "xyzuvw"

PACKAGES = dirname(dirname(np.__file__))
INSIDE = (
    join(dirname(__file__), ""),
    *(join(PACKAGES, library, "") for library in ("numpy", "scipy", "matplotlib", "pandas")),
    contextlib.__file__,
    functools.__file__,
)
"""Files that are not the user's: this package, libraries that stand between the user and it, `with` and
`cached_property` themselves.

Folders end with a separator, so that `numpy_exercises` is the user's."""
ENGINE = tuple(join(dirname(__file__), name) for name in ("errors.py", "table.py", "value.py"))
"""The files through which every operation goes, whoever asks for it."""

SYMBOLS = {
    "add": "+", "subtract": "-", "multiply": "*", "divide": "/", "power": "**", "matmul": "@",
    "eq": "==", "ne": "!=", "lt": "<", "le": "<=", "gt": ">", "ge": ">=",
}  # fmt: skip

NOT_INTO = (
    "would write a Value into an existing array and cut the graph: use the result, a = a + v instead of a += v, "
    "te.at(a, i).add(v) instead of a[i] += v"
)


class StaleGraphWarning(UserWarning):
    """A result went backward a second time although the variables it was computed from have changed."""


class BroadcastWarning(UserWarning):
    """Two operands of different rank were both stretched to the same length: mostly a missing or extra axis."""


class PromotionWarning(UserWarning):
    """A constant of float64 made float64 of a float32 variable: slower, and almost always by accident."""


def user_frame() -> tuple[FrameType, int]:
    """The innermost frame outside this package and NumPy, and its distance from the caller."""
    frame = sys._getframe(1)
    depth = 1
    while frame.f_back is not None and frame.f_code.co_filename.startswith(INSIDE):
        frame = frame.f_back
        depth = depth + 1
    return frame, depth


def user_line() -> str:
    """Where the user's own code stands now, as `train.py:7`."""
    frame, _ = user_frame()
    return f"{repr(basename(frame.f_code.co_filename))[1:-1]}:{frame.f_lineno}"


def refusal(kind: type[Refusal], text: str) -> Refusal:
    """The exception to raise for a mistake: the text, followed by the user's line, such as `(train.py:7)`."""
    error = kind(f"{text} ({user_line()})")
    vars(error)["without_line"] = text
    return error


def words(error: Exception) -> str:
    """The text of an exception, without the user's line if it is a refusal: to be told again with more words."""
    return str(getattr(error, "without_line", error))


def printable(name: object) -> str:
    """A text or a name without control characters, for screens: a file or an attribute may be called anything."""
    return "".join(c if c.isprintable() else ascii(c)[1:-1] for c in str(name))


def label(operand: Any, letter: str) -> str:
    """What to call an operand: its own name, or a letter."""
    return repr(str(operand.name))[1:-1] if isinstance(operand, Node) and operand.name else letter


def name_of(operand: Any, letter: str) -> str:
    """What to call an operand: its name, that of the user's variable that holds it, or a letter and its shape."""
    if isinstance(operand, Node):
        return label(operand, letter)
    frame, _ = user_frame()
    held = [name for scope in (frame.f_locals, frame.f_globals) for name, thing in scope.items() if thing is operand]
    return printable(held[0]) if held else f"{letter} of shape {shape_of(operand)}"


def shape_of(operand: Any) -> Shape:
    """The shape of a Value, an array or a number."""
    return tuple(np.shape(operand.array if isinstance(operand, Node) else operand))


def check_stretch(name: str, args: tuple[Any, Any], x: Shape, y: Shape) -> None:
    """Warn, once per line of the user, where one list of numbers lies across another, as in `(n, 1) - (n,)`."""
    if len(x) != len(y) and lies_across(x, y):
        names = label(args[0], "x"), label(args[1], "y")
        warn(stretch_text(x, y, names, SYMBOLS.get(name, name)), BroadcastWarning)


def lies_across(x: Shape, y: Shape) -> bool:
    """Whether broadcasting stretches both shapes to the same length, each along an axis that only the other has."""
    rank = max(len(x), len(y))
    pairs = list(zip((1,) * (rank - len(x)) + x, (1,) * (rank - len(y)) + y, strict=True))
    only_x = {a for a, b in pairs if a > b == 1}
    only_y = {b for a, b in pairs if b > a == 1}
    fits = all(a == b or 1 in (a, b) for a, b in pairs)  # where shapes do not fit, NumPy says so
    return fits and not only_x.isdisjoint(only_y)


def check_promotion(name: str, args: Sequence[Any], arrays: Sequence[Any], out: Any) -> None:
    """Warn, once per line of the user, where a constant makes the result more precise than every variable."""
    variables = [a.dtype for arg, a in zip(args, arrays, strict=True) if isinstance(arg, Node)]
    if not variables or out.dtype in variables or not asked_by_user():
        return
    for arg, array, letter in zip(args, arrays, LETTERS, strict=False):
        dtype = getattr(array, "dtype", None)
        real = isinstance(dtype, np.dtype) and not isinstance(arg, Node)
        if real and np.result_type(dtype, *variables) not in variables:
            what = name_of(arg, letter) if np.ndim(array) else f"the NumPy number {array:.6g}"
            use = f"np.{variables[0]}(...)" if not np.ndim(array) else f".astype(np.{variables[0]})"
            write = (
                "a Python number, such as 8 ** 0.5 for np.sqrt(8), keeps it; else" if not np.ndim(array) else "write"
            )
            text = f"{name}: {what} is {dtype} and makes {out.dtype} of {variables[0]}: {write} {use}"
            warn(text, PromotionWarning)
            return


def asked_by_user() -> bool:
    """Whether the user's program wrote the operation that is computed now, not a rule or a check of this package."""
    frame: FrameType | None = sys._getframe(1)
    while frame is not None and frame.f_code.co_filename.startswith((*ENGINE, *INSIDE[1:])):
        frame = frame.f_back
    return frame is None or not frame.f_code.co_filename.startswith(INSIDE[0])


def warn(text: str, kind: type[Warning]) -> None:
    """A warning on the user's line, which Python shows once for each line."""
    warnings.warn(f"{text} ({user_line()})", kind, stacklevel=user_frame()[1])


def stretch_text(x: Shape, y: Shape, names: tuple[str, str], symbol: str) -> str:
    """What broadcasting two shapes would do, and what to write instead."""
    out = np.broadcast_shapes(x, y)
    size = int(np.prod(out))
    meant = max(int(np.prod(x)), int(np.prod(y)))
    things = "differences" if symbol == "-" else "values"
    flat, tall = names if len(x) < len(y) else names[::-1]
    use = f"Use {flat}[:, None] or {tall}[:, 0]" if {len(x), len(y)} == {1, 2} else "Reshape one of them"
    facts = f"{names[0]} {symbol} {names[1]}: {names[0]} is {x}, {names[1]} is {y}"
    return f"{facts}; this would broadcast to {out}: {size} {things} instead of {meant}. {use}"


def written(name: str, operands: Sequence[str]) -> str:
    """A call as one writes it: `x @ W`, `where(x, y)`."""
    symbol = SYMBOLS.get(name) if len(operands) == 2 else None
    return f"{operands[0]} {symbol} {operands[1]}" if symbol else f"{name}({', '.join(operands)})"


def explained(name: str, args: Sequence[Any], error: Exception) -> Exception:
    """NumPy's complaint about an operation, of the same kind, with operands, shapes and the reason."""
    names = [label(arg, letter) for arg, letter in zip(args, LETTERS, strict=False)]
    shapes = [shape_of(arg) for arg in args[: len(names)]]
    facts = ", ".join(f"{n} is {s}" for n, s in zip(names, shapes, strict=True))
    told = f"{written(name, names)}: {facts};" if names else f"{name}:"
    return refusal(kind_of(error), f"{told} {reason(name, shapes, error)}")


def kind_of(error: Exception) -> type[Exception]:
    """The class of an exception, or the nearest of its bases that is made of a text alone."""
    kinds = (np.exceptions.AxisError, np.linalg.LinAlgError, IndexError, ValueError, AttributeError)
    return next((kind for kind in kinds if isinstance(error, kind)), TypeError)


def retold(function: Any, args: Any, options: Any, error: Exception) -> Exception:
    """What NumPy says of the same arguments as plain arrays; if nothing, that they have no derivative here."""
    if hasattr(error, "without_line") and not isinstance(error, AttributeError):  # it is told already
        return error
    try:
        with np.errstate(all="ignore"):
            function(*args, **options)
    except Exception as numpys:
        return explained(function.__name__, (), numpys)
    return refusal(kind_of(error), f"{function.__name__}: these arguments have no derivative here: {words(error)}")


def reason(name: str, shapes: Sequence[Shape], error: Exception) -> str:
    """Why two shapes do not fit, or NumPy's own words where there are no better ones."""
    if name == "matmul" and len(shapes) == 2:
        if () in shapes:
            return "a single number has no inner axis, use * instead of @."
        inner = shapes[0][-1], shapes[1][-2 if len(shapes[1]) > 1 else 0]
        if inner[0] != inner[1]:
            return f"inner sizes {inner[0]} and {inner[1]} differ."
    if name in SYMBOLS and len(shapes) == 2:
        for axis, (a, b) in enumerate(zip(*(s[::-1] for s in shapes), strict=False), 1):
            if a != b and 1 not in (a, b):
                return f"sizes {a} and {b} on axis -{axis} differ, and neither is 1."
    return str(error).rstrip(".") + "."


def elsewhere(name: str, x: Any, error: Exception) -> Exception:
    """A rule's own error; for an array that is not NumPy's, what its library cannot do and what to do instead."""
    if isinstance(x, np.ndarray | np.generic | float):
        return error
    library = type(x).__module__.partition(".")[0]
    advice = f"{words(error).rstrip('.')}; convert the data first, or use another function"
    return refusal(TypeError, f"the gradient of {name} cannot be computed on {library} arrays: {advice}")


def unknown(function: Any, reason: str | None = None, part: str = "") -> TypeError:
    """Why a function, or a part of it such as `.accumulate`, has no derivative, and what to do about it."""
    module = getattr(function, "__module__", None)  # other libraries' ufuncs do not say
    name = f"{module.replace('numpy', 'np', 1)}.{function.__name__}" if module else function.__name__
    use = "pass value.data to use it as a constant"  # named only where nothing keeps the gradient
    if reason is None:
        reason = f"register one with differentiable(), or {use}"
    elif ";" not in reason:
        reason = f"{reason}; {use}"
    return refusal(TypeError, f"{name}{part} has no derivative here: {reason}")


def not_scalar(name: str | None, shape: Shape) -> ValueError:
    """Why backward needs a single number, and what to do with an array."""
    use = "call .mean() or .sum() first, or backward(gradient=...) for a vector-Jacobian product"
    return refusal(ValueError, f"{repr(str(name or 'loss'))[1:-1]} has shape {shape}: {use}")


def no_past(name: str | None) -> TypeError:
    """Why a result of `no_grad()` has no gradient."""
    use = "compute it again outside of no_grad() to differentiate it"
    return refusal(TypeError, f"{name or 'this Value'} was computed inside no_grad(), which keeps no past: {use}")


def check_age(root: Node, nodes: Iterable[Node]) -> None:
    """Warn where a result goes backward once more although a variable that it was computed from has changed since."""
    for node in nodes:
        for arg, used in zip(node.args, node.saved[1:], strict=False):
            if isinstance(arg, Node) and arg.op is None and arg.array is not used and not same_bits(arg.array, used):
                loss, weight = label(root, "the loss"), label(arg, "a variable")
                text = (
                    f"{loss} is older than {weight}, which has changed since: compute {loss} again before backward()"
                )
                warn(text, StaleGraphWarning)
                return


def constants_only(result: Any) -> TypeError:
    """Why there is nothing to differentiate."""
    kind = type(result).__name__
    if callable(result):
        return refusal(TypeError, f"{function_given(result)}, to have its result")
    if result is None:
        return refusal(TypeError, "None was given, not a result: is a `return` missing? backward() returns None")
    if isinstance(result, list | tuple | dict | set):
        use = "give one of its Values, or their sum"
        return refusal(TypeError, f"a {kind} was given, and there is one result to differentiate: {use}")
    use = "wrap the parameters in Value, or was .data used?"
    return refusal(TypeError, f"the result (a {kind}) was computed from constants only: {use}")


def function_given(function: Any) -> str:
    """That a function, a module or a class stands where numbers are expected."""
    name = printable(getattr(function, "__name__", type(function).__name__))
    if isinstance(function, type):
        return f"the class {name} was given where numbers are expected: make one, {name}(...)"
    kind = "function" if hasattr(function, "__name__") else "module"
    call = "f" if kind == "function" and not name.isidentifier() else "model" if kind == "module" else name
    return f"the {kind} {name} was given where numbers are expected: call it, {call}(x)"
