"""Joining and rearranging, in the ways the table's examples do not reach."""

import numpy as np
import pytest

from tinygrad_edu import Value, grad, jvp
from tinygrad_edu.testing import check_gradients

A = np.random.default_rng(0).permutation(np.linspace(-2.0, 2.0, 12)).reshape(3, 4)
C = np.random.default_rng(1).permutation(np.linspace(-2.0, 2.0, 24)).reshape(2, 3, 4)
V, W = A[0], A[1]
PADDINGS = [(lambda x, m=m: np.pad(x, ((1, 2), (0, 3)), m), A) for m in ("edge", "reflect", "symmetric", "wrap")]
JOINS = [np.hstack, np.vstack, np.dstack, np.column_stack]
ONE = [np.fliplr, np.flipud, np.rot90, np.diagonal, np.diag, np.diagflat, np.tril, np.triu, np.trace, np.copy]
CALLS = [
    *((f, A) for f in (*ONE, np.matrix_transpose, np.atleast_1d, np.atleast_3d)),
    *((f, V) for f in (np.diag, np.diagflat, np.atleast_2d, np.atleast_3d)),
    *((lambda x, f=f: f([x, W, x * x]), V) for f in JOINS),
    *((lambda x, f=f: f((x, x * x)), A) for f in JOINS),
    *PADDINGS,
    (lambda x: np.pad(x, 1, constant_values=((1.0, 2.0), (3.0, 4.0))), A),
    (lambda x: np.pad(x, 2), V),
    (lambda x: np.take(x, [[0, 1], [1, 1]]), A),
    (lambda x: np.take(x, [5, 1], axis=1, mode="wrap"), A),
    (lambda x: np.take(x, 2), A),
    (lambda x: np.take_along_axis(x, np.argsort(A, 0), 0), A),
    (lambda x: np.compress([True, False, True], x, axis=0), A),
    (lambda x: np.extract(A > 0, x), A),
    (lambda x: np.choose(np.array([[0, 1, 1, 0]]), [x, W]), A),
    (lambda x: np.select([A > 0, A < -1], [x, x * x]), A),
    (lambda x: np.select([A > 0, A < -1], [x, 3.0], default=x**3), A),
    (lambda x: np.roll(x, (1, -2), (0, 1)), A),
    (lambda x: np.rollaxis(x, 2), C),
    (lambda x: np.resize(x, (5, 5)), A),
    (lambda x: np.tile(x, (2, 1, 2)), A),
    (lambda x: np.repeat(x, [1, 0, 2], axis=0), A),
    (lambda x: np.delete(x, [0, 2], axis=1), A),
    (lambda x: np.insert(x, [1, 2], 5.0, axis=1), A),
    (lambda x: np.insert(A, 1, x, axis=0), V),
    (lambda x: np.append(x, x), A),
    (lambda x: np.append(x, [[1.0, 2.0, 3.0, 4.0]], axis=0), A),
    (lambda x: np.tril(x, 1), C),
    (lambda x: np.trace(x, 1, 1, 2), C),
    (lambda x: np.block([[x, 2.0 * x], [A, x]]), A),
    (lambda x: np.split(x, [1, 3], axis=1)[1], A),
    (lambda x: np.array_split(x, 3, axis=1)[0], A),
    (lambda x: np.hsplit(x, 2)[1], A),
    (lambda x: np.vsplit(x, 3)[2], A),
    (lambda x: np.dsplit(x, 2)[0], C),
    (lambda x: np.stack(np.meshgrid(x, 2.0 * x, indexing="ij")), V),
    (lambda x: np.stack(np.broadcast_arrays(x[0], x)), A),
    (lambda x: np.atleast_2d(x, x[0])[1], A),
]


def test_joining_mixes_values_and_plain_arrays():
    x = Value([1.0, 2.0])
    joined = np.concatenate([x, np.array([5.0]), x])
    np.testing.assert_array_equal(joined.data, [1.0, 2.0, 5.0, 1.0, 2.0])
    joined.backward(np.arange(5.0))
    np.testing.assert_array_equal(x.grad, [3.0, 5.0])


def test_stacking_numbers_makes_a_vector():
    a, b = Value(1.0), Value(2.0)
    np.stack([a, b, a]).backward([1.0, 10.0, 100.0])
    assert (a.grad, b.grad) == (101.0, 10.0)


@pytest.mark.parametrize("order", ["C", "F"])
def test_methods_take_orders_and_axes(order):
    v = Value(np.arange(6.0).reshape(2, 3))
    np.testing.assert_array_equal(v.ravel(order=order).data, v.data.ravel(order=order))
    assert v.reshape((3, 2)).shape == v.reshape(3, 2).shape == (3, 2)
    assert v.transpose().shape == v.transpose((1, 0)).shape == v.transpose(1, 0).shape == (3, 2)


def test_shapes_that_do_not_fit_name_the_operation():
    with pytest.raises(ValueError, match=r"concatenate\(x, y\): x is \(2,\), y is \(1, 2\)"):
        np.concatenate([Value([1.0, 2.0]), np.ones((1, 2))])


@pytest.mark.parametrize(("f", "x"), CALLS)
def test_rearrangements_have_numpys_values_and_right_derivatives(f, x):
    out = f(Value(x))
    np.testing.assert_array_equal(out.data, f(x))
    assert check_gradients(f, x, order=2).verdict == "PASS"


def test_the_array_standards_names():
    rows = np.unstack(Value(C), axis=1)
    np.testing.assert_array_equal(rows[2].data, C[:, 2])
    assert np.astype(Value(V), np.float32).dtype == np.float32
    np.testing.assert_array_equal(np.cumulative_sum(Value(A), axis=1).data, np.cumsum(A, 1))
    np.testing.assert_allclose(np.cumulative_prod(Value(A), axis=1).data, np.cumprod(A, 1), rtol=1e-14)


def test_an_entry_taken_several_times_gets_every_gradient():
    np.testing.assert_array_equal(grad(lambda x: np.sum(np.tile(x, 3)))(V), [3.0] * 4)
    np.testing.assert_array_equal(grad(lambda x: np.sum(np.pad(x, 2, "edge")))(V), [3.0, 1.0, 1.0, 3.0])


@pytest.mark.parametrize("f", [np.fliplr, np.diagonal, np.tril, lambda x: np.pad(x, 1), lambda x: np.tile(x, 2)])
def test_nothing_can_be_moved(f):
    assert grad(lambda x: np.sum(f(x)))(np.ones((0, 3))).shape == (0, 3)


@pytest.mark.parametrize("f", [np.tril, np.diagflat, lambda x: np.insert(x, 1, 5.0), lambda x: np.pad(x, 1)])
def test_single_precision_moves_as_it_is(f):
    assert f(Value(np.ones((2, 2), np.float32))).dtype == np.float32


def test_what_would_not_be_a_move_is_refused():
    v = Value(V)
    with pytest.raises(TypeError, match=r"take: option out=.*; supported options: axis, mode"):
        np.take(v, [0], out=np.zeros(1))
    with pytest.raises(ValueError, match="equal division"):
        np.split(v, 3)


@pytest.mark.parametrize("order", ["C", "F", "A", "K"])
@pytest.mark.parametrize("x", [C[0], C[0].T, np.asfortranarray(C), C.transpose(2, 1, 0)])
def test_a_gradient_goes_back_in_the_order_in_which_the_entries_were_read(x, order):
    weights = np.arange(x.size) + 1.0
    found = grad(lambda x: np.sum(weights * np.ravel(x, order)))(x)
    reshaped = None if order == "K" else grad(lambda x: np.sum(weights * np.reshape(x, x.size, order=order)))(x)
    for index in np.ndindex(x.shape):
        bump = np.zeros_like(x, order="K")  # as x lies in memory
        bump[index] = 1.0
        assert found[index] == np.sum(weights * np.ravel(bump, order))
        assert order == "K" or reshaped[index] == found[index]
        pushed = jvp(lambda x: np.ravel(x, order), (x,), (np.ascontiguousarray(bump),))[1]
        np.testing.assert_array_equal(pushed, np.ravel(bump, order))


@pytest.mark.parametrize("order", ["C", "F", "A", "K"])
def test_the_order_in_which_entries_lie_in_memory_is_the_way_back(order):
    cube = np.random.default_rng(2).normal(size=(4, 3, 6))
    views = cube.transpose(1, 2, 0), cube[::2, :, ::-1], cube[::-1].T, np.asfortranarray(cube), cube[:, :, ::3].T
    for x in map(np.copy, views, "K" * len(views)):  # as a Value copies it
        weights = np.arange(float(x.size))
        found = grad(lambda x, w=weights: np.sum(np.ravel(x, order=order) * w))(x)
        place = {number: i for i, number in enumerate(np.ravel(x, order=order))}
        np.testing.assert_array_equal(found, [[[place[a] for a in row] for row in plane] for plane in x])


def test_several_parts_come_as_numpys_do():
    assert isinstance(np.split(Value(V), 2), list)
    assert isinstance(np.unstack(Value(C)), tuple)


def test_arrays_are_filled_with_a_value_by_multiplying():
    with pytest.raises(TypeError, match=r"np\.copyto has no derivative here: it changes .* np\.ones_like\(a\) \* y"):
        np.full_like(V, Value(2.0))


def test_a_type_without_fractions_is_a_rounding_and_so_a_constant():
    whole = Value([1.7, -0.2]).astype(int)
    assert isinstance(whole, np.ndarray)
    np.testing.assert_array_equal(whole, [1, 0])
    assert grad(lambda x: x.astype(bool) * x)(2.5) == 1.0
    with pytest.raises(TypeError, match="floating point; got complex128"):
        Value(1.0).astype(complex)


NARROW, COUNTS = V.astype(np.float32), np.arange(4)
MIXED = [
    lambda x: np.append(x, [1.0, 2.0]),
    lambda x: np.append(x, COUNTS),
    lambda x: np.insert(x, 1, np.arange(4.0)[:1]),
    lambda x: np.choose([0, 1, 0, 1], [x, COUNTS]),
    lambda x: np.hstack([x, COUNTS]),
    lambda x: np.block([x, COUNTS]),
    lambda x: np.column_stack([x, COUNTS]),
    lambda x: np.atleast_2d(x),
    lambda x: np.concatenate([x, x], dtype=x.dtype),
    lambda x: np.vstack([x, x], dtype=x.dtype),
    lambda x: np.full_like(x, 2.7),
]


@pytest.mark.filterwarnings("ignore::tinygrad_edu.PromotionWarning")
@pytest.mark.parametrize("f", MIXED)
@pytest.mark.parametrize("x", [V, NARROW])
def test_dtypes_are_those_that_numpy_gives(f, x):
    found, expected = f(Value(x)), f(x)
    assert found.dtype == expected.dtype
    np.testing.assert_array_equal(getattr(found, "data", found), expected)


def test_what_holds_no_entry_of_a_variable_stays_as_it_is():
    grids = np.meshgrid(Value(NARROW), COUNTS)
    assert [type(grid) for grid in grids] == [Value, np.ndarray]
    assert [grid.dtype for grid in grids] == [np.float32, COUNTS.dtype]
    assert [a.dtype.kind for a in np.atleast_2d(Value(NARROW), COUNTS)] == ["f", "i"]
    np.testing.assert_array_equal(np.insert(COUNTS, 1, Value(2.7)), np.insert(COUNTS, 1, 2.7))


@pytest.mark.parametrize("f", [np.fft.fftshift, np.fft.ifftshift, lambda x: np.fft.fftshift(x, axes=1)])
@pytest.mark.parametrize("x", [A, A[:, :3]])
def test_shifts_of_frequencies_are_moves(f, x):
    np.testing.assert_array_equal(f(Value(x)).data, f(x))
    assert check_gradients(f, x, order=2).verdict == "PASS"


def test_a_conversion_may_be_told_not_to_copy():
    assert np.astype(Value(V), np.float32, copy=False).dtype == np.float32
    assert Value(V).astype(np.float32, copy=True).dtype == np.float32
