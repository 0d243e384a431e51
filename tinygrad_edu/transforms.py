"""Transforms: functions that turn a function into its derivative.

A transform runs f once on fresh variables y, and only then says that y is x. So nested derivatives need no levels and
no flags: the inner variable is its own, and the graph shows what its derivative depends on. What was recorded is
pulled back (`grad`, `vjp`) or pushed forward (`jvp`), as often as needed.
Source: Siskind and Pearlmutter, "Perturbation confusion and referential transparency" (2005): the fault to avoid.
"""

from collections.abc import Callable, Iterator
from functools import partial, wraps
from typing import Any

import numpy as np

from tinygrad_edu.backward import own, seed, vjps
from tinygrad_edu.errors import printable, refusal
from tinygrad_edu.forward import propagate
from tinygrad_edu.graph import Node, ancestors, copied, has_no_past, next_number, same_bits, sources, to_keep
from tinygrad_edu.inputs import constant, plain
from tinygrad_edu.listeners import JOINED, tell_differentiated
from tinygrad_edu.names import spelled
from tinygrad_edu.recording import recorded, recording_scope
from tinygrad_edu.surroundings import State, as_in, random_states, used_by
from tinygrad_edu.table import OPERATIONS, PRIMITIVES, REALS, Op, Parts, case
from tinygrad_edu.tree import flatten, leaves, rebuild
from tinygrad_edu.value import Value, record

Function = Callable[..., Any]
Argnums = int | tuple[int, ...]


def expect_function(f: Any, name: str, argnums: Any = 0) -> None:
    """Refuse a result where its function is meant, and an argument where its place is meant."""
    if isinstance(f, Node):
        use = "te.gradients(loss, [w]) and loss.backward() differentiate a result"
        raise refusal(TypeError, f"{name} takes the function, not its result, a Value: write {name}(f)(x); {use}")
    if not callable(f):
        got = f"its result, a {type(f).__name__}"
        raise refusal(TypeError, f"{name} takes the function, not {got}: write {name}(f)(x) for {name}(f(x))")
    places = argnums if isinstance(argnums, tuple | list) else (argnums,)
    if not all(isinstance(i, int) for i in places):
        got = f"got a {type(argnums).__name__}: write {name}(f)(x) for {name}(f, x)"
        raise refusal(TypeError, f"argnums says by place which arguments to differentiate, 0 or (0, 1); {got}")


def expect_result(out: Any, f: Function) -> None:
    """Refuse a function that returns nothing."""
    if out is None:
        name = printable(getattr(f, "__name__", type(f).__name__))
        raise refusal(TypeError, f"the function {name} returns None: is a `return` missing?")


class Run:
    """One run of a function on fresh variables, to be differentiated in both directions, as often as needed."""

    def __init__(self, f: Function, args: tuple[Any, ...], kwargs: dict[str, Any], argnums: Argnums) -> None:
        places = tuple(argnums) if isinstance(argnums, tuple | list) else (argnums,)
        if not all(isinstance(i, int) and -len(args) <= i < len(args) for i in places):
            given = f"{len(args)} positional arguments were given: pass by position what to differentiate"
            raise refusal(TypeError, f"argnums is {argnums!r}, and {given}")
        inner = list(args)
        self.since = next_number()
        for i in places:
            ys = [Value(plain(x), getattr(x, "name", None)) for x in leaves(args[i])]
            if not ys and len(places) == 1:
                raise refusal(TypeError, f"argument {i} holds no numbers to differentiate with respect to")
            inner[i] = rebuild(args[i], ys, same=True)
        self.chosen = args[argnums] if isinstance(argnums, int) else tuple(args[i] for i in argnums)
        self.xs = leaves(self.chosen)
        self.ys = leaves([inner[i] for i in places])
        with recorded():
            self.out = f(*inner, **kwargs)
            expect_result(self.out, f)
            self.outs = leaves(self.out)
            self.root = joined(self.outs)
        self.expect_recorded()
        outside = not set(self.ys).issuperset(sources(*self.outs, since=self.since))
        self.keep = recording_scope() is not None and (outside or any(isinstance(x, Node) for x in self.xs))
        for x, y in zip(self.xs, self.ys, strict=True):
            if self.keep and isinstance(x, Node) and x is not y:
                # y = x, the one clever line: said only now, so that f could not take the one for the other
                y.op = OPERATIONS[PRIMITIVES["identity"]]
                y.args = (x,)
                y.saved = (y.array, y.array)
                y.aligned = True
        self.value = rebuild(self.out, self.outs if self.keep else map(numbers, self.outs))

    def expect_recorded(self) -> None:
        """Refuse a function of which nothing was recorded, since it used `.data` of its arguments, or `no_grad()`."""
        found = set(ancestors(*self.outs, since=self.since))
        if not found.isdisjoint(self.ys):
            return
        if any(y is not x and y.kept is None for x, y in zip(self.xs, self.ys, strict=True)):
            use = "compute with the argument itself, with NumPy's functions"
            raise refusal(ValueError, f"the result does not depend on the arguments, whose .data was used: {use}")
        if any(has_no_past(node) and node.number > self.since for node in found):
            use = "differentiate what is computed outside of it"
            raise refusal(ValueError, f"the result was computed inside no_grad(), which keeps no past: {use}")

    def pull(self, g: Any) -> list[Any]:
        """The gradient for each variable that belongs to a gradient of the joined results."""
        return vjps(self.root, g, self.ys, self.keep, self.since)

    def push(self, ts: list[Any]) -> list[Any]:
        """The tangent of each result that belongs to tangents of the variables."""
        found = propagate(self.outs, dict(zip(self.ys, ts, strict=True)), self.keep, self.since)
        held: set[int] = set()
        there = [isinstance(o, Node) and o in found for o in self.outs]
        pairs = zip(self.outs, there, strict=True)
        return [own(found[o], held) if known else np.zeros_like(plain(o))[()] for o, known in pairs]


def numbers(result: Any) -> Any:
    """The numbers of a result, for the user to keep and change; what f gave as an array is the user's already."""
    return copied(result.array) if isinstance(result, Node) else result


def joined(arrays: list[Any]) -> Any:
    """Several arrays as one vector; one array as it is."""
    return arrays[0] if len(arrays) == 1 else np.concatenate([np.ravel(a) for a in arrays] or [np.zeros(0)])


def spans(arrays: list[Any]) -> Iterator[tuple[slice, Any]]:
    """Where each array lies in the joined vector."""
    end = 0
    for a in arrays:
        end += np.size(a)
        yield slice(end - np.size(a), end), a


def cut(vector: Any, arrays: list[Any]) -> list[Any]:
    """The pieces of a vector that have the shapes and dtypes of arrays: `joined` undone."""
    pieces = [(np.reshape(vector[span], np.shape(a)), np.result_type(plain(a))) for span, a in spans(arrays)]
    return [piece if piece.dtype == dtype else piece.astype(dtype) for piece, dtype in pieces]


def matched(structure: Any, tree: Any, word: str) -> list[Any]:
    """The leaves of a structure of gradients or tangents, in the order and dtypes of the structure it belongs to."""
    found = dict(flatten(structure))
    wanted = dict(flatten(tree))
    shapes, expected = ({path: np.shape(a) for path, a in d.items()} for d in (found, wanted))
    if shapes != expected:
        raise refusal(ValueError, f"the {word} has shapes {shapes}, it needs {expected}, by path")
    given = {path: a if isinstance(a, Node) else constant(a) for path, a in found.items()}
    return [(np.ones_like(plain(a)) * given[path]).astype(np.result_type(plain(a))) for path, a in wanted.items()]


@spelled
def value_and_grad(f: Function, argnums: Argnums = 0) -> Function:
    """The function that returns `(f(...), gradient)`.

    Parameters
    ----------
    f
        A function of numbers, arrays, or nested lists, tuples, dicts, dataclasses and modules; it gives one number.
    argnums
        Which positional arguments to differentiate with respect to; several give a tuple of gradients.

    Returns
    -------
    callable
        Takes the arguments of f. The gradient has the structure, shapes and dtypes of the argument, for a module
        a dict from path to gradient. Gradients are plain arrays, or Values where a variable from outside is
        involved, such as a module's parameters, to be differentiated again (not inside `no_grad()`). A result of f
        that is not a single number is a ValueError.
    """
    expect_function(f, "value_and_grad", argnums)

    @wraps(f)
    def transformed(*args: Any, **kwargs: Any) -> tuple[Any, Any]:
        run = Run(f, args, kwargs, argnums)
        if len(run.outs) != 1:
            raise refusal(ValueError, f"the function gives {len(run.outs)} results: a gradient is of one")
        root = run.root if isinstance(run.root, Node) else Value(constant(run.root) * 1.0)
        start_from = seed(root, None)
        found = run.pull(start_from)
        if JOINED:
            wanted = {x: g for x, g in zip(run.xs, found, strict=True) if isinstance(x, Node)}
            tell_differentiated(root, start_from, wanted, added=False)
        return run.value, rebuild(run.chosen, found)

    return transformed


@spelled
def grad(f: Function, argnums: Argnums = 0) -> Function:
    """The gradient of a function, as a function; see `value_and_grad`.

    Parameters
    ----------
    f, argnums
        As for `value_and_grad`.

    Notes
    -----
    A gradient is a plain array, but a Value where a variable that is no argument takes part: the parameters of a
    module that f calls, or an argument that is a Value. It depends on that variable, so it can be differentiated once
    more. Where only its numbers are wanted, write `gradient.data`, or call inside `no_grad()`, which gives arrays.

    Examples
    --------
    >>> import numpy as np
    >>> from tinygrad_edu import grad, nn, no_grad
    >>> print(grad(grad(lambda x: x**3))(2.0))
    12.0
    >>> model = nn.Linear(2, 1, rng=0)
    >>> slope = grad(lambda x: np.sum(model(x)))
    >>> type(slope(np.ones(2))).__name__
    'Value'
    >>> with no_grad():
    ...     type(slope(np.ones(2))).__name__
    'ndarray'
    """
    expect_function(f, "grad", argnums)
    both = value_and_grad(f, argnums)
    return wraps(f)(lambda *args, **kwargs: both(*args, **kwargs)[1])


@spelled
def elementwise_grad(f: Function, argnums: Argnums = 0) -> Function:
    """The derivative of every entry of an elementwise function, as a function: the gradient of the sum.

    Parameters
    ----------
    f, argnums
        As for `value_and_grad`, but f gives an array of which each entry depends on the same entry of the argument.
    """
    expect_function(f, "elementwise_grad", argnums)
    return grad(wraps(f)(lambda *args, **kwargs: np.sum(f(*args, **kwargs))), argnums)


def vjp(f: Function, *primals: Any) -> tuple[Any, Function]:
    """The result `f(*primals)`, and the function that takes a gradient of it back to a tuple, one for each primal.

    f runs once, however often one pulls. A gradient that has not the structure and shapes of the result is a
    ValueError.

    Parameters
    ----------
    f, *primals
        A function, as for `value_and_grad`, but what it gives may be a structure too; and its arguments.
    """
    expect_function(f, "vjp")
    run = Run(f, primals, {}, tuple(range(len(primals))))
    pull = lambda g: rebuild(run.chosen, run.pull(joined(matched(g, run.out, "gradient"))))
    return run.value, pull


def jvp(f: Function, primals: Any, tangents: Any) -> tuple[Any, Any]:
    """The result `f(*primals)`, and how it moves as the primals move along the tangents (forward mode).

    Parameters
    ----------
    f
        A function, as for `value_and_grad`, but what it gives may be a structure too.
    primals
        Its arguments, a tuple; a single one needs no tuple.
    tangents
        A direction for each, of its structure and shapes; others are a ValueError.
    """
    expect_function(f, "jvp")
    primals, tangents = (tuple(t) if isinstance(t, tuple | list) else (t,) for t in (primals, tangents))
    if not primals:
        raise refusal(TypeError, "jvp: there are no arguments, primals is empty: te.jvp(f, (x,), (v,))")
    run = Run(f, primals, {}, tuple(range(len(primals))))
    ts = matched(tangents, rebuild(run.chosen, run.ys), "tangent")
    return run.value, rebuild(run.out, run.push(ts))


@spelled
def jacobian(f: Function, argnums: Argnums = 0) -> Function:
    """The derivative of every result for every argument: an array of shape `result.shape + argument.shape`.

    Structures give a structure like the result, of structures like the argument. f runs once; its derivatives are
    pushed forward if there are fewer arguments than results, else pulled back.

    Parameters
    ----------
    f, argnums
        As for `value_and_grad`, but what f gives may be a structure too.
    """
    expect_function(f, "jacobian", argnums)

    @wraps(f)
    def transformed(*args: Any, **kwargs: Any) -> Any:
        run = Run(f, args, kwargs, argnums)
        m = sum(map(np.size, run.outs))
        n = sum(map(np.size, run.ys))
        if n < m or m == 0:
            columns = [joined(run.push(cut(e, run.ys))) for e in np.eye(n)]
            matrix: Any = np.transpose(np.reshape(joined(columns), (n, m)))
        else:
            rows = [joined(run.pull(joined(cut(e, run.outs)))) for e in np.eye(m)]
            matrix = np.reshape(joined(rows), (m, n))
        blocks = [
            rebuild(run.chosen, [np.reshape(matrix[r, c], np.shape(out) + np.shape(y)) for c, y in spans(run.ys)])
            for r, out in spans(run.outs)
        ]
        return rebuild(run.out, blocks)

    return transformed


@spelled
def hessian(f: Function, argnums: Argnums = 0) -> Function:
    """The second derivatives of a number: an array of shape `argument.shape + argument.shape`; see `jacobian`.

    Parameters
    ----------
    f, argnums
        As for `value_and_grad`.
    """
    expect_function(f, "hessian", argnums)
    return jacobian(grad(f, argnums), argnums)


def hvp(f: Function, x: Any, v: Any) -> Any:
    """The Hessian of f at x times v, of the structure of x, without the matrix: the gradient, pushed along v.

    Parameters
    ----------
    f, x
        A function of one argument, as for `value_and_grad`, and its argument.
    v
        A direction, of the structure and shapes of x; another is a ValueError.
    """
    expect_function(f, "hvp")
    return jvp(grad(f), (x,), (v,))[1]


DRAWN = (
    "a checkpointed function drew random numbers, and would draw others when it is computed again: draw them before, "
    "and give them to it as an argument"
)


def replay(call: Function, past: list[Node], g: Any, out: Any, *inputs: Any) -> list[Any]:
    """The gradients for everything that a call was made from, by making it again."""
    since = next_number()
    with recorded():
        again = call()
    same = all(
        node.array is plain(x) or same_bits(node.array, plain(x)) for node, x in zip(past, inputs, strict=True)
    )
    new = plain(again)
    old = plain(out)
    if not (same and np.shape(new) == old.shape and np.all((new == old) | (new != new) & (old != old))):
        raise refusal(
            ValueError,
            "a checkpointed function gave another result when it was computed again: it must not draw random "
            "numbers, and parameters are updated after backward, not before",
        )
    return vjps(again, g, past, isinstance(out, Node), since)


def recomputed(*past: Any, again: Any) -> Any:
    """The result of a checkpointed call."""
    return plain(again.args[0]())


RECOMPUTED = Op(recomputed, Parts(lambda *inputs, again: again(*inputs)), domain=REALS, cases=[case()])


def checkpoint(f: Function) -> Function:
    """The same function, which keeps only what it was made from: the backward pass computes it again.

    So a chain of such calls keeps their results instead of everything inside, for one more forward computation.
    Variables that f uses without being given them, such as a module's parameters, have their gradients too.

    Parameters
    ----------
    f
        A function of numbers, arrays or structures that gives the same each time: one that draws random numbers is a
        ValueError at the call, and parameters that were updated before the backward pass are one there. What it
        changes in a module, such as a running mean, is changed once.
    """
    expect_function(f, "checkpoint")

    @wraps(f, updated=())
    def checkpointed(*args: Any, **kwargs: Any) -> Any:
        if recording_scope() is None:
            return f(*args, **kwargs)
        things = used_by(f, (args, kwargs))
        states = random_states(things)
        state = State(things)
        since = next_number()
        out = f(*args, **kwargs)
        outs = leaves(out)
        past = sources(*outs, since=since)
        if not past:
            return out
        if random_states(things) != states:
            raise refusal(ValueError, DRAWN)

        def call() -> Any:
            with as_in(state, things):
                return joined(leaves(f(*args, **kwargs)))

        saved = (plain(joined(outs)), *map(to_keep, past))
        node = record(RECOMPUTED, tuple(past), saved, {"again": partial(replay, call, past)}, False)
        return rebuild(out, [node] if len(outs) == 1 else cut(node, outs))

    return checkpointed


def stop_gradient(x: Any) -> Any:
    """The same numbers as constants, in a structure like x.

    Parameters
    ----------
    x
        A number, an array, a Value, or a structure of them.
    """
    return rebuild(x, (copied(leaf.array) if isinstance(leaf, Value) else leaf for leaf in leaves(x)))
