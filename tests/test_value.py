"""Value as a user meets it: operators, methods, protocols, display, and micrograd's interface."""

import operator

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import tinygrad_edu as te
from tinygrad_edu import Value

numbers = st.floats(0.5, 3.0)
BINARY = [operator.add, operator.sub, operator.mul, operator.truediv, operator.pow]


@pytest.mark.parametrize("compute", BINARY)
@given(x=numbers, y=numbers)
def test_operators_agree_with_floats_on_both_sides(compute, x, y):
    for a, b in (
        (Value(x), y),
        (x, Value(y)),
        (Value(x), Value(y)),
        (Value(x), np.float64(y)),
        (np.float64(x), Value(y)),
    ):
        assert compute(a, b).item() == pytest.approx(compute(x, y), rel=1e-15)


@pytest.mark.parametrize("left", [[1.0, 2.0], (1.0, 2.0), np.array([1.0, 2.0]), np.float64(2.0), 2, 2.0])
@pytest.mark.parametrize("compute", BINARY)
def test_whatever_stands_on_the_left_a_value_comes_out(left, compute):
    out = compute(left, Value([3.0, 4.0]))
    assert isinstance(out, Value)
    np.testing.assert_allclose(out.data, compute(np.asarray(left, float), np.array([3.0, 4.0])), rtol=1e-15)


@pytest.mark.parametrize("left", [7.5, np.float64(7.5), np.array([7.5, 8.0])])
def test_remainders_are_values_and_quotients_are_numbers(left):
    for x, y in ((Value(left), 2.0), (left, Value(2.0)), (Value(left), Value(2.0))):
        assert isinstance(x % y, Value)
        np.testing.assert_array_equal((x % y).data, left % 2.0)
        np.testing.assert_array_equal(x // y, left // 2.0)
        assert not isinstance(x // y, Value)
        quotient, remainder = divmod(x, y)
        np.testing.assert_array_equal(quotient, left // 2.0)
        np.testing.assert_array_equal(remainder.data, left % 2.0)


def test_matrix_products_work_from_both_sides():
    a, b = np.arange(6.0).reshape(2, 3), np.arange(3.0)
    np.testing.assert_array_equal((Value(a) @ b).data, a @ b)
    np.testing.assert_array_equal((a @ Value(b)).data, a @ b)
    np.testing.assert_array_equal((b @ Value(a).T).data, b @ a.T)


def test_comparisons_are_plain_arrays_and_the_hash_is_identity():
    v, w = Value([1.0, 2.0]), Value([1.0, 3.0])
    for compare in (operator.eq, operator.ne, operator.lt, operator.le, operator.gt, operator.ge):
        result = compare(v, w)
        assert type(result) is np.ndarray
        np.testing.assert_array_equal(result, compare(v.data, w.data))
        np.testing.assert_array_equal(compare(v, 1.0), compare(v.data, 1.0))
    assert len({Value(1.0), Value(1.0)}) == 2
    assert bool(Value(2.0) > 1.0)


METHODS = {
    "sum": (), "mean": (), "max": (), "min": (), "var": (), "std": (), "clip": (1.0, 2.0), "squeeze": (),
    "ravel": (), "flatten": (), "swapaxes": (0, 1), "reshape": (3, 2), "transpose": (1, 0), "argmax": (),
    "argmin": (), "dot": (np.ones(3),), "prod": (), "cumsum": (1,), "cumprod": (), "diagonal": (), "trace": (),
    "repeat": (2, 1), "take": ([0, 5],), "copy": (), "round": (1,), "nonzero": (), "all": (), "any": (0,),
    "argsort": (), "argpartition": (1,), "searchsorted": (2.0,), "tolist": (),
}  # fmt: skip


@pytest.mark.parametrize(("name", "args"), METHODS.items())
def test_methods_agree_with_those_of_arrays(name, args):
    array = np.arange(6.0) if name == "searchsorted" else np.arange(6.0).reshape(2, 3)
    out = getattr(Value(array), name)(*args)
    np.testing.assert_array_equal(out.data if isinstance(out, Value) else out, getattr(array, name)(*args))


@pytest.mark.parametrize("name", ["abs", "exp", "log", "sqrt", "sin", "cos", "tanh", "square"])
def test_elementwise_methods_are_numpys_functions(name):
    v = Value([0.5, 1.5])
    np.testing.assert_array_equal(getattr(v, name)().data, getattr(np, name)(v.data))
    assert getattr(v, name)().op is getattr(np, name)(v).op


@pytest.mark.parametrize("name", ["relu", "sigmoid", "softplus", "logsumexp"])
def test_the_librarys_own_functions_are_methods_too(name):
    v = Value([-0.5, 1.5])
    np.testing.assert_array_equal(getattr(v, name)().data, getattr(te, name)(v.data))


def test_attributes_are_those_of_the_data():
    v = Value(np.ones((2, 3), np.float32))
    assert (v.shape, v.ndim, v.size, v.dtype, len(v)) == ((2, 3), 2, 6, np.float32, 2)
    assert v.T.shape == v.mT.shape == (3, 2)
    assert v.astype(np.float64).dtype == np.float64


def test_iteration_gives_rows_of_the_graph():
    v = Value([[1.0, 2.0], [3.0, 4.0]])
    first, second = v
    (first * second).sum().backward()
    np.testing.assert_array_equal(v.grad, [[3.0, 4.0], [1.0, 2.0]])
    with pytest.raises(TypeError):
        len(Value(1.0))


def test_display():
    v = Value(0.123456, name="w")
    assert repr(v) == "Value(data=0.123456, grad=not computed yet, name='w')"
    (v * 2.0).backward()
    assert repr(v) == "Value(data=0.123456, grad=2.0, name='w')"
    assert f"{v:.3f}" == "0.123"
    assert f"{v}" == str(v) == repr(v)
    assert round(v, 2) == 0.12
    assert Value([1.0, 2.0]).__format__("") == "Value(data=[1. 2.], grad=not computed yet)"


def test_a_plus_in_front_changes_nothing():
    x = Value(3.0)
    y = +x * 2.0
    y.backward()
    assert (y.item(), x.grad) == (6.0, 2.0)


def test_nothing_mutates():
    a = b = Value([1.0, 2.0])
    a += 1.0
    np.testing.assert_array_equal(b.data, [1.0, 2.0])
    np.testing.assert_array_equal(a.data, [2.0, 3.0])
    assert a is not b


def test_an_operation_without_a_value_stays_plain():
    assert type(te.sigmoid(np.ones(2))) is np.ndarray
    assert type(te.relu(np.float64(1.0))) is np.float64


def test_reductions_of_ufuncs_are_the_functions():
    v = Value(np.arange(6.0).reshape(2, 3))
    np.testing.assert_array_equal(np.add.reduce(v).data, v.data.sum(0))
    np.testing.assert_array_equal(np.maximum.reduce(v, axis=1).data, v.data.max(1))
    np.testing.assert_array_equal(np.multiply.reduce(v).data, v.data.prod(0))
    np.testing.assert_array_equal(np.add.accumulate(v, axis=1).data, v.data.cumsum(1))


def test_arrays_methods_that_change_them_say_what_to_write():
    v = Value([2.0, 1.0])
    for method in ("sort", "partition", "fill", "put", "resize"):
        with pytest.raises(TypeError, match=r"not changed in place: .*np\.sort"):
            getattr(v, method)(1)
    assert v.expand_dims(0).shape == (1, 2)
    assert v.ptp().item() == 1.0
    assert {"cumsum", "take", "tolist", "trace"} <= set(dir(v))


@pytest.mark.filterwarnings("ignore::tinygrad_edu.PromotionWarning")
def test_float32_stays_float32():
    v = Value(np.array([0.5, 1.5], np.float32))
    loss = ((v * 2 + 1.0) / 3.0 - v**2).tanh().mean()
    assert loss.dtype == np.float32
    loss.backward()
    assert v.grad.dtype == np.float32
    w = Value(np.array([0.5], np.float32))
    (w * np.float64(2.0)).sum().backward()
    assert w.grad.dtype == np.float32


def test_micrograds_walk_through():
    a, b = Value(-4.0), Value(2.0)
    c = a + b
    d = a * b + b**3
    c += c + 1
    c += 1 + c + (-a)
    d += d * 2 + (b + a).relu()
    d += 3 * d + (b - a).relu()
    e = c - d
    f = e**2
    g = f / 2.0
    g += 10.0 / f
    assert g.data == pytest.approx(24.70408163265306, rel=1e-15)
    g.backward()
    assert a.grad == pytest.approx(138.83381924198252, rel=1e-15)
    assert b.grad == pytest.approx(645.5772594752186, rel=1e-15)


def test_division_by_zero_warns_as_numpy_does():
    with pytest.warns(RuntimeWarning, match="divide by zero"):
        Value(1.0) / 0.0


def test_reshape_takes_sizes_of_any_integer_type_and_none_at_all():
    v = Value(np.arange(6.0))
    assert v.reshape(np.int64(6), 1).shape == (6, 1)
    assert v.reshape(np.int64(2), 3).shape == v.reshape((2, 3)).shape == v.reshape([2, -1]).shape == (2, 3)
    assert Value([1.0]).reshape().shape == ()
    np.testing.assert_array_equal(v.reshape(2, 3, order="F").data, [[0.0, 2.0, 4.0], [1.0, 3.0, 5.0]])


def test_a_number_is_looked_for_as_in_an_array():
    v = Value([[1.0, 2.0], [3.0, 4.0]])
    assert 3.0 in v
    assert 5.0 not in v
    assert Value(4.0) in v


def test_more_methods_of_an_array():
    v = Value([1.0, -2.0, 3.0])
    for same in (v.conj(), v.conjugate(), v.real):
        np.testing.assert_array_equal(same.data, v.data)
    v.compress([True, False, True]).sum().backward()
    np.testing.assert_array_equal(v.grad, [1.0, 0.0, 1.0])


def test_a_ufunc_of_every_pair():
    x, y = np.array([1.0, 2.0]), np.array([[3.0, 4.0, 5.0]])
    out = np.subtract.outer(Value(x), y)
    np.testing.assert_array_equal(out.data, np.subtract.outer(x, y))
    v = Value(y)
    np.multiply.outer(x, v).sum().backward()
    np.testing.assert_array_equal(v.grad, [[3.0] * 3])


@pytest.mark.parametrize(
    "call",
    [
        lambda v, w: np.sum(v, initial=w),
        lambda v, w: v.max(initial=w),
        lambda v, w: np.nan_to_num(v, nan=w),
    ],
)
def test_a_value_as_an_option_is_refused_instead_of_losing_its_gradient(call):
    with pytest.raises(TypeError, match=r"option (initial|nan)=Value\(data=3.0.*is not supported here"):
        call(Value([1.0, 2.0]), Value(3.0))
