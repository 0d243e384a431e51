"""Numbers and arrays keep to their domain, their margins, dtypes and layouts; the simplest come first."""

import numpy as np
import pytest
from hypothesis import Phase, find, given, settings
from hypothesis import strategies as st

from tinygrad_edu.table import DEFINITE, REGULAR, TIES
from tinygrad_edu.testing.strategies import LAYOUTS, broadcastable, cotangents, scalars, shapes, tensors

few = settings(max_examples=max(10, settings().max_examples // 4))
first = settings(phases=[Phase.generate])  # nothing is left to shrink
DOMAINS = [(-np.inf, np.inf), (0.0, np.inf), (-np.inf, -1.0), (-1.0, 1.0), (2.0, 2.001), (1.0, 3.0)]


@few
@given(st.data(), st.sampled_from(DOMAINS))
def test_numbers_lie_inside_with_a_margin_from_points(data, domain):
    x = data.draw(scalars(domain, kinks=(0.5,), singular=(-2.0,)))
    assert isinstance(x, float)
    assert domain[0] < x < domain[1]
    assert abs(x) <= 10
    if domain[1] - domain[0] > 0.5:
        assert min(abs(x - 0.5), abs(x + 2.0)) >= 0.1 - 1e-12


def test_0_comes_first_and_then_simple_numbers():
    assert find(scalars(), lambda x: True) == 0.0
    assert find(scalars((0, np.inf)), lambda x: True) == 1.0
    assert find(tensors(), lambda x: x.size > 1).tolist() == [0.0, 0.0]


@few
@given(st.data(), st.sampled_from([np.float32, np.float16, float]))
def test_dtypes(data, dtype):
    x, a = data.draw(scalars(dtype=dtype)), data.draw(tensors(dtype=dtype))
    assert np.result_type(x) == a.dtype == dtype


@few
@given(st.data(), st.sampled_from([*LAYOUTS, None]), shapes())
def test_layouts_hold_numbers_of_the_domain_in_the_shape(data, layout, shape):
    a = data.draw(tensors(shape, (0.0, 4.0), layout=layout))
    assert a.shape == shape
    assert np.all((a > 0) & (a < 4))


@pytest.mark.parametrize(
    ("layout", "shown"),
    [
        ("C", lambda a: a.flags.c_contiguous and a.flags.writeable),
        ("F", lambda a: a.flags.f_contiguous and not a.flags.c_contiguous),
        ("reversed", lambda a: a.strides[0] < 0),
        ("strided", lambda a: a.strides[-1] == 2 * a.itemsize),
        ("stride-0", lambda a: a.strides[0] == 0),
        ("read-only", lambda a: not a.flags.writeable),
    ],
)
def test_each_layout_is_what_it_is_called(layout, shown):
    assert shown(find(tensors((2, 3), layout=layout), lambda a: True, settings=first))


@few
@given(st.data(), st.sampled_from([REGULAR, DEFINITE]))
def test_matrices_are_far_from_singular(data, kind):
    a = data.draw(tensors(domain=kind))
    assert np.min(np.linalg.svd(a, compute_uv=False)) > 0.5
    if kind == DEFINITE:
        np.testing.assert_allclose(a, a.mT, atol=1e-12)
        assert np.min(np.linalg.eigvalsh(a)) > 0.5


@few
@given(tensors((2, 4), (-1.0, 1.0), kinks=TIES))
def test_no_ties(a):
    assert np.min(np.diff(np.sort(a, axis=None))) > 0.05


@few
@given(tensors(200, (-1.0, 1.0), kinks=(0.0,)))
def test_large_arrays_keep_to_the_domain_too(a):
    assert a.shape == (200,)
    assert np.all((np.abs(a) < 1) & (np.abs(a) >= 0.1))


@few
@given(broadcastable(3, (0, 1)), broadcastable(2))
def test_broadcastable_gives_arrays_or_shapes(arrays, found):
    np.broadcast_arrays(*arrays)
    np.broadcast_shapes(*found)
    assert (len(arrays), len(found)) == (3, 2)


@few
@given(st.data(), shapes(max_rank=3), st.sampled_from([float, np.float32]))
def test_cotangents_are_nowhere_0_or_1(data, shape, dtype):
    g = data.draw(cotangents(shape, dtype))
    assert (g.shape, g.dtype) == (shape, dtype)
    assert np.all((np.abs(g) >= 0.2) & (np.abs(np.abs(g) - 1) > 0.04) & (np.abs(g) < 2))


@pytest.mark.parametrize(
    ("make", "text"),
    [
        (lambda: tensors(layout="fortran"), "no layout 'fortran': one of C, F, reversed"),
        (lambda: tensors(domain=3), r"a domain is \(low, high\)"),
        (lambda: scalars(domain="reals"), r"a domain is \(low, high\), 'full rank' or 'positive definite'"),
        (lambda: tensors(domain="singular"), "matrices are 'full rank' or 'positive definite'"),
        (lambda: tensors((3,), REGULAR), "with two axes or more"),
        (lambda: scalars((0, 0.15), kinks=(0.02, 0.045, 0.07, 0.095, 0.12, 0.14)), "has no room beside the points"),
        (lambda: tensors(domain=(1, -1)), "has no room"),
        (lambda: tensors(domain=(np.nan, 1)), "has no room|a domain is"),
    ],
)
def test_what_cannot_be_drawn_is_refused_with_what_can(make, text):
    with pytest.raises(ValueError, match=text):
        find(make(), lambda x: True)
