"""The table of derivative rules: what is differentiable, and how.

An entry (`Op`) belongs to a NumPy function and holds one *pullback* per array argument: a line of NumPy
that takes the gradient of the result back to that argument. Beside the rule stands what tests and pictures
need: the domain, the kinks, a glyph, a formula. Nothing here knows that `Value` exists; the table is data.

Source: the table of vector-Jacobian products in Maclaurin, "Modeling, Inference and Optimization with
Composable Differentiable Procedures" (2016), chapter 4.
"""

from __future__ import annotations

from functools import wraps
from inspect import signature

from tinygrad_edu.errors import user_line
from tinygrad_edu.graph import Node

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from typing import Any

    Rule = Callable[..., Any]
    Interval = tuple[float, float]
    Case = tuple[tuple[tuple[int, ...], ...], dict[str, Any]]

INF = float("inf")
REALS = (-INF, INF)
POSITIVE = (0.0, INF)
TIES = "ties"

OPERATIONS: dict[Callable[..., Any], Op] = {}
REWRITES: dict[Callable[..., Any], Callable[..., Any]] = {}
CONSTANTS: set[Callable[..., Any]] = set()
PRIMITIVES: dict[str, Callable[..., Any]] = {}


class Each:
    """One pullback for any number of arguments: `rule(i, g, out, *arrays, **options)`."""

    def __init__(self, rule: Rule) -> None:
        self.rule = rule

    def __getitem__(self, i: int) -> Rule:
        return lambda *inputs, **options: self.rule(i, *inputs, **options)


class Op:
    """A differentiable function with everything that is declared about it.

    Parameters
    ----------
    function
        The function users call, such as `np.tanh`; it is also the key of the table.
    pullbacks
        One rule `(g, out, *arrays, *, **options)` per array argument.
    domain
        An interval `(low, high)` for every argument, or a list with one interval per argument.
    kinks, singular
        Points where the slope jumps, and points where it does not exist; `TIES` where arguments are equal.
    cases
        Example calls `case(*shapes, **options)`; none means "elementwise: any broadcastable shapes".
    glyph, formulas
        How pictures show the function, and its local derivative for each argument in `x`, `y`, `out`.
    alone
        The pullbacks used instead when not every argument is a variable, so that a tie with a constant
        has its minimum-norm gradient, 0.
    compute
        A faster way to the same result, such as `operator.mul`, which skips the ufunc for single numbers.
    """

    __slots__ = (
        "alone", "cases", "compute", "domain", "elementwise", "formulas", "function", "glyph",
        "kinks", "name", "options", "parameters", "pullbacks", "singular", "variadic",
    )  # fmt: skip

    def __init__(
        self,
        function: Rule,
        pullbacks: Sequence[Rule] | Each,
        *,
        domain: Interval | Sequence[Interval],
        kinks: Sequence[float] | str = (),
        singular: Sequence[float] = (),
        cases: Sequence[Case] = (),
        glyph: str = "",
        formulas: Sequence[str] = (),
        alone: Sequence[Rule] | None = None,
        compute: Rule | None = None,
    ) -> None:
        self.function, self.pullbacks, self.name = function, pullbacks, function.__name__.strip("_")
        self.domain, self.kinks, self.singular = domain, kinks, singular
        self.cases, self.elementwise, self.variadic = cases, not cases, isinstance(pullbacks, Each)
        self.glyph, self.formulas, self.compute = glyph or self.name, formulas, compute or function
        # parameter names and their defaults; a ufunc has arrays only
        self.parameters = {} if hasattr(function, "nin") else dict(signature(function).parameters)
        self.options = self.declared()
        self.alone: Op = self
        if alone is not None:
            same: Any = {"kinks": kinks, "singular": singular, "cases": cases, "glyph": glyph, "compute": compute}
            self.alone = Op(function, alone, domain=domain, formulas=formulas, **same)

    def declared(self) -> frozenset[str]:
        """The options that the rules know; refuses rules that do not fit the function."""
        rules = [self.pullbacks.rule] if isinstance(self.pullbacks, Each) else self.pullbacks
        options: set[str] = set()
        for rule in rules:
            code = rule.__code__
            options |= set(code.co_varnames[code.co_argcount :][: code.co_kwonlyargcount])
            count = code.co_argcount - 2
            if not self.variadic and count != len(rules):
                raise TypeError(
                    f"{self.name}: {len(rules)} pullbacks for {count} array arguments; write one pullback "
                    "(g, out, *arrays, *, **options) per array argument"
                )
        if self.parameters and not options <= set(self.parameters):
            unknown, known = ", ".join(sorted(options - set(self.parameters))), ", ".join(self.parameters)
            raise TypeError(f"{self.name}: no option {unknown} in its signature ({known})")
        return frozenset(options)

    def bind(self, args: Sequence[Any], kwargs: Mapping[str, Any]) -> tuple[tuple[Any, ...], dict[str, Any]]:
        """Sort a call's arguments into arrays (positional) and options (by keyword)."""
        if not self.parameters or isinstance(self.pullbacks, Each):
            arrays, named = tuple(args), dict(kwargs)
        else:
            named = {**dict(zip(self.parameters, args, strict=False)), **kwargs}
            names = list(self.parameters)[: len(self.pullbacks)]
            arrays = tuple(named.pop(name) for name in names if name in named)
        options = {}
        for name, given in named.items():
            default = self.parameters[name].default if name in self.parameters else None
            if name in self.options:
                options[name] = given
            elif given is not default:
                raise TypeError(
                    f"{self.name}: option {name}={given!r} has no derivative here; supported options: "
                    f"{', '.join(sorted(self.options)) or 'none'} ({user_line()})"
                )
        return arrays, options

    def __repr__(self) -> str:
        return f"<Op {self.name}>"

    def __reduce__(self) -> tuple[Any, ...]:
        own = OPERATIONS.get(self.function)
        return (lookup, (self.function, own is not self))


def lookup(function: Rule, alone: bool = False) -> Op:
    """The table's entry for a function; how a pickled graph finds its rules again."""
    op = OPERATIONS[function]
    return op.alone if alone else op


def register(op: Op) -> Op:
    """Enter an operation into the table; a function is entered once."""
    if op.function in OPERATIONS or op.function in REWRITES or op.function in CONSTANTS:
        raise ValueError(f"{op.name} is in the table already; a function has one derivative")
    OPERATIONS[op.function] = op
    return op


def differentiable(function: Rule, *pullbacks: Rule | Each, **declared: Any) -> Op:
    """Give a NumPy function its pullbacks: `differentiable(np.tanh, lambda g, out, x: ..., domain=REALS)`."""
    rules: Any = pullbacks[0] if len(pullbacks) == 1 and isinstance(pullbacks[0], Each) else pullbacks
    return register(Op(function, rules, **declared))


def primitive(function: Rule, *pullbacks: Rule | Each, **declared: Any) -> Rule:
    """Make a differentiable operation of a function that is not NumPy's; returns what users call.

    The result behaves as NumPy's own functions do: plain arrays in, plain arrays out, and a Value among
    the arguments is asked to take over.
    """

    @wraps(function)
    def operation(*args: Any, **kwargs: Any) -> Any:
        for argument in (*args, *kwargs.values()):
            if isinstance(argument, Node):
                return argument.__array_function__(operation, (), args, kwargs)  # type: ignore[attr-defined]
        return function(*args, **kwargs)

    differentiable(operation, *pullbacks, compute=function, **declared)
    PRIMITIVES[function.__name__] = operation
    return operation


def implements(function: Rule) -> Callable[[Rule], Rule]:
    """Rewrite a function in terms of differentiable ones."""

    def enter(rewrite: Rule) -> Rule:
        if function in OPERATIONS or function in REWRITES or function in CONSTANTS:
            raise ValueError(f"{function.__name__} is in the table already")
        REWRITES[function] = rewrite
        return rewrite

    return enter


def constant(*functions: Rule) -> None:
    """Declare functions whose result is a plain array: their derivative is zero wherever it exists."""
    CONSTANTS.update(functions)


def case(*shapes: tuple[int, ...], **options: Any) -> Case:
    """An example call for the tests: the shape of each array argument, and the options."""
    return shapes, options


def cases(*shapes: tuple[int, ...], **choices: Sequence[Any]) -> list[Case]:
    """Example calls with every combination of the given option values."""
    calls: list[dict[str, Any]] = [{}]
    for name, values in choices.items():
        calls = [{**call, name: value} for call in calls for value in values]
    return [(shapes, call) for call in calls]


def entries() -> Iterator[Op]:
    """Every operation of the table, the one-variable forms included."""
    for op in OPERATIONS.values():
        yield op
        if op.alone is not op:
            yield op.alone
