"""RuntimeWarnings are those of the user's line, and of the user's settings."""

import warnings
from os.path import dirname

import numpy as np
import pytest

import tinygrad_edu as te
from tinygrad_edu import Value, value
from tinygrad_edu.numeric_warnings import NO_REGISTRY, told_at_users_line
from tinygrad_edu.table import OPERATIONS
from tinygrad_edu.value import apply

PACKAGE = dirname(te.__file__)
RULES = [f"tinygrad_edu.rules.{part}" for part in ("elementwise", "reduction", "shape", "indexing", "convolution")]
EXTREME = np.array([0.0, -0.0, 1.0, -1.0, 1e-320, 1e308, -1e308, np.inf, -np.inf, np.nan, 1e160, -3.0, 800.0])

# LAPACK itself prints complaints about infinite matrices; that is not looked at.
ELEMENTS = [op for op in OPERATIONS.values() if getattr(op.function, "__module__", "scipy") in ("numpy", *RULES)]


def at_zero():
    with np.errstate(all="ignore"):
        return np.sqrt(Value([0.0, 1.0])).sum()


@pytest.mark.parametrize("pull", [lambda v: v.backward(), lambda v: te.gradients(v, [v.args[0]])])
def test_a_warning_names_the_users_file_and_line(pull):
    loss = at_zero()
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        pull(loss)
    assert [w.filename for w in caught] == [__file__]
    assert "divide by zero encountered in the gradient (test_numeric_warnings.py:" in str(caught[0].message)
    assert caught[0].category is RuntimeWarning


def test_adding_up_gradients_and_setting_data_warn_at_the_users_line():
    v = Value(np.float32([1.0, 0.5]))
    v.grad = np.float32([3e38, 0.0])
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        (v * np.float32(3e38)).backward(np.ones(2))
        v.data = [1e300, 0.0]
    assert [w.filename for w in caught] == [__file__] * 2
    assert [str(w.message).partition(" (")[0] for w in caught] == [
        "overflow encountered in the gradient",
        "overflow encountered in the new numbers",
    ]
    assert v.grad[0] == np.inf


def test_it_comes_once_per_line_and_is_an_error_where_warnings_are():
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("default")
        for _ in range(3):
            at_zero().backward()
    assert len(caught) == 1
    with pytest.raises(RuntimeWarning, match="divide by zero"):
        at_zero().backward()


def test_the_users_settings_stay_in_force_and_as_they_were():
    with np.errstate(all="ignore"):
        at_zero().backward()
    with np.errstate(divide="raise"), pytest.raises(FloatingPointError):
        at_zero().backward()
    before = np.geterr()
    told_at_users_line("a test")(lambda: np.sqrt(1.0))()
    assert np.geterr() == before


@pytest.mark.parametrize(
    ("compute", "words"),
    [
        (lambda v: np.exp(v), "overflow encountered in exp"),
        (lambda v: v.log(), "divide by zero encountered in log"),
        (lambda v: v / 0.0, "divide by zero encountered in divide"),
        (lambda v: 1e308 * v, "overflow encountered in multiply"),
        (lambda v: v @ np.full(2, 1e308), "overflow encountered in matmul"),
        (lambda v: v * -np.inf, "invalid value encountered in multiply"),
        (lambda v: np.floor_divide(v, 0.0), "divide by zero encountered in floor_divide"),
        (lambda v: v.astype(np.float16), "overflow encountered in astype"),
        (lambda v: te.checkpoint(np.exp)(v), "overflow encountered in exp"),
        (lambda v: te.jvp(np.sqrt, (np.zeros(2),), (np.ones(2),)), "divide by zero encountered in the tangent"),
    ],
)
def test_a_warning_of_an_operation_names_the_users_file_and_line(compute, words):
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        compute(Value([0.0, 1e5]))
    assert words in str(caught[0].message)
    assert {w.filename for w in caught} == {__file__}
    assert f"(test_numeric_warnings.py:{compute.__code__.co_firstlineno})" in str(caught[0].message)


def test_a_warning_of_an_operation_comes_once_per_line_and_is_an_error_where_warnings_are():
    v = Value(1e5)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("default")
        for _ in range(3):
            assert np.exp(v).item() == np.inf
        np.exp(v)
    assert len(caught) == 2
    with pytest.raises(RuntimeWarning, match="overflow encountered in exp") as refused:
        np.exp(v)
    assert refused.value.__suppress_context__


def test_an_operation_heeds_the_users_settings_and_keeps_them():
    before = np.geterr()
    with np.errstate(all="ignore"):
        np.exp(Value(1e5))
    with np.errstate(over="raise"), pytest.raises(FloatingPointError):
        np.exp(Value(1e5))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        np.exp(Value(1e5))
    assert np.geterr() == before


def test_the_result_and_its_gradient_are_those_without_a_warning():
    results = []
    for how in ("ignore", "warn"):
        v = Value([1e5, 0.5])
        with np.errstate(all=how), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            out = np.exp(v)
            out.sum().backward()
        results.append((out.data, v.grad))
    np.testing.assert_array_equal(*results)


def test_an_operation_that_fails_after_a_warning_is_still_explained():
    with np.errstate(all="warn"), pytest.raises(ValueError, match=r"x @ y: x is \(2,\), y is \(3,\)"):
        Value([1e308, 1e308]) @ np.full(3, 1e308)


@pytest.mark.parametrize("op", ELEMENTS, ids=str)
def test_no_operation_warns_at_a_line_of_the_package(op):
    rng = np.random.default_rng(0)
    count = len(op.pullbacks) if isinstance(op.pullbacks, list | tuple) else 2
    for shapes, options in op.cases or [(((3,),) * count, {})]:
        for _ in range(8):
            args = tuple(Value(rng.choice(EXTREME, shape)) for shape in shapes)
            with warnings.catch_warnings(record=True) as caught:
                warnings.simplefilter("always")
                try:
                    apply(op, args, options)
                except (ValueError, TypeError, IndexError, np.linalg.LinAlgError):
                    continue  # that numbers are refused is another test
            assert not [f"{w.filename}:{w.lineno}: {w.message}" for w in caught if w.filename.startswith(PACKAGE)]


def test_python_still_refuses_to_warn_a_module_without_registry():
    """What `again` rests on: where it fails, a new Python does it otherwise, and warnings name `value.py`."""
    assert value.__warningregistry__ is NO_REGISTRY
    with pytest.raises(TypeError, match=r"^'registry' must be a dict or None$"):
        warnings.warn_explicit("text", RuntimeWarning, "file", 1, registry=NO_REGISTRY)
