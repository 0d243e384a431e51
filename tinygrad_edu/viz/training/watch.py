"""`watch(model)`: record a training while it runs, to look at it afterwards.

Nothing is added to the training loop: the backward pass tells (`listeners.py`), and any optimiser is followed by what
it does to the parameters (`recorder.py`). What was recorded is plain data (`history.py`); pictures are views of it.

Source: TensorBoard (Google, 2015), for the set of pictures.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from os import PathLike
from typing import Any

from tinygrad_edu.blocks import block
from tinygrad_edu.errors import refusal
from tinygrad_edu.listeners import listening
from tinygrad_edu.viz.saving import checked, write
from tinygrad_edu.viz.training.animation import animated
from tinygrad_edu.viz.training.boundary import boundary, labelled
from tinygrad_edu.viz.training.plots import Plots
from tinygrad_edu.viz.training.recorder import Recorder, named
from tinygrad_edu.viz.training.summary import summary


@block("with viz.watch(...) as seen:")
def watch(model: Any, *, predict: Callable[[Any], Any] | None = None) -> Iterator[Watch]:
    """Record every training step of a model inside the block, for this thread or task.

    A step is what lies between two changes of the parameters; several backward passes before an update are one step,
    and their losses add up as their gradients do. Results computed inside `no_grad()` are not seen.

    Parameters
    ----------
    model
        Anything with `named_parameters()`, a dict or a list of Values, or a Value.
    predict
        The function from inputs to outputs, for `boundary` and `animate`, if the model itself is not that function.

    Yields
    ------
    Watch
        The recording, which grows while the training runs.

    Raises
    ------
    TypeError, ValueError
        If there is nothing to watch.

    Examples
    --------
    >>> from tinygrad_edu import Value, viz
    >>> w = Value(3.0, name="w")
    >>> with viz.watch(w) as seen:
    ...     for _ in range(3):
    ...         w.grad = None
    ...         (w * w).backward()
    ...         w.data = w.data - 0.25 * w.grad
    >>> seen.history.losses
    array([9.    , 2.25  , 0.5625])
    """
    recorder = Recorder(named(model))
    if predict is None and callable(model):
        predict = model
    with listening(recorder):
        try:
            yield Watch(recorder, predict)
        finally:
            recorder.finish()


class Watch(Plots):
    """The recording of a training; `print` it for a summary, and hints at what may be wrong.

    Every picture is drawn on the axes `ax` of matplotlib, or on a new figure, and returns the figure. Without
    matplotlib, pictures raise `DrawingError`; the summary and the history need none.

    Attributes
    ----------
    history
        What was recorded, as arrays. A step is in it when the next one begins, or the block has ended.
    """

    def __init__(self, recorder: Recorder, predict: Callable[[Any], Any] | None) -> None:
        super().__init__(recorder.history)
        self.recorder = recorder
        self.predict = predict

    def boundary(self, x: Any, y: Any, *, level: float | None = None, ax: Any = None) -> Any:
        """The decision boundary that the model has now; see `viz.boundary`.

        Parameters
        ----------
        x, y
            Points, (points, 2), and their classes.
        level
            Where one output passes from the first class to the second.
        ax
            Axes to draw on.
        """
        return boundary(self.function(), x, y, ax, level=level)

    def animate(
        self, path: str | PathLike[str], x: Any = None, y: Any = None, *, frames: int = 40, fps: int = 10
    ) -> None:
        """Write the training as a GIF.

        Parameters
        ----------
        path
            A file that ends with .gif.
        x, y
            Points (points, 2) and their classes: with them, the decision boundary moves beside the loss; without,
            the gradient flow.
        frames
            How many moments to show, at most; those kept are evenly spread over the training.
        fps
            Frames per second.

        Raises
        ------
        ValueError, FileNotFoundError
            For another ending, less than one frame, points that cannot be drawn, and if no step was recorded; for a
            folder that does not exist.
        """
        if (x is None) != (y is None):
            raise refusal(ValueError, "animate needs x and y for the boundary, or neither")
        asked = None if x is None else (self.function(), labelled(x, y))
        target, _ = checked(path, ("gif",))
        if frames < 1 or fps < 1:
            raise refusal(ValueError, f"frames is {frames}, fps is {fps}; both are at least 1")
        if not self.history.steps:
            raise refusal(ValueError, "no step was recorded: train inside `with viz.watch(model) as w:`")
        write(target, animated(self.recorder, asked, frames, fps))

    def function(self) -> Callable[[Any], Any]:
        """The function from inputs to outputs."""
        if self.predict is None:
            raise refusal(
                TypeError,
                "what was watched cannot be called: give the function from inputs to outputs, "
                "watch(parameters, predict=function)",
            )
        return self.predict

    def __str__(self) -> str:
        return str(summary(self.history))

    def __repr__(self) -> str:
        return repr(summary(self.history))
