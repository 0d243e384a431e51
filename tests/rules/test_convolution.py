"""Convolutions and poolings against loops over their definitions."""

import numpy as np
import pytest

import tinygrad_edu as te
from tinygrad_edu import Value, grad
from tinygrad_edu.testing import check_gradients

RNG = np.random.default_rng(0)


def loops(x, kernel, stride, padding):
    """A convolution of images, one entry of the result after the other."""
    x = np.pad(x, [(0, 0), (0, 0), (padding[0],) * 2, (padding[1],) * 2])
    rows, columns = ((n - k) // s + 1 for n, k, s in zip(x.shape[2:], kernel.shape[2:], stride, strict=True))
    out = np.empty((len(x), len(kernel), rows, columns))
    for b, o, i, j in np.ndindex(out.shape):
        top, left = i * stride[0], j * stride[1]
        out[b, o, i, j] = np.sum(x[b, :, top : top + kernel.shape[2], left : left + kernel.shape[3]] * kernel[o])
    return out


@pytest.mark.parametrize(("stride", "padding"), [(1, 0), (2, 0), (1, 1), ((2, 1), (0, 2)), (3, 2)])
def test_a_convolution_is_its_definition(stride, padding):
    x, kernel = RNG.normal(size=(2, 3, 5, 6)), RNG.normal(size=(4, 3, 2, 3))
    out = te.convolution(Value(x), Value(kernel), stride, padding)
    expected = loops(x, kernel, np.broadcast_to(stride, 2), np.broadcast_to(padding, 2))
    np.testing.assert_allclose(out.data, expected, rtol=1e-12, atol=1e-14)
    small = x[:1, :2, :4, :4], kernel[:2, :2]
    assert check_gradients(lambda a, k: te.convolution(a, k, stride, padding), *small, order=2).verdict == "PASS"


def test_an_image_convolves_as_in_scipy():
    signal = pytest.importorskip("scipy.signal")
    x, kernel = RNG.normal(size=(5, 6)), RNG.normal(size=(3, 2))
    out = te.convolution(x[None, None], kernel[None, None])[0, 0]
    np.testing.assert_allclose(out, signal.correlate2d(x, kernel, mode="valid"), rtol=1e-12, atol=1e-14)


def test_signals_and_volumes_convolve_too():
    x, kernel = RNG.normal(size=(1, 2, 6)), RNG.normal(size=(3, 2, 4))
    expected = [sum(np.correlate(x[0, c], k[c]) for c in range(2)) for k in kernel]
    np.testing.assert_allclose(te.convolution(x, kernel), [expected], rtol=1e-12, atol=1e-14)
    volume = te.convolution(Value(np.ones((1, 1, 3, 4, 5))), np.ones((2, 1, 2, 2, 2)), padding=1)
    assert volume.shape == (1, 2, 4, 5, 6)


@pytest.mark.parametrize("mode", ["full", "same", "valid"])
@pytest.mark.parametrize(("n", "m"), [(5, 3), (3, 5), (4, 2), (2, 4), (3, 3), (1, 4)])
def test_signals_in_every_mode(mode, n, m):
    a, v = RNG.normal(size=n), RNG.normal(size=m)
    for f in (np.convolve, np.correlate):
        np.testing.assert_allclose(f(Value(a), v, mode).data, f(a, v, mode), rtol=1e-14, atol=1e-15)
        assert check_gradients(lambda x, y, f=f: f(x, y, mode), a, v).verdict == "PASS"


def test_correlate_is_valid_unless_told_otherwise():
    np.testing.assert_array_equal(np.correlate(Value([1.0, 2.0, 3.0]), [1.0, 1.0]).data, [3.0, 5.0])


def test_pools_of_windows_side_by_side_and_overlapping():
    x = np.arange(20.0).reshape(1, 4, 5)
    np.testing.assert_array_equal(te.max_pool(x), [[[6.0, 8.0], [16.0, 18.0]]])
    np.testing.assert_array_equal(te.mean_pool(Value(x)).data, [[[3.0, 5.0], [13.0, 15.0]]])
    np.testing.assert_array_equal(te.max_pool(x, (3, 2), stride=(1, 3)), [[[11.0, 14.0], [16.0, 19.0]]])
    np.testing.assert_array_equal(te.max_pool(x[0, 0], (2,)), [1.0, 3.0])
    assert check_gradients(lambda a: te.mean_pool(a, (2, 3), (1, 2)), x, order=2).verdict == "PASS"


def test_the_gradient_of_a_largest_entry_goes_to_where_it_was_and_ties_share_it():
    x = np.array([[1.0, 5.0, 0.0], [2.0, 2.0, 5.0], [2.0, 2.0, 3.0]])
    g = grad(lambda a: np.sum(te.max_pool(a, stride=(1, 1))))(x)
    np.testing.assert_array_equal(g, [[0.0, 1.5, 0.0], [0.25, 0.25, 1.5], [0.25, 0.25, 0.0]])


def test_windows_of_numpy_itself():
    x = RNG.normal(size=(3, 4))
    view = np.lib.stride_tricks.sliding_window_view
    assert view(Value(x), (2, 2)).shape == (2, 3, 2, 2)
    counts = [[1, 2, 2, 1], [2, 4, 4, 2], [1, 2, 2, 1]]  # how many windows hold an entry
    np.testing.assert_array_equal(grad(lambda a: np.sum(view(a, (2, 2))))(x), counts)


@pytest.mark.parametrize(
    ("x", "kernel", "padding", "message"),
    [
        ((1, 3, 5, 5), (2, 1, 3, 3), 0, r"x is \(1, 3, 5, 5\).*kernel is \(2, 1, 3, 3\).*`in` must agree"),
        ((1, 3, 5, 5), (2, 3, 6, 3), 0, r"\(6, 3\) must fit into \(5, 5\)"),
        ((3, 5, 5), (2, 3, 3, 3), 0, "ranks and `in` must agree"),
        ((), (2, 3, 3), 0, r"x is \(\).*kernel is \(2, 3, 3\)"),
        ((5,), (5,), 0, r"x is \(5,\), \(batch, in, ...\), kernel is \(5,\)"),
        ((2, 3), (4, 3), 0, r"x is \(2, 3\), \(batch, in, ...\), kernel is \(4, 3\)"),
    ],
)
def test_shapes_that_do_not_fit(x, kernel, padding, message):
    with pytest.raises(ValueError, match=message):
        te.convolution(Value(np.ones(x)), np.ones(kernel), padding=padding)


@pytest.mark.parametrize(
    "options",
    [{"stride": 0}, {"stride": -1}, {"stride": (1, 0)}, {"padding": -1}, {"padding": (0, -1)}, {"stride": (1, 2, 3)}],
)
def test_strides_and_paddings_out_of_range(options):
    with pytest.raises(ValueError, match="2 strides >= 1, pads >= 0"):
        te.convolution(Value(np.ones((1, 1, 4, 4))), np.ones((1, 1, 2, 2)), **options)


@pytest.mark.parametrize("pool", [te.max_pool, te.mean_pool])
def test_one_number_is_the_size_of_a_square_window(pool):
    x = np.random.default_rng(0).normal(size=(2, 3, 4, 5))
    np.testing.assert_array_equal(pool(Value(x), 2).data, pool(x, (2, 2), (2, 2)))
    np.testing.assert_array_equal(pool(Value(x), 3, 1).data, pool(x, (3, 3), (1, 1)))


@pytest.mark.parametrize(
    "windows", [(5, None), ((2, 6), None), ((1,) * 5, None), (2, 0), (0, 1), ((2, 2), (1,)), ((), None)]
)
def test_windows_that_do_not_fit(windows):
    with pytest.raises(ValueError, match=r"pooling: windows of .* do not fit into \(2, 3, 4, 5\).*test_convolution"):
        te.max_pool(Value(np.ones((2, 3, 4, 5))), *windows)
