"""Flags: where nan and infinity begin, and only there; gradients of extreme size.

That healthy graphs have no others is checked on random ones, in `test_tracer.py`.
"""

import numpy as np
import pytest

from tinygrad_edu import Value
from tinygrad_edu.viz.tracer import trace


def flagged(loss):
    """The flags of a trace, by the names of the boxes they stand on."""
    return {box.name: list(box.flags) for box in trace(loss).boxes if box.flags}


def test_nan_is_flagged_where_it_begins_and_not_after():
    with np.errstate(invalid="ignore"):
        x = Value(-1.0, name="x")
        y = np.log(x)
        y.name = "y"
        loss = y * 2.0 + 1.0
    assert flagged(loss) == {"y": ["nan begins here"]}


def test_an_infinite_slope_is_flagged_at_the_operand_it_reaches():
    x = Value(0.0, name="x")
    loss = np.sqrt(x * 1.0)
    assert list(flagged(loss).values()) == [["infinity in the gradient begins here"]]


def test_a_variable_that_holds_nan_is_where_it_begins():
    assert flagged(Value(np.nan, name="x") * 2.0)["x"] == ["nan begins here", "nan in the gradient begins here"][:1]


@pytest.mark.parametrize(
    ("factor", "flag"),
    [(1e-8, "the gradient vanishes"), (1e-6, None), (0.0, None), (1e3, None), (1e5, "the gradient explodes")],
)
def test_only_extremes_of_size_are_flagged(factor, flag):
    x = Value(2.0, name="x")
    assert flagged(x * factor) == ({"x": [flag]} if flag else {})


def test_an_array_without_entries_has_no_flags():
    assert flagged(Value(np.ones(0)).sum()) == {}
