"""Convolution: windows that slide over an array, and what networks make of them.

A convolution is a product of all windows with a kernel, a pooling is an extreme or a mean of each window. So only the
windows need a pullback: each entry gets the gradients of all windows that hold it (`overlap_add`).
Source: Chellapilla, Puri and Simard, "High performance convolutional neural networks for document processing" (2006).
"""

from typing import Any

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from tinygrad_edu.errors import refusal
from tinygrad_edu.inputs import numbers
from tinygrad_edu.kinds import SIZES, expecting, optional
from tinygrad_edu.numeric_warnings import told_at_users_line
from tinygrad_edu.rules.indexing import scatter
from tinygrad_edu.table import REALS, case, cases, differentiable, implements, primitive
from tinygrad_edu.typed import Like


# fmt: off
def padded(g, a, v):
    """The gradient of a full convolution, from that of its middle part."""
    size = a.size + v.size - 1
    start = (size - g.size) // 2
    return scatter(g, index=slice(start, start + g.size), shape=(size,))

differentiable(np.convolve,  # which takes single numbers as well
               lambda g, out, a, v, *, mode="full": np.correlate(padded(g, a, v), np.atleast_1d(v), "valid"),
               lambda g, out, a, v, *, mode="full": np.correlate(padded(g, a, v), np.atleast_1d(a), "valid"),
               cases=[*cases((4,), (3,), mode=["full", "same", "valid"]), *cases((2,), (5,), mode=["same", "valid"])],
               domain=REALS, linear=True, formulas=("correlate(g, y)", "correlate(g, x)"))
implements(np.correlate)(lambda a, v, mode="valid": np.convolve(a, v[::-1], mode) if np.size(a) >= np.size(v)
                         else np.convolve(v, a[::-1], mode)[::-1])

@told_at_users_line("add")
def overlap_add(g, shape, axis):
    """Zeros of a shape, with windows added to where they were taken from: one slice for each place in a window."""
    out = np.zeros_like(g, shape=shape)
    windows = g.shape[len(shape):]
    if sliding_window_view(out, windows, axis).shape != g.shape:
        raise ValueError(f"windows of shape {g.shape} do not lie in an array of shape {shape}")
    axes = range(len(shape)) if axis is None else np.mod(np.atleast_1d(axis), len(shape)).tolist()
    for offset in np.ndindex(windows):
        starts = [0] * len(shape)
        for a, start in zip(axes, offset, strict=True):
            starts[a] += start  # one axis may have windows of windows
        out[tuple(slice(start, start + n) for start, n in zip(starts, g.shape, strict=False))] += g[(..., *offset)]
    return out

differentiable(sliding_window_view,
               lambda g, out, x, *, window_shape, axis=None: overlap_add(g, shape=x.shape, axis=axis),
               domain=REALS, linear=True, formulas=("overlap_add(g)",),
               cases=[case((5,), window_shape=2), case((2, 4, 3), window_shape=(2, 2), axis=(-2, 2))])
overlap_add = primitive(overlap_add,
                        lambda h, out, g, *, shape, axis: sliding_window_view(h, g.shape[len(shape):], axis),
                        domain=REALS, linear=True, cases=[case((2, 3, 2), shape=(2, 4), axis=1)],
                        formulas=("sliding_window_view(g)",))

@expecting(stride=SIZES, padding=SIZES)
def convolution(x: Any, kernel: Any, stride: Any = 1, padding: Any = 0) -> Any:
    """The convolution of images with a kernel, which is not flipped: `(batch, out, ...)`.

    Parameters
    ----------
    x
        `(batch, in, height, width)`; signals have one size, volumes three.
    kernel
        `(out, in, rows, columns)`, with as many sizes as x.
    stride, padding
        The distance between windows, at least 1, and the zeros on every side; for all of the last axes or for each.

    Returns
    -------
    Value or array
        `(batch, out, ...)`; the height is `(height + 2 * padding - rows) // stride + 1`.

    Raises
    ------
    ValueError
        If ranks or channels differ, the kernel does not fit into the padded images, or a stride is below 1.
    """
    x = numbers("x", x)
    kernel = numbers("kernel", kernel)
    count = max(np.ndim(x) - 2, 0)
    size = np.shape(kernel)[2:]
    edges = [padding] * count if np.ndim(padding) == 0 else list(padding)
    steps = [stride] * count if np.ndim(stride) == 0 else list(stride)
    room = tuple(n + 2 * p for n, p in zip(np.shape(x)[2:], edges, strict=False))
    ranks = np.ndim(x) == np.ndim(kernel) > 2 and len(edges) == len(steps) == count
    if not ranks or x.shape[1] != kernel.shape[1] or any(np.less(room, size)) or min(steps) < 1 or min(edges) < 0:
        shapes = f"x is {np.shape(x)}, (batch, in, ...), kernel is {np.shape(kernel)}, (out, in, ...)"
        agree = f"ranks and `in` must agree, {size} must fit into {room}, {count} strides >= 1, pads >= 0"
        raise refusal(ValueError, f"convolution: {shapes}; {agree}")
    if any(edges):
        middle = [slice(p, n - p) for p, n in zip(edges, room, strict=True)]
        x = scatter(x, index=(..., *middle), shape=x.shape[:2] + room)
    windows = sliding_window_view(x, size, tuple(range(2, x.ndim)))
    if max(steps) > 1:
        windows = windows[(slice(None), slice(None), *(slice(None, None, step) for step in steps))]
    # (out, in, sizes) times (batch, in, places, sizes), over `in` and the sizes: (out, batch, places)
    return np.swapaxes(np.tensordot(kernel, windows, (range(1, x.ndim), (1, *range(-count, 0)))), 0, 1)

def places(x, size, stride):
    """The windows of the last axes: along a new first axis one array for each place in a window, which is fast."""
    x = numbers("x", x)
    size = tuple(size) if np.ndim(size) else (size, size)
    stride = size if stride is None else tuple(stride) if np.ndim(stride) else (stride, stride)
    fits = 0 < len(size) == len(stride) <= np.ndim(x) and min(*size, *stride) >= 1
    if not fits or any(np.greater(size, x.shape[-len(size):])):
        raise refusal(ValueError, f"pooling: windows of {size} do not fit into {np.shape(x)} with stride {stride}")
    last = x.shape[-len(size):]
    found = []
    for offset in np.ndindex(*size):
        # from the offset on, as far as a whole window fits
        index = [slice(start, n - k + start + 1, step)
                 for start, n, k, step in zip(offset, last, size, stride, strict=True)]
        found.append(x[(..., *index)])
    return np.stack(found)

@expecting(size=SIZES, stride=optional(SIZES))
def max_pool(x: Like, size: Any = (2, 2), stride: Any = None) -> Like:
    """The largest entry of each window; equal ones share the gradient.

    Parameters
    ----------
    x
        `(..., height, width)`, at least as large as a window, else a ValueError.
    size
        The sizes of a window, at least 1, for as many of the last axes; a single number is for two.
    stride
        The distances between windows, at least 1, as for `size`; without it windows lie side by side.

    Returns
    -------
    Value or array
        `(..., height, width)`; the height is `(height - size) // stride + 1`.
    """
    return np.max(places(x, size, stride), axis=0)

@expecting(size=SIZES, stride=optional(SIZES))
def mean_pool(x: Like, size: Any = (2, 2), stride: Any = None) -> Like:
    """The mean of each window.

    Parameters
    ----------
    x, size, stride
        As for `max_pool`.
    """
    return np.mean(places(x, size, stride), axis=0)
