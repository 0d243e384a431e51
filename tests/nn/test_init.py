"""Initialisers: seeded, of the stated scale."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tinygrad_edu.inputs import generator
from tinygrad_edu.nn import init

FAN_IN, FAN_OUT = 300, 200
VARIANCES = {
    "zeros": 0.0,
    "normal": 1.0,
    "uniform": 1 / 3,
    "glorot_normal": 2 / (FAN_IN + FAN_OUT),
    "glorot_uniform": 2 / (FAN_IN + FAN_OUT),
    "he_normal": 2 / FAN_IN,
    "he_uniform": 2 / FAN_IN,
}
RANDOM = sorted(VARIANCES.keys() - {"zeros"})


@pytest.mark.parametrize("name", VARIANCES)
def test_variance_and_mean(name):
    draw = getattr(init, name)((FAN_IN, FAN_OUT), np.random.default_rng(0))
    assert draw.shape == (FAN_IN, FAN_OUT)
    assert draw.var() == pytest.approx(VARIANCES[name], rel=0.02)
    assert abs(draw.mean()) <= 4 * np.sqrt(VARIANCES[name] / draw.size)


@pytest.mark.parametrize("name", ["glorot_uniform", "he_uniform"])
def test_bounds(name):
    draw = getattr(init, name)((FAN_IN, FAN_OUT), np.random.default_rng(0))
    bound = np.sqrt(3 * VARIANCES[name])
    assert 0.999 * bound < np.abs(draw).max() <= bound


@given(st.sampled_from(RANDOM), st.integers(0, 100))
def test_a_seed_gives_the_same_numbers_and_another_seed_others(name, seed):
    one, same, other = (getattr(init, name)((3, 2), generator(s)) for s in (seed, seed, seed + 1))
    assert np.array_equal(one, same)
    assert not np.array_equal(one, other)


def test_fans_count_what_goes_in_and_out():
    assert init.fans((3, 2)) == (3, 2)
    assert init.fans((5, 5, 3, 8)) == (75, 8)


def test_ranges_and_scales_are_free():
    rng = np.random.default_rng(0)
    assert init.uniform((1000,), rng, low=2.0, high=3.0).min() >= 2.0
    assert init.normal((1000,), rng, mean=5.0, std=0.1).mean() == pytest.approx(5.0, abs=0.02)
