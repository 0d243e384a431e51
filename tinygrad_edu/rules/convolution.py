"""Convolution: windows that slide over an array, and what networks make of them.

A convolution is a product of all windows with a kernel, a pooling is an extreme or a mean of each window. So only the
windows need a pullback: each entry gets the gradients of all windows that hold it (`overlap_add`).
Source: Chellapilla, Puri and Simard, "High performance convolutional neural networks for document processing" (2006).
"""

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from tinygrad_edu.errors import refusal
from tinygrad_edu.rules.indexing import scatter
from tinygrad_edu.table import REALS, case, cases, differentiable, implements, primitive


# fmt: off
def padded(g, a, v):
    """The gradient of a full convolution, from that of its middle part."""
    size = a.size + v.size - 1
    start = (size - g.size) // 2
    return scatter(g, index=slice(start, start + g.size), shape=(size,))

differentiable(np.convolve, lambda g, out, a, v, *, mode="full": np.correlate(padded(g, a, v), v, "valid"),
               lambda g, out, a, v, *, mode="full": np.correlate(padded(g, a, v), a, "valid"), domain=REALS,
               cases=[*cases((4,), (3,), mode=["full", "same", "valid"]), *cases((2,), (5,), mode=["same", "valid"])],
               linear=True, formulas=("correlate(g, y)", "correlate(g, x)"))
implements(np.correlate)(lambda a, v, mode="valid": np.convolve(a, v[::-1], mode) if np.size(a) >= np.size(v)
                         else np.convolve(v, a[::-1], mode)[::-1])

def overlap_add(g, shape, axis):
    """Zeros of a shape, with windows added to where they were taken from: one slice for each place in a window."""
    out, axes = np.zeros_like(g, shape=shape), np.arange(len(shape))[... if axis is None else np.atleast_1d(axis)]
    for offset in np.ndindex(g.shape[len(shape):]):
        index = [slice(None)] * len(shape)
        for a, start in zip(axes, offset, strict=True):
            index[a] = slice(start, start + g.shape[a])
        out[tuple(index)] += g[(..., *offset)]
    return out

differentiable(sliding_window_view, lambda g, out, x, *, window_shape, axis=None:
               overlap_add(g, shape=x.shape, axis=axis), domain=REALS, linear=True, formulas=("overlap_add(g)",),
               cases=[case((5,), window_shape=2), case((2, 4, 3), window_shape=(2, 2), axis=(-2, 2))])
overlap_add = primitive(overlap_add, lambda h, out, g, *, shape, axis:
                        sliding_window_view(h, g.shape[len(shape):], axis), domain=REALS, linear=True,
                        cases=[case((2, 3, 2), shape=(2, 4), axis=1)], formulas=("sliding_window_view(g)",))

def convolution(x, kernel, stride=1, padding=0):
    """The convolution of images with a kernel, which is not flipped: `(batch, out, ...)`.

    Parameters
    ----------
    x, kernel
        `(batch, in, height, width)` and `(out, in, rows, columns)`; signals and volumes have one and three sizes.
        ValueError if ranks or channels differ, or the kernel is larger than the padded images.
    stride, padding
        The distance between windows, and the zeros on every side, for all of the last axes or for each: the height
        becomes `(height + 2 * padding - rows) // stride + 1`. ValueError for a stride below 1 or a padding below 0.
    """
    count, size = max(x.ndim - 2, 0), kernel.shape[2:]
    edges, steps = ([option] * count if np.ndim(option) == 0 else list(option) for option in (padding, stride))
    room = tuple(n + 2 * p for n, p in zip(x.shape[2:], edges, strict=False))
    if (not x.ndim == kernel.ndim > 2 or x.shape[1] != kernel.shape[1] or not len(edges) == len(steps) == count
            or any(np.less(room, size)) or min(steps) < 1 or min(edges) < 0):
        shapes = f"x is {x.shape}, (batch, in, ...), kernel is {kernel.shape}, (out, in, ...)"
        agree = f"ranks and `in` must agree, {size} must fit into {room}, {count} strides >= 1, pads >= 0"
        raise refusal(ValueError, f"convolution: {shapes}; {agree}")
    if any(edges):
        x = scatter(x, index=(..., *map(slice, edges, np.subtract(room, edges).tolist())), shape=x.shape[:2] + room)
    windows = sliding_window_view(x, size, tuple(range(2, x.ndim)))
    if max(steps) > 1:
        windows = windows[(slice(None), slice(None), *(slice(None, None, s) for s in steps))]
    return np.swapaxes(np.tensordot(kernel, windows, (range(1, x.ndim), (1, *range(-count, 0)))), 0, 1)

def places(x, size, stride):
    """The windows of the last axes: along a new first axis one array for each place in a window, which is fast."""
    size, stride = (o if np.ndim(o) else (o, o) for o in (size, size if stride is None else stride))
    if not 0 < len(size) == len(stride) <= x.ndim or min(*size, *stride) < 1 or any(
            np.greater(size, x.shape[-len(size):])):
        raise refusal(ValueError, f"pooling: windows of {size} do not fit into {x.shape} with stride {stride}")
    spans = list(zip(x.shape[-len(size):], size, stride, strict=True))
    return np.stack([x[(..., *(slice(o, n - k + o + 1, s) for o, (n, k, s) in zip(offset, spans, strict=True)))]
                     for offset in np.ndindex(*size)])

def max_pool(x, size=(2, 2), stride=None):
    """The largest entry of each window of `(..., height, width)`; equal ones share the gradient.

    Size and stride are numbers for the last axes, a single one is for two; without `stride` windows lie side by side.
    """
    return np.max(places(x, size, stride), axis=0)

def mean_pool(x, size=(2, 2), stride=None):
    """The mean of each window; parameters as for `max_pool`."""
    return np.mean(places(x, size, stride), axis=0)
