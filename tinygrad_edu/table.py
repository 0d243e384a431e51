"""The table of derivative rules: what is differentiable, and how.

An entry (`Op`) belongs to a NumPy function and holds one *pullback* per array argument: a line of NumPy that takes
the gradient of the result back to that argument. Beside it stands what tests and pictures need: domain, kinks, glyph,
formula. Nothing here knows that `Value` exists; the table is data.
Source: Maclaurin, "Modeling, Inference and Optimization with Composable Differentiable Procedures" (2016), chapter 4.
"""

from __future__ import annotations

import inspect
import sys
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import KW_ONLY, dataclass, field, replace
from functools import lru_cache, wraps
from itertools import product
from typing import Any

import numpy as np

from tinygrad_edu import errors
from tinygrad_edu.graph import Node
from tinygrad_edu.inputs import constant as number
from tinygrad_edu.inputs import plain
from tinygrad_edu.later import CHAPTERS, chapter
from tinygrad_edu.spellings import OPTIONS

Rule = Callable[..., Any]
Interval = tuple[float, float] | str
Case = tuple[tuple[tuple[int, ...], ...], dict[str, Any]]

INF = float("inf")
REALS = (-INF, INF)
POSITIVE = (0.0, INF)
TIES = "ties"
MULTIPLES = "multiples"
REGULAR = "full rank"
DEFINITE = "positive definite"

OPERATIONS: dict[Callable[..., Any], Op] = {}
REWRITES: dict[Callable[..., Any], Callable[..., Any]] = {}
CONSTANTS: set[Callable[..., Any]] = set()
REFUSED: dict[Callable[..., Any], str] = {}
PRIMITIVES: dict[str, Callable[..., Any]] = {}
FOLDS: dict[tuple[Callable[..., Any], str], Callable[..., Any]] = {}
"""What a method of a ufunc is called otherwise: that of `np.add.reduce` is `np.sum`."""
INSTEAD = {"where": "np.where chooses", "dtype": "astype converts", "out": "use the result"} | OPTIONS
SAME_NAME = 100  # operations of one place and name that stay in the table: a cell that is run again makes a new one
SIGNATURES = 2_000  # more than there are functions in the table
signature = lru_cache(SIGNATURES)(inspect.signature)


class Each:
    """One pullback for any number of arguments.

    Parameters
    ----------
    rule
        `rule(i, g, out, *arrays, **options)` gives the gradient of the i-th array, counted from 0.
    """

    def __init__(self, rule: Rule) -> None:
        self.rule = rule

    def __getitem__(self, i: int) -> Rule:
        return lambda *inputs, **options: self.rule(i, *inputs, **options)


class Parts(Each):
    """All pullbacks at once: `rule(g, out, *arrays, **options)` gives the list of the gradients of all arrays."""

    def __getitem__(self, i: int) -> Rule:
        return lambda *inputs, **options: self.rule(*inputs, **options)[i]


@dataclass(eq=False, repr=False, slots=True)
class Op:
    """A differentiable function with everything that is declared about it.

    Parameters
    ----------
    function
        The function users call, such as `np.tanh`; it is also the key of the table.
    pullbacks
        One rule `(g, out, *arrays, *, **options)` per array argument.
    domain
        An interval `(low, high)` for every argument, or a list with one interval per argument. For matrices:
        `REGULAR`, with singular values apart from each other and from 0, or `DEFINITE`, symmetric besides.
    kinks, singular
        Points where the slope jumps, and points where it does not exist; `TIES` where arguments are equal.
    cases
        Example calls `case(*shapes, **options)`; none means "elementwise: any broadcastable shapes".
    glyph, formulas
        How pictures show the function, and its local derivative for each argument in `x`, `y`, `out`.
    with_constants
        The pullbacks used instead when not every argument is a variable, so that a tie with a constant
        has its minimum-norm gradient, 0; an `Op` is made of them.
    compute
        A faster way to the same result, such as `operator.mul`, which skips the ufunc for single numbers.
    add
        A faster way to add a pullback to a sum of many, in place: `add(total, g, **options)`, for functions that take
        little of a large array. It is never asked for derivatives of a derivative.
    linear
        Whether the function is linear in each argument, or in all `Parts`: then it pushes tangents forward itself.
    """

    function: Rule
    pullbacks: Sequence[Rule] | Each
    _: KW_ONLY
    domain: Interval | Sequence[Interval]
    kinks: Sequence[float] | str = ()
    singular: Sequence[float] = ()
    cases: Sequence[Case] = ()
    glyph: str = ""
    formulas: Sequence[str] = ()
    with_constants: Any = None
    compute: Any = None
    add: Any = None
    linear: bool = False
    name: str = field(init=False)
    elementwise: bool = field(init=False)
    variadic: bool = field(init=False)
    parameters: dict[str, Any] = field(init=False)
    options: frozenset[str] = field(init=False)

    def __post_init__(self) -> None:
        self.name = self.function.__name__.strip("_")
        self.parameters = declared_by(self.function)
        self.elementwise = not self.cases
        self.variadic = isinstance(self.pullbacks, Each)
        self.glyph = self.glyph or self.name
        self.compute = self.compute or self.function
        self.options = self.declared()
        if self.with_constants is None:
            self.with_constants = self
        else:
            self.with_constants = replace(self, pullbacks=self.with_constants, with_constants=None)

    def declared(self) -> frozenset[str]:
        """The options that the rules know; refuses rules that do not fit the function."""
        rules = [self.pullbacks.rule] if isinstance(self.pullbacks, Each) else self.pullbacks
        options: set[str] = set()
        for rule in rules:
            positional, named = parameters_of(rule)
            options.update(named)
            count = len(positional) - 2  # besides g and out
            if not self.variadic and count != len(rules):
                use = "write one pullback (g, out, *arrays, *, **options) per array argument"
                raise errors.refusal(
                    TypeError, f"{self.name}: {len(rules)} pullbacks for {count} array arguments; {use}"
                )
        unknown = options.difference(self.parameters)
        if self.parameters and unknown:
            known = ", ".join(self.parameters)
            raise errors.refusal(
                TypeError, f"{self.name}: no option {', '.join(sorted(unknown))} in its signature ({known})"
            )
        return frozenset(options)

    def bind(self, args: Sequence[Any], kwargs: Mapping[str, Any]) -> tuple[tuple[Any, ...], dict[str, Any]]:
        """Sort a call's arguments into arrays (positional) and options (by keyword)."""
        if not self.parameters or isinstance(self.pullbacks, Each):
            arrays = tuple(args)
            named = dict(kwargs)
        else:
            named = {**dict(zip(self.parameters, args, strict=False)), **kwargs}
            names = list(self.parameters)[: len(self.pullbacks)]
            arrays = tuple(named.pop(name) for name in names if name in named)
        # a Value as an option would be a constant in silence, so it is refused; as a condition it only chooses
        known = [name for name in self.options if name == "condition" or not isinstance(named.get(name), Node)]
        return arrays, accepted(self.name, known, self.parameters, without_own_dtype(arrays, known, named))

    def __repr__(self) -> str:
        return f"<Op {self.name}>"

    def __reduce__(self) -> tuple[Any, ...]:
        return lookup, (self.function, OPERATIONS.get(self.function) is not self)


def declared_by(function: Rule, read: Rule = inspect.signature) -> dict[str, Any]:
    """A function's parameters by their names; a ufunc has arrays only, and some C functions tell none."""
    with suppress(ValueError):
        return {} if hasattr(function, "nin") else dict(read(function).parameters)
    return {}


def parameters_of(rule: Rule) -> tuple[Sequence[str], Sequence[str]]:
    """The names that a rule takes by position, and those that it takes by keyword only, in the order of its code."""
    code = rule.__code__
    positional = code.co_argcount
    return code.co_varnames[:positional], code.co_varnames[positional : positional + code.co_kwonlyargcount]


def without_own_dtype(arrays: Any, known: Collection[str], named: dict[str, Any]) -> dict[str, Any]:
    """The options without a dtype that changes nothing, because it is that of the arrays."""
    if named.get("dtype") is None or "dtype" in known:
        return named
    with suppress(TypeError):  # it may be no dtype at all
        if dtypes(arrays) == {np.dtype(named["dtype"])}:
            return {name: option for name, option in named.items() if name != "dtype"}
    return named


def dtypes(arrays: Any) -> set[Any]:
    """The dtypes of all arrays in nested lists."""
    if isinstance(arrays, list | tuple):
        return set[Any]().union(*map(dtypes, arrays))
    return {arrays.dtype} if hasattr(arrays, "dtype") else set()


def accepted(
    name: str, known: Collection[str], declared: Mapping[str, Any], given: Mapping[str, Any]
) -> dict[str, Any]:
    """The options that a rule knows; NumPy's own defaults go without saying, anything else is refused."""
    for option, value in given.items():
        default = declared[option].default if option in declared else None
        if option not in known and value is not default:
            named = sorted(n for n in known if n in declared and declared[n].default is not declared[n].empty)
            only = f", only {option}={default!r}" if isinstance(default, str | bool) else ""
            if isinstance(value, Node) and name in ("concatenate", "stack"):
                use = f"several arrays stand in a list, {name}([v, w])"
                raise errors.refusal(TypeError, f"{name}: a Value was given as the option {option}: {use}")
            instead = f"; {INSTEAD[option]}" if option in INSTEAD else ""
            use = f"supported options: {', '.join(named) or 'none'}{instead}"
            raise errors.refusal(
                TypeError, f"{name}: option {option}={value!r:.60} is not supported here{only}; {use}"
            )
    return {option: value for option, value in given.items() if option in known}


def lookup(function: Rule, with_constants: bool = False) -> Op:
    """The table's entry for a function; how a pickled graph finds its rules again."""
    op = OPERATIONS.get(function) or function._entry  # type: ignore[attr-defined]
    return op.with_constants if with_constants else op


def expect_new(function: Rule) -> None:
    """Refuse a function that is in the table already."""
    if function in OPERATIONS or function in REWRITES or function in CONSTANTS:
        raise errors.refusal(
            ValueError, f"{function.__name__} is in the table already; a function has one derivative"
        )


def differentiable(function: Rule, *pullbacks: Rule | Each, domain: Any, **declared: Any) -> Op:
    """Give a NumPy function its pullbacks.

    Parameters
    ----------
    function
        The function users call, such as `np.tanh`; one that is in the table already is a ValueError.
    *pullbacks
        One rule `(g, out, *arrays, *, **options)` per array argument: g has the shape of the result, what the rule
        gives that of the argument, or what broadcasting makes of it. Or one `Each`. Any other is a TypeError.
    domain
        Where the rules hold: `REALS`, `POSITIVE`, any `(low, high)`, or a list of one for each argument.
    **declared
        `kinks`, `singular`, `cases`, `glyph`, `formulas` and so on, as for `Op`.

    Returns
    -------
    Op
        The entry of the table.

    Examples
    --------
    ::

        te.differentiable(np.tanh, lambda g, out, x: g * (1 - out**2), domain=te.REALS)
    """
    rules: Any = pullbacks[0] if len(pullbacks) == 1 and isinstance(pullbacks[0], Each) else pullbacks
    expect_new(function)
    op = OPERATIONS[function] = Op(function, rules, domain=domain, **declared)
    return op


def primitive(function: Rule, *pullbacks: Rule | Each, domain: Any, name: str = "", **declared: Any) -> Rule:
    """Make a differentiable operation of a function that is not NumPy's.

    Parameters
    ----------
    function
        Computes the result from plain arrays and options.
    *pullbacks, domain, **declared
        As for `differentiable`.
    name
        What pictures and messages call a lambda; other functions have their name.

    Returns
    -------
    callable
        What users call. It behaves as NumPy's own functions do: plain arrays in, plain arrays out, and a Value among
        the arguments is asked to take over.
    """
    if name:
        function.__name__ = function.__qualname__ = name

    @wraps(function)
    def operation(*args: Any, **kwargs: Any) -> Any:
        for argument in (*args, *kwargs.values()):
            if isinstance(argument, Node):
                return argument.__array_function__(operation, (), args, kwargs)  # type: ignore[attr-defined]
        try:
            return function(*args, **kwargs)
        except (TypeError, ValueError, AttributeError, IndexError) as error:
            for argument in args:
                number(argument)  # refuses what is none
            raise errors.explained(function.__name__, args, error) from None

    operation._entry = differentiable(  # type: ignore[attr-defined]
        operation, *pullbacks, domain=domain, compute=function, **declared
    )
    forget_oldest(function.__module__, function.__qualname__)
    PRIMITIVES.setdefault(function.__name__, operation)
    return operation


def forget_oldest(module: str, name: str) -> None:
    """Take the oldest of many operations that were defined in one place out of the table; they still work."""
    wanted = {"__module__": module, "__qualname__": name}
    same = [f for f in OPERATIONS if all(getattr(f, key, "") == text for key, text in wanted.items())]
    for function in same[:-SAME_NAME]:
        del OPERATIONS[function]


def implements(function: Rule) -> Callable[[Rule], Rule]:
    """Rewrite a function in terms of differentiable ones.

    Parameters
    ----------
    function
        The function users call, such as `np.ptp`; one that is in the table already is a ValueError.

    Returns
    -------
    callable
        A decorator for the rewrite, which takes the arguments that it knows by NumPy's names. A call with an option
        that it does not name is a TypeError.

    Examples
    --------
    ::

        @te.implements(np.ptp)
        def ptp(a, axis=None):
            return np.max(a, axis) - np.min(a, axis)
    """

    def enter(rewrite: Rule) -> Rule:
        expect_new(function)
        REWRITES[function] = rewrite
        if rewrite in OPERATIONS or rewrite in REWRITES:  # one function under two names
            return rewrite
        rewrite.__name__ = rewrite.__qualname__ = function.__name__  # what Python's own messages call it

        def checked(*args: Any, **given: Any) -> Any:
            try:
                arrays, options = fitting(function, rewrite, args, given)
                result = rewrite(*arrays, **options)
            except (AttributeError, LookupError, TypeError, ValueError) as error:
                raise errors.retold(function, plain(args), plain(given), error) from None
            if isinstance(result, Node):
                errors.check_promotion(function.__name__, args, args, result)
            return result

        REWRITES[function] = checked
        return rewrite

    return enter


def fitting(function: Rule, rewrite: Rule, args: Any, given: dict[str, Any]) -> tuple[Any, dict[str, Any]]:
    """The arguments of a call that a rewrite takes, by position and by keyword.

    An option that NumPy takes by position too has the name that NumPy gives it; what the rewrite does not know is
    refused, see `accepted`.
    """
    code = getattr(rewrite, "__code__", None)  # of a function written in Python; a ufunc has none, and is asked below
    if code and not given and len(args) <= code.co_argcount:
        return args, given
    takes = signature(rewrite).parameters
    kinds = [parameter.kind for parameter in takes.values()]
    if inspect.Parameter.VAR_POSITIONAL in kinds:
        count = len(args)
    else:
        count = kinds.count(inspect.Parameter.POSITIONAL_OR_KEYWORD)
    declared = declared_by(function, signature) or takes
    by_position = dict(zip(list(declared)[count:], args[count:], strict=False))
    arrays = args[: len(args) - len(by_position)]
    options = by_position | given
    if inspect.Parameter.VAR_KEYWORD in kinds:
        return arrays, options
    return arrays, accepted(function.__name__, takes, declared, without_own_dtype(arrays, takes, options))


def constant(*functions: Rule) -> None:
    """Declare functions whose result is a plain array: their derivative is zero wherever it exists.

    Parameters
    ----------
    *functions
        Functions users call, such as `np.sign`.
    """
    if others := [function for function in functions if not callable(function)]:
        use = "a constant is a plain number or array: np.array(2.0)"
        raise errors.refusal(TypeError, f"constant declares functions; got a {type(others[0]).__name__}: {use}")
    CONSTANTS.update(functions)


def folds(ufunc: Rule, **methods: Rule) -> None:
    """Say what the methods of a ufunc are called otherwise: `folds(np.add, reduce=np.sum, accumulate=np.cumsum)`."""
    FOLDS.update({(ufunc, method): function for method, function in methods.items()})


def refused(reason: str, *functions: Rule) -> None:
    """Say why functions have no derivative here, and what to write instead.

    Parameters
    ----------
    reason
        The words of the message, after "np.unique has no derivative here:".
    *functions
        Functions users call.
    """
    REFUSED.update(dict.fromkeys(functions, reason))


def arrived() -> bool:
    """Read the chapters whose library has been imported by now; whether there was one."""
    ready = [library for library in CHAPTERS if library in sys.modules]
    for library in ready:
        chapter(library)
    return bool(ready)


def case(*shapes: tuple[int, ...], **options: Any) -> Case:
    """An example call for the tests.

    Parameters
    ----------
    *shapes, **options
        The shape of each array argument, and the options of the call.
    """
    return shapes, options


def cases(*shapes: tuple[int, ...], **choices: Sequence[Any]) -> list[Case]:
    """The `case` of every combination of some options, as a list.

    Parameters
    ----------
    *shapes, **choices
        The shape of each array argument, and the values to try for each option.
    """
    return [(shapes, dict(zip(choices, row, strict=True))) for row in product(*choices.values())]


def entries() -> Iterator[Op]:
    """Every operation of the table, the one-variable forms included."""
    for op in OPERATIONS.values():
        yield from dict.fromkeys((op, op.with_constants))
