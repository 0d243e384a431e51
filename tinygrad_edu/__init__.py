"""Automatic differentiation to understand, see and trust: NumPy code, a graph of Values, and its gradients."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tinygrad_edu import rules  # noqa: F401 - imported for what they register
from tinygrad_edu.backward import gradients
from tinygrad_edu.errors import BroadcastWarning, PromotionWarning, StaleGraphWarning
from tinygrad_edu.later import PUBLIC, public
from tinygrad_edu.names import of_package
from tinygrad_edu.table import (
    POSITIVE, REALS, TIES, Each, case, cases, constant, differentiable, entries, implements, primitive,
)  # fmt: skip
from tinygrad_edu.recording import no_grad
from tinygrad_edu.rules.convolution import convolution, max_pool, mean_pool
from tinygrad_edu.rules.elementwise import relu, sigmoid, softplus
from tinygrad_edu.rules.indexing import at
from tinygrad_edu.rules.reduction import log_softmax, logsumexp, softmax
from tinygrad_edu.transforms import (
    checkpoint, elementwise_grad, grad, hessian, hvp, jacobian, jvp, stop_gradient, value_and_grad, vjp,
)  # fmt: skip
from tinygrad_edu.value import Value
from tinygrad_edu.notes import verified

if TYPE_CHECKING:
    from tinygrad_edu.extension import custom
    from tinygrad_edu.saving import CheckpointError, load, save

__version__ = "0.1.0"
__all__ = [
    "POSITIVE", "REALS", "TIES", "BroadcastWarning", "CheckpointError", "Each",
    "PromotionWarning", "StaleGraphWarning", "Value", "at", "case", "cases",
    "checkpoint", "constant", "convolution", "custom", "differentiable", "elementwise_grad", "entries", "grad",
    "gradients", "hessian", "hvp", "implements", "jacobian", "jvp", "load", "log_softmax", "logsumexp", "max_pool",
    "mean_pool", "no_grad", "primitive", "relu", "save", "sigmoid", "softmax", "softplus", "stop_gradient",
    "value_and_grad", "verified", "vjp",
]  # fmt: skip


def __getattr__(name: str) -> Any:
    """The subpackages, and what stands on them, imported when they are first used."""
    if name not in PUBLIC:
        raise of_package(__name__, [*__all__, *PUBLIC], name)
    return public(name)
