"""NumPy's own tests, run with Values in place of arrays: every call of a function of the table is made twice.

The test modules that NumPy installs are collected by pytest while `import numpy` gives them a stand-in. It calls
each function of the table once as NumPy's tests ask, and once more with a Value in place of every floating point
array. The second answer has to be NumPy's, in value, shape and dtype, or a refusal in words that name the line. What
is neither is a difference; every difference that is meant stands in `EXPLAINED`, with its reason. Nothing outside
this process is changed, and within it the real modules are back once the tests are collected.

    python tests/benchmarks/numpys_own_tests.py [--verbose] [pytest's own arguments, such as -k quantile]
"""

import argparse
import io
import re
import sys
import warnings
from collections import Counter, defaultdict
from contextlib import redirect_stderr, redirect_stdout
from types import FunctionType, ModuleType
from typing import NamedTuple

import numpy as np
import numpy._core._rational_tests  # what is imported while a stand-in is in place would be made of stand-ins
import numpy._core._umath_tests
import numpy.fft
import numpy.linalg
import numpy.ma
import numpy.matrixlib
import numpy.polynomial
import numpy.random
import numpy.testing
import pytest

from tinygrad_edu import Value, no_grad
from tinygrad_edu.errors import BroadcastWarning
from tinygrad_edu.table import CONSTANTS, OPERATIONS, REWRITES

MODULES = [
    "numpy._core.tests.test_einsum", "numpy._core.tests.test_function_base", "numpy._core.tests.test_item_selection",
    "numpy._core.tests.test_multiarray", "numpy._core.tests.test_numeric", "numpy._core.tests.test_shape_base",
    "numpy._core.tests.test_ufunc", "numpy._core.tests.test_umath", "numpy.fft.tests.test_helper",
    "numpy.lib.tests.test_arraypad", "numpy.lib.tests.test_function_base", "numpy.lib.tests.test_index_tricks",
    "numpy.lib.tests.test_nanfunctions", "numpy.lib.tests.test_polynomial", "numpy.lib.tests.test_shape_base",
    "numpy.lib.tests.test_stride_tricks", "numpy.lib.tests.test_twodim_base", "numpy.lib.tests.test_type_check",
    "numpy.lib.tests.test_ufunclike", "numpy.linalg.tests.test_linalg", "numpy.linalg.tests.test_regression",
]  # fmt: skip
EQUAL, REFUSED, DIFFERENT = "equal", "refused", "different"
DIGITS = {"float16": 2e-3, "float32": 2e-5, "float64": 1e-11}  # what another order of summation may cost
LARGEST = 20_000  # entries: what NumPy tests with larger arrays is memory and speed
WORDS = re.compile(r"\(\w+\.py:\d+\)$")  # a refusal names the line it is about
EXPLAINED = {
    r"empty_like: value": "what an empty array holds is whatever was in memory",
    r"pad: value \[0\. 0\.": "mode='empty' puts nothing there; NumPy's is whatever was in memory, and this is 0",
    r"(may_share|shares)_memory: False": "the Value has an array of its own, and NumPy's test asks about its views",
    r"linalg\.lstsq: value \[1\.7.*e-30": "residuals of a square system are rounding errors of its solution",
    r"linalg\.lstsq: value \[2\.5\] instead": "rcond=-1 takes a singular matrix for regular: its solution is noise",
}
"""The function and the start of the note, as a pattern: why this difference is meant."""
STANDINS = {
    "numpy": np,
    "numpy.linalg": np.linalg,
    "numpy.fft": np.fft,
    "numpy.lib.stride_tricks": np.lib.stride_tricks,
}


class Call(NamedTuple):
    """One call that was made twice: the test, the function, how it went, and what was noted."""

    test: str
    function: str
    outcome: str
    note: str


class Journal:
    """All calls, and the test that runs now."""

    def __init__(self):
        self.calls, self.test, self.busy = [], "", False

    def add(self, name, outcome, note=""):
        self.calls.append(Call(self.test, name, outcome, note))


JOURNAL = Journal()


def valued(argument, deep=True):
    """The argument with a Value in place of every floating point array, and whether there was one."""
    if isinstance(argument, list | tuple) and type(argument) in (list, tuple):
        if all(isinstance(part, float) for part in argument) and argument:
            return Value(np.array(argument)), True
        pairs = [valued(part) for part in argument] if deep else []
        found = any(changed for _, changed in pairs)
        return (type(argument)(part for part, _ in pairs), True) if found else (argument, False)
    if type(argument) is np.ndarray and argument.dtype.name in DIGITS and argument.size <= LARGEST:
        return Value(argument), True
    return argument, False


def compared(ours, numpys):
    """What differs between two answers; empty if nothing does."""
    if isinstance(numpys, tuple | list):
        if not isinstance(ours, tuple | list) or len(ours) != len(numpys):
            return f"{type(ours).__name__} instead of {len(numpys)} results"
        return next(filter(None, map(compared, ours, numpys)), "")
    ours = ours.data if isinstance(ours, Value) else ours
    if not isinstance(numpys, np.ndarray | np.generic | float):
        return "" if type(ours) is type(numpys) and ours == numpys else f"{ours!r:.40} instead of {numpys!r:.40}"
    if np.shape(ours) != np.shape(numpys):
        return f"shape {np.shape(ours)} instead of {np.shape(numpys)}"
    if (found := np.result_type(ours)) != np.result_type(numpys):
        return f"dtype {found} instead of {np.result_type(numpys)}"
    digits = DIGITS.get(found.name, 1e-11 if found.kind == "f" else 0.0)
    largest = np.max(np.abs(numpys), initial=0.0, where=np.isfinite(numpys)) if digits else 0.0
    same = (
        np.allclose(ours, numpys, digits, digits * largest, equal_nan=True)
        if digits
        else np.array_equal(ours, numpys)
    )
    return "" if same else f"value {np.ravel(ours)[:4]} instead of {np.ravel(numpys)[:4]}"


def again(function, name, args, kwargs, numpys, error):
    """Make a call once more with Values, and note how it went."""
    given = [valued(a) for a in args]
    named = {key: valued(a) for key, a in kwargs.items()}
    if not any(changed for _, changed in [*given, *named.values()]) or kwargs.get("out") is not None:
        return
    try:
        ours = function(*(a for a, _ in given), **{key: a for key, (a, _) in named.items()})
    except Exception as ourselves:
        told = error is not None or WORDS.search(str(ourselves)) is not None
        outcome = (EQUAL if error is not None else REFUSED) if told else DIFFERENT
        JOURNAL.add(name, outcome, f"{type(ourselves).__name__}: {ourselves}")
        return
    if error is not None:
        JOURNAL.add(name, DIFFERENT, f"answers where NumPy says {type(error).__name__}: {error}")
        return
    with np.errstate(all="ignore"):
        note = compared(ours, numpys)
    JOURNAL.add(name, DIFFERENT if note else EQUAL, note)


def twice(function, name):
    """The function, which makes every call once more with Values, and gives NumPy's own answer."""

    def called(*args, **kwargs):
        if JOURNAL.busy or not JOURNAL.test:
            return function(*args, **kwargs)
        numpys, error, JOURNAL.busy = None, None, True
        try:
            before = [a.copy() if type(a) is np.ndarray and a.size <= LARGEST else a for a in args]
            try:
                numpys = function(*args, **kwargs)
            except Exception as raised:
                error = raised
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                again(function, name, before if kwargs.get("order") is None else args, kwargs, numpys, error)
        finally:
            JOURNAL.busy = False
        if error is not None:
            raise error
        return numpys

    called.__name__ = called.__qualname__ = getattr(function, "__name__", name)
    called.__wrapped__ = function
    return called


class TwiceUfunc:
    """A ufunc that makes calls twice, and those of its methods; everything else is the ufunc's own."""

    def __init__(self, ufunc):
        self.ufunc, self.__name__ = ufunc, ufunc.__name__
        self.called = twice(ufunc, ufunc.__name__)
        for method in ("reduce", "accumulate", "outer"):
            setattr(self, method, twice(getattr(ufunc, method), f"{ufunc.__name__}.{method}"))

    def __call__(self, *args, **kwargs):
        return self.called(*args, **kwargs)

    def __getattr__(self, name):
        return getattr(self.ufunc, name)


class StandIn(ModuleType):
    """A module of NumPy's whose functions of the table make every call twice."""

    def __init__(self, module):
        super().__init__(module.__name__)
        self.module, self.made = module, {}
        self.__path__ = getattr(module, "__path__", [])

    def __getattr__(self, name):
        found = getattr(self.module, name)
        if isinstance(found, ModuleType) and (standin := ALL.get(found.__name__)) is not None:
            return standin
        known = isinstance(found, FunctionType | np.ufunc) or hasattr(found, "_implementation")
        if not known or not any(found in part for part in (OPERATIONS, REWRITES, CONSTANTS)):
            return found
        if name not in self.made:
            full = f"{self.module.__name__.partition('.')[2]}.{name}".lstrip(".")
            self.made[name] = TwiceUfunc(found) if isinstance(found, np.ufunc) else twice(found, full)
        return self.made[name]


ALL = {name: StandIn(module) for name, module in STANDINS.items()}


class Plugin:
    """Collects NumPy's test modules with the stand-ins in place, and says which test runs."""

    def __init__(self):
        self.outcomes = {}

    @pytest.hookimpl(wrapper=True)
    def pytest_make_collect_report(self, collector):
        if not isinstance(collector, pytest.Module):
            return (yield)
        kept = {name: sys.modules[name] for name in STANDINS}
        sys.modules.update(ALL)
        try:
            return (yield)
        finally:
            sys.modules.update(kept)

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_call(self, item):
        JOURNAL.test = item.nodeid.rpartition("/")[2]
        try:
            return (yield)
        finally:
            JOURNAL.test = ""

    def pytest_runtest_logreport(self, report):
        if report.when == "call":
            self.outcomes[report.nodeid.rpartition("/")[2]] = report.outcome


def reason(call):
    """Why a difference is meant; None if nobody has said so."""
    text = f"{call.function}: {call.note}"
    return next((why for pattern, why in EXPLAINED.items() if re.match(pattern, text)), None)


def summary(outcomes, verbose):
    """Print what was found, and give the differences that nobody has explained."""
    tests = defaultdict(set)
    for call in JOURNAL.calls:
        tests[call.test].add(call.outcome if call.outcome != DIFFERENT or reason(call) is None else "explained")
    worst = Counter(
        next(kind for kind in (DIFFERENT, "explained", REFUSED, EQUAL) if kind in kinds) for kinds in tests.values()
    )
    calls = Counter(call.outcome for call in JOURNAL.calls)
    print(f"{len(outcomes)} tests run, {len(tests)} of them call functions of the table with floating point arrays:")
    print("tests: " + ", ".join(f"{worst[k]} {k}" for k in (EQUAL, REFUSED, "explained", DIFFERENT)))
    print(f"calls: {len(JOURNAL.calls)}, " + ", ".join(f"{calls[k]} {k}" for k in (EQUAL, REFUSED, DIFFERENT)))
    print(f"functions: {len({call.function for call in JOURNAL.calls})}")
    unexplained = [c for c in JOURNAL.calls if c.outcome == DIFFERENT and reason(c) is None]
    shown = unexplained if not verbose else [c for c in JOURNAL.calls if c.outcome != EQUAL and c not in unexplained]
    for heading, chosen in (("different", unexplained), ("refused or explained", shown if verbose else [])):
        notes = defaultdict(list)
        for call in chosen:
            notes[call.function, call.note[:110]].append(call.test)
        for (function, note), where in sorted(notes.items()):
            print(f"{heading}: {function}: {note}  [{len(where)}x, {where[0]}]")
    return unexplained


def main():
    """Run the tests, print the summary; the exit status says whether every difference is explained."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--verbose", action="store_true", help="show refusals and explained differences too")
    options, rest = parser.parse_known_args()
    plugin = Plugin()
    warnings.simplefilter("ignore", BroadcastWarning)
    chosen = [
        "-q",
        "-c",
        "/dev/null",
        "-p",
        "no:cacheprovider",
        "-p",
        "no:faulthandler",
        "-p",
        "no:tinygrad_edu",
        "-m",
        "not slow",
        "--pyargs",
    ]
    quiet = io.StringIO()
    with redirect_stdout(quiet), redirect_stderr(quiet), no_grad():
        status = pytest.main(
            [*chosen, *(rest if any(r.startswith("numpy") for r in rest) else MODULES), *rest], [plugin]
        )
    failed = [test for test, outcome in plugin.outcomes.items() if outcome == "failed"]
    print(f"{len(failed)} tests fail with the stand-ins for NumPy's functions, which are no ufuncs: {failed[:5]}")
    if status not in (0, 1):
        print(quiet.getvalue()[-2000:])
    return bool(summary(plugin.outcomes, options.verbose))


if __name__ == "__main__":
    sys.exit(main())
