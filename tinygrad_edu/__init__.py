"""Automatic differentiation to understand, see and trust: NumPy code, a graph of Values, and its gradients."""

from __future__ import annotations

from importlib import import_module

from tinygrad_edu import collection, rules  # noqa: F401 - imported for what they register
from tinygrad_edu.backward import gradients
from tinygrad_edu.errors import BroadcastWarning
from tinygrad_edu.op import Each, case, cases, constant, differentiable, entries, implements, primitive
from tinygrad_edu.recording import no_grad
from tinygrad_edu.rules.elementwise import relu, sigmoid, softplus
from tinygrad_edu.rules.indexing import at
from tinygrad_edu.rules.reduction import logsumexp
from tinygrad_edu.transforms import grad, value_and_grad
from tinygrad_edu.value import Value

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import ModuleType

__version__ = "0.1.0"

__all__ = [
    "BroadcastWarning", "Each", "Value", "at", "case", "cases", "constant", "differentiable", "entries", "grad",
    "gradients", "implements", "logsumexp", "no_grad", "primitive", "relu", "sigmoid", "softplus", "value_and_grad",
]  # fmt: skip

SUBPACKAGES = ("data", "nn", "optim", "testing", "viz")


def __getattr__(name: str) -> ModuleType:
    """The subpackages, imported when they are first used."""
    if name in SUBPACKAGES:
        return import_module(f"tinygrad_edu.{name}")
    raise AttributeError(f"module 'tinygrad_edu' has no attribute {name!r}")
