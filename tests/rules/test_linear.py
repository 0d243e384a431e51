"""Products at every rank against einsum-free definitions."""

import numpy as np
import pytest

from tinygrad_edu import Value, grad

RANKS = [
    ((2, 3), (3, 4)),
    ((3,), (3,)),
    ((3,), (3, 2)),
    ((2, 3), (3,)),
    ((4, 2, 3), (3, 2)),
    ((2, 1, 2, 3), (5, 3, 2)),
]


@pytest.mark.parametrize(("left", "right"), RANKS)
def test_a_product_is_bilinear(left, right):
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=left), rng.normal(size=right)
    g = rng.normal(size=(x @ y).shape)
    gx, gy = grad(lambda a, b: np.sum((a @ b) * g), argnums=(0, 1))(x, y)
    assert (gx.shape, gy.shape) == (left, right)
    for gradient, value in ((gx, x), (gy, y)):
        assert np.sum(gradient * value) == pytest.approx(np.sum((x @ y) * g), rel=1e-12)


@pytest.mark.parametrize(
    ("left", "right"), [*RANKS[:4], ((), (3,)), ((3,), ()), ((2, 3), (4, 3, 2)), ((3,), (2, 3, 1))]
)
def test_dot_is_numpys(left, right):
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=left), rng.normal(size=right)
    np.testing.assert_allclose(np.dot(Value(x), y).data, np.dot(x, y), rtol=1e-13)
    np.testing.assert_allclose(np.dot(x, Value(y)).data, np.dot(x, y), rtol=1e-13)
