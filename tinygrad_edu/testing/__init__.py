"""Testing gradients: for whoever writes an operation, a layer or a loss.

`check_gradients` compares the backward pass of any function with differences and says what is wrong where;
`numeric_gradient` and `detect_kink` are its tools. `conventions` lists the gradients at kinks.
"""

from tinygrad_edu.testing.check import check_gradients
from tinygrad_edu.testing.conventions import Convention, conventions
from tinygrad_edu.testing.numeric import detect_kink, numeric_gradient
from tinygrad_edu.testing.report import FAIL, INCONCLUSIVE, KINK, PASS, Finding, GradientError, GradientReport

__all__ = [
    "FAIL", "INCONCLUSIVE", "KINK", "PASS", "Convention", "Finding", "GradientError", "GradientReport",
    "check_gradients", "conventions", "detect_kink", "numeric_gradient",
]  # fmt: skip
