"""The tables of the source documents, and the numbers printed there.

The functions return what the systems start from; the constants are what the documents print, digit for digit, to be
held against what a run gives. Source: the tutorials 000 to 003 on a single neuron and on a 3-4-1 network.
"""

from __future__ import annotations

from typing import Any

import numpy as np

Array = np.ndarray[Any, np.dtype[np.float64]]

FIRST_INPUT = (1.66, 1.56)
FIRST_PREDICTION = "0.7784302101100966"  # of FIRST_INPUT, by the neuron that legacy seed 42 starts from
MEAN_ABSOLUTE_ERRORS = {
    0: "0.496410031903", 10_000: "0.00858452565325", 20_000: "0.00578945986251", 30_000: "0.00462917677677",
    40_000: "0.00395876528027",
}  # fmt: skip
OUTPUTS = ("0.00287151", "0.99637876", "0.99671879", "0.00426668")  # of xor, after 50,000 iterations


def similar_vectors() -> tuple[Array, Array, Array]:
    """An input and two weights to compare it with by dot products, (2,) each."""
    return np.array([1.72, 1.23]), np.array([1.26, 0.0]), np.array([2.17, 0.32])


def first_prediction() -> tuple[Array, Array, Array, Array]:
    """Two inputs (2, 2), their targets (2,), the weights (2,) and the bias (1,) of a neuron that has not learnt."""
    x = np.array([[1.66, 1.56], [2.0, 1.5]])
    return x, np.array([1.0, 0.0]), np.array([1.45, -0.66]), np.array([0.0])


def eight_rows() -> tuple[Array, Array]:
    """The rows that one neuron learns by online SGD: x (8, 2) and y (8, 1), which is 0 or 1."""
    x = [[3, 1.5], [2, 1], [4, 1.5], [3, 4], [3.5, 0.5], [2, 0.5], [5.5, 1], [1, 1]]
    return np.array(x, dtype=float), np.array([0.0, 1, 0, 1, 0, 1, 1, 0])[:, None]


def xor() -> tuple[Array, Array]:
    """The table of the 3-4-1 network: x (4, 3), the last column 1, and y (4, 1), the others' exclusive or."""
    return np.array([[0.0, 0, 1], [0, 1, 1], [1, 0, 1], [1, 1, 1]]), np.array([[0.0], [1.0], [1.0], [0.0]])
