"""The summary of a training in words: its numbers, and what to look at.

Plots show what to look for; the text looks for it: gradients that were never cleared, parameters that never moved or
that no gradient reached, gradients that fade with depth, units that died, a loss that is not a number any more.

Source: Goodfellow, Bengio and Courville, "Deep Learning" (2016), section 11.5, on debugging.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from tinygrad_edu.viz.model.detail import EXPLODING
from tinygrad_edu.viz.model.formatting import Text, laid_out, number
from tinygrad_edu.viz.model.names import clean
from tinygrad_edu.viz.training.history import LONGEST, History, medians

FADED = 1e-4
"""A gradient that is so small a part of the network's largest has vanished: with one learning rate, nothing moves."""

SHOWN = 3
"""So many names fit on the line of a hint."""

ROWS = 30
"""So many parameters fit on one screen of a terminal."""


def summary(history: History) -> Text:
    """The summary: steps, loss, a line for each parameter, hints."""
    entries = int(history.sizes.sum())
    count = f"{plural(len(history.names), 'parameter')} with {plural(entries, 'number')}"
    if not history.steps:
        return laid_out([f"no step of {count}: did backward() run inside the block, on what was made of them?"])
    found = [f"  - {hint}" for hint in hints(history)]
    lines = [f"{plural(history.steps, 'step')} of {count}", *losses(history), *rows(history)]
    return laid_out([*lines, "look at:", *found] if found else lines)


def losses(history: History) -> Iterator[str]:
    """The first and the last loss, and the lowest."""
    found = history.losses
    line = f"  loss {number(found[0])} -> {number(found[-1])}"
    if np.isfinite(found).any():
        best = int(np.nanargmin(np.where(np.isfinite(found), found, np.nan)))
        line += f", lowest {number(found[best])} at step {best:,}"
    yield line
    passes = np.unique(history.passes).astype(int)
    if passes[-1] > 1:
        few = f"{passes[0]} to " if len(passes) > 1 else ""
        yield f"  {few}{passes[-1]} backward passes per step; the loss is their sum"


def rows(history: History) -> Iterator[str]:
    """For each parameter, its median gradient and the median of update over parameter."""
    gradients = medians(history.mean_gradients)
    ratios = medians(history.ratios)
    names = [clean(name, LONGEST) for name in history.names[:ROWS]]
    width = max(map(len, [*names, "parameter"]))
    yield f"  {'parameter':<{width}}  mean |gradient|  |update| / |parameter|   (medians)"
    for name, gradient, ratio in zip(names, gradients, ratios, strict=False):
        yield f"  {name:<{width}}  {told(gradient):>15}  {told(ratio):>22}"
    if len(history.names) > ROWS:
        yield f"  and {len(history.names) - ROWS:,} more"


def told(size: float) -> str:
    """A size, or that there is none."""
    return "-" if np.isnan(size) else number(size)


def hints(history: History) -> Iterator[str]:
    """What may be wrong, the most certain first."""
    yield from loss_trouble(history)
    largest = history.max_gradients
    blank = np.isnan(largest).all(axis=0) & ~np.isnan(history.losses).all()
    never = blank & ~history.reached
    if never.any():
        yield f"no gradient ever reached {some(history, never)}: see viz.why(value, loss)"
    broken = blank & history.reached
    if broken.any():
        yield f"the gradient of {some(history, broken)} is nan at every step: viz.why(value, loss) says why"
    if history.replaced.any():
        name = some(history, history.replaced)
        yield (
            f"a new Value took the place of {name}, as w = w - lr * w.grad makes one, and the graph grows with every "
            "step: change its data, w.data = w.data - lr * w.grad, or use an optimiser"
        )
    elif not np.any(history.updates > 0) and np.any(largest > 0):
        yield "no parameter ever changed: optimizer.step() missing?"
    if left := int(history.leftovers.max()):
        count = plural(int(np.sum(history.leftovers > 0)), "parameter")
        yield (
            f"gradients of {count} began {left:,} of {history.steps:,} steps with what earlier backward passes had "
            "left: optimizer.zero_grad() missing?"
        )
    yield from gradient_trouble(history)
    for name, (units, counts) in history.dead.items():
        if counts[-1] > 0:
            yield f"{name}: {counts[-1]:.0f} of {plural(units, 'unit')} dead, no row opens them"


def loss_trouble(history: History) -> Iterator[str]:
    """The first loss that is not finite, and what it broke."""
    wrong = ~np.isfinite(history.losses)
    if wrong.any():
        first = int(np.argmax(wrong))
        loss = number(history.losses[first])
        yield f"the loss is {loss} at step {first:,}: viz.why(parameter, loss) says where it begins"


def gradient_trouble(history: History) -> Iterator[str]:
    """Gradients that are 0, that fade with depth, and that explode, by their medians."""
    sizes = medians(history.max_gradients)
    top = np.nanmax(sizes, initial=0.0)
    if (cut := sizes == 0).any():
        yield f"the gradient is 0 at most steps for {some(history, cut)}: see viz.why(value, loss)"
    if (faded := (sizes > 0) & (sizes < FADED * top)).any():
        least = number(float(np.min(sizes[faded]) / top))
        yield f"the gradient vanishes in {some(history, faded)}: down to {least} of the largest in the network"
    if (big := sizes > EXPLODING).any():
        yield f"the gradient explodes in {some(history, big)}: up to {number(float(np.max(sizes[big])))}"


def some(history: History, which: Any) -> str:
    """The names of a few parameters, and how many more there are."""
    names = [clean(name, LONGEST) for name, wanted in zip(history.names, which, strict=True) if wanted]
    more = f" and {len(names) - SHOWN:,} more" if len(names) > SHOWN else ""
    return ", ".join(names[:SHOWN]) + more


def plural(count: int, word: str) -> str:
    """A count and its word: 1 step, 300 steps."""
    return f"{count:,} {word}" if count == 1 else f"{count:,} {word}s"
