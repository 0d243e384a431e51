"""What an item chooses and prints; `test_plugin` has items in runs of pytest."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tinygrad_edu.table import REALS, Op
from tinygrad_edu.testing import check_op
from tinygrad_edu.testing.items import SHOWN, outside, unnoticed, within

NAMES = st.lists(st.sampled_from(["grad", "m", "m.n", "f", "f-2"]), min_size=1, max_size=4)


@given(NAMES, NAMES, st.sampled_from(["", "::"]))
def test_an_argument_names_an_item_and_all_below_it(parts, asked, end):
    """As pytest reads `file::class::test`: whole parts only."""
    assert within("::".join(parts), "::".join(asked) + end) == (parts[: len(asked)] == asked)


@pytest.mark.parametrize("count", [1, SHOWN, SHOWN + 1, 9])
def test_survivors_are_named_and_counted(count):
    alive = [f"fault {k}" for k in range(count)]
    first, *labels, last = unnoticed("swish", {"mutants": 20}, alive).splitlines()
    assert first == f"swish: {count} of 20 planted faults are not noticed"
    more = [f"  ... and {count - SHOWN} more"] if count > SHOWN else []
    assert labels == [f"  {label}" for label in alive[:SHOWN]] + more
    assert "domain, cases or kinks" in last


def test_a_traceback_keeps_the_users_own_lines():
    def rule(g, out, x):
        raise RuntimeError("on purpose")

    with pytest.raises(RuntimeError) as caught:
        check_op(Op(lambda x: np.sin(x), [rule], domain=REALS))
    assert len(caught.traceback) > 5
    kept = outside(caught)
    assert {str(entry.path) for entry in kept} == {__file__}
    assert kept[-1].name == "rule"


def test_a_traceback_without_any_is_kept_whole():
    with pytest.raises(TypeError) as caught:
        check_op(len)
    caught.traceback[:] = caught.traceback[1:]  # the call in this file
    assert outside(caught) == caught.traceback
