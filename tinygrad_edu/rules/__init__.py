"""The table's chapters. Importing this package fills the table of derivative rules."""

from tinygrad_edu.rules import (  # noqa: F401
    convolution,
    decomposition,
    elementwise,
    fitting,
    grids,
    indexing,
    linear,
    order,
    padding,
    reduction,
    shape,
    statistics,
    undifferentiated,
)
