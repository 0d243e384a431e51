"""Messages say what happened, where, why, and what to write instead."""

import math
import warnings

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import tinygrad_edu as te
from tinygrad_edu import Value


def column():
    return Value(np.ones((4, 1)), name="prediction")


@pytest.mark.parametrize(
    ("mistake", "kind", "words"),
    [
        (
            lambda: Value(np.ones((2, 3)), "x") @ Value(np.ones((4, 2)), "W"),
            ValueError,
            r"x @ W: x is \(2, 3\), W is \(4, 2\); inner sizes 3 and 4 differ\. \(test_errors\.py:\d+\)",
        ),
        (lambda: Value([1.0]) @ 2.0, ValueError, r"use \* instead of @"),
        (
            lambda: Value([1.0, 2.0, 3.0]) + np.ones(4),
            ValueError,
            r"x \+ y: x is \(3,\), y is \(4,\); sizes 3 and 4 on axis -1 differ",
        ),
        (lambda: Value([1.0, 2.0]).reshape(3), ValueError, r"x is \(2,\).*cannot reshape"),
        (lambda: Value([1.0])[3], IndexError, r"index 3 is out of bounds"),
        (
            lambda: Value([1.0, 2.0, 3.0]).backward(),
            ValueError,
            r"loss has shape \(3,\): call \.mean\(\) or \.sum\(\) first, or backward\(gradient=\.\.\.\)",
        ),
        (
            lambda: Value([1.0, 2.0]).backward(np.ones(3)),
            ValueError,
            r"gradient has shape \(3,\), the Value has \(2,\)",
        ),
        (lambda: math.exp(Value(1.0)), TypeError, r"v\.exp\(\) instead of math\.exp.*v\.item\(\)"),
        (lambda: float(Value(1.0)), TypeError, r"v\.item\(\)"),
        (lambda: int(Value(1.0)), TypeError, r"v\.item\(\)"),
        (lambda: [1, 2][Value(1.0)], TypeError, r"v\.item\(\)"),
        (lambda: np.asarray(Value([1.0])), TypeError, r"np\.concatenate.*v\.data"),
        (lambda: np.array([Value(1.0), Value(2.0)]), TypeError, r"np\.stack.*v\.data"),
        (lambda: Value([1.0]).__setitem__(0, 1.0), TypeError, r"te\.at\(v, i\)\.set\(x\), np\.where"),
        (lambda: np.add(Value([1.0]), 1.0, out=np.zeros(1)), TypeError, r"a = a \+ v instead of a \+= v"),
        (
            lambda: np.fft.fft(Value([1.0])),
            TypeError,
            r"np\.fft\.fft has no derivative here: it works with complex.*; write it with np\.cos and np\.sin",
        ),
        (
            lambda: np.frompyfunc(abs, 1, 1)(Value([1.0])),
            TypeError,
            r"abs \(vectorized\) has no derivative here: register one with differentiable\(\), or pass value\.data",
        ),
        (lambda: np.divide.accumulate(Value([1.0])), TypeError, r"np\.divide\.accumulate has no derivative here"),
        (lambda: te.gradients(np.float64(1.0), []), TypeError, r"constants only: wrap the parameters in Value"),
    ],
)
def test_a_mistake_names_its_remedy(mistake, kind, words):
    with pytest.raises(kind, match=words):
        mistake()


def test_writing_into_an_array_keeps_the_reason():
    with pytest.raises(ValueError, match="setting an array element") as caught:
        np.zeros(2)[0] = Value(1.0)
    assert "np.stack instead of a[i] = v" in str(caught.value.__cause__)


def test_updating_an_array_in_place_is_refused_and_changes_nothing():
    a = np.ones(2)
    with pytest.raises(TypeError, match="cut the graph"):
        a += Value([1.0, 2.0])
    np.testing.assert_array_equal(a, [1.0, 1.0])


@pytest.mark.parametrize(
    "stretch", [lambda a, b: a - b, lambda a, b: b * a, lambda a, b: a == b, np.maximum, lambda a, b: a < b]
)
def test_stretching_both_operands_of_different_rank_warns(stretch):
    with pytest.warns(te.BroadcastWarning, match=r"broadcast to \(4, 4\): 16 .* instead of 4\. Use .*\[:, None\] or"):
        stretch(column(), np.ones(4))


def test_the_warning_names_operands_and_the_users_line_and_comes_once_per_line():
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("default")
        for _ in range(3):
            column() - Value(np.ones(4), name="target")
    assert len(caught) == 1
    assert caught[0].filename == __file__
    assert "prediction - target: prediction is (4, 1), target is (4,)" in str(caught[0].message)
    assert "Use target[:, None] or prediction[:, 0]" in str(caught[0].message)


@pytest.mark.parametrize("other", [np.ones((4, 1)), np.ones((1, 4)), 1.0, np.ones(1), np.ones((2, 4, 1))])
def test_ordinary_broadcasting_is_silent(other):
    assert (column() - other).ndim >= 2


def test_a_stretch_of_higher_rank_says_to_reshape():
    with pytest.warns(te.BroadcastWarning, match="Reshape one of them"):
        Value(np.ones((4, 1, 2))) * np.ones((4, 2))


def test_the_line_is_the_users_also_where_numpy_stands_between():
    with pytest.raises(TypeError, match=r"is not a plain array.*\(test_errors\.py:\d+\)"):
        np.sum([Value(1.0), Value(2.0)])


def test_a_folder_that_only_starts_like_the_package_is_the_users():
    beside = te.__file__.replace("__init__.py", "").rstrip("/\\") + "_exercises/train.py"
    code = compile("np.fft.fft(v)", beside, "eval")
    with pytest.raises(TypeError, match=r"\(train\.py:1\)"):
        eval(code, {"np": np, "v": Value([1.0, 2.0])})


def test_a_refusal_can_be_told_with_more_words_and_names_the_line_once():
    with pytest.raises(TypeError) as caught:
        Value([1, 2, "three"])
    told = te.errors.refusal(ValueError, f"weight: {te.errors.words(caught.value)}")
    assert str(told).count("test_errors.py") == 1
    assert str(told).startswith("weight: ")
    assert te.errors.words(KeyError("own")) == "'own'"


@given(st.text() | st.integers())
def test_a_printable_name_is_the_name_without_what_could_steer_a_screen(name):
    shown = te.errors.printable(name)
    assert shown.isprintable()
    assert shown == te.errors.printable(shown)
    assert shown == str(name) or not str(name).isprintable()


def test_a_screen_is_not_steered():
    assert te.errors.printable("\x1b[2J\n\u202e") == r"\x1b[2J\n\u202e"
