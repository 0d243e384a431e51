"""Data: the tables of the source documents, a synthetic line to fit, two moons, and batches.

Everything is small, made on the spot and the same every time: functions return fresh arrays, random ones take a seed.
"""

from typing import NoReturn

from tinygrad_edu.data.batches import minibatches, train_test_split
from tinygrad_edu.data.documents import eight_rows, first_prediction, similar_vectors, xor
from tinygrad_edu.data.synthetic import house_prices, moons
from tinygrad_edu.names import of_package

__all__ = [
    "eight_rows",
    "first_prediction",
    "house_prices",
    "minibatches",
    "moons",
    "similar_vectors",
    "train_test_split",
    "xor",
]


def __getattr__(name: str) -> NoReturn:
    """Say of a name that another framework has what it is called here."""
    raise of_package(__name__, __all__, name)
