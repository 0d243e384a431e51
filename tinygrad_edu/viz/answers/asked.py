"""Which gradient a question is about: the Value, and the result whose gradient it is.

A Value knows what it was made from, not what was made of it. So a question about a weight names the result as well,
unless that was looked at last: traced, drawn, or gone backward inside `recording()`.

Source: none; this is a convention.
"""

from __future__ import annotations

from tinygrad_edu import errors
from tinygrad_edu.graph import Node
from tinygrad_edu.viz.lines import last_result

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


def asked(question: str, w: Any, loss: Any) -> tuple[Node, Node]:
    """The Value and the result of a question, or an error that says how to ask it.

    Parameters
    ----------
    question
        The function, such as "explain", for the messages.
    w, loss
        As the user gave them; no loss means the last one of `recording()`.

    Raises
    ------
    TypeError
        If one of them is not a Value, or no result is known.
    ValueError
        If the result is not a single number.
    """
    if not isinstance(w, Node):
        raise TypeError(
            f"{question}(w, loss) is about a Value, such as a weight; got {type(w).__name__} ({errors.user_line()})"
        )
    if loss is None:
        loss = last_result()
        if loss is None:
            raise TypeError(
                f"a Value does not know what was computed from it: write viz.{question}(w, loss), or call "
                "viz.trace(loss) first, or run both passes inside `with viz.recording():`, and keep the loss "
                f"({errors.user_line()})"
            )
    if not isinstance(loss, Node):
        raise TypeError(errors.constants_only(loss))
    if loss.data.size != 1:
        raise ValueError(errors.not_scalar(loss.name, loss.data.shape))
    return w, loss
