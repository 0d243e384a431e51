"""The table's chapters. Importing this package fills the table of derivative rules."""

from tinygrad_edu.rules import (  # noqa: F401
    convolution,
    decomposition,
    elementwise,
    indexing,
    linear,
    order,
    reduction,
    shape,
    undifferentiated,
)
