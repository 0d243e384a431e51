"""Strategies: what hypothesis draws from, for tests of functions, operations and networks.

Small shapes and simple numbers come first, so that a failing example shrinks to one that can be read and pasted. This
package needs hypothesis; the rest of `tinygrad_edu.testing` does not.
Source: MacIver and Hatfield-Dodds, "Hypothesis: a new approach to property-based testing" (2019).
"""

try:
    import hypothesis  # noqa: F401 - imported first, so that the message can say what to install
except ImportError:
    raise ImportError('the strategies need hypothesis: pip install "tinygrad_edu[testing]"') from None

from tinygrad_edu.testing.strategies.arrays import LAYOUTS, broadcastable, cotangents, scalars, tensors
from tinygrad_edu.testing.strategies.models import Network, TrainingSteps, layers, networks, training_steps
from tinygrad_edu.testing.strategies.shapes_and_indices import indices, shapes, shapes_for

__all__ = [
    "LAYOUTS", "Network", "TrainingSteps", "broadcastable", "cotangents", "indices", "layers", "networks", "scalars",
    "shapes", "shapes_for", "tensors", "training_steps",
]  # fmt: skip
