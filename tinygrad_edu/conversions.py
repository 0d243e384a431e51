"""What is said where Python or NumPy would make something else of a Value: a number, an array, a truth value, a text.

Each of these would cut the graph, so each is refused with what to write instead. Which words fit depends on the line
of the user, `math.exp(v)`, `a[0] = v` or `plt.plot(v)`: the instruction that Python is executing there tells it.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from opcode import opmap, opname
from types import FrameType
from typing import Any, NoReturn

import numpy as np

from tinygrad_edu.errors import refusal, user_frame
from tinygrad_edu.inputs import plain

INTO_ARRAY = (
    "a[i] = v would turn the Value into plain numbers and cut the graph: use a = te.at(a, i).set(v), "
    "or collect the Values in a list and join them, np.stack instead of a[i] = v"
)
NUMBER = (
    "a Value is not a plain number, and converting it would cut the graph: use np.exp(v) or v.exp() instead of "
    "math.exp(v), np.stack instead of a[i] = v, and where only the number is wanted, as to print it, v.item()"
)
ARRAY = (
    "a Value is not a plain array, and converting it would cut the graph: use np.exp(v) or v.exp() for functions, "
    "te.softmax, te.log_softmax or v.logsumexp() for SciPy's, np.stack([v, w]) or np.concatenate to join Values, "
    "np.ones(3) * v instead of np.full(3, v), "
    "and where only the numbers are wanted, as to print them, v.data"
)
INDEX = (
    "an index is a whole number or an array of them, and has no gradient: int(v.item()) is that of a single Value, "
    "v.argmax() and v.argsort() are arrays of them"
)
COMPARED = (
    "np.testing compares plain arrays: tinygrad_edu.testing.assert_close(a, b) takes Values, arrays and structures"
)
DRAWN = "matplotlib draws plain numbers: give it v.data, or v.item() for a single one"
IN_PLACE = (
    "a Value is not changed in place: build a new one with v = te.at(v, i).set(x), np.where or np.sort; "
    "an optimiser's step rebinds the data, v.data = v.data - lr * v.grad"
)
AMONG = (
    "`in` compares numbers, and would take one Value for another that holds the same: use a set or a dict of Values, "
    "or any(v is w for w in values)"
)
JUMPS = frozenset(opmap[name] for name in opmap if name.startswith(("POP_JUMP", "JUMP_IF", "TO_BOOL", "UNARY_NOT")))
"""The instructions that ask for the truth of what was just computed."""

PREPARED = frozenset(opmap[name] for name in ("CACHE", "EXTENDED_ARG") if name in opmap)
"""What stands between instructions and is none."""


def instruction(frame: FrameType) -> str:
    """The name of the instruction that a frame is executing, such as STORE_SUBSCR for `a[0] = v`."""
    return opname[frame.f_code.co_code[frame.f_lasti]] if frame.f_lasti >= 0 else ""


def asks_for_truth(frame: FrameType) -> bool:
    """Whether the instruction that follows in a frame asks for the truth of what is computed now."""
    code = frame.f_code.co_code
    place = frame.f_lasti + 2
    while code[place] in PREPARED:
        place += 2
    return code[place] in JUMPS


def within(library: str) -> bool:
    """Whether a module of a library is on the way to here."""
    frame: FrameType | None = sys._getframe(1)
    while frame is not None and not f"{frame.f_globals.get('__name__', '')}.".startswith(f"{library}."):
        frame = frame.f_back
    return frame is not None


def fitting(otherwise: str) -> str:
    """The words for the instruction of the user's line that is executed now."""
    frame, _ = user_frame()
    doing = instruction(frame)
    if doing == "STORE_SUBSCR":
        return INTO_ARRAY
    if doing == "BINARY_SUBSCR" and sys._getframe(2) is frame:  # not np.r_[v, w], which is written in Python
        return INDEX
    if within("numpy.testing"):
        return COMPARED
    return DRAWN if within("matplotlib") else otherwise


def refuse_number(value: Any, *args: Any) -> NoReturn:
    """Refuse `float(v)` and its kind."""
    raise refusal(TypeError, fitting(NUMBER))


def refuse_array(value: Any, *args: Any, **options: Any) -> NoReturn:
    """Refuse `np.asarray(v)` and what asks for it."""
    raise refusal(TypeError, fitting(ARRAY))


def refuse_change(value: Any, *args: Any, **options: Any) -> NoReturn:
    """Refuse `v[0] = x` and the methods that change an array in place.

    Parameters
    ----------
    value
        The Value.
    *args, **options
        Whatever NumPy's method takes.

    Raises
    ------
    TypeError
        Always.
    """
    raise refusal(TypeError, IN_PLACE)


def truth(value: Any) -> bool:
    """Whether a single number is not 0; an array is neither true nor false."""
    if value.size != 1:
        use = "write (v > 0).all() or (v > 0).any(), np.where(v > 0, a, b) to choose for each, or `v is not None`"
        raise refusal(ValueError, f"a Value of shape {value.shape} is neither true nor false: {use}")
    return bool(plain(value))


def check_comparison(value: Any, other: Any, answers: Any) -> None:
    """Refuse a comparison whose many answers are about to be taken for one, and `b in [a]` of Values."""
    frame = sys._getframe(2)
    if type(other) is type(value) and instruction(frame) == "CONTAINS_OP":
        raise refusal(TypeError, AMONG)
    if getattr(answers, "size", 1) != 1 and asks_for_truth(frame):
        use = "write .all() or .any() behind it, or np.where(v > 0, a, b) to choose for each"
        text = f"a comparison of arrays has an answer for each number, here of shape {np.shape(answers)}"
        raise refusal(ValueError, f"{text}: {use}")


def length(value: Any) -> int:
    """The size of the first axis; a single number has none."""
    if value.ndim == 0:
        use = "np.stack makes an array of several, v[None] one of one"
        raise refusal(TypeError, f"a Value that is a single number has no length and no entries: {use}")
    return len(plain(value))


def formatted(value: Any, form: str) -> str:
    """A single number, or every number of an array, in a format such as `.3f`; without one, the whole Value."""
    if not form:
        return repr(value)
    try:
        if value.size == 1:
            return format(value.item(), form)
        return np.array2string(np.asarray(plain(value)), formatter={"all": lambda number: format(number, form)})
    except ValueError as error:
        raise refusal(ValueError, f"{error}: a Value holds floating point numbers, f'{{v:.3f}}'") from None


def single(value: Any) -> float:
    """The only number, as a Python float."""
    if value.size != 1:
        use = "v.tolist() gives all of them, v[0].item() the first"
        raise refusal(ValueError, f"item() is of a single number, and this Value has shape {value.shape}: {use}")
    return float(np.reshape(plain(value), ()))


def rounded(value: Any, digits: int | None) -> Any:
    """`round(v)` of a single number, as a Python number."""
    if value.size != 1:
        raise refusal(TypeError, f"round is of a single number, and this Value has shape {value.shape}: np.round(v)")
    return round(single(value), digits)


def entries(value: Any, get: Callable[[int], Any]) -> Iterator[Any]:
    """The entries along the first axis, one after the other."""
    return map(get, range(length(value)))
