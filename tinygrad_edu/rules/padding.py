"""Padding: an array with more entries around it, by every mode that np.pad has words for.

NumPy pads one axis after the other, so that an axis sees what was put around those before it. Every mode is then a
question of one axis: what stands before its first entry, and what after its last. All modes are linear in the array,
but for the extremes and the medians, so their pullbacks are those of indexing, joining and statistics.
"""

import numpy as np

from tinygrad_edu.table import implements

REPEATED = ("edge", "reflect", "symmetric", "wrap")
STATISTICS: dict = {"maximum": np.max, "minimum": np.min, "mean": np.mean, "median": np.median}
OPTIONS = {
    "constant": ("constant_values",), "linear_ramp": ("end_values",), "empty": (), "edge": (), "wrap": (),
    **dict.fromkeys(STATISTICS, ("stat_length",)), **dict.fromkeys(("reflect", "symmetric"), ("reflect_type",)),
}  # fmt: skip


def nested(given):
    """A number or an array as it is, and a list of them, or of lists, as one array."""
    return np.stack([nested(part) for part in given]) if isinstance(given, list | tuple) else given


def pairs(given, x):
    """What is given for both ends of every axis of x, `(x.ndim, 2)`: a number, two of them, or two for each axis."""
    array = nested(given)
    return np.broadcast_to(array.astype(x.dtype) if hasattr(array, "astype") else x.dtype.type(array), (x.ndim, 2))


def part(x, span, axis):
    """The entries of a span on one axis."""
    return x[(slice(None),) * axis + (span,)]


def column(numbers, x, axis):
    """Constants in the dtype of x, one for each place on an axis, of as many axes as x."""
    return np.reshape(numbers, (1,) * axis + (-1,) + (1,) * (x.ndim - axis - 1)).astype(x.dtype)


def ramp(x, edge, end, count, axis):
    """What leads from a number, far out, to the edge of x in equal steps; the edge itself is not in it."""
    share = column(np.arange(count) / max(count, 1), x, axis)
    return end + (part(x, edge, axis) - end) * share


def reflected(x, widths, axis, mode):
    """x with its mirror images around it, odd ones: at an end, the image is as far on the other side of that entry.

    Two mirrors make a shift: after a period every entry comes again, plus twice the difference of both ends.
    """
    before, after = widths
    n, closed = x.shape[axis], mode == "symmetric"  # then the end itself comes twice
    period = 2 * n if closed else 2 * (n - 1)
    place = np.arange(-before, n + after)
    turns, rest = np.divmod(place, max(period, 1))
    image = period - rest - closed  # beyond the end
    first, last = part(x, slice(1), axis), part(x, slice(-1, None), axis)
    seen = part(x, np.where(rest < n, rest, image), axis)
    once = np.where(column(rest < n, x, axis) != 0, seen, 2 * last - seen)
    return once + column(2 * turns, x, axis) * (last - first)


def around(x, widths, axis, mode, options):
    """x with what one mode puts before and after it on one axis."""
    if mode in REPEATED:
        if options.get("reflect_type", "even") == "odd" and x.shape[axis] > 1:
            return reflected(x, widths, axis, mode)
        return part(x, np.pad(np.arange(x.shape[axis]), widths, mode), axis)
    if mode == "linear_ramp":
        left, right = pairs(options.get("end_values", 0.0), x)[axis]
        left = ramp(x, slice(1), left, widths[0], axis)
        right = np.flip(ramp(x, slice(-1, None), right, widths[1], axis), axis)
    else:
        numbers = one_each(x, axis, mode, options)
        shapes = [(*x.shape[:axis], width, *x.shape[axis + 1 :]) for width in widths]
        left, right = (np.broadcast_to(number, shape) for number, shape in zip(numbers, shapes, strict=True))
    return np.concatenate([left, x, right], axis=axis)


def one_each(x, axis, mode, options):
    """The number that a mode repeats before the first entry on an axis, and the one after the last."""
    if mode not in STATISTICS:
        return pairs(options.get("constant_values", 0.0), x)[axis]
    n = x.shape[axis]
    lengths = np.broadcast_to(n if options.get("stat_length") is None else options["stat_length"], (x.ndim, 2))
    left, right = (int(min(length, n)) for length in lengths[axis])
    spans = slice(left), slice(n - right, None)
    return [STATISTICS[mode](part(x, span, axis), axis=axis, keepdims=True) for span in spans]


def each_end(pad_width, ndim):
    """How many entries to put before and after, for every axis, of what np.pad takes: a dict names the axes."""
    widths = np.zeros((ndim, 2), int)
    if isinstance(pad_width, dict):
        for axis, width in pad_width.items():
            widths[axis] = width
    elif np.asarray(pad_width).dtype.kind == "i":
        widths[:] = pad_width
    else:
        raise TypeError("`pad_width` must be of integral type.")
    if np.any(widths < 0):
        raise ValueError(f"pad_width={pad_width!r}: there are no negative widths")
    return widths.tolist()


@implements(np.pad)
def pad(array, pad_width, mode="constant", **options):
    """np.pad with a mode by name; what is put around may be a Value."""
    if mode not in OPTIONS:
        raise TypeError(
            f"mode={mode!r}: a function that fills arrays in place has no derivative; np.concatenate joins"
        )
    if unknown := sorted(set(options) - set(OPTIONS[mode])):
        raise ValueError(f"unsupported keyword arguments for mode {mode!r}: {unknown}")
    if (
        mode in ("maximum", "minimum")
        and options.get("stat_length") is not None
        and not np.all(options["stat_length"])
    ):
        raise ValueError("stat_length of 0 yields no value for padding")
    for axis, width in enumerate(each_end(pad_width, array.ndim)):
        if any(width):
            if array.shape[axis] == 0 and mode not in ("constant", "empty"):
                raise ValueError(f"axis {axis} is empty, there is nothing that mode={mode!r} could repeat")
            array = around(array, width, axis, mode, options)
    return array
