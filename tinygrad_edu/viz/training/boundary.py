"""The decision boundary: what a model with two inputs says everywhere in the plane, and the points it learns from.

The model is asked on a grid, without recording. One output decides between two classes at a level, several outputs by
the largest; colour and the shape of the marks say the class.

Source: Rosenblatt, "Principles of Neurodynamics" (1962), for a network as a line through the plane.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from tinygrad_edu.errors import refusal
from tinygrad_edu.graph import Node
from tinygrad_edu.inputs import plain
from tinygrad_edu.kinds import FUNCTION, NUMBER, NUMBERS, expecting, optional
from tinygrad_edu.recording import no_grad, recorded
from tinygrad_edu.viz.training.plots import BLUE, INK, ORANGE, axes

Array = np.ndarray[Any, Any]
Predict = Callable[[Array], Any]

FINE = 160
"""The model is asked at so many places on each side: one for every two pixels of a figure."""

BANDS = 10
"""So many shades from sure of one class to sure of the other, few enough to be told apart."""

COLOURS = (BLUE, ORANGE, "#009E73", "#CC79A7", "#E69F00", "#56B4E9", INK)
MARKS = "oDs^vP*"


@dataclass(frozen=True)
class Points:
    """The points of a plane and their classes, each by its place among the labels."""

    x: Array
    labels: Array
    classes: Array

    def bounds(self) -> Array:
        """(2, 2) The lower and the upper corner of the picture, with room around the points."""
        low, high = self.x.min(axis=0), self.x.max(axis=0)
        room = np.where(high > low, 0.12 * (high - low), 1.0)
        return np.stack([low - room, high + room])


@expecting(predict=FUNCTION, x=NUMBERS, level=optional(NUMBER))
def boundary(predict: Predict, x: Any, y: Any, ax: Any = None, *, level: float | None = None) -> Any:
    """A figure of the decision boundary of a model with two inputs.

    Its title has the share of the points that are on the right side.

    Parameters
    ----------
    predict
        A model, or any function: from (points, 2) to one output, (points, 1) or (points,); to scores, (points,
        classes); or to whole numbers, which are classes.
    x, y
        (points, 2), and (points,) or (points, 1) whole numbers: two labels for one output, else classes from 0.
    ax
        Axes to draw on.
    level
        Where one output passes from the first label to the second; it is 0.5 after a sigmoid and 0 otherwise.

    Raises
    ------
    ValueError, DrawingError
        For points that are not of a plane, labels that do not fit, outputs of another shape; without matplotlib.
    """
    points = labelled(x, y)
    level = usual_level(predict, points.x) if level is None else level
    figure, ax = axes(ax, (5.0, 4.2))
    draw(ax, predict, points, level)
    return figure


def draw(ax: Any, predict: Predict, points: Points, level: float, fine: int = FINE) -> None:
    """The regions, the boundary, the points, and how many of them are right."""
    low, high = points.bounds()
    sides = [np.linspace(low[i], high[i], fine) for i in (0, 1)]
    plane = np.stack([side.ravel() for side in np.meshgrid(*sides)], axis=1)
    found = scores(predict, np.concatenate([plane, points.x]))
    classes = chosen(found, level)
    said = classes[len(plane) :]
    if found.shape[-1] == 1 and found.dtype.kind == "f":  # one output decides between the two labels
        halves(ax, sides, found[: len(plane)].reshape(fine, fine), level)
        said = points.labels[np.minimum(said, len(points.labels) - 1)]
    else:
        regions(ax, sides, classes[: len(plane)].reshape(fine, fine))
    for k, label in enumerate(points.labels):
        mine = points.x[points.classes == k]
        ax.plot(
            *mine.T, MARKS[k % len(MARKS)], color=COLOURS[k % len(COLOURS)], markeredgecolor="white",
            markeredgewidth=0.6, markersize=5, label=f"class {label:g}",
        )  # fmt: skip
    right = np.mean(said == points.labels[points.classes])
    ax.set(xlabel="x[:, 0]", ylabel="x[:, 1]", xlim=(low[0], high[0]), ylim=(low[1], high[1]))
    ax.set_title(f"{right:.1%} of {len(points.x):,} points right", fontsize="medium")
    ax.legend(loc="upper right", fontsize="small")


def halves(ax: Any, sides: list[Array], surface: Array, level: float) -> None:
    """Two classes: paler where the output is nearer to the level, with a line at the level."""
    from matplotlib.colors import LinearSegmentedColormap

    finite = surface[np.isfinite(surface)]
    with np.errstate(all="ignore"):
        # of a logit, how far its probability is from 1/2
        sure = np.tanh((surface - level) / 2.0) if level == 0.0 else np.clip(2.0 * (surface - level), -1.0, 1.0)
    shades: Any = [pale(BLUE), "white", pale(ORANGE)]
    colours = LinearSegmentedColormap.from_list("sides", shades)
    ax.contourf(*sides, np.ma.masked_invalid(sure), np.linspace(-1.0, 1.0, BANDS + 1), cmap=colours)
    if finite.size and finite.min() < level < finite.max():
        ax.contour(*sides, np.ma.masked_invalid(surface), [level], colors=INK, linewidths=1.4)


def regions(ax: Any, sides: list[Array], classes: Array) -> None:
    """Any number of classes: flat colours."""
    from matplotlib.colors import ListedColormap

    count = int(classes.max()) + 1
    colours = ListedColormap([pale(COLOURS[k % len(COLOURS)]) for k in range(count)])
    ax.pcolormesh(*sides, classes, cmap=colours, vmin=-0.5, vmax=count - 0.5, shading="nearest")


def pale(colour: str) -> tuple[float, ...]:
    """A colour mixed with white, for grounds."""
    from matplotlib.colors import to_rgb

    return tuple(1.0 - 0.5 * (1.0 - part) for part in to_rgb(colour))


def scores(predict: Predict, x: Array) -> Array:
    """(points, outputs) What the model says, without recording; whole numbers stay whole numbers."""
    with no_grad(), np.errstate(all="ignore"):
        found = np.asarray(plain(predict(x)))
    if found.ndim == 1:
        found = found[:, None]
    if found.ndim != 2 or len(found) != len(x) or not found.size:
        raise refusal(
            ValueError,
            f"the model returned shape {found.shape} for {len(x):,} points; expected one output, or one score per "
            f"class, for each point",
        )
    return found


def chosen(found: Array, level: float) -> Array:
    """The class of each point by its outputs on the last axis: the given one, one of two, or the largest."""
    if found.dtype.kind in "iub":
        return found[..., 0].astype(int)
    return np.argmax(found, axis=-1) if found.shape[-1] > 1 else (found[..., 0] > level).astype(int)


def usual_level(predict: Predict, x: Array) -> float:
    """0.5 for a model that ends with a sigmoid, 0 for all others."""
    with recorded(), np.errstate(all="ignore"):
        out = predict(x[:1])
    return 0.5 if isinstance(out, Node) and out.op is not None and out.op.name == "sigmoid" else 0.0


def labelled(x: Any, y: Any) -> Points:
    """The points and their classes, if they can be drawn."""
    x, y = np.asarray(plain(x), dtype=float), np.asarray(plain(y))
    if x.ndim != 2 or x.shape[1] != 2 or not len(x):
        raise refusal(ValueError, f"x is {x.shape}; a boundary is drawn in a plane: x is (points, 2)")
    if y.shape not in ((len(x),), (len(x), 1)) or np.any(y != np.rint(y)):
        raise refusal(
            ValueError, f"y is {y.shape}; it holds a whole number for each of the {len(x):,} points, their class"
        )
    labels, classes = np.unique(y.ravel(), return_inverse=True)
    return Points(x, labels, classes.ravel())
