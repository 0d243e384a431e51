"""Figures that pyplot knows are closed after each test."""

import pytest
from matplotlib import pyplot as plt


@pytest.fixture(autouse=True)
def no_figure_is_left():
    yield
    plt.close("all")
