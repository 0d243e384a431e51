"""The table's chapters. Importing this package fills the table of derivative rules."""

from tinygrad_edu.rules import (  # noqa: F401
    constant,
    convolution,
    decomposition,
    elementwise,
    indexing,
    linear,
    order,
    reduction,
    refused,
    shape,
)  # fmt: skip
