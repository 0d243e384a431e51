"""Numbers and names as every view shows them: four digits, one line, nothing that steers the reader's screen."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tinygrad_edu.viz import wording


@given(st.floats(-1e308, 1e308))
def test_a_number_reads_back_to_four_digits(x):
    assert float(wording.number(x)) == pytest.approx(x, rel=5.1e-4)


@pytest.mark.parametrize(
    ("x", "text"),
    [(np.nan, "nan"), (np.inf, "infinity"), (-np.inf, "-infinity"), (-0.0, "0"), (1e-300, "1e-300"), (2, "2")],
)
def test_numbers_without_digits(x, text):
    assert wording.number(x) == text


@pytest.mark.parametrize(
    ("data", "text"),
    [
        (np.array([[3.0]]), "3"),
        (np.array([1.0, -2.5]), "[1, -2.5]"),
        (np.array([[1.0, np.inf], [0.25, np.nan]]), "[[1, infinity], [0.25, nan]]"),
        (np.ones((2, 8)), "(2, 8), norm 4"),
        (np.zeros((0, 3)), "[]"),
    ],
)
def test_arrays_in_full_up_to_four_numbers(data, text):
    assert wording.array(data) == text


@pytest.mark.parametrize("x", [1e200, 1e-200, 5e-324, 3.0, 0.0, np.inf, np.nan])
def test_the_norm_of_numbers_that_have_no_square(x):
    np.testing.assert_allclose(wording.norm(np.full((3, 3), x)), 3.0 * x, rtol=1e-15)
    np.testing.assert_equal(wording.norm(-x), x)
    assert wording.norm([]) == 0.0


def test_an_empty_array_of_many_rows_is_short():
    assert wording.array(np.ones((100_000, 0))) == "(100000, 0), norm 0"


@given(st.text(st.characters(), max_size=300))
def test_a_name_is_one_short_printable_line(name):
    cleaned = wording.clean(name)
    assert len(cleaned) <= wording.LONGEST
    assert cleaned.isprintable()
    assert cleaned == " ".join(cleaned.split())
    cleaned.encode()


@given(st.text("abc_[].09 äλ", max_size=wording.LONGEST).map(lambda text: " ".join(text.split())))
def test_an_ordinary_name_is_kept(name):
    assert wording.clean(name) == name


@pytest.mark.parametrize(
    ("name", "cleaned"),
    [
        ("a\nb\tc", "a b c"),
        ("\x1b[31mred", "[31mred"),
        ("ab\u202ecd", "abcd"),
        ("nul\0", "nul"),
        ("\ud800x", "x"),
        ("n" * 100_000, "n" * 37 + "..."),
        ("<script>", "<script>"),
    ],
)
def test_hostile_names(name, cleaned):
    assert wording.clean(name) == cleaned


def test_terminals_get_ascii():
    assert wording.ascii_only("λ + \U0001f600") == "\\u03bb + \\U0001f600"


def test_counts():
    counts = [1, 12_345, 10**18, 2**70 - 6, 2**300_000]
    words = ["1", "12,345", "about 10^18", "about 10^21", "about 10^90308"]
    assert [wording.how_many(count) for count in counts] == words
