"""Strategies: what hypothesis draws from, for tests of functions, operations, networks and of the engine itself.

Small shapes, simple numbers and short programs come first, so that a failing example shrinks to one that can be read
and pasted. This package needs hypothesis; the rest of `tinygrad_edu.testing` does not.
Source: MacIver and Hatfield-Dodds, "Hypothesis: a new approach to property-based testing" (2019).
"""

try:
    import hypothesis  # noqa: F401 - asked for first, so that the message can say what to install
except ImportError:
    raise ImportError('the strategies need hypothesis: pip install "tinygrad_edu[testing]"') from None

from tinygrad_edu.testing.strategies.arrays import LAYOUTS, broadcastable, cotangents, scalars, tensors
from tinygrad_edu.testing.strategies.checking import check_graph
from tinygrad_edu.testing.strategies.drafting import graphs
from tinygrad_edu.testing.strategies.indexing import indices
from tinygrad_edu.testing.strategies.machine import GraphMachine
from tinygrad_edu.testing.strategies.networks import Network, TrainingSteps, layers, networks, training_steps
from tinygrad_edu.testing.strategies.program import Graph
from tinygrad_edu.testing.strategies.shapes import shapes, shapes_for

__all__ = [
    "LAYOUTS", "Graph", "GraphMachine", "Network", "TrainingSteps", "broadcastable", "check_graph", "cotangents",
    "graphs", "indices", "layers", "networks", "scalars", "shapes", "shapes_for", "tensors", "training_steps",
]  # fmt: skip
