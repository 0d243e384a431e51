"""Padding by every mode: NumPy's values, right derivatives, Values as what is put around."""

import numpy as np
import pytest

from tinygrad_edu import Value, grad
from tinygrad_edu.testing import check_gradients

X = np.random.default_rng(0).permutation(np.linspace(-2.0, 2.0, 12)).reshape(3, 4)
WIDTHS = [2, (1, 0), ((1, 2), (0, 3)), ((7, 5), (9, 1)), {0: (1, 2)}, {1: 3}]
MODES = [
    ("constant", {}),
    ("constant", {"constant_values": 1.5}),
    ("constant", {"constant_values": ((1, 2), (3, 4))}),
    ("linear_ramp", {}),
    ("linear_ramp", {"end_values": ((1.0, -1.0), (3.0, 0.5))}),
    ("maximum", {}),
    ("minimum", {"stat_length": 2}),
    ("mean", {"stat_length": ((2, 1), (3, 2))}),
    ("median", {}),
    ("edge", {}),
    ("wrap", {}),
    ("reflect", {}),
    ("reflect", {"reflect_type": "odd"}),
    ("symmetric", {}),
    ("symmetric", {"reflect_type": "odd"}),
]


@pytest.mark.parametrize("width", WIDTHS, ids=str)
@pytest.mark.parametrize(("mode", "options"), MODES, ids=str)
def test_every_mode_has_numpys_values_and_dtype(mode, options, width):
    for x in (X, X.astype(np.float32), X[:1]):
        found, expected = np.pad(Value(x), width, mode, **options), np.pad(x, width, mode, **options)
        digits = 64 * np.finfo(x.dtype).eps
        np.testing.assert_allclose(found.data, expected, rtol=digits, atol=digits)
        assert found.dtype == expected.dtype


@pytest.mark.parametrize(("mode", "options"), MODES, ids=str)
def test_every_mode_has_right_derivatives(mode, options):
    pad = lambda x: np.pad(x, ((1, 2), (0, 5)), mode, **options)
    assert check_gradients(pad, X, order=2, distance=0.04).verdict == "PASS"


@pytest.mark.parametrize(("mode", "option"), [("constant", "constant_values"), ("linear_ramp", "end_values")])
def test_what_is_put_around_may_be_a_value(mode, option):
    for nest in (lambda v: v, lambda v: (v, 1.0), lambda v: ((v, 2.0), (1.0, v))):
        pad = lambda x, v, nest=nest: np.pad(x, 2, mode, **{option: nest(v)})
        np.testing.assert_allclose(pad(Value(X), Value(0.5)).data, pad(X, 0.5), rtol=1e-14)
        assert check_gradients(pad, X, np.array(0.5), order=2).verdict == "PASS"


def test_a_constant_beside_the_array_is_not_multiplied_by_0():
    np.testing.assert_array_equal(grad(lambda x: np.pad(x, 1, constant_values=np.inf)[1])(np.ones(2)), [1.0, 0.0])


def test_without_a_width_the_array_stays():
    np.testing.assert_array_equal(np.pad(Value(X), 0, "mean").data, X)
    np.testing.assert_array_equal(np.pad(Value(X), 1, "empty").data[1:-1, 1:-1], X)
    assert grad(lambda x: np.sum(np.pad(x, 1)))(np.ones((0, 2))).shape == (0, 2)


@pytest.mark.parametrize(
    ("call", "kind", "words"),
    [
        (lambda v: np.pad(v, -1), ValueError, "negative values"),
        (lambda v: np.pad(v, 1.5), TypeError, "integral type"),
        (lambda v: np.pad(v, 1, "edge", constant_values=1.0), ValueError, "unsupported keyword arguments"),
        (lambda v: np.pad(v[:0], 1, "edge"), ValueError, "can't extend empty axis 0"),
        (lambda v: np.pad(v, ((1, 1), (1, 1))), ValueError, "broadcast"),
        (lambda v: np.pad(v, 1, lambda *_: None), TypeError, "fills arrays in place"),
    ],
)
def test_what_numpy_refuses_is_refused(call, kind, words):
    with pytest.raises(kind, match=rf"pad: .*{words}.*\(test_padding\.py:\d+\)"):
        call(Value([1.0, 2.0]))
