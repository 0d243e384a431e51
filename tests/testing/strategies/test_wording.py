"""How programs write operations: what is written means the operation, with the same options."""

import numpy as np
import pytest

import tinygrad_edu as te
from tinygrad_edu.table import OPERATIONS, PRIMITIVES, arrived
from tinygrad_edu.testing.strategies.program import namespace
from tinygrad_edu.testing.strategies.wording import called, enclosed, literal, operator_of, written

arrived()


@pytest.mark.parametrize("op", [op for op in OPERATIONS.values() if called(op)], ids=lambda op: op.name)
def test_the_name_means_the_function(op):
    assert eval(called(op), namespace()) is op.function


def test_hardly_any_operation_has_no_name():
    assert len([op for op in OPERATIONS.values() if not called(op)]) <= 0.05 * len(OPERATIONS)


@pytest.mark.parametrize(
    ("function", "options", "text"),
    [
        (np.add, {}, "a + (b + 1)"),
        (np.power, {}, "a ** (b + 1)"),
        (np.matmul, {}, "a @ (b + 1)"),
        (np.arctan2, {}, "np.arctan2(a, b + 1)"),
        (te.relu, {}, "te.relu(a, b + 1)"),
        (np.sum, {"axis": (0, 1), "keepdims": True}, "np.sum(a, b + 1, axis=(0, 1), keepdims=True)"),
        (PRIMITIVES["getitem"], {"index": (0, slice(None, 2), ..., None)}, "a[(0, slice(None, 2, None), ..., None)]"),
    ],
)
def test_calls_are_written_as_users_write_them(function, options, text):
    assert written(OPERATIONS[function], ["a", "b + 1"], options) == text


def test_a_single_operand():
    assert written(OPERATIONS[np.negative], ["a + b"], {}) in ("-(a + b)", "np.negative(a + b)")
    assert operator_of(OPERATIONS[np.tanh]) == ""


@pytest.mark.parametrize("text", ["a", "1.5", "f(a)", "a.b", "a[0]"])
def test_one_thing_needs_no_parentheses(text):
    assert enclosed(text) == text
    assert enclosed(f"{text} + a") == f"({text} + a)"


@pytest.mark.parametrize(
    "value",
    [1, -2.5, True, None, "full", (1,), (), [0, 0, 1], slice(1, None, -1), ..., (..., None, slice(0, 2)), np.float32],
)
def test_literals_come_back_the_same(value):
    assert eval(literal(value), namespace()) == value


def test_arrays_come_back_and_what_has_no_text_is_refused():
    np.testing.assert_array_equal(eval(literal(np.array([[1, 2]])), namespace()), [[1, 2]])
    with pytest.raises(ValueError, match="no literal for <object"):
        literal(object())
