"""SciPy's functions: known values, tails, and that SciPy is never imported for its own sake."""

import math
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from tinygrad_edu import Value, grad
from tinygrad_edu.table import arrived

special = pytest.importorskip("scipy.special")
arrived()


@pytest.mark.parametrize(
    ("f", "x", "expected"),
    [
        (special.erf, 0.0, 2.0 / math.sqrt(math.pi)),
        (special.erf, 5.0, 2.0 / math.sqrt(math.pi) * math.exp(-25.0)),
        (special.erfc, 5.0, -2.0 / math.sqrt(math.pi) * math.exp(-25.0)),
        (special.erf, 1e200, 0.0),
        (special.erf, -math.inf, 0.0),
        (special.expit, 30.0, 9.357622968839299e-14),
        (special.expit, -1000.0, 0.0),
        (special.expit, 1000.0, 0.0),
        (special.logit, 0.5, 4.0),
        (special.digamma, 1.0, math.pi**2 / 6),
        (special.gammaln, 1.0, -np.euler_gamma),
        (grad(special.gammaln), 1.0, math.pi**2 / 6),
        (lambda x: special.xlogy(x, 2.0), 0.0, math.log(2.0)),
        (lambda y: special.xlogy(0.0, y), 0.0, 0.0),
        (lambda y: special.xlogy(3.0, y), 2.0, 1.5),
    ],
)
def test_slopes(f, x, expected):
    assert grad(f)(x) == pytest.approx(expected, rel=2e-13, abs=0.0)


def test_float32_keeps_its_precision_and_does_not_overflow():
    assert grad(special.erf)(np.float32(1e30)) == 0.0
    assert grad(special.erf)(np.float32(1.0)) == pytest.approx(2.0 / math.sqrt(math.pi) / math.e, rel=1e-6)


def test_plain_functions_of_scipy_refuse_a_value():
    with pytest.raises(TypeError, match="a Value is not a plain array"):
        special.logsumexp(Value([1.0, 2.0]))


def test_a_ufunc_that_is_not_in_the_table_says_so():
    with pytest.raises(TypeError, match=r"expi has no derivative here: register one with differentiable\(\)"):
        special.expi(Value(1.0))


@pytest.mark.parametrize("modules", ["tinygrad_edu, scipy.special", "scipy.special, tinygrad_edu"])
def test_the_order_of_imports_does_not_matter(modules):
    code = f"import {modules}; print(tinygrad_edu.grad(scipy.special.expit)(0.0))"
    root = Path(__file__).parents[2]
    done = subprocess.run([sys.executable, "-c", code], cwd=root, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "0.25"


def test_a_function_of_scipys_names_the_line_of_the_user():
    with pytest.raises(TypeError, match=r"\(test_special\.py:\d+\)"):
        special.softmax(Value([0.3, 0.6]))


def test_what_scipy_converts_is_refused_with_the_method_to_use():
    with pytest.raises(TypeError, match=r"v\.logsumexp\(\) for SciPy's"):
        special.logsumexp(Value([0.3, 0.6]))
