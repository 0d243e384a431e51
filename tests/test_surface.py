"""NumPy's surface: every public function is differentiable, constant, refused with a reason, or never sees a Value.

A new version of NumPy that adds a function fails here until someone has decided what it is.
"""

import inspect
import types

import numpy as np
import pytest

from tinygrad_edu import Value
from tinygrad_edu.table import CONSTANTS, OPERATIONS, REFUSED, REWRITES
from tinygrad_edu.value import dispatch

TABLE = {"OPERATIONS": OPERATIONS, "REWRITES": REWRITES, "CONSTANTS": CONSTANTS, "REFUSED": REFUSED}

# What never sees a Value: NumPy does not ask it, and `__array__` refuses what tries to convert one.
NEVER = {
    "creation": """arange array asanyarray asarray asarray_chkfinite ascontiguousarray asfortranarray asmatrix
        bartlett blackman bmat diag_indices empty eye fft.fftfreq fft.rfftfreq from_dlpack frombuffer fromfile
        fromfunction fromiter fromregex fromstring full genfromtxt hamming hanning identity indices kaiser load
        loadtxt mask_indices ones require tri tril_indices triu_indices zeros""",
    "types": "datetime_data isdtype isfortran isscalar issubdtype iterable mintypecode promote_types typename",
    "settings": """get_include get_printoptions getbufsize geterr geterrcall info printoptions set_printoptions
        setbufsize seterr seterrcall show_config show_runtime""",
    "text": "base_repr binary_repr format_float_positional format_float_scientific",
    "machinery": "broadcast_shapes frompyfunc nested_iters",
    "old names, gone from NumPy 2.5 or before": "in1d row_stack trapz safe_eval",
}


def surface():
    """Every public function of NumPy, under its shortest name; ufuncs and aliases once."""
    modules = {"": np, "linalg.": np.linalg, "fft.": np.fft}
    libraries = {f"lib.{name}.": part for name, part in vars(np.lib).items() if isinstance(part, types.ModuleType)}
    found = {}
    for prefix, module in {**modules, **libraries}.items():
        if "._" in prefix:
            continue
        for name, function in vars(module).items():
            speaks = hasattr(function, "_implementation")  # NumPy asks the arguments' __array_function__
            public = not name.startswith("_") and callable(function) and not inspect.isclass(function)
            if public and type(function).__name__ != "PytestTester" and (prefix in modules or speaks):
                found.setdefault(function, prefix + name)
    return {name: function for function, name in found.items()}


SURFACE = surface()


def test_every_function_is_in_exactly_one_place():
    never = {name for names in NEVER.values() for name in names.split()}
    places = {
        name: [place for place, functions in TABLE.items() if function in functions] + ["NEVER"] * (name in never)
        for name, function in SURFACE.items()
    }
    assert {name for name, found in places.items() if not found} == set()
    assert {name: found for name, found in places.items() if len(found) > 1} == {}


def test_the_surface_is_numpys():
    assert {"tanh", "sum", "linalg.norm", "fft.fft", "einsum", "arange", "lib.scimath.sqrt"} <= set(SURFACE)
    assert not {"ndarray", "float64", "test", "linalg.LinAlgError"} & set(SURFACE)
    assert len(SURFACE) > 400


def test_what_numpy_asks_is_never_listed_as_unasked():
    asked = {name for name, f in SURFACE.items() if isinstance(f, np.ufunc) or hasattr(f, "_implementation")}
    current = {name for kind, names in NEVER.items() if "old" not in kind for name in names.split()}
    assert asked & current == set()


@pytest.mark.parametrize("function", REFUSED, ids=lambda f: f.__name__)
def test_a_refusal_gives_its_reason_and_the_remedy(function):
    with pytest.raises(TypeError, match=r"has no derivative here: it.*[;,] .*test_surface\.py"):
        dispatch(function, (Value([1.0, 2.0]),), {})


def test_a_refusal_is_what_numpy_says():
    v = Value([1.0, 2.0])
    for mistake in (lambda: np.fft.rfft(v), lambda: np.copyto(np.zeros(2), v), lambda: np.gcd(v, 2)):
        with pytest.raises(TypeError, match="has no derivative here: it"):
            mistake()
