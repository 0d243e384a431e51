"""`check_gradients`: whether the backward pass agrees with differences.

Every entry of every float argument is moved by itself (of large ones a sample, and all together along random
directions), and the result is weighted by a random cotangent, so that no error hides in a sum of ones. Two stages: a
quick difference clears what is right; the rest is measured again with an error estimate, and a kink is recognised
before it is judged. What has nothing to do with slopes is in `invariants`.

Source: Griewank and Walther, "Evaluating Derivatives" (2008), section 3.2, for <g, dx> = <cotangent, dy>.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np

from tinygrad_edu.backward import vjps
from tinygrad_edu.errors import refusal, words
from tinygrad_edu.inputs import plain
from tinygrad_edu.kinds import FLAG, FUNCTION, NUMBER, PLACES, SEED, TEXT, TEXTS, expecting, optional
from tinygrad_edu.testing.arguments import Entry
from tinygrad_edu.testing.diagnosis.hints import Evidence
from tinygrad_edu.testing.diagnosis.program import listed
from tinygrad_edu.testing.differences.comparing import MODES, Settings, compared, spread
from tinygrad_edu.testing.differences.inside import reverse
from tinygrad_edu.testing.differences.numeric import METHODS, Array
from tinygrad_edu.testing.invariants import check_invariants
from tinygrad_edu.testing.report import FAIL, Finding, GradientReport, concluded, condition, repeated
from tinygrad_edu.transforms import joined
from tinygrad_edu.tree import flatten, leaves, rebuild
from tinygrad_edu.value import Value

Scalar = Callable[[list[Any]], Any]

ONCE = "a gradient cannot be differentiated again: a rule does not take Values"
OUTER = "order 2, inside of another function, "  # where a gradient is differentiated through its cotangent


@expecting(
    f=FUNCTION,
    wrt=optional(PLACES),
    method=TEXT,
    modes=TEXTS,
    rtol=optional(NUMBER),
    seed=SEED,
    distance=NUMBER,
    raises=FLAG,
)
def check_gradients(
    f: Callable[..., Any],
    *args: Any,
    order: int = 1,
    modes: Sequence[str] = ("reverse",),
    wrt: Sequence[int] | None = None,
    method: str = "auto",
    rtol: float | None = None,
    seed: int = 0,
    distance: Any = np.inf,
    raises: bool = True,
) -> GradientReport:
    """Compare the gradients of a function with differences, and check what holds for any gradient.

    Parameters
    ----------
    f
        A function of Values, written with NumPy or with methods; its result may have any shape, or be a structure.
    args
        Its arguments: numbers, arrays, Values, and lists, tuples and dicts of them. Everything that is floating
        point is checked; float32 is moved in float64.
    order
        2 checks the gradient of the gradient as well.
    modes
        `"reverse"` for the backward pass, `"forward"` for `jvp`, or both.
    wrt
        The positions of the arguments to check; all of them if None.
    method
        `"auto"` is quick, and takes a second look at what disagrees; `"4-point"` and `"ridders"` measure once, with
        an error estimate; `"complex"` is exact for functions whose NumPy forward takes complex numbers.
    rtol
        What is allowed, relative to the slope of an entry, and along a direction of many, and in float32, to the
        largest entry of the same argument's gradient; if None, 1e-5, and 1e-4 for float32.
    seed
        Of the random cotangent and directions.
    distance
        How far the arguments are from the nearest kink or singularity; differences reach half of it.
    raises
        Whether FAIL and INCONCLUSIVE raise; the report is returned otherwise.

    Returns
    -------
    GradientReport
        A finding for each compared slope, and for each invariant: neither arguments nor cotangents are changed;
        gradients share no memory, have the arguments' shapes and dtypes, are linear in the cotangent, exactly 0 for
        0, the same twice and for any layout in memory; one variable in two places has the sum of both gradients.

    Raises
    ------
    GradientError
        If a gradient is wrong, or could not be judged, as when two calls of f give different results.
    TypeError
        If no argument is floating point, if f does not give real numbers, and where complex numbers are asked for, if
        it does not take them.
    ValueError
        For an unknown method or mode, an order below 1, a position in `wrt` at which there is no argument, an rtol or
        a `distance` that is not positive, and for `"complex"` beyond first order.

    Examples
    --------
    >>> import numpy as np
    >>> from tinygrad_edu.testing import check_gradients
    >>> check_gradients(np.tanh, np.array([0.3, -1.2]), order=2).verdict
    'PASS'
    """
    return concluded(examined(f, args, Settings(order, modes, wrt, method, rtol, distance), seed), raises)


def slopes_of(f: Callable[..., Any], arrays: list[Array], settings: Settings, seed: int = 0) -> list[Finding]:
    """The findings about slopes only, at one more place of a function whose invariants are checked elsewhere."""
    rng = np.random.default_rng(seed)
    places, leaves, call = floating(f, arrays, settings.wrt)
    scalar, cotangent = weighted(call, leaves, rng)
    wide = [np.asarray(leaf, dtype=float) for leaf in leaves]
    case = Evidence(0, wide, places, reverse(scalar, leaves), call=call, cotangent=cotangent, reach=settings.distance)
    bare = getattr(f, "takes_arrays", False)
    return list(slopes(scalar, leaves, case, rng, settings._replace(bare=bare)))


def examined(
    f: Callable[..., Any], args: Sequence[Any], settings: Settings, seed: int, entry: Entry | None = None
) -> GradientReport:
    """The report of `check_gradients`; with an entry, of a call of that operation, and of what it declares."""
    expect_choices(settings)
    rng = np.random.default_rng(seed)
    name = getattr(f, "__name__", "f")
    places, arrays, call = floating(f, args, settings.wrt)
    scalar, cotangent = weighted(call, arrays, rng)
    findings, found = check_invariants(call, arrays, args, cotangent, entry)
    if found:
        wide = [np.asarray(array, dtype=float) for array in arrays]
        case = Evidence(0, wide, places, found, call=call, cotangent=cotangent, reach=settings.distance)
        bare = settings.method == "complex" or getattr(f, "takes_arrays", False)
        findings += slopes(scalar, arrays, case, rng, settings._replace(bare=bare))
    again = repeated("check_gradients", f, args, **changed(settings), seed=seed)
    listing = "" if entry else program(call, arrays, places, findings)  # an operation is a program of one line
    return GradientReport(name, findings, again, listing)


def slopes(
    scalar: Scalar, values: list[Array], case: Evidence, rng: np.random.Generator, settings: Settings
) -> Iterator[Finding]:
    """The findings about slopes of the function, and of its gradient as well if the order is 2."""
    outer: Any = None
    for level in range(1, settings.order + 1):
        if level > 1:
            outer = outer or slope(bent(case), values, rng)
            scalar = slope(scalar if level > 2 else Bent(case.call, case.cotangent), values, rng)
            try:
                found = reverse(scalar, values)
            except (TypeError, AttributeError, ValueError) as error:
                yield condition(f"order {level}", False, f"{ONCE}: {words(error)}")
                return
            case = case._replace(found=found, call=None, cotangent=None)
            settings = settings._replace(bare=True, whole=level > settings.single)
        prefix = f"order {level}, " if settings.order > 1 else ""
        yield from compared(scalar, values, case, rng, settings, prefix)
        if level == 2:
            through = case._replace(found=reverse(outer, values))
            yield from compared(outer, values, through, rng, settings._replace(whole=True), OUTER)


class Bent(NamedTuple):
    """The weighted result and a part of its square: so the second derivative goes through the cotangent too."""

    call: Any
    cotangent: Array
    part: float = 0.0

    def __call__(self, values: list[Any]) -> Any:
        """One number, recorded if the values are Values."""
        y = self.call(values)
        return ((y + y * y * self.part if self.part else y) * self.cotangent).sum()

    def gradients(self, variables: list[Value]) -> list[Any]:
        """The gradients by one backward pass through the function alone."""
        y = self.call(variables)
        g = self.cotangent * (1.0 + 2.0 * self.part * plain(y))
        return vjps(y, g.astype(y.dtype)[()], variables) if isinstance(y, Value) else []


def bent(case: Evidence) -> Bent:
    """The function whose gradient is differentiated again; its cotangents vary by half of what they are."""
    call: Any = case.call
    size = np.abs(np.asarray(plain(call([Value(leaf) for leaf in case.leaves])), dtype=float))
    most = float(np.max(size, initial=0.0, where=np.isfinite(size)))
    return Bent(call, case.cotangent, 0.25 / most if most > 0.0 else 0.0)


def program(call: Any, values: list[Array], places: list[str], findings: list[Finding]) -> str:
    """The operations behind the result, if a slope is wrong."""
    if not any(finding.verdict == FAIL and not finding.note for finding in findings):
        return ""
    variables = [Value(leaf) for leaf in values]
    return listed(call(variables), variables, places)


def expect_choices(given: Settings) -> None:
    """Refuse options that do not exist, and those with which nothing would be compared."""
    order, modes, method, rtol = given.order, given.modes, given.method, given.rtol
    if isinstance(order, bool) or not isinstance(order, int) or order < 1:
        raise refusal(ValueError, f"order is 1, or 2 for the gradient of the gradient as well; got {order!r}")
    if rtol is not None and not 0 < rtol < np.inf:
        raise refusal(ValueError, f"rtol is a positive number, or None for the usual one; got {rtol!r}")
    if method not in METHODS:
        raise refusal(ValueError, f"method is one of {', '.join(map(repr, METHODS))}, got {method!r}")
    if isinstance(modes, str) or not modes or not set(modes) <= set(MODES):
        raise refusal(ValueError, f'modes are ("reverse",), ("forward",) or both, got {modes!r}')
    if method == "complex" and order > 1:
        raise refusal(ValueError, "method='complex' is for order=1: a gradient is not computed with complex numbers")


def changed(settings: Settings) -> dict[str, Any]:
    """The options that are not what they are by default."""
    usual = Settings._field_defaults
    pairs = settings._asdict().items()
    return {name: value for name, value in pairs if value is not usual[name] and value != usual[name]}


def floating(
    f: Any, args: Sequence[Any], wrt: Sequence[int] | None = None, purpose: str = "check"
) -> tuple[list[str], list[Array], Any]:
    """The floating point leaves of the arguments, their names, and f as a function of the list of those leaves."""
    if wrt is not None and (isinstance(wrt, int) or not set(wrt) <= set(range(len(args)))):
        raise refusal(
            ValueError, f"wrt has positions of arguments, such as (0,); of {len(args)} arguments, got wrt={wrt!r}"
        )
    named = [(path, plain(leaf)) for path, leaf in flatten(args)]
    flat = [path for path, _ in named] == [str(i) for i in range(len(args))]  # every argument is a leaf
    others = rebuild(args, (object() for _ in named), same=True)
    fixed = {path for path, leaf in flatten(others) if isinstance(leaf, Value)}  # what a module holds stays in it

    def checked(path: str, leaf: Any) -> bool:
        position = int(path.partition(".")[0])
        floats = isinstance(leaf, float) or getattr(getattr(leaf, "dtype", None), "kind", "") == "f"
        return path not in fixed and floats and (wrt is None or position in wrt)

    chosen = [i for i, (path, leaf) in enumerate(named) if checked(path, leaf)]
    if not chosen:
        name = getattr(f, "__name__", "f")
        raise refusal(TypeError, f"{name}: no floating point argument to {purpose} among {len(args)} arguments")

    def call(values: list[Any]) -> Any:
        given = [leaf for _, leaf in named]
        for i, value in zip(chosen, values, strict=True):
            given[i] = value
        out = f(*(given if flat else rebuild(args, given, same=True)))
        return joined(leaves(out)) if isinstance(out, list | tuple | dict) else out

    places = ["argument " + named[i][0].replace(".", " ", 1) for i in chosen]
    return places, [np.asarray(named[i][1]) for i in chosen], call


def weighted(call: Any, values: list[Array], rng: np.random.Generator) -> tuple[Scalar, Array]:
    """The function whose gradient is checked, <cotangent, f>, one number; and the cotangent."""
    result = plain(call([Value(leaf) for leaf in values]))
    out = np.asarray(result)
    if out.dtype.kind not in "fiub":
        raise refusal(
            TypeError, f"the function gives {result!r:.80}: gradients are of real numbers; is its `return` missing?"
        )
    dtype = out.dtype if out.dtype.kind == "f" else float
    cotangent = np.asarray(spread(rng, out.shape)).astype(dtype).astype(float)  # has a value in that dtype
    return lambda values: (call(values) * cotangent).sum(), cotangent


def slope(scalar: Any, values: list[Array], rng: np.random.Generator) -> Scalar:
    """<second cotangent, gradient>, to check the gradient of a gradient; of arrays, it is not recorded."""
    cotangents = [rng.normal(size=leaf.shape) for leaf in values]

    def second(given: list[Any]) -> Any:
        recorded = isinstance(given[0], Value)
        inner = [value * 1.0 if recorded else Value(value) for value in given]
        if not recorded and isinstance(scalar, Bent):
            found = scalar.gradients(inner)
        else:
            out = scalar(inner)
            found = vjps(out, np.ones_like(out.array)[()], inner, recorded) if isinstance(out, Value) else []
        pairs = zip(found, cotangents, strict=False)
        if not recorded:
            return float(sum(np.vdot(g, c) for g, c in pairs))
        return sum((np.sum(g * c) for g, c in pairs), start=given[0].sum() * 0.0)

    return second
