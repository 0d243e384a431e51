"""Testing gradients: for whoever writes an operation, a layer or a loss.

`check_gradients` compares the backward pass of any function with differences and says what is wrong where, and what
mistake that suggests; `compare` asks other frameworks; `check_taylor` needs no step; `check_op` and `check_module`
check all that an operation or a network declares. `numeric_gradient`, `detect_kink` and `hint` are their
tools. `conventions` lists the gradients at kinks. `assert_close`, `assert_same_gradient`, `assert_linear` and
`assert_invariant` are for property tests of one's own.
"""

from tinygrad_edu.names import answering
from tinygrad_edu.testing.assertions import assert_close, assert_invariant, assert_linear, assert_same_gradient
from tinygrad_edu.testing.diagnosis.hints import hint
from tinygrad_edu.testing.differences.numeric import detect_kink, numeric_gradient
from tinygrad_edu.testing.frameworks import Comparison, Disagreement, compare
from tinygrad_edu.testing.function import check_gradients
from tinygrad_edu.testing.kink_conventions import Convention, conventions
from tinygrad_edu.testing.module import check_module
from tinygrad_edu.testing.operation import check_op
from tinygrad_edu.testing.property_tests import gradient_test
from tinygrad_edu.testing.report import FAIL, INCONCLUSIVE, KINK, PASS, Finding, GradientError, GradientReport
from tinygrad_edu.testing.taylor import check_taylor

__all__ = [
    "FAIL", "INCONCLUSIVE", "KINK", "PASS", "Comparison", "Convention", "Disagreement", "Finding", "GradientError",
    "GradientReport", "assert_close", "assert_invariant", "assert_linear", "assert_same_gradient", "check_gradients",
    "check_module", "check_op", "check_taylor", "compare", "conventions", "detect_kink", "gradient_test", "hint",
    "numeric_gradient",
]  # fmt: skip

__getattr__ = answering(__name__, __all__)
