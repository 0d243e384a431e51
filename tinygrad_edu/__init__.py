"""Automatic differentiation to understand, see and trust: NumPy code, a graph of Values, and its gradients."""

from tinygrad_edu import rules
from tinygrad_edu.errors import BroadcastWarning
from tinygrad_edu.op import cases, constant, differentiable, implements, primitive
from tinygrad_edu.recording import no_grad
from tinygrad_edu.rules.elementwise import relu, sigmoid, softplus
from tinygrad_edu.rules.indexing import at
from tinygrad_edu.rules.reduction import logsumexp
from tinygrad_edu.value import Value, gradients

__version__ = "0.1.0"
