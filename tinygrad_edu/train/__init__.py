"""Training: the loop over epochs and batches, with validation, early stopping, and files to go on from.

`fit` is the loop that every program writes, short enough to be read in its place; what it needs stands beside it.
"""

from tinygrad_edu.names import answering
from tinygrad_edu.train.evaluation import evaluate
from tinygrad_edu.train.fitting import fit
from tinygrad_edu.train.history import History

__all__ = ["History", "evaluate", "fit"]

__getattr__ = answering(__name__, __all__)
