"""`compare`: the same function in several frameworks, and where their gradients disagree.

All of them are given the same arguments, in float64, and the same cotangent. What is not installed is said to be so;
where two of them disagree, all of them are shown.

Source: McKeeman, "Differential testing for software" (1998).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from importlib import import_module
from typing import Any, NamedTuple

import numpy as np

from tinygrad_edu.errors import refusal
from tinygrad_edu.inputs import plain
from tinygrad_edu.kinds import FUNCTION, POSITIVE, SEED, TEXTS, expecting
from tinygrad_edu.testing.differences.inside import reverse
from tinygrad_edu.testing.differences.numeric import Array, numeric_gradient
from tinygrad_edu.testing.function import floating, weighted
from tinygrad_edu.value import Value

Call = Callable[[list[Any]], Any]

OURS = "tinygrad_edu"
SHOWN = 5  # disagreements in print
CAREFUL = 64  # entries, up to which differences are Ridders', with 48 calls for each
EXACT = np.zeros(())  # how far off an exact gradient may be


class Answer(NamedTuple):
    """What a framework said: the result, the gradient of every argument, and how far off they may be."""

    value: Array
    gradients: list[Array]
    errors: list[Array]
    rounded: Array = EXACT  # how far off the result may be


class Disagreement(NamedTuple):
    """An entry of a gradient, or of the result, that is not the same everywhere.

    Parameters
    ----------
    place, at
        Which argument and entry, and its input value; nan for the result.
    found
        What each framework says.
    apart
        The largest difference, relative to the largest entry of the argument's gradient; inf beside nan.
    """

    place: str
    at: float
    found: dict[str, float]
    apart: float

    def __str__(self) -> str:
        at = "" if np.isnan(self.at) else f" at {self.at:.6g}"
        said = ", ".join(f"{name} {number + 0.0:.10g}" for name, number in self.found.items())
        return f"{self.place}{at}: {said}; apart by {self.apart:.2g}"


@dataclass(eq=False, repr=False)
class Comparison:
    """The answers of several frameworks.

    Parameters
    ----------
    name
        What the function is called.
    answers
        What each of them said, by name, that of this library first.
    missing
        Why there is no answer: not installed, or what was raised.
    disagreements
        The entries that are not the same everywhere, the farthest apart first.
    """

    name: str
    answers: dict[str, Answer]
    missing: dict[str, str]
    disagreements: list[Disagreement]

    @property
    def agrees(self) -> bool:
        """Whether all that answered say the same."""
        return not self.disagreements

    def __str__(self) -> str:
        count = len(self.disagreements)
        said = f"{count} disagreements" if count > 1 else "1 disagreement" if count else "all agree"
        lines = [f"{self.name}: {', '.join(self.answers)}: {said}"]
        lines += [f"  {disagreement}" for disagreement in self.disagreements[:SHOWN]]
        lines += [f"  ... and {count - SHOWN} more"] if count > SHOWN else []
        return "\n".join(lines + [f"  {name}: {reason}" for name, reason in self.missing.items()])

    __repr__ = __str__


@expecting(f=FUNCTION, with_=TEXTS, rtol=POSITIVE, seed=SEED)
def compare(
    f: Callable[..., Any],
    *args: Any,
    with_: Sequence[str] | Mapping[str, Callable[..., Any]] = ("numeric",),
    rtol: float = 1e-6,
    seed: int = 0,
) -> Comparison:
    """Compare the gradients of a function with those of other frameworks, and with differences.

    Parameters
    ----------
    f
        A function of Values, written with NumPy or with methods.
    args
        Its arguments: numbers, arrays, and lists, tuples and dicts of them; all of them become float64.
    with_
        A dict from a framework (`"torch"`, `"jax"`, `"autograd"`) to the same function, written for its arrays, and
        from `"numeric"` to a function for differences: `{"torch": g, "numeric": f}`. Or a list of names: each
        framework is given f itself then, which works if f uses operators and methods only, such as `(x @ w).sum()`.
    rtol
        What is allowed, relative to the largest entry of the argument's gradient; differences may be off by ten times
        their estimated error besides.
    seed
        Of the cotangent, by which results with several entries are weighted.

    Returns
    -------
    Comparison
        `print` shows it: the disagreements, the farthest apart first, and what is missing.

    Raises
    ------
    TypeError
        If no argument is floating point.
    ValueError
        For a framework that is not known, and a single name in place of a list.

    Examples
    --------
    >>> import numpy as np
    >>> from tinygrad_edu.testing import compare
    >>> print(compare(lambda x: np.tanh(x) * x, 0.5, with_=["numeric"]))
    f: tinygrad_edu, numeric: all agree
    >>> logistic = lambda x: 1 / (1 + np.exp(-x))
    >>> compare(logistic, 0.5, with_={"numeric": lambda x: 0.5 + 0.5 * np.tanh(0.5 * x)}).agrees
    True
    """
    if isinstance(with_, str):
        raise refusal(ValueError, f"with_ is a list of frameworks, with_=[{with_!r}]; got a single name")
    versions = dict(with_) if hasattr(with_, "keys") else dict.fromkeys(with_)
    if unknown := [name for name in versions if name not in FRAMEWORKS]:
        raise refusal(
            ValueError, f"{unknown[0]!r} is no framework to compare with; known are {', '.join(FRAMEWORKS)}"
        )
    name = getattr(f, "__name__", "f")
    places, given, call = floating(f, args, purpose="compare")
    values = [np.asarray(value, dtype=float) for value in given]
    scalar, cotangent = weighted(call, values, np.random.default_rng(seed))
    value = np.asarray(plain(call([Value(leaf) for leaf in values])), dtype=float)
    answers = {OURS: Answer(value, list(map(np.asarray, reverse(scalar, values))), [EXACT] * len(values))}
    missing = ask(f, versions, answers, args, values, cotangent)
    found = disagreements(places, values, answers, rtol)
    return Comparison(name if name.isidentifier() else "f", answers, missing, found)


def ask(
    f: Any, versions: dict[str, Any], answers: dict[str, Answer], args: Any, values: list[Array], cotangent: Array
) -> dict[str, str]:
    """Add what each framework says to the answers; the reasons of those that say nothing, by name."""
    missing = {}
    for name, version in versions.items():
        try:
            call = floating(version or f, args)[2]
            answers[name] = FRAMEWORKS[name](call, values, cotangent)
        except ModuleNotFoundError as error:
            missing[name] = f"not installed: pip install {name}" if error.name == name else str(error)
        except Exception as error:
            first = (str(error).splitlines() or [""])[0][:100]
            use = f"; with_={{{name!r}: g}} takes the same function, written for it" if version is None else ""
            missing[name] = f"{type(error).__name__}: {first}{use}"
    return missing


def disagreements(
    places: Sequence[str], values: Sequence[Array], answers: dict[str, Answer], rtol: float
) -> list[Disagreement]:
    """The entries of gradients and results that are not the same everywhere, the farthest apart first."""
    found = [d for k, place in enumerate(places) for d in apart(place, values[k], k, answers, rtol)]
    return sorted([*found, *of_values(answers, rtol)], key=lambda disagreement: -disagreement.apart)


def apart(place: str, x: Array, k: int, answers: dict[str, Answer], rtol: float) -> list[Disagreement]:
    """The entries of an argument's gradient that are not the same everywhere."""
    every = np.array([np.broadcast_to(answer.gradients[k], x.shape) for answer in answers.values()])
    slack = 10 * np.array([np.broadcast_to(answer.errors[k], x.shape) for answer in answers.values()])
    scale = float(np.max(np.abs(every), where=np.isfinite(every), initial=0.0))
    found = []
    for index in np.ndindex(x.shape):
        numbers = every[:, *index]
        errors = slack[:, *index]
        difference = between(numbers, errors)
        if difference > rtol * scale:
            entry = f"[{', '.join(map(str, index))}]" if x.ndim else ""
            said = dict(zip(answers, map(float, numbers), strict=True))
            found.append(Disagreement(place + entry, float(x[index]), said, difference / (scale or 1.0)))
    return found


def between(numbers: Array, errors: Array) -> float:
    """How far two of several numbers are apart at most, less what each may be off by; inf if some are not finite."""
    finite = np.isfinite(numbers)
    if not finite.all():
        return 0.0 if np.array_equal(numbers, np.full_like(numbers, numbers[0]), equal_nan=True) else np.inf
    errors = np.where(np.isfinite(errors), errors, np.inf)
    gaps = np.abs(numbers[:, None] - numbers) - errors[:, None] - errors
    return float(np.max(gaps, initial=0.0))


def of_values(answers: dict[str, Answer], rtol: float) -> list[Disagreement]:
    """The entry of the result that is farthest apart, if it is not the same everywhere."""
    shapes = {name: answer.value.shape for name, answer in answers.items()}
    ours = next(iter(answers.values())).value
    if different := {name: shape for name, shape in shapes.items() if shape != ours.shape}:
        return [Disagreement(f"shapes of the result {shapes}", np.nan, dict.fromkeys(different, np.nan), np.inf)]
    results = {name: Answer(answer.value, [answer.value], [answer.rounded]) for name, answer in answers.items()}
    found = sorted(apart("result", ours, 0, results, rtol), key=lambda disagreement: -disagreement.apart)
    return [disagreement._replace(at=np.nan) for disagreement in found[:1]]


def by_torch(call: Call, values: list[Array], cotangent: Array) -> Answer:
    """By `torch.autograd.grad`."""
    torch = import_module("torch")
    tensors = [torch.tensor(value, dtype=torch.float64, requires_grad=True) for value in values]
    out = call(tensors)
    total = (out * torch.tensor(cotangent)).sum()
    found = torch.autograd.grad(total, tensors, allow_unused=True)
    gradients = [np.zeros_like(x) if g is None else g.numpy() for g, x in zip(found, values, strict=True)]
    return Answer(out.detach().numpy(), gradients, [EXACT] * len(values))


def by_jax(call: Call, values: list[Array], cotangent: Array) -> Answer:
    """By `jax.vjp`, in float64."""
    jax, library = map(import_module, ("jax", "jax.numpy"))
    wide = jax.enable_x64 if hasattr(jax, "enable_x64") else import_module("jax.experimental").enable_x64
    with wide(True):
        out, pull = jax.vjp(lambda *xs: library.asarray(call(list(xs))), *map(library.asarray, values))
        found = pull(library.asarray(cotangent, dtype=out.dtype))
        return Answer(np.asarray(out), [np.asarray(g) for g in found], [EXACT] * len(values))


def by_autograd(call: Call, values: list[Array], cotangent: Array) -> Answer:
    """By `autograd.grad`."""
    autograd, library = map(import_module, ("autograd", "autograd.numpy"))
    given = [value[()] for value in values]
    total = lambda *xs: library.sum(call(list(xs)) * cotangent)
    found = autograd.grad(total, tuple(range(len(given))))(*given)
    return Answer(np.asarray(call(given)), list(map(np.asarray, found)), [EXACT] * len(values))


def by_differences(call: Call, values: list[Array], cotangent: Array) -> Answer:
    """By `numeric_gradient`; with four points if there are many entries."""
    result: Any = lambda given: np.asarray(plain(call([Value(x) for x in given])), dtype=float)
    method = "auto" if sum(value.size for value in values) <= CAREFUL else "4-point"
    moved: Any = lambda x, k: np.sum(result([*values[:k], x, *values[k + 1 :]]) * cotangent)
    with np.errstate(all="ignore"):
        found = [numeric_gradient(partial(moved, k=k), value, method) for k, value in enumerate(values)]
    return Answer(result(values), [np.asarray(g) for g, _ in found], [np.asarray(error) for _, error in found])


FRAMEWORKS: dict[str, Callable[[Call, list[Array], Array], Answer]] = {
    "torch": by_torch, "jax": by_jax, "autograd": by_autograd, "numeric": by_differences,
}  # fmt: skip
