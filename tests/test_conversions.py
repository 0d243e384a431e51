"""What Python is doing where a Value is asked for something; the words are tested in tests/messages."""

import sys

import pytest

from tinygrad_edu.conversions import asks_for_truth, formatted, instruction, length, truth
from tinygrad_edu.value import Value


class Asked:
    """Notes what Python was doing when it was asked."""

    def __gt__(self, other):
        frame = sys._getframe(1)
        self.found = instruction(frame), asks_for_truth(frame)
        return True

    def __eq__(self, other):
        self.found = (instruction(sys._getframe(1)), False)
        return True

    __hash__ = object.__hash__

    def __float__(self):
        self.found = (instruction(sys._getframe(1)), False)
        return 0.0


def test_the_instruction_tells_a_condition_from_a_value():
    asked = Asked()
    if asked > 0:
        assert asked.found[0] == "COMPARE_OP"
        assert asked.found[1]
    kept = asked > 0
    assert kept
    assert not asked.found[1]


def test_the_instruction_tells_membership_from_equality():
    asked = Asked()
    assert asked in [1]
    assert asked.found[0] == "CONTAINS_OP"
    assert asked == 1
    assert asked.found[0] == "COMPARE_OP"


def test_the_instruction_tells_an_assignment():
    import numpy as np

    asked = Asked()
    np.zeros(2)[0] = asked
    assert asked.found[0] == "STORE_SUBSCR"


@pytest.mark.parametrize(("data", "true"), [(0.0, False), (2.0, True), ([0.0], False), ([[3.0]], True)])
def test_one_number_is_true_unless_it_is_0(data, true):
    assert truth(Value(data)) is true


def test_lengths_and_formats():
    assert length(Value([[1.0, 2.0]])) == 1
    assert formatted(Value([1.0, 2.0]), ".1f") == "[1.0 2.0]"
    assert formatted(Value(2.0), "") == repr(Value(2.0))
