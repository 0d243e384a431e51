"""custom: right rules are registered, wrong ones refused with what is wrong."""

import numpy as np
import pytest

import tinygrad_edu as te
from tinygrad_edu.extension import custom
from tinygrad_edu.table import DEFINITE, OPERATIONS, REGULAR

pytestmark = pytest.mark.usefixtures("table")


def cube(x):
    """x^3."""
    return x * x * x


CUBE = (lambda g, out, x: g * 3 * x**2,)


def test_a_right_rule_makes_an_operation_of_any_order_in_both_directions():
    own = te.custom(CUBE, domain=te.REALS, reference=lambda x: x**3, formulas=("3 * x^2",))(cube)
    assert own(2.0) == 8.0
    assert te.grad(te.grad(own))(2.0) == 12.0
    assert te.jvp(own, (2.0,), (1.0,))[1] == 12.0
    v = te.Value(np.array([1.0, 2.0], np.float32))
    own(v).sum().backward()
    assert v.grad.dtype == np.float32
    assert (own.__name__, own.__doc__, OPERATIONS[own].formulas) == ("cube", "x^3.", ("3 * x^2",))


@pytest.mark.parametrize(
    ("rule", "words"),
    [
        (lambda g, out, x: g * x**2 * 3 * (1 + 1e-4), "disagrees with differences"),
        (lambda g, out, x: -g * 3 * x**2, "the sign is flipped"),
        (lambda g, out, x: 3 * x**2, "disagrees with differences"),
        (lambda g, out, x: g * 1.5 * x**2, "exactly half"),
        (lambda g, out, x: g * 3 * te.stop_gradient(x) ** 2, "order 2"),
    ],
)
def test_a_wrong_rule_is_refused_and_not_registered(rule, words):
    before = len(OPERATIONS)
    with pytest.raises(ValueError, match=rf"(?s)cube is not registered.*{words}"):
        custom((rule,), domain=te.REALS)(cube)
    assert len(OPERATIONS) == before


def test_the_second_derivative_need_not_exist():
    own = custom((lambda g, out, x: g * 3 * te.stop_gradient(x) ** 2,), domain=te.REALS, order=1)(cube)
    assert te.grad(own)(2.0) == 12.0
    assert own.order == 1  # so that whoever tests it later knows


def test_a_kink_has_to_be_declared():
    bent, rule = (lambda x: np.maximum(x, 0.5) * 1.0), (lambda g, out, x: g * (x > 0.5),)
    assert te.grad(custom(rule, domain=te.REALS, kinks=(0.5,))(bent))(1.0) == 1.0
    wrong = (lambda g, out, x: g * (x > 0),)
    with pytest.raises(ValueError, match="not registered"):
        custom(wrong, domain=te.REALS)(bent)


def test_a_function_that_differs_from_its_reference_is_refused():
    with pytest.raises(ValueError, match=r"cube gives .* its reference .*: one of them is wrong"):
        custom(CUBE, domain=te.REALS, reference=lambda x: x**3 + 1e-6)(cube)


def test_what_is_not_elementwise_has_to_show_its_cases():
    rule = (lambda g, out, x, *, axis=-1: np.flip(np.cumsum(np.flip(g, axis), axis), axis),)

    def running(x, axis=-1):
        return np.cumsum(x, axis)

    with pytest.raises(ValueError, match=r"running is not elementwise: give cases=\[case\(\(2, 3\), axis=0\)"):
        custom(rule, domain=te.REALS)(running)
    own = custom(rule, domain=te.REALS, cases=te.cases((2, 3), axis=[0, 1]))(running)
    np.testing.assert_array_equal(te.grad(lambda x: own(x, axis=0)[1, 2])(np.ones((2, 3))), [[0, 0, 1], [0, 0, 1]])
    with pytest.raises(TypeError, match="show some"):
        custom(te.Each(lambda i, g, out, *arrays: g), domain=te.REALS)(lambda *arrays: sum(arrays))


def test_any_number_of_arguments():
    own = custom(
        te.Each(lambda i, g, out, *arrays: g), domain=te.REALS, cases=[te.case((2,), (2,)), te.case((3,), (1,), ())]
    )(lambda *arrays: sum(arrays))
    assert te.grad(own, (0, 1, 2))(1.0, 2.0, 3.0) == (1.0, 1.0, 1.0)


def test_two_arguments_with_domains_and_a_tie():
    rules = (lambda g, out, x, y: g * (x >= y), lambda g, out, x, y: g * (y > x))
    own = custom(rules, domain=te.REALS, kinks=te.TIES)(lambda x, y: np.maximum(x, y))
    assert te.grad(own, (0, 1))(2.0, 1.0) == (1.0, 0.0)
    rules = (lambda g, out, x, y: g * y * x ** (y - 1), lambda g, out, x, y: g * out * np.log(x))
    custom(rules, domain=(te.POSITIVE, te.REALS), singular=(0.0,))(lambda x, y: x**y)


@pytest.mark.parametrize(("domain", "shape"), [(REGULAR, (3, 3)), (DEFINITE, (2, 2))])
def test_matrices(domain, shape):
    rule = (lambda g, out, x: -np.swapaxes(out, -1, -2) @ g @ np.swapaxes(out, -1, -2),)
    own = custom(rule, domain=domain, cases=te.cases(shape), reference=np.linalg.inv)(lambda x: np.linalg.inv(x))
    np.testing.assert_allclose(te.grad(lambda x: np.sum(own(x)))(2.0 * np.eye(2)), np.full((2, 2), -0.25))


def test_rules_that_do_not_fit_are_refused_as_always():
    with pytest.raises(TypeError, match="2 pullbacks for 1 array arguments"):
        custom(CUBE * 2, domain=te.REALS)(cube)
    with pytest.raises(TypeError, match="no option speed"):
        custom((lambda g, out, x, *, speed=1: g,), domain=te.REALS)(cube)
    with pytest.raises(TypeError, match="glif"):
        custom(CUBE, domain=te.REALS, glif="^3")(cube)


def test_an_own_operation_does_not_replace_one_of_the_library():
    def relu(x):
        """Another relu."""
        return x * (x > 0) * 2.0

    own = custom((lambda g, out, x: g * (x > 0) * 2.0,), domain=te.REALS, kinks=(0.0,))(relu)
    assert own(te.Value(3.0)).item() == 6.0
    assert te.Value(3.0).relu().item() == 3.0
