"""Least squares: NumPy's answers, right derivatives, and a rank that is not full is refused in words."""

import numpy as np
import pytest

from tinygrad_edu import Value, grad
from tinygrad_edu.testing import check_gradients

RNG = np.random.default_rng(0)
TALL, WIDE, B = RNG.normal(size=(5, 2)), RNG.normal(size=(2, 5)), RNG.normal(size=5)
AT, WEIGHTS = np.linspace(0.0, 1.0, 5), np.arange(1.0, 6.0)
CALLS = [
    *((lambda a, b, i=i: np.linalg.lstsq(a, b)[i], TALL, B) for i in (0, 1, 3)),
    (lambda a, b: np.linalg.lstsq(a, b, rcond=None)[0], WIDE, B[:2]),
    (lambda a, b: np.linalg.lstsq(a, b)[1], TALL, RNG.normal(size=(5, 2))),
    (np.vander, B),
    (lambda x: np.vander(x, 3, increasing=True), np.array([0.0, 1.0, -2.0])),
    (lambda x, y: np.polyfit(x, y, 2), AT, B),
    (lambda x, y: np.polyfit(x, y, 1), AT, RNG.normal(size=(5, 2))),
    (lambda x, y, w: np.polyfit(x, y, 2, w=w), AT, B, WEIGHTS),
    (lambda x, y: np.polyfit(x, y, 2, full=True)[1], AT, B),
    (lambda x, y: np.polyfit(x, y, 2, cov=True)[1], AT, B),
    (lambda x, y: np.polyfit(x, y, 2, cov="unscaled")[1], AT, B),
    (lambda x, y: np.polyfit(x, y, 1, cov=True)[1], AT, RNG.normal(size=(5, 2))),
]


@pytest.mark.parametrize("call", CALLS)
def test_values_are_numpys_and_derivatives_are_right(call):
    f, *xs = call
    np.testing.assert_allclose(np.asarray(f(*map(Value, xs)).data), f(*xs), rtol=1e-9, atol=1e-12)
    assert check_gradients(f, *xs, order=2, distance=0.1).verdict == "PASS"


def test_the_rank_is_numpys_and_there_are_no_residuals_of_few_rows():
    x, residuals, rank, s = np.linalg.lstsq(Value(WIDE), B[:2])
    assert (rank, residuals.shape, s.shape, x.shape) == (2, (0,), (2,), (5,))


def test_a_line_through_moving_points_follows_them():
    slope = grad(lambda y: np.polyfit(AT, y, 1)[0])(B)
    np.testing.assert_allclose(slope, (AT - 0.5) / np.sum((AT - 0.5) ** 2), rtol=1e-12, atol=1e-15)


def test_without_full_rank_there_is_no_derivative():
    with pytest.raises(
        np.linalg.LinAlgError, match=r"rank 1: where it is not full.*a\.T @ a.*\(test_fitting\.py:\d+\)"
    ):
        np.linalg.lstsq(Value(np.ones((3, 2))), np.ones(3))
    with pytest.raises(ValueError, match=r"polyfit: .*\(test_fitting\.py:\d+\)"):
        np.polyfit(Value(AT), B, -1)
    with pytest.raises(ValueError, match=r"vander: x must be .*\(test_fitting\.py:\d+\)"):
        np.vander(Value(TALL))
