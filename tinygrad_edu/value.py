"""`Value`: a number or an array that remembers where it came from.

NumPy's own protocols (NEP 13, NEP 18) bring `np.tanh(value)` here: the function is looked up in the table, computed
on the data, and recorded. So NumPy is the interface, any NumPy-like array can be the data, and a plain array without
a Value beside it never enters this library. Operators skip the protocols to save time.
Source: Karpathy, "micrograd" (2020), for the one-screen idea; the NEPs for the protocols.
"""

from __future__ import annotations

import operator
from collections import deque
from collections.abc import Callable, Iterator
from threading import RLock
from typing import TYPE_CHECKING, Any, Self

import numpy as np

from tinygrad_edu import conversions, errors, names
from tinygrad_edu.backward import backpropagate, seed
from tinygrad_edu.graph import Node, copied, has_no_past, next_number, pack, to_keep, unpack
from tinygrad_edu.inputs import constant, floating, own, plain
from tinygrad_edu.later import public
from tinygrad_edu.listeners import JOINED, tell_differentiated, tell_made
from tinygrad_edu.numeric_warnings import NO_REGISTRY, again, is_warning, told_at_users_line
from tinygrad_edu.recording import ROOT, SCOPE, recording_scope
from tinygrad_edu.table import CONSTANTS, FOLDS, OPERATIONS, PRIMITIVES, REFUSED, REWRITES, Op, arrived
from tinygrad_edu.typed import Entry

Binary = Callable[["Value", Any], "Value"]

NO_OPTIONS: dict[str, Any] = {}
ADDING = RLock()
WRITES = "it changes an array in place; te.at(a, i).add(v) is a new one"
FLOAT64 = np.dtype(float)
new = object.__new__
plus = told_at_users_line("the gradient")(operator.add)
__warningregistry__ = NO_REGISTRY  # what NumPy warns of is told at the user's line: see `again`


def operators(function: Any) -> tuple[Binary, Binary]:
    """The methods behind an operator and its reflection: straight to the table, past NumPy's dispatch."""

    def forwards(x: Value, y: Any) -> Value:
        return binary(OPERATIONS[function], x, y)

    def reflected(y: Value, x: Any) -> Value:
        return binary(OPERATIONS[function], x, y)

    return forwards, reflected


def in_place(function: Any) -> Binary:
    """The method behind `w -= x`: inside `no_grad()` it changes the variable w, elsewhere `w` names the result."""

    def changed(x: Value, y: Any) -> Value:
        result = binary(OPERATIONS[function], x, y)
        if recording_scope() is not None or x.op is not None or x.saved:
            return result
        x.data = result.array
        return x

    return changed


def comparison(compare: Callable[[Any, Any], Any]) -> Callable[[Value, Any], Any]:
    """The method behind a comparison: a plain boolean array."""

    def compared(self: Value, other: Any) -> Any:
        try:
            errors.check_stretch(compare.__name__, (self, other), self.array.shape, np.shape(plain(other)))
            answers = compare(self.array, plain(other))
        except (ValueError, TypeError) as error:
            answers = again(error, compare.__name__, (self, other), compare, self.array, plain(other))
        conversions.check_comparison(self, other, answers)
        return answers

    return compared


def method(function: Any) -> Callable[..., Value]:
    """The method form of a NumPy function, or of a primitive given by name."""

    def called(self: Value, *args: Any, **options: Any) -> Any:
        target = PRIMITIVES[function] if isinstance(function, str) else function
        simple = not args and not options and target in OPERATIONS
        return unary(OPERATIONS[target], self) if simple else dispatch(target, (self, *args), options)

    name = function if isinstance(function, str) else f"np.{function.__name__}"
    called.__name__ = name.removeprefix("np.")
    called.__qualname__ = f"Value.{called.__name__}"
    called.__doc__ = (
        f"As `{name}(self, ...)`.\n\n"
        "Parameters\n----------\n*args, **options\n    What the function takes besides its first argument.\n"
    )
    return called


def hand_out(gradients: dict[Node, Any]) -> None:
    """Give every node its gradient; Ctrl-C or a signal between two of them does not leave the others without."""
    try:
        for node, gradient in gradients.items():
            node.gradient = gradient
    except BaseException:
        deque(map(Node.gradient.__set__, gradients, gradients.values()), maxlen=0)  # one step, without interruption
        raise


def shown(thing: Any, include: Any = None, exclude: Any = None) -> Any:
    """What a notebook shows of a Value or a module, by MIME type: asked of `viz` by name, when somebody looks."""
    return public("viz").bundle(thing)


class Value(Node, names.Borrowed, Entry):  # type: ignore[misc]
    """A variable, or the result of an operation on variables.

    Parameters
    ----------
    data
        A number, a list of numbers, or a floating point array, of which the Value has a copy.
    name
        What pictures and messages call it.

    Attributes
    ----------
    data
        The array, or a NumPy number for a single one.
    grad
        The gradient after `backward()`, of the shape and dtype of the data; None before.
    op, args, options
        The operation that made the Value, its operands in order, its options.
    """

    __slots__ = ()
    __array_priority__ = 1000.0
    op: Op | None

    if TYPE_CHECKING:

        def __new__(cls, data: Any, name: str | None = None) -> Self: ...  # noqa: D102

    @names.constructor
    def __init__(self, data: Any, name: str | None = None) -> None:
        start(self, copied(floating(data)), name)

    @property
    def data(self) -> Any:
        """The number or array: of a variable to be changed, in place or rebound, of a result only to be read.

        What is changed shows in what is computed from then on; a graph keeps the numbers that it was computed from.
        """
        if self.op is not None or self.saved:
            if isinstance(self.kept, np.ndarray):
                self.kept.flags.writeable = False
        elif (kept := self.kept) is not None:
            self.lent = copied(kept), kept
            self.kept = None
        return self.array

    @data.setter
    def data(self, numbers: Any) -> None:
        if self.kept is None and numbers is self.array:  # v.data -= ... has changed it in place
            return
        if self.op is not None or self.saved:
            use = "change the variables and compute it again, or start a new one, Value(numbers)"
            raise errors.refusal(
                TypeError, f"{errors.label(self, 'the Value')} is the result of a computation: {use}"
            )
        self.kept = own(numbers, self.array, f"{errors.label(self, 'v')}.data")

    @property
    def grad(self) -> Any:
        """The gradient after `backward()`, of the shape and dtype of the data; None before, or once set to None."""
        if self.op is not None and self.gradient is not None:  # the rules share arrays among results
            self.gradient = copied(self.gradient)
        return self.gradient

    @grad.setter
    def grad(self, gradient: Any) -> None:
        if gradient is not None and gradient is not self.gradient:
            gradient = own(gradient, self.array, f"{errors.label(self, 'v')}.grad")
        self.gradient = gradient

    def backward(self, gradient: Any = None, **others: Any) -> None:
        """Compute the gradient of this Value with respect to every Value it was made from.

        Variables add it to their `.grad`; results of operations hold this pass's gradient.

        Parameters
        ----------
        gradient
            That of something further on with respect to this Value, of its shape; a single number may leave it out:
            it is 1. Anything else is a ValueError.
        **others
            PyTorch's `retain_graph`: a graph can go backward as often as one likes. No other.
        """
        if others:
            names.check_backward(others)
        if has_no_past(self):
            raise errors.no_past(self.name)
        before = self.op is not None and self.gradient is not None
        start_from = seed(self, gradient)
        found = backpropagate(self, start_from)
        if before:
            errors.check_age(self, found)
        if JOINED:
            tell_differentiated(self, start_from, found, added=True)
        with ADDING:  # threads may share variables
            for v in [v for v in found if v.op is None]:
                found[v] = copied(found[v]) if v.gradient is None else plus(v.gradient, found[v])
            hand_out(found)

    def item(self) -> float:  # type: ignore[override]
        """The only number of the Value, as a Python float; any other count of numbers is a ValueError."""
        return conversions.single(self)

    def tolist(self) -> Any:
        """The data as Python numbers, in nested lists; a single number as it is."""
        return self.array.tolist()

    # -- what NumPy asks ----------------------------------------------------------------------------------------
    def __array_ufunc__(self, ufunc: Any, call: str, *inputs: Any, **kwargs: Any) -> Any:
        if (ufunc, call) in FOLDS:
            return dispatch(FOLDS[ufunc, call], inputs, {"axis": 0, **kwargs})
        if call == "outer":
            (x, y), (m, n) = inputs, map(np.shape, inputs)
            return ufunc(np.reshape(x, m + (1,) * len(n)), np.reshape(y, (1,) * len(m) + n), **kwargs)
        if call != "__call__":
            raise errors.unknown(ufunc, WRITES if call == "at" else None, f".{call}")
        if kwargs.get("out") is not None:
            raise errors.refusal(TypeError, f"np.{ufunc.__name__} {errors.NOT_INTO} or out=a")
        return dispatch(ufunc, inputs, kwargs)

    def __array_function__(self, function: Any, types: Any, args: Any, kwargs: dict[str, Any]) -> Any:
        return dispatch(function, args, kwargs)

    def __reduce__(self) -> tuple[Any, ...]:
        return unpack, (Value, pack(self))

    # -- operators ----------------------------------------------------------------------------------------------
    __iadd__, __isub__ = in_place(np.add), in_place(np.subtract)
    __imul__, __itruediv__ = in_place(np.multiply), in_place(np.divide)
    __add__, __radd__ = operators(np.add)
    __sub__, __rsub__ = operators(np.subtract)
    __mul__, __rmul__ = operators(np.multiply)
    __truediv__, __rtruediv__ = operators(np.divide)
    __pow__, __rpow__ = operators(np.power)
    __mod__, __rmod__ = operators(np.remainder)
    __matmul__, __rmatmul__ = operators(np.matmul)
    __eq__ = comparison(operator.eq)
    __ne__ = comparison(operator.ne)
    __lt__ = comparison(operator.lt)
    __le__ = comparison(operator.le)
    __gt__ = comparison(operator.gt)
    __ge__ = comparison(operator.ge)
    __hash__ = object.__hash__
    __neg__ = method(np.negative)
    __abs__ = method(np.abs)
    __floordiv__ = method(np.floor_divide)
    __divmod__ = method(np.divmod)

    def __rfloordiv__(self, other: Any) -> Any:
        return np.floor_divide(other, self)

    def __rdivmod__(self, other: Any) -> Any:
        return np.divmod(other, self)

    def __pos__(self) -> Value:
        return self

    # -- functions as methods: `v.tanh()` is `np.tanh(v)` -------------------------------------------------------
    abs = method(np.abs)
    square = method(np.square)
    sqrt = method(np.sqrt)
    exp = method(np.exp)
    log = method(np.log)
    sin = method(np.sin)
    cos = method(np.cos)
    tanh = method(np.tanh)
    relu = method("relu")
    sigmoid = method("sigmoid")
    softplus = method("softplus")
    clip = method(np.clip)
    round = method(np.round)
    copy = method(np.copy)
    conj = copy
    conjugate = copy
    astype = method(np.astype)

    sum = method(np.sum)
    mean = method(np.mean)
    prod = method(np.prod)
    cumsum = method(np.cumsum)
    cumprod = method(np.cumprod)
    max = method(np.max)
    min = method(np.min)
    ptp = method(np.ptp)
    var = method(np.var)
    std = method(np.std)
    logsumexp = method("logsumexp")
    argmax = method(np.argmax)
    argmin = method(np.argmin)
    argsort = method(np.argsort)
    argpartition = method(np.argpartition)
    searchsorted = method(np.searchsorted)
    nonzero = method(np.nonzero)
    all = method(np.all)
    any = method(np.any)

    dot = method(np.dot)
    trace = method(np.trace)
    diagonal = method(np.diagonal)
    repeat = method(np.repeat)
    take = method(np.take)
    squeeze = method(np.squeeze)
    swapaxes = method(np.swapaxes)
    expand_dims = method(np.expand_dims)
    ravel = method(np.ravel)
    flatten = method(np.ravel)

    def compress(self, condition: Any, axis: int | None = None) -> Any:  # type: ignore[override]
        """As `np.compress(condition, self, axis)`.

        Parameters
        ----------
        condition
            (entries,) booleans: which entries along the axis to keep.
        axis
            The axis, or None for the entries one after the other.
        """
        return np.compress(condition, self, axis)

    def reshape(self, *shape: Any, **order: Any) -> Any:
        """The same numbers in another shape, which must have as many entries.

        Parameters
        ----------
        *shape
            The sizes, as `(2, 3)` or `2, 3`; one may be -1, what is left.
        **order
            `order="C"` or `"F"`, as for `np.reshape`.
        """
        return dispatch(np.reshape, (self, shape[0] if len(shape) == 1 and np.ndim(shape[0]) else shape), order)

    def transpose(self, *axes: Any) -> Any:
        """The axes in another order.

        Parameters
        ----------
        *axes
            Each axis once, as `(1, 0)` or `1, 0`; none reverses them.
        """
        return dispatch(np.transpose, (self, axes[0] if len(axes) == 1 else axes or None), {})

    @property
    def T(self) -> Any:
        """The axes reversed."""
        return self.transpose()

    @property
    def mT(self) -> Any:
        """Each matrix of a stack transposed: the last two axes exchanged."""
        return self.swapaxes(-1, -2)

    @property
    def real(self) -> Value:
        """The Value: its numbers are real."""
        return self

    # -- a Value as a container ---------------------------------------------------------------------------------
    @property
    def shape(self) -> Any:
        """The sizes of the axes."""
        return self.array.shape

    @shape.setter
    def shape(self, shape: Any) -> None:
        raise errors.refusal(TypeError, f"a Value is not changed in place: v = v.reshape({shape})")

    @property
    def dtype(self) -> Any:
        """The floating point type."""
        return self.array.dtype

    @property
    def ndim(self) -> Any:
        """How many axes there are."""
        return self.array.ndim

    @property
    def size(self) -> Any:
        """How many numbers there are."""
        return self.array.size

    def __getitem__(self, index: Any) -> Value:
        return apply(OPERATIONS[PRIMITIVES["getitem"]], (self,), {"index": plain(index)})

    def __contains__(self, number: Any) -> bool:
        return bool(np.any(self == number))

    def __len__(self) -> int:
        return conversions.length(self)

    def __bool__(self) -> bool:
        return conversions.truth(self)

    def __iter__(self) -> Iterator[Value]:
        return map(self.__getitem__, range(len(self)))

    def __round__(self, digits: int | None = None) -> Any:
        return conversions.rounded(self, digits)

    def __format__(self, form: str) -> str:
        return conversions.formatted(self, form)

    def __repr__(self) -> str:
        grad = "not computed yet" if self.grad is None else self.grad
        name = f", name={self.name!r}" if self.name else ""
        return f"Value(data={self.array}, grad={grad}{name})"

    _repr_mimebundle_ = shown

    # -- what would cut the graph -------------------------------------------------------------------------------
    __float__ = __int__ = __index__ = __complex__ = conversions.refuse_number
    if not TYPE_CHECKING:  # for type checkers, see `typed.Entry`
        __array__ = conversions.refuse_array
    __setitem__ = __delitem__ = conversions.refuse_change
    sort = partition = fill = put = resize = conversions.refuse_change


def apply(op: Op, args: tuple[Any, ...], options: dict[str, Any] = NO_OPTIONS) -> Value:
    """Compute an operation on the data of its operands, and record it; one of them is a Value."""
    if len(args) <= 2 and not options:
        return binary(op, *args) if len(args) == 2 else unary(op, *args)
    inputs = []
    narrow = False
    for arg in args:
        if isinstance(arg, Node):
            a = to_keep(arg)
            narrow = narrow or a.dtype is not FLOAT64
            inputs.append(a)
        else:
            inputs.append(constant(arg))
            op = op.with_constants
    try:
        out = op.compute(*inputs, **options)
    except (ValueError, TypeError, IndexError) as error:
        out = again(error, op.name, args, op.compute, *inputs, **options)
    if narrow:
        errors.check_promotion(op.name, args, inputs, out)
    return record(op, args, (out, *inputs), options, False)


def unary(op: Op, x: Any) -> Value:
    """`apply` for one operand without options."""
    a = x.kept
    if a is None:
        a = to_keep(x)
    try:
        out = op.compute(a)
    except (ValueError, TypeError) as error:
        out = again(error, op.name, (x,), op.compute, a)
    return record(op, (x,), (out, a), NO_OPTIONS, op.elementwise and out.dtype is FLOAT64)


def binary(op: Op, x: Any, y: Any) -> Value:
    """`apply` for two operands without options: the path that has to be short."""
    if isinstance(x, Value) and isinstance(y, Value):
        a = x.kept
        b = y.kept
        if a is None:
            a = to_keep(x)
        if b is None:
            b = to_keep(y)
        same = a.shape == b.shape and a.dtype is b.dtype
    else:
        a = to_keep(x) if isinstance(x, Value) else constant(x)
        b = to_keep(y) if isinstance(y, Value) else constant(y)
        op = op.with_constants
        same = type(a) is float or type(b) is float or (a.shape == b.shape and a.dtype is b.dtype)
    try:
        out = op.compute(a, b)
    except (ValueError, TypeError) as error:
        out = again(error, op.name, (x, y), op.compute, a, b)
    if not same:
        if op.elementwise:
            errors.check_stretch(op.name, (x, y), a.shape, b.shape)
        if out.dtype is not a.dtype or out.dtype is not b.dtype:
            errors.check_promotion(op.name, (x, y), (a, b), out)
    return record(op, (x, y), (out, a, b), NO_OPTIONS, same and op.elementwise and out.dtype is FLOAT64)


def record(op: Op, args: Any, saved: Any, options: dict[str, Any], aligned: bool) -> Value:
    """A Value that remembers how it was made, unless inside `no_grad()`."""
    scope = SCOPE.get()
    value: Value = new(Value)
    if scope is None:
        scope = recording_scope()
        if scope is None:
            return start(value, saved[0], None, op)
    value.kept = saved[0]
    value.op = op
    value.args = args
    value.saved = saved
    value.options = options
    value.aligned = aligned
    value.gradient = value.name = None
    value.scope = scope
    value.number = next_number()
    if JOINED:
        tell_made(value, op)
    return value


def start(value: Value, data: Any, name: str | None, op: Op | None = None) -> Value:
    """Fill a Value without a past: a variable, or what an operation gives inside `no_grad()`."""
    value.kept = data
    value.name = name
    value.scope = SCOPE.get() or ROOT
    value.op = None
    value.args = ()
    value.saved = () if op is None else (data,)
    value.options = NO_OPTIONS
    value.aligned = False
    value.gradient = None
    value.number = next_number()
    if JOINED:
        tell_made(value, op)
    return value


def dispatch(function: Any, args: Any, kwargs: dict[str, Any]) -> Any:
    """What NumPy's protocols call: find the function in the table, and apply it."""
    if function in OPERATIONS:
        op = OPERATIONS[function]
        if op.elementwise and not kwargs:
            return apply(op, args)
        arrays, options = op.bind(args, kwargs)
        return apply(op, arrays, {name: plain(option) for name, option in options.items()})
    if function in REWRITES:
        return REWRITES[function](*args, **kwargs)
    if function in CONSTANTS:
        inputs, options = plain(args), {k: plain(v) for k, v in kwargs.items()}
        try:
            return function(*inputs, **options)
        except TypeError as error:
            if not is_warning(error):
                raise names.of_constant(function, kwargs, error) from None
            return again(error, function.__name__, args, function, *inputs, **options)
    if arrived():
        return dispatch(function, args, kwargs)
    if hasattr(function, "_entry"):  # defined again so often that the table has forgotten this one
        arrays, options = function._entry.bind(args, kwargs)
        return apply(function._entry, arrays, {name: plain(option) for name, option in options.items()})
    raise errors.unknown(function, REFUSED.get(function))
