"""Trials find arguments with which a function works, and say why there are none."""

import sys

import numpy as np
import pytest

from tinygrad_edu import Value
from tinygrad_edu.testing import check_gradients
from tinygrad_edu.testing.trials import DOMAINS, Unwritable, arguments, numbers, tried


def anything(x):
    return np.tanh(x)


def positive(x):
    return np.log(x)


def unit(x):
    return np.arcsin(x)


def beyond(x):
    return np.arccosh(x)


def matmul(x, W):
    return x @ W


def scaled(x, k: float, flag=True):
    return x * k if flag else x


def squares(A):
    return np.linalg.inv(A)


@pytest.mark.parametrize(
    ("f", "domain"), [(anything, (-2.0, 2.0)), (positive, (0.1, 2.0)), (unit, (-0.9, 0.9)), (beyond, (1.1, 3.0))]
)
def test_the_widest_domain_with_which_a_function_works_is_found(f, domain):
    trial = tried(f)
    assert (trial.names, trial.domains, trial.everywhere, trial.shapes) == (("x",), (domain,), True, ())


def test_shapes_that_fit_each_other_are_found():
    x, w = tried(matmul).shapes
    assert np.matmul(np.ones(x), np.ones(w)) is not None
    assert tried(scaled).names == ("x", "k")
    (shape,) = tried(squares).shapes
    assert shape[-1] == shape[-2]
    assert not tried(squares).everywhere  # a matrix of one number has no inverse


@pytest.mark.parametrize("f", [anything, positive, unit, beyond, matmul, scaled, squares])
def test_what_is_found_works(f):
    trial = tried(f)
    for drawn in arguments(trial._replace(shapes=trial.shapes or ((3,),), everywhere=False)):
        for array, (low, high) in zip(drawn, trial.domains, strict=True):
            assert np.all((low <= array) & (array <= high))
        assert isinstance(f(*map(Value, drawn)), Value)
        check_gradients(f, *drawn)
    assert set(trial.domains) <= set(DOMAINS)


def generated(x):
    yield x


def random(x):
    return x * np.random.default_rng().normal()


UNWRITABLE = {
    "generator": (generated, "it is a generator"),
    "no numbers": (lambda path: path, "its parameter 'path' does not sound like a number"),
    "no parameters": (lambda: 0.0, "it has 0 parameters without a default"),
    "keyword only": (lambda x, *, k: x, "it takes k, for which there is no default"),
    "constant": (lambda x: 3.0, "its result is not a Value but float: it has no gradient"),
    "pair": (lambda x: (x, x), "it returns a tuple: test a function that returns one array of it"),
    "random": (random, "two calls differ: its random numbers come from inside"),
    "exit": (lambda x: sys.exit(3), "with .*: SystemExit: 3"),
    "never": (lambda x: np.log(-np.abs(x) - 1.0), "no shape and no domain of those tried works; with"),
}


@pytest.mark.parametrize("case", UNWRITABLE)
def test_why_no_test_can_be_written(case):
    f, words = UNWRITABLE[case]
    with pytest.raises(Unwritable, match=words):
        tried(f)


def test_annotations_tell_what_is_no_number():
    def typed(x: float, rows: list[float]):
        return x

    with pytest.raises(Unwritable, match=r"its parameter rows: list\[float\] is not floating point"):
        numbers(typed)
