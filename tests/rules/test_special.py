"""SciPy's functions: known values, tails, and that SciPy is never imported for its own sake."""

import math
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from tinygrad_edu import Value, grad
from tinygrad_edu.table import arrived
from tinygrad_edu.testing import check_gradients

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


@pytest.mark.parametrize(
    ("f", "x", "expected"),
    [
        (special.gamma, 3.0, 2.0 * (1.5 - np.euler_gamma)),
        (lambda x: special.beta(x, 2.0), 1.0, -0.75),
        (lambda y: special.betaln(1.0, y), 2.0, -0.5),
        (lambda x: special.betaln(x, 1e-12), 2.0, -6.449340668482264e-13),
        (special.ndtr, 0.0, 1.0 / math.sqrt(2.0 * math.pi)),
        (special.ndtri, 0.5, math.sqrt(2.0 * math.pi)),
        (special.erfinv, 0.0, math.sqrt(math.pi) / 2.0),
        (special.log_expit, -800.0, 1.0),
        (special.log_expit, 30.0, 9.357622968839299e-14),
        (lambda x: special.xlog1py(x, 1.0), 0.0, math.log(2.0)),
        (lambda y: special.xlog1py(0.0, y), -1.0, 0.0),
        (special.entr, 1.0, -1.0),
        (lambda x: special.rel_entr(x, 2.0), 1.0, 1.0 - math.log(2.0)),
    ],
)
def test_slopes_of_probabilities(f, x, expected):
    assert grad(f)(x) == pytest.approx(expected, rel=1e-12, abs=0.0)


def test_x_log_y_at_the_origin_has_an_infinite_mixed_derivative():
    for f, low in ((special.xlogy, 0.0), (special.xlog1py, -1.0)):
        with np.errstate(all="ignore"):
            assert grad(lambda y, f=f: f(0.0, y))(low) == 0.0
            assert grad(lambda x, f=f, low=low: grad(lambda y: f(x, y))(low))(0.0) == np.inf


LOG4 = math.log(4.0)
DENSITIES = {  # what scipy.stats computes on plain arrays, as one line of functions that are in the table
    "norm": (lambda x, m, s: -0.5 * ((x - m) / s) ** 2 - np.log(s) - 0.5 * math.log(2.0 * math.pi), (0.3, 1.7)),
    "expon": (lambda x, m, s: -(x - m) / s - np.log(s), (0.1, 2.0)),
    "laplace": (lambda x, m, s: -np.abs(x - m) / s - np.log(2.0 * s), (0.2, 1.5)),
    "gamma": (lambda x, a: special.xlogy(a - 1.0, x) - x - special.gammaln(a), (2.5,)),
    "beta": (
        lambda x, a, b: (
            special.xlogy(a - 1, x / 4) + special.xlog1py(b - 1, -x / 4) - special.betaln(a, b) - np.log(4)
        ),
        (2.5, 1.5),
    ),
}


@pytest.mark.parametrize("name", DENSITIES)
def test_densities_are_one_liners(name):
    stats = pytest.importorskip("scipy.stats")
    density, parameters = DENSITIES[name]
    x = np.array([0.5, 1.2, 3.1])
    options = {"scale": 4.0} if name == "beta" else {}
    expected = getattr(stats, name).logpdf(x, *parameters, **options)
    np.testing.assert_allclose(density(x, *parameters), expected, rtol=1e-12)
    assert check_gradients(density, x, *map(np.asarray, parameters), order=2, distance=0.05).verdict == "PASS"


@pytest.mark.parametrize("f", [special.softmax, special.log_softmax, lambda v: special.polygamma(1, v)])
def test_functions_that_scipy_writes_in_python_are_refused_in_words(f):
    with pytest.raises(
        TypeError, match=r"te\.softmax, te\.log_softmax or v\.logsumexp\(\).*\(test_special\.py:\d+\)"
    ):
        f(Value([0.5, 1.5]))
