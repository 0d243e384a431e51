"""What layers and losses expect of their arguments, and the words that say what to write instead.

Checks are cheap (shapes, dtypes, one pass over the targets) and happen at the call. Nothing is computed for the
loss here.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from tinygrad_edu.errors import refusal, shape_of, stretch_text, words
from tinygrad_edu.inputs import arrayed, constant, plain
from tinygrad_edu.value import Value


def numbers(name: str, thing: Any, read: Callable[[Any], Any] = constant) -> Any:
    """A Value as it is; anything else as an array of real numbers, or a refusal that names the argument."""
    return thing if isinstance(thing, Value) else named(name, thing, read)


def named(name: str, thing: Any, read: Callable[[Any], Any]) -> Any:
    """What `read` makes of an argument; its refusals get the argument's name."""
    try:
        return read(thing)
    except (TypeError, ValueError, OverflowError) as error:
        raise refusal(TypeError, f"{name}: {words(error)}") from None


def expect_same_shape(prediction: Any, target: Any, name: str = "prediction", single: bool = True) -> None:
    """Refuse different shapes; a single number as target is fine where `single` says so."""
    x = shape_of(prediction)
    y = shape_of(target)
    if x == y or (single and y == ()):
        expect_some(x, name)
        return
    try:
        out = np.broadcast_shapes(x, y)
        text = stretch_text(x, y, (name, "target"), "-")
    except ValueError:
        out = ()
    if out in (x, y, ()):
        text = f"{name} is {x}, target is {y}; they must have one shape"
    raise refusal(ValueError, text)


def expect_some(shape: tuple[int, ...], name: str) -> None:
    """Refuse no examples at all: their mean does not exist."""
    if 0 in shape:
        raise refusal(ValueError, f"{name} is {shape}: there are no examples to take the mean of")


def expect_logits(logits: Any) -> None:
    """Refuse the result of a sigmoid where logits are expected."""
    if isinstance(logits, Value) and logits.op is not None and logits.op.name == "sigmoid":
        raise refusal(
            ValueError,
            "binary_cross_entropy applies the sigmoid itself: give it the logits, the input of your sigmoid",
        )


def expect_no_nan(target: Any) -> None:
    """Refuse targets that are nan: so would be the loss, and every gradient; what lies elsewhere is not computed."""
    array = plain(target)
    if isinstance(array, np.ndarray | np.generic | float) and np.any(np.isnan(array)):
        where = tuple(np.argwhere(np.isnan(array))[0].tolist())
        raise refusal(ValueError, f"target is nan at {where}: leave out what was not measured")


def expect_probabilities(target: Any) -> None:
    """Refuse targets outside [0, 1], nan included."""
    array = np.asarray(plain(target))
    outside = ~((array >= 0) & (array <= 1))
    if outside.any():
        raise refusal(ValueError, f"targets are from 0 to 1; got {array[outside][0]}")


def expect_classes(logits: Any, classes: Any) -> Any:
    """The classes as an integer array of the logits' shape without its last axis, or a refusal."""
    if isinstance(classes, Value):
        raise refusal(TypeError, "classes are constants, not a Value: give a plain array of integers")
    array = np.asarray(numbers("classes", classes, arrayed))
    shape = shape_of(logits)
    if not shape:
        raise refusal(ValueError, "logits is a single number; expected (batch, classes)")
    if array.dtype.kind not in "iu":
        use = "classes.argmax(axis=-1)" if array.shape == shape else "classes.astype(int)"
        raise refusal(TypeError, f"classes are integers from 0; got {array.dtype}. Use {use}")
    if array.shape != shape[:-1]:
        raise refusal(ValueError, wrong_classes(shape, array.shape))
    expect_some(shape, "logits")
    outside = (array < 0) | (array >= shape[-1])
    if outside.any():
        where = tuple(int(i[0]) for i in np.nonzero(np.atleast_1d(outside)))
        found = np.atleast_1d(array)[where]
        raise refusal(ValueError, f"class {found} at {where} is outside 0 to {shape[-1] - 1}: logits is {shape}")
    return array


def wrong_classes(logits: tuple[int, ...], classes: tuple[int, ...]) -> str:
    """Why the shapes of logits and classes do not fit, and what to write."""
    use = ""
    if classes == logits:
        use = " For one-hot rows use classes.argmax(axis=-1)."
    elif math.prod(classes) == math.prod(logits[:-1]):
        use = " Use classes[:, 0]." if classes == (*logits[:-1], 1) else f" Use classes.reshape({logits[:-1]})."
    return f"logits is {logits}, classes is {classes}; expected {logits[:-1]}.{use}"
