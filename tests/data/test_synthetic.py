"""The houses: repeatable, of the stated model. The moons: half and half, on circles that no line parts."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tinygrad_edu.data import synthetic


def test_shapes_ranges_and_seed():
    x, price = synthetic.house_prices()
    assert (x.shape, price.shape) == ((60, 2), (60, 1))
    assert np.array_equal(x, synthetic.house_prices(rng=0)[0])
    assert not np.array_equal(x, synthetic.house_prices(rng=1)[0])
    assert 40 <= x[:, 0].min() <= x[:, 0].max() < 200
    assert 0 <= x[:, 1].min() <= x[:, 1].max() < 60
    assert price.min() > 0


def test_the_exact_fit_finds_the_model():
    x, price = synthetic.house_prices(20_000, rng=1)
    design = np.column_stack([x, np.ones(len(x))])
    weights, squares, *_ = np.linalg.lstsq(design, price[:, 0])
    assert weights == pytest.approx([synthetic.WEIGHT_AREA, synthetic.WEIGHT_AGE, synthetic.BIAS], rel=0.02)
    assert np.sqrt(squares[0] / len(x)) == pytest.approx(synthetic.NOISE, rel=0.02)


def test_no_houses():
    with pytest.raises(ValueError, match="count is 0"):
        synthetic.house_prices(0)


@given(st.integers(2, 60), st.integers(0, 9))
def test_shapes_and_halves(count, seed):
    x, y = synthetic.moons(count, rng=seed)
    assert (x.shape, y.shape) == ((count, 2), (count, 1))
    assert x.dtype == y.dtype == np.float64
    assert y.sum() == count // 2
    assert set(np.unique(y)) <= {0.0, 1.0}


def test_without_noise_the_points_are_on_two_half_circles():
    x, y = synthetic.moons(400, noise=0.0)
    upper, lower = x[y[:, 0] == 0], x[y[:, 0] == 1]
    np.testing.assert_allclose(np.hypot(*upper.T), 1.0)
    np.testing.assert_allclose(np.hypot(*(lower - [1.0, 0.5]).T), 1.0)
    assert upper[:, 1].min() >= 0.0
    assert lower[:, 1].max() <= 0.5
    assert np.ptp(upper[:, 0]) > 1.9
    assert np.ptp(lower[:, 0]) > 1.9


def test_noise_has_its_size():
    noisy, exact = synthetic.moons(20_000, 0.2)[0], synthetic.moons(20_000, 0.0)[0]
    np.testing.assert_allclose((noisy - exact).std(axis=0), 0.2, rtol=0.03)


def test_a_seed_repeats_and_a_generator_goes_on():
    rng = np.random.default_rng(0)
    runs = [synthetic.moons(rng=source)[0] for source in (0, 0, rng, rng)]
    assert np.array_equal(runs[0], runs[1])
    assert np.array_equal(runs[0], runs[2])
    assert not np.array_equal(runs[2], runs[3])


def test_no_line_parts_them():
    x, y = synthetic.moons(400, noise=0.0)
    design = np.column_stack([x, np.ones(len(x))])
    weights, *_ = np.linalg.lstsq(design, 2.0 * y[:, 0] - 1.0)
    assert 0.8 < np.mean((design @ weights > 0) == (y[:, 0] == 1)) < 0.95


@pytest.mark.parametrize(
    ("options", "said"),
    [({"count": 1}, "count is 1"), ({"noise": -0.1}, "noise is -0.1"), ({"noise": np.nan}, "noise is nan")],
)
def test_what_cannot_be_drawn(options, said):
    with pytest.raises(ValueError, match=said):
        synthetic.moons(**options)
