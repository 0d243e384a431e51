"""The answers of `why`, each to the mistake or the accident that it is about."""

import inspect

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tinygrad_edu import Value, no_grad
from tinygrad_edu.viz import recording, why
from tinygrad_edu.viz.words.why import LISTED, UNNOTED, USUAL


def line_number(text):
    """Where a piece of text stands in this file."""
    source = inspect.getsource(inspect.getmodule(line_number)).splitlines()
    return next(n for n, line in enumerate(source, 1) if line.strip() == text)


@given(st.floats(-3, 3).filter(lambda x: abs(x) > 0.1), st.floats(0.1, 3))
def test_a_sound_gradient_is_not_accused(x, c):
    w = Value(x, name="w")
    loss = (w * c) ** 2
    loss.backward()
    assert why(w, loss).splitlines()[-1] == "nothing is missing: the gradient is finite, and not zero"


def test_a_dead_layer_with_its_line():
    x = np.ones((8, 3))
    with recording():
        weight, bias = Value(np.ones((3, 4)), name="weight"), Value(np.full(4, -50.0), name="bias")
        layer = (x @ weight + bias).relu()
        error = np.mean((layer - 1.0) ** 2)
        error.backward()
    lines = why(weight, names=locals()).splitlines()
    assert lines[2:4] == [
        "it is cut here:",
        "  relu closed for 32 of 32 entries: dlayer_dadd_1 = [add_1 > 0] = 0; add_1 is -47",
    ]
    number = line_number("layer = (x @ weight + bias).relu()")
    assert lines[4:] == [f"    test_why.py:{number}: layer = (x @ weight + bias).relu()"]


def test_every_path_is_named():
    w = Value(-1.0, name="w")
    text = why(w, w.relu() + w * 0.0)
    assert "every path is cut, at one of these 2 places:" in text
    assert "relu closed: drelu_1_dw = [w > 0] = 0; w is -1" in text
    assert "dmul_1_dw = 0" in text
    assert text.endswith(UNNOTED)


def test_many_cuts_are_counted():
    w = Value(-1.0, name="w")
    text = why(w, sum((w.relu() for _ in range(20)), Value(0.0)))
    assert "at one of these 20 places" in text
    assert "  +14 more places" in text


def test_a_second_cut_behind_the_first_is_told_as_well():
    w, zero = Value([-1.0, -2.0], name="w"), Value([0.0, 0.0], name="zero")
    lines = why(w, (w.relu() * zero).sum()).splitlines()
    assert lines[3].endswith("dmul_1_drelu_1 = zero = 0")
    assert lines[4:6] == [
        "closed as well, farther from the result:",
        "  relu closed for 2 of 2 entries: drelu_1_dw = [w > 0] = 0; w is from -2 to -1",
    ]


def test_contributions_that_cancel():
    w = Value(2.0, name="w")
    assert "the contributions to w cancel: 1 (from sub_1) + -1 (from sub_1) = 0" in why(w, w - w)


def test_cancelling_up_to_rounding():
    w = Value(2.0, name="w")
    assert "the contributions to w cancel: -0.3 (from mul_3)" in why(w, w * 0.1 + w * 0.2 - w * 0.3)
    b = Value(1.0, name="b")
    assert "b is stretched to (4,) in add_1" in why(b, ((b + np.zeros(4)) * np.array([0.1, 0.2, -0.3, 0.0])).sum())


def test_a_part_of_the_entries():
    w = Value([-1.0, 2.0, 3.0], name="w")
    lines = why(w, w.relu().sum()).splitlines()
    assert lines[2] == "zero in 1 of 3 entries"
    assert "closed for 1 of 3 entries" in lines[3]


def test_a_vanishing_product_names_its_smallest_factors():
    w = Value(1.0, name="w")
    loss = ((w * 1e-5) * 3.0 * 1e-4) * 2.0
    lines = why(w, loss).splitlines()
    assert lines[2] == "it vanishes: a product of 4 factors, of which the smallest are"
    assert lines[3] == "  dmul_3_dmul_2 = 0.0001, which makes it 0.0001 times as large"
    assert lines[4] == "  dmul_1_dw = 1e-05, which makes it 1e-05 times as large"


@np.errstate(all="ignore")
def test_nan_is_followed_to_the_forward_pass():
    with recording():
        u = Value([-1.0, 4.0], name="u")
        root = np.sqrt(u)
        loss = np.where(u.data > 0, root, 0.0).sum()
    lines = why(u, loss).splitlines()
    number = line_number("root = np.sqrt(u)")
    assert lines[2] == "going backward, it begins here:"
    assert lines[3].endswith("is given [0, 1] and passes on nan at (0,): sqrt_1 is nan there")
    assert lines[4] == f"    test_why.py:{number}: root = np.sqrt(u)"
    assert lines[5:] == [
        "because of a number from the forward pass:",
        "  sqrt_1 (sqrt) gives nan at (0,): u is -1",
        f"    test_why.py:{number}: root = np.sqrt(u)",
    ]


@np.errstate(all="ignore")
def test_an_infinite_slope_needs_no_other_reason():
    s = Value(0.0, name="s")
    text = why(s, np.sqrt(s))
    assert "passes on infinity: sqrt_1 is 0 there" in text
    assert "because of" not in text


@np.errstate(all="ignore")
def test_a_finite_gradient_of_a_result_that_is_none():
    u = Value([-1.0, 2.0], name="u")
    text = why(u, np.log(u).mean())
    assert "it is finite, but mean_1 is nan:" in text
    assert "log_1 (log) gives nan at (0,): u is -1" in text


@np.errstate(all="ignore")
def test_a_sum_that_overflows():
    w = Value(1.0, name="w")
    assert "its contributions are finite, and their sum is not" in why(w, w * 1e308 + w * 1e308)


def test_no_path_and_no_entries():
    w = Value(1.0, name="w")
    assert why(w, Value(2.0) * 3.0).startswith("w has no gradient: mul_1 was not computed from it")
    empty = Value(np.zeros((0, 3)), name="empty")
    assert "empty has no entries" in why(empty, empty.sum())


def test_a_long_chain_is_answered():
    w = v = Value(1.0, name="w")
    for _ in range(5_000):
        v = v * 0.99
    assert "a product of 5,000 factors" in why(w, v)


@pytest.mark.parametrize("shape", [(), (1,), (2, 3)])
def test_the_gradient_is_not_touched(shape):
    w = Value(np.ones(shape), name="w")
    why(w, (w * 0.0).sum())
    assert w.grad is None


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
    v = Value([1.5, -2.5, 0.25], name="v")
    other = Value(v.data, name="other")
    assert "other is another Value with the numbers of v: use v itself" in hints(v, other.sum())


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
        "value_1 is the result of multiply inside no_grad() at test_why.py:" in hint for hint in hints(w, loss)
    )


def test_a_result_without_operations(w):
    with no_grad():
        loss = w * 3.0
    assert hints(w, loss)[0] == "value_1 remembers no operation: it is a variable, or was made inside no_grad()"


def test_many_variables_are_counted(w):
    loss = sum((Value(1.0, name=f"v{i}") for i in range(30)), Value(0.0))
    assert hints(w, loss)[0].endswith(f" and {31 - LISTED} more")
