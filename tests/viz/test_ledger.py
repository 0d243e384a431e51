"""The gradient line: nothing before backward, a sum where there are several shares, what was left from earlier."""

import numpy as np
import pytest

from tinygrad_edu import Value
from tinygrad_edu.graph import toposort
from tinygrad_edu.viz.ledger import Ledger
from tinygrad_edu.viz.replay import consumers, gradients


def ledger(root):
    return Ledger(root, gradients(root), consumers(toposort(root)))


def test_before_backward_there_is_none():
    x = Value(2.0)
    assert ledger(x * x).grad(x) == "-"


@pytest.mark.parametrize(
    ("compute", "line"),
    [
        (lambda x: x * 3.0, "3"),
        (lambda x: x * x, "2 + 2 = 4"),
        (lambda x: x * 3.0 + x * 5.0, "5 + 3 = 8"),
        (lambda x: x + x + x + x + x + x, "1 + 1 + 1 + 1 + 2 more 2 = 6"),
    ],
)
def test_shares_largest_first(compute, line):
    x = Value(2.0)
    root = compute(x)
    root.backward()
    assert ledger(root).grad(x) == line


def test_what_was_left_from_earlier_is_a_term():
    x = Value(2.0)
    (x * 7.0).backward()
    root = x * 3.0
    root.backward()
    assert ledger(root).grad(x) == "3 + 7 left from earlier = 10"
    assert ledger(root).earlier(x) == "7"


def test_results_hold_only_this_pass():
    x = Value(2.0)
    y = x * 3.0
    root = y + y
    root.backward()
    root.backward()
    assert ledger(root).grad(y) == "1 + 1 = 2"
    assert ledger(root).earlier(y) == ""
    assert ledger(root).grad(x) == "6 + 6 left from earlier = 12"


def test_another_results_gradients_are_shown_without_a_sum():
    x = Value(2.0)
    y = x * x
    (y * 5.0).backward()
    assert ledger(y).grad(x) == "20"
    assert ledger(y).earlier(x) == ""


def test_large_arrays_are_not_written_as_sums():
    x = Value(np.ones(9))
    root = (x * x).sum()
    root.backward()
    assert ledger(root).grad(x) == "(9,), norm 6"
