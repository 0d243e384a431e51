"""Single numbers are looked at under their names, and returned as Python has them."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tinygrad_edu import kinds


@given(st.integers(-5, 5), st.integers(-5, 5))
def test_a_whole_number_is_returned_or_refused_by_its_size(number, least):
    for written in (number, np.int8(number)):
        if number < least:
            with pytest.raises(ValueError, match=rf"^size is {number}; it must be at least {least} \(test_kinds"):
                kinds.whole("size", written, least)
        else:
            assert kinds.whole("size", written, least) == number
            assert type(kinds.whole("size", written, least)) is int


RANGES = {
    kinds.positive: lambda x: 0 < x < np.inf,
    kinds.at_least_zero: lambda x: 0 <= x < np.inf,
    kinds.fraction: lambda x: 0 <= x < 1,
}


@pytest.mark.parametrize("check", RANGES)
@given(number=st.floats() | st.sampled_from([0.0, -0.0, 1.0, float(np.nextafter(1.0, 0.0))]))
def test_a_number_is_returned_if_it_is_in_its_range(check, number):
    if RANGES[check](number):
        assert check("x", number) == check("x", np.array(number)) == number
    else:
        with pytest.raises(ValueError, match=r"^x is .*; it must be .* \(test_kinds"):
            check("x", number)


@pytest.mark.parametrize("thing", [None, "1", True, [1.0], 1j, np.array(True), np.ones(1)])
@pytest.mark.parametrize("check", RANGES)
def test_what_is_no_number_is_refused_by_its_kind(check, thing):
    with pytest.raises(TypeError, match=rf"^x is a {type(thing).__name__}; it must be .*number"):
        check("x", thing)


def test_flags_and_dtypes():
    assert kinds.flag("f", np.True_) is True
    with pytest.raises(TypeError, match="f is True or False; got a int"):
        kinds.flag("f", 1)
    assert kinds.floating("float32") == np.float32
    with pytest.raises(TypeError, match=r"dtype is a floating point type, .*; got the class int"):
        kinds.floating(int)
