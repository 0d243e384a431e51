"""A function works the same with another library in place of NumPy."""

import types

import numpy as np
import numpy as other_name
import pytest

from tinygrad_edu.testing.translating import translated

SCALE = 3.0


@pytest.fixture
def library():
    """A NumPy of another kind: it counts what is called."""
    made = types.ModuleType("library")
    made.calls = []
    for name in ("tanh", "exp", "sum"):
        setattr(made, name, lambda x, name=name: (made.calls.append(name), getattr(np, name)(x))[1])
    made.linalg = types.SimpleNamespace(norm=lambda x: (made.calls.append("norm"), np.linalg.norm(x))[1])
    return made


def helper(x):
    return np.exp(x) * SCALE


def even(n, x):
    return np.tanh(x) if n == 0 else odd(n - 1, x)


def odd(n, x):
    return even(n - 1, x)


def test_np_is_another_library_in_the_copy_only(library):
    f = lambda x: np.tanh(x) + other_name.exp(x)
    assert translated(f, library)(0.5) == f(0.5)
    assert library.calls == ["tanh", "exp"]
    f(0.5)
    assert library.calls == ["tanh", "exp"]


def test_what_is_called_is_copied_too(library):
    inner = lambda x: np.tanh(x)
    assert translated(lambda x: helper(inner(x)), library)(0.5) == helper(np.tanh(0.5))
    assert library.calls == ["tanh", "exp"]


def test_functions_may_call_each_other_and_contain_others(library):
    assert translated(even, library)(4, 0.5) == np.tanh(0.5)
    assert translated(lambda x: sum(np.exp(v) for v in [x, x]), library)(0.0) == 2.0
    assert library.calls == ["tanh", "exp", "exp"]


def test_parts_of_numpy_and_its_own_functions(library):
    assert translated(lambda x: np.linalg.norm(x), library)([3.0, 4.0]) == 5.0
    assert translated(np.tanh, library)(0.0) == 0.0
    assert library.calls == ["norm", "tanh"]


def test_defaults_and_keywords_are_kept(library):
    def f(x, y=2.0, *, z=3.0):
        return np.sum(x) + y + z

    assert translated(f, library)(1.0) == 6.0
    assert translated(f, library)(1.0, z=0.0) == 3.0


def test_what_the_library_lacks_is_an_error(library):
    with pytest.raises(AttributeError, match="cosh"):
        translated(np.cosh, library)
    with pytest.raises(AttributeError, match="cosh"):
        translated(lambda x: np.cosh(x), library)(0.5)
