"""Trials: which arguments a function takes, found by calling it.

Nothing but a call tells for which shapes and numbers a function is made. So it is called with Values of every shape
and domain of a short list, the simplest shapes and the widest domains first, until one combination works: at random
numbers, and at the ends of the domain and at 0 as well if possible.

Source: Miller, Fredriksen and So, "An empirical study of the reliability of UNIX utilities" (1990): try, and see.
"""

from __future__ import annotations

import contextlib
import inspect
import io
import re
import warnings
from itertools import product
from typing import NamedTuple

import numpy as np

from tinygrad_edu.testing.check import check_gradients
from tinygrad_edu.testing.report import INCONCLUSIVE
from tinygrad_edu.value import Value

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from typing import Any

    Shape = tuple[int, ...]
    Domain = tuple[float, float]

DOMAINS: tuple[Domain, ...] = ((-2.0, 2.0), (0.1, 2.0), (-0.9, 0.9), (0.1, 0.9), (1.1, 3.0))
RANKS: tuple[Shape, ...] = ((3,), (), (2, 3), (3, 3), (2, 3, 4))
MIXED: dict[int, tuple[tuple[Shape, ...], ...]] = {
    2: (((3,), ()), ((2, 3), (3,)), ((2, 3), (3, 2)), ((3, 3), (3,)), ((2, 3, 3), (2, 3))),
    3: (((3,), (3,), ()), ((3,), (), ()), ((4, 3), (3, 2), (2,)), ((2, 3), (3,), ()), ((2, 3), (3,), (3,))),
}
DRAWS, MOST = 6, 4
ARRAYS = re.compile(r"\b(ndarray|NDArray|ArrayLike|Array|Value)\b")
OTHERS = re.compile(
    r"\b(Callable|[Ll]ist|[Tt]uple|[Dd]ict|[Ss]et|Sequence|Iterable|Iterator|Mapping|str|bytes|bool|Path|[Tt]ype)\b"
)
FLOATS = re.compile(r"\b(float\d*|floating|Any|object|Number|Real|T)\b")
NO_NUMBERS = {
    "path", "file", "filename", "folder", "directory", "name", "names", "text", "string", "message", "url", "command",
    "key", "keys", "mode", "kind", "callback", "f", "fn", "func", "function", "model", "module", "config", "options",
}  # fmt: skip


class Unwritable(Exception):
    """Why no test can be written for something."""


class Trial(NamedTuple):
    """Arguments with which a function works.

    Attributes
    ----------
    names
        Of the parameters that are given; the others have defaults.
    shapes, domains
        Of each; `shapes` is empty if any shape works.
    everywhere
        Whether it works at the ends of the domain and at 0, too, and not only at random numbers.
    """

    names: tuple[str, ...]
    shapes: tuple[Shape, ...]
    domains: tuple[Domain, ...]
    everywhere: bool


def tried(f: Callable[..., Any]) -> Trial:
    """The first combination of shapes and domains with which a function works.

    Raises
    ------
    Unwritable
        If it takes something else than numbers, or works with none that were tried.
    """
    names = numbers(f)
    first = ""
    for everywhere, shapes in product((True, False), signatures(len(names))):
        for domains in choices(len(names)):
            trial = Trial(names, shapes, domains, everywhere)
            if not (complaint := fails(f, trial)):
                return trial._replace(shapes=()) if any_shape(f, trial) else trial
            first = first or complaint
    raise Unwritable(f"no shape and no domain of those tried works; {first}")


def choices(count: int) -> Iterator[tuple[Domain, ...]]:
    """The domains to try: every combination for one or two arguments, the same for more."""
    yield from product(DOMAINS, repeat=count) if count < 3 else zip(*[DOMAINS] * count, strict=True)


def numbers(f: Callable[..., Any]) -> tuple[str, ...]:
    """The names of the parameters without a default, which have to be numbers or arrays."""
    if inspect.isgeneratorfunction(f) or inspect.iscoroutinefunction(f):
        raise Unwritable("it is a generator or asynchronous")
    parameters = inspect.signature(f).parameters.values()
    needed = [p for p in parameters if p.default is p.empty and p.kind is not p.VAR_KEYWORD]
    for p in needed:
        if p.kind in (p.KEYWORD_ONLY, p.VAR_POSITIONAL) and not (p.kind is p.VAR_POSITIONAL and len(needed) > 1):
            raise Unwritable(f"it takes {p}, for which there is no default")
        if reason := other(p.name, p.annotation):
            raise Unwritable(reason)
    found = tuple(p.name for p in needed if p.kind is not p.VAR_POSITIONAL)
    if not 1 <= len(found) <= MOST:
        raise Unwritable(f"it has {len(found)} parameters without a default; tests are written for 1 to {MOST}")
    return found


def other(name: str, annotation: Any) -> str:
    """Why a parameter is not a floating point number or array; empty if it may be one."""
    if annotation is inspect.Parameter.empty:
        return f"its parameter {name!r} does not sound like a number, and has no annotation" * (name in NO_NUMBERS)
    text = annotation if isinstance(annotation, str) else inspect.formatannotation(annotation)
    number = ARRAYS.search(text) or (FLOATS.search(text) and not OTHERS.search(text))
    return "" if number else f"its parameter {name}: {text} is not floating point"


def signatures(count: int) -> Iterator[tuple[Shape, ...]]:
    """The shapes to try: all the same, and then different ones."""
    yield from ((shape,) * count for shape in RANKS)
    yield from MIXED.get(count, ())


def any_shape(f: Callable[..., Any], trial: Trial) -> bool:
    """Whether a function of one argument works in any of the first shapes."""
    return len(trial.names) == 1 and not any(fails(f, trial._replace(shapes=(shape,))) for shape in RANKS[:3])


def fails(f: Callable[..., Any], trial: Trial) -> str:
    """Why a function does not work with the arguments of a trial; empty if it does."""
    arrays: Sequence[Any] = ()
    try:
        with quiet():
            for arrays in arguments(trial):
                inspected(f, arrays)
            report = check_gradients(f, *arrays, raises=False)
    except Unwritable:
        raise
    except (Exception, SystemExit) as error:
        shapes = ", ".join(str(np.shape(a)) for a in arrays)
        return f"with {shapes}: {type(error).__name__}: {error}"
    return "its gradient cannot be judged" if report.verdict == INCONCLUSIVE else ""


def arguments(trial: Trial) -> Iterator[list[Any]]:
    """The arguments of a trial: at special points if it is to work everywhere, and at random ones."""
    rng = np.random.default_rng(0)
    if trial.everywhere:
        ends = zip(*((low, high, min(max(low, 0.0), high)) for low, high in trial.domains), strict=True)
        for point in ends:
            yield [np.full(shape, x) for shape, x in zip(trial.shapes, point, strict=True)]
    for _ in range(DRAWS):
        pairs = zip(trial.shapes, trial.domains, strict=True)
        yield [np.asarray(rng.uniform(low, high, shape)) for shape, (low, high) in pairs]


def inspected(f: Callable[..., Any], arrays: Sequence[Any]) -> None:
    """Refuse a result that is not finite, and a function that cannot be differenced."""
    out, again = (f(*map(Value, arrays)) for _ in range(2))
    if isinstance(out, tuple | list | dict):
        raise Unwritable(f"it returns a {type(out).__name__}: test a function that returns one array of it")
    if not isinstance(out, Value):
        raise Unwritable(f"its result is not a Value but {type(out).__name__}: it has no gradient")
    if not np.all(np.isfinite(out.data)):
        raise ValueError("the result is not finite")
    if not np.array_equal(out.data, again.data):
        raise Unwritable("two calls differ: its random numbers come from inside")


@contextlib.contextmanager
def quiet() -> Iterator[None]:
    """Neither printed text nor warnings."""
    with warnings.catch_warnings(), np.errstate(all="ignore"), contextlib.redirect_stdout(io.StringIO()):
        warnings.simplefilter("ignore")
        yield
