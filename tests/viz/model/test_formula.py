"""The words on an edge: declared formulas in the operands' names, and numbers that are the true local derivative."""

import math
from contextlib import suppress

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tinygrad_edu import Value, relu, sigmoid, softplus
from tinygrad_edu.graph import toposort
from tinygrad_edu.table import OPERATIONS, TIES
from tinygrad_edu.viz.model.formatting import bracketed
from tinygrad_edu.viz.model.formula import expression, factor_shape, figure, formula, glyph, local_text
from tinygrad_edu.viz.model.names import Names
from tinygrad_edu.viz.model.replay import Edge, LocalDerivative, slope

ELEMENTWISE = [
    op for op in OPERATIONS.values() if op.elementwise and op.formulas and not op.options and not op.variadic
]
SPELLED = {
    **vars(math),
    "sign": np.sign,
    "sigmoid": lambda x: 1 / (1 + math.exp(-x)),
    "cbrt": np.cbrt,
}
with suppress(ImportError):
    from scipy import special

    SPELLED |= {"digamma": special.digamma, "polygamma": special.polygamma, "expit": special.expit}


def meaning(text, **numbers):
    """What a formula in `x`, `y` and `out` evaluates to."""
    return float(eval(text.replace("^", "**").replace("[", "(").replace("]", ")"), SPELLED, numbers))


def local(node, place=0, **names):
    """The local derivative of a result for one of its operands."""
    edge = Edge(node, place)
    return LocalDerivative(edge, slope(edge), Names(toposort(node)[::-1], names))


@given(st.floats(0.1, 0.9), st.floats(1.1, 1.9))
def test_a_declared_formula_means_the_local_derivative(a, b):
    for op in ELEMENTWISE:
        operands = [b] if op.domain[0] == 1.0 else [a, b][: len(op.pullbacks)]
        result = op.function(*map(Value, operands))
        numbers = dict(zip("xy", operands, strict=False), out=result.item())
        for i in range(len(operands)):
            text = op.formulas[min(i, len(op.formulas) - 1)]
            found, expected = meaning(text, **numbers), float(op.pullbacks[i](np.float64(1.0), *result.saved))
            assert math.isclose(found, expected, rel_tol=1e-9, abs_tol=1e-12), (op.name, text, found, expected)


def test_every_operation_with_a_kink_or_without_is_among_them():
    assert len(ELEMENTWISE) > 15
    assert any(op.kinks == TIES for op in ELEMENTWISE)


@pytest.mark.parametrize(
    ("compute", "text"),
    [
        (lambda a, b: a * b, "b = -2"),
        (lambda a, b: a / b, "1 / b = -0.5"),
        (lambda a, b: a**2, "2 * a = 6"),
        (lambda a, b: a**3, "3 * a^2 = 27"),
        (lambda a, b: a**1, "1"),
        (lambda a, b: a**0, "0"),
        (lambda a, b: a**-1, "-1 * a^-2 = -0.1111"),
        (lambda a, b: np.square(a), "2 * a = 6"),
        (lambda a, b: sigmoid(a), "result * (1 - result) = 0.04518"),
        (lambda a, b: softplus(a), "sigmoid(a) = 0.9526"),
        (lambda a, b: a + b, "1"),
        (lambda a, b: b - a, "-1"),
    ],
)
def test_formulas_in_the_operands_names(compute, text):
    a, b = Value(3.0, name="a"), Value(-2.0, name="b")
    node = compute(a, b)
    place = next(i for i, arg in enumerate(node.args) if arg is a)
    found = local(node, place, result=node)
    assert (local_text(found), found.closed) == (text, text == "0")


def test_a_negative_number_stands_in_parentheses():
    x = Value(2.0, name="x")
    assert formula(local(x**-0.5)) == "-0.5 * x^-1.5"
    assert (bracketed("-2"), bracketed("2")) == ("(-2)", "2")
    assert formula(local(np.multiply(x, -3.0))) == "-3"


def test_means_say_how_many():
    x = Value(np.ones((2, 3)), name="x")
    assert local_text(local(x.mean(axis=1))).startswith("1 / 3")
    assert formula(local(x.var(ddof=1))) == "2 * (x - mean) / 5"


def test_matrix_products_show_the_other_factor():
    a, b = Value(np.ones((2, 3)), name="a"), Value(np.ones((3, 4)), name="b")
    assert local_text(local(a @ b, 0)) == "b^T  (4, 3)"
    assert local_text(local(a @ b, 1)) == "a^T  (3, 2)"
    assert factor_shape(Edge(a.sum(axis=0), 0)) == "(2, 3)"
    x = np.ones(3)
    assert formula(local(a @ x, 0, x=x)) == "x"


@pytest.mark.parametrize(
    ("node", "number", "closed"),
    [
        (relu(Value([-1.0, -2.0])), "0", True),
        (relu(Value([-1.0, 2.0])), "[0, 1]", False),
        (np.tanh(Value(np.linspace(0, 1, 9))), "(9,)", False),
    ],
)
def test_a_closed_relu_says_so(node, number, closed):
    assert (figure(local(node)), local(node).closed) == (number, closed)


@pytest.mark.parametrize(("compute", "mark"), [(lambda x: x**2, "^2"), (lambda x: 2.0**x, "^"), (np.tanh, "tanh")])
def test_the_glyph_holds_a_constant_exponent(compute, mark):
    assert glyph(compute(Value(3.0))) == mark


@pytest.mark.parametrize(
    ("mark", "operands", "written"),
    [
        ("+", ["a", "b"], "a + b"),
        ("-", ["a", "-2"], "a - (-2)"),
        ("-", ["a"], "-a"),
        ("^2", ["a"], "a^2"),
        ("^2", ["-2"], "(-2)^2"),
        ("^", ["a", "b"], "a ^ b"),
        ("tanh", ["a"], "tanh(a)"),
        ("max", ["a", "0"], "max(a, 0)"),
        ("[]", ["a"], "a[...]"),
    ],
)
def test_expressions_are_written_as_one_writes_them(mark, operands, written):
    assert expression(mark, operands) == written
