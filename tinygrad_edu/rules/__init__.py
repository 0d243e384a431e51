"""The table's chapters. Importing this package fills the table of derivative rules."""

from tinygrad_edu.table import LATER  # noqa: I001
from tinygrad_edu.rules import (  # noqa: F401
    constant, convolution, decomposition, elementwise, indexing, linear, order, reduction, refused, shape,
)  # fmt: skip

LATER["scipy.special"] = f"{__name__}.special"
