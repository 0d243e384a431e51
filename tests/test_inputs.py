"""What may be a variable or a constant, and what the refusals say."""

import sys
from types import ModuleType

import numpy as np
import pytest

from tinygrad_edu import Value
from tinygrad_edu.inputs import generator


@pytest.mark.parametrize("data", [2, 2.0, np.float64(2), np.array(2.0), [2], [[1, 2], [3, 4]], (1.0, 2.0), []])
def test_python_numbers_and_lists_become_float64(data):
    assert Value(data).dtype == np.float64
    np.testing.assert_array_equal(Value(data).data, np.asarray(data, float))


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64, np.longdouble])
def test_floating_arrays_are_copied_as_they_are(dtype):
    array = np.asfortranarray(np.ones((2, 3), dtype))
    data = Value(array).data
    assert (data.dtype, data.strides) == (array.dtype, array.strides)
    assert not np.shares_memory(data, array)


def test_big_endian_arrays_are_turned_to_native():
    v = Value(np.array([1.0, 2.0], ">f8"))
    assert v.dtype.isnative
    np.testing.assert_array_equal(v.data, [1.0, 2.0])


@pytest.mark.parametrize(
    ("data", "remedy"),
    [
        *((data, r"x\.astype\(float\)") for data in (np.arange(3), np.array([True]), True, np.int64(3))),
        *((data, r"x\.real and x\.imag") for data in (1j, np.array([1j]))),
        (np.array([None]), r"x\.astype\(float\)"),
    ],
)
def test_other_types_are_refused_with_the_remedy(data, remedy):
    with pytest.raises(TypeError, match=rf"variables are floating point; got .*{remedy} \(test_inputs.py"):
        Value(data)


@pytest.mark.parametrize(
    ("data", "remedy"),
    [
        (None, "None was given where numbers are expected"),
        ([[1, 2], [3]], "not an array of numbers"),
        (np.ma.masked_array([1.0], [True]), r"a MaskedArray was given: .*a.filled\(0.0\)"),
        (np.ones((2, 2)).view(np.matrix), r"a matrix was given: .*np.asarray\(a\)"),  # its * is @
        (Value(1.0), "use it as it is"),
        ([Value(1.0), Value(2.0)], "np.stack"),
        ("a", "a text was given where numbers are expected"),
        (object(), "object is not a number"),
    ],
)
def test_malformed_data_names_what_to_do(data, remedy):
    with pytest.raises(TypeError, match=remedy):
        Value(data)


@pytest.mark.parametrize(("library", "kind"), [("torch", "torch.Tensor"), ("jaxlib", "jax.Array")])
def test_arrays_of_other_frameworks_name_the_conversion(library, kind, monkeypatch):
    monkeypatch.setitem(sys.modules, library, ModuleType(library))
    foreign = type("Tensor", (), {"__module__": f"{library}.core"})()
    for attempt in (lambda: Value(foreign), lambda: Value(1.0) * foreign):
        with pytest.raises(TypeError, match=f"{kind} given: use Value.*gradients do not cross frameworks"):
            attempt()


@pytest.mark.parametrize("other", [1j, "a", None, np.array([1j]), object()])
def test_inputss_that_are_not_real_numbers_are_refused(other):
    with pytest.raises(TypeError, match=r"real numbers|is not a number|was given where numbers are expected"):
        Value([1.0, 2.0]) + other


@pytest.mark.parametrize("other", [2, 2.0, True, [1, 2], (1.0, 2.0), np.arange(2), np.array([True, False])])
def test_real_operands_are_constants(other):
    v = Value([1.0, 2.0])
    for result, plain in ((v * other, v.data * np.asarray(other)), (other * v, v.data * np.asarray(other))):
        np.testing.assert_array_equal(result.data, plain)
        result.sum().backward()
    np.testing.assert_array_equal(v.grad, 2.0 * np.asarray(other) * np.ones(2))


def test_generators_are_used_as_they_are():
    for rng in (np.random.default_rng(0), np.random.RandomState(0)):
        assert generator(rng) is rng


@pytest.mark.parametrize("rng", [-1, True, 0.5, "1", [1, 2], np.ones(2), np.random, np.random.default_rng, {}, 1j])
def test_other_things_are_no_seeds(rng):
    with pytest.raises(TypeError, match=r"rng is a whole number from 0, .* or None; got .* \(test_inputs.py:"):
        generator(rng)


@pytest.mark.parametrize("rng", [0, np.int64(5), np.uint8(5), 10**40])
def test_any_whole_number_is_a_seed(rng):
    assert generator(rng).random() == np.random.default_rng(rng).random()


def test_no_seed_gives_other_numbers_every_time():
    assert generator(None).random() != generator(None).random()
