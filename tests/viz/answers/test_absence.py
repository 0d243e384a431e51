"""Why a result does not depend on a Value: each mistake is told from the others."""

import numpy as np
import pytest

from tinygrad_edu import Value, no_grad
from tinygrad_edu.viz import recording, why
from tinygrad_edu.viz.answers.absence import LISTED, USUAL


def hints(w, loss):
    head, *rest = why(w, loss).splitlines()
    assert "has no gradient" in head
    return [line.strip() for line in rest]


@pytest.fixture
def w():
    return Value(1.25, name="w")


@pytest.fixture
def k():
    return Value(2.0, name="k")


def test_nothing_to_see_gives_the_usual_reasons(w, k):
    assert hints(w, k * 3.0) == ["mul_1 was computed from k", USUAL]


def test_the_number_was_taken_out(w, k):
    assert hints(w, k * w.item())[1] == "mul_1 uses w's number, 1.25, as a constant: was w.data used?"


def test_a_number_of_every_formula_is_no_sign(k):
    assert hints(Value(2.0, name="two"), k**2) == ["pow_1 was computed from k", USUAL]


def test_the_array_was_taken_out(k):
    v = Value(np.arange(3.0), name="v")
    assert hints(v, (k * v.data).sum())[1] == "mul_1 uses the array of v as a constant: was v.data used?"
    assert hints(v, (k * np.arange(3.0)).sum())[1] == USUAL


def test_another_value_of_the_same_array():
    v = Value(np.arange(3.0), name="v")
    other = Value(v.data, name="other")
    assert "other is another Value with the array of v: use v itself" in hints(v, other.sum())


def test_a_name_that_was_bound_again(w):
    loss = w * 3.0
    w = Value(1.5, name="w")
    assert hints(w, loss) == [
        "mul_1 was computed from w",
        "another Value is called w there: was the name bound to a new Value?",
        "w was made after mul_1: was the name bound to a new Value?",
    ]


def test_an_operation_inside_no_grad_is_found_where_lines_were_noted(w, k):
    with recording():
        with no_grad():
            forgotten = w * 3.0
        loss = forgotten * k
    assert any(
        "value_1 is the result of multiply inside no_grad() at test_absence.py:" in hint for hint in hints(w, loss)
    )


def test_a_result_without_operations(w):
    with no_grad():
        loss = w * 3.0
    assert hints(w, loss)[0] == "value_1 remembers no operation: it is a variable, or was made inside no_grad()"


def test_many_variables_are_counted(w):
    loss = sum((Value(1.0, name=f"v{i}") for i in range(30)), Value(0.0))
    assert hints(w, loss)[0].endswith(f" and {31 - LISTED} more")
