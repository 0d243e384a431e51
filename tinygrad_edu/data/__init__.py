"""Data: the tables of the source documents, a synthetic line to fit, two moons, and batches.

Everything is small, made on the spot and the same every time: functions return fresh arrays, random ones take a seed.
"""

from tinygrad_edu.data.batches import minibatches, train_test_split
from tinygrad_edu.data.documents import eight_rows, first_prediction, similar_vectors, xor
from tinygrad_edu.data.synthetic import house_prices, moons
from tinygrad_edu.names import answering

__all__ = [
    "eight_rows", "first_prediction", "house_prices", "minibatches", "moons", "similar_vectors", "train_test_split",
    "xor",
]  # fmt: skip

__getattr__ = answering(__name__, __all__)
