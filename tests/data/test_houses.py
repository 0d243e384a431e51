"""The houses: repeatable, and of the stated model."""

import numpy as np
import pytest

from tinygrad_edu.data import houses


def test_shapes_ranges_and_seed():
    x, price = houses.house_prices()
    assert (x.shape, price.shape) == ((60, 2), (60, 1))
    assert np.array_equal(x, houses.house_prices(rng=0)[0])
    assert not np.array_equal(x, houses.house_prices(rng=1)[0])
    assert 40 <= x[:, 0].min() <= x[:, 0].max() < 200
    assert 0 <= x[:, 1].min() <= x[:, 1].max() < 60
    assert price.min() > 0


def test_the_exact_fit_finds_the_model():
    x, price = houses.house_prices(20_000, rng=1)
    design = np.column_stack([x, np.ones(len(x))])
    weights, squares, *_ = np.linalg.lstsq(design, price[:, 0])
    assert weights == pytest.approx([houses.WEIGHT_AREA, houses.WEIGHT_AGE, houses.BIAS], rel=0.02)
    assert np.sqrt(squares[0] / len(x)) == pytest.approx(houses.NOISE, rel=0.02)


def test_no_houses():
    with pytest.raises(ValueError, match="count is 0"):
        houses.house_prices(0)
