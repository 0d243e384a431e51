"""What may enter a computation: the data of variables, and constants.

Variables are floating point; constants are any real numbers or arrays. Everything else is refused here, with the
words that say what to write instead.
"""

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from tinygrad_edu import errors
from tinygrad_edu.graph import Node
from tinygrad_edu.numeric_warnings import told_at_users_line

Generator = np.random.Generator | np.random.RandomState
Seed = int | Generator | None

FOREIGN = {
    "torch": "torch.Tensor given: use Value(t.detach().numpy())", "jax": "jax.Array given: use Value(np.asarray(a))",
    "tensorflow": "tensorflow.Tensor given: use Value(t.numpy())",
}  # fmt: skip


def floating(data: Any) -> Any:
    """The data of a variable: Python numbers become float64, floating arrays stay as they are."""
    if isinstance(data, Node):
        raise errors.refusal(
            TypeError, "a Value was given: use it as it is; Value(v.data) would be a new variable without its past"
        )
    array = arrayed(data)
    if array.dtype.kind in "iu" and not hasattr(data, "dtype"):
        array = array.astype(float)
    if array.dtype.kind != "f":
        use = "x.real and x.imag" if array.dtype.kind == "c" else "Value([1., 2.]) or x.astype(float)"
        raise errors.refusal(TypeError, f"variables are floating point; got {array.dtype}. {use}")
    return array if array.dtype.isnative else array.astype(array.dtype.newbyteorder("="))


@told_at_users_line("the new numbers")
def own(data: Any, like: Any, what: str) -> Any:
    """A copy of numbers that a user sets, of the shape and dtype of an array; `what` is set, such as "w.data"."""
    if data is None or isinstance(data, Node):
        kind = "None" if data is None else "a Value"
        raise errors.refusal(
            TypeError, f"{what} was set to {kind}: it takes numbers, such as an array; v.data of a Value"
        )
    try:
        array = arrayed(data)
    except TypeError as error:
        raise errors.refusal(TypeError, f"{what}: it takes real numbers; {errors.words(error)}") from None
    if array.dtype.kind not in "fiub":
        raise errors.refusal(TypeError, f"{what} was set to {array.dtype}: it takes real numbers")
    if array.shape != like.shape:
        kept = "a variable keeps its shape; Value(...) starts another"
        use = f"{what} = None forgets it" if what.endswith(".grad") else kept
        raise errors.refusal(ValueError, f"{what} has shape {like.shape}, got {array.shape}: {use}")
    return array.astype(like.dtype)


def constant(operand: Any) -> Any:
    """An operand that is not a Value, ready for the rules."""
    if type(operand) is float or type(operand) is int:
        return float(operand)
    array = arrayed(operand)
    if array.dtype.kind not in "fiub":
        kind = type(operand).__name__
        raise errors.refusal(TypeError, f"gradients are of real numbers; got {kind} of dtype {array.dtype}")
    return array


def arrayed(data: Any) -> Any:
    """Data as an array of NumPy or of a library that speaks its protocols; numbers as NumPy scalars."""
    if isinstance(data, np.ma.MaskedArray | np.matrix):  # they mean something else by == or *
        raise errors.refusal(TypeError, f"a {type(data).__name__} was given: a.filled(0.0) or np.asarray(a)")
    if isinstance(data, np.generic) or (hasattr(data, "__array_function__") and not isinstance(data, type)):
        return data
    if (library := type(data).__module__.partition(".")[0].removesuffix("lib")) in FOREIGN:
        raise errors.refusal(TypeError, f"{FOREIGN[library]}; gradients do not cross frameworks")
    if data is None:
        raise errors.refusal(TypeError, "None was given where numbers are expected: is a `return` missing?")
    if callable(data):
        raise errors.refusal(TypeError, errors.function_given(data))
    if isinstance(data, str | bytes | dict | set | frozenset | Iterator):
        raise errors.refusal(TypeError, no_numbers(data))
    if isinstance(data, list | tuple) and any(isinstance(item, Node) for item in data):
        raise errors.refusal(TypeError, "a list of Values was given: np.stack(values) joins them")
    try:
        array = np.asarray(data)
    except ValueError as error:
        raise errors.refusal(TypeError, f"this is not an array of numbers: {error}") from None
    if array.dtype.kind == "O":
        raise errors.refusal(TypeError, f"{type(data).__name__} is not a number or an array of numbers")
    return array[()] if array.ndim == 0 else array


def no_numbers(data: Any) -> str:
    """Why a text, a dict, a set or an iterator is no array, and what to write."""
    if isinstance(data, str | bytes):
        return "a text was given where numbers are expected: float(text)"
    kind = type(data).__name__
    use = "list(...) keeps what it gives" if isinstance(data, Iterator) else "give one of its entries, or a list"
    return f"a {kind} was given where numbers are expected: {use}"


def generator(rng: Seed) -> Generator:
    """The random generator that a seed stands for; a generator is returned as it is.

    Parameters
    ----------
    rng
        A whole number from 0 as the seed, None for a generator that differs in every run, or a generator, either
        `np.random.Generator` or the legacy `np.random.RandomState`.

    Raises
    ------
    TypeError
        For anything else.
    """
    if isinstance(rng, np.random.RandomState | np.random.Generator):
        return rng
    if rng is None or (isinstance(rng, int | np.integer) and not isinstance(rng, bool) and rng >= 0):
        return np.random.default_rng(rng)
    got = rng if isinstance(rng, int) else type(rng).__name__
    use = "a whole number from 0, np.random.default_rng(...) or None"
    raise errors.refusal(TypeError, f"rng is {use}; got {got}")


def plain(argument: Any) -> Any:
    """The argument with the data in place of every Value, in lists and tuples too."""
    if isinstance(argument, list | tuple):
        parts = map(plain, argument)
        return type(argument)(*parts) if hasattr(argument, "_fields") else type(argument)(parts)
    return argument.array if isinstance(argument, Node) else argument


def numbers(name: str, thing: Any, like: Any = None) -> Any:
    """A Value as it is; anything else as an array of real numbers, or a refusal that names the argument.

    The array has the floating point type of `like` if that is given, so that constants make no float64 of float32.
    """
    if isinstance(thing, Node):
        return thing
    array = named(name, thing, constant)
    dtype = getattr(like, "dtype", None)
    if dtype is None or type(array) is float or array.dtype is dtype or dtype.kind != "f":
        return array
    return array if array.dtype == dtype else array.astype(dtype)


def named(name: str, thing: Any, read: Callable[[Any], Any]) -> Any:
    """What `read` makes of an argument; its refusals get the argument's name."""
    try:
        return read(thing)
    except (TypeError, ValueError, OverflowError) as error:
        raise errors.refusal(TypeError, f"{name}: {errors.words(error)}") from None
