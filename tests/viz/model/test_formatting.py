"""Numbers as every view shows them; for terminals printable ASCII, folded to the window, in colour where welcome."""

import copy
import io
import os
import pickle

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tinygrad_edu.viz.model import formatting
from tinygrad_edu.viz.model.formatting import BOLD, NARROWEST, WIDEST, Text, folded, laid_out
from tinygrad_edu.viz.model.replay import norm

LINES = ["heading", "  detail one", "  detail two"]


@given(st.floats(-1e308, 1e308))
def test_a_number_reads_back_to_four_digits(x):
    assert float(formatting.number(x)) == pytest.approx(x, rel=5.1e-4)


@pytest.mark.parametrize(
    ("x", "text"),
    [(np.nan, "nan"), (np.inf, "infinity"), (-np.inf, "-infinity"), (-0.0, "0"), (1e-300, "1e-300"), (2, "2")],
)
def test_numbers_without_digits(x, text):
    assert formatting.number(x) == text


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
    assert formatting.array(data) == text


@pytest.mark.parametrize("x", [1e200, 1e-200, 5e-324, 3.0, 0.0, np.inf, np.nan])
def test_the_norm_of_numbers_that_have_no_square(x):
    np.testing.assert_allclose(norm(np.full((3, 3), x)), 3.0 * x, rtol=1e-15)
    np.testing.assert_equal(norm(-x), x)
    assert norm([]) == 0.0


def test_an_empty_array_of_many_rows_is_short():
    assert formatting.array(np.ones((100_000, 0))) == "(100000, 0), norm 0"


def test_counts():
    counts = [1, 12_345, 10**18, 2**70 - 6, 2**300_000]
    words = ["1", "12,345", "about 10^18", "about 10^21", "about 10^90308"]
    assert [formatting.how_many(count) for count in counts] == words


class Screen(io.StringIO):
    def isatty(self):
        return True


def size_of(columns):
    return lambda fallback=(80, 24): os.terminal_size((columns, 24))


@given(st.lists(st.text(), max_size=5))
def test_text_is_printable_ascii_with_one_line_for_each(lines):
    text = laid_out(lines)
    assert text.count("\n") == max(len(lines) - 1, 0)
    assert all(c == "\n" or (c.isascii() and c.isprintable()) for c in text)


@given(st.lists(st.text("ab-_.", min_size=1, max_size=12), min_size=1, max_size=60), st.integers(0, 12))
def test_folding_keeps_every_word_in_order_and_fits(words, indent):
    parts = folded(" " * indent + " ".join(words), NARROWEST)
    assert " ".join(parts).split() == words
    assert max(map(len, parts)) <= NARROWEST
    assert all(len(part) - len(part.lstrip()) == indent + 4 for part in parts[1:])


def test_negative_numbers_are_not_torn_from_their_sign():
    assert not any(part.endswith("-") for part in folded("-0.25 * " * 30, NARROWEST))


@pytest.mark.parametrize(("columns", "width"), [(1, NARROWEST), (61, 60), (1_000, WIDEST)])
def test_printing_folds_to_the_window_and_the_text_stays_whole(monkeypatch, columns, width):
    monkeypatch.setattr(formatting, "get_terminal_size", size_of(columns))
    text = laid_out(["word " * 100])
    assert max(map(len, str(text).splitlines())) <= width
    assert max(map(len, str(text).splitlines())) > width - 6
    assert len(text) == 500
    assert f"{text}" == str(text)


def test_a_prompt_shows_lines_without_codes_where_there_is_no_terminal():
    assert repr(laid_out(LINES)) == "\n".join(LINES)


def test_headings_are_bold_at_a_terminal_only(monkeypatch):
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setattr("sys.stdout", Screen())
    text = laid_out(LINES)
    assert repr(text).count(BOLD) == 1
    assert repr(text).startswith(f"{BOLD}heading")
    assert BOLD not in str(text) + text


@pytest.mark.parametrize(("name", "setting"), [("NO_COLOR", "1"), ("TERM", "dumb")])
def test_colours_can_be_declined(monkeypatch, name, setting):
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setattr("sys.stdout", Screen())
    monkeypatch.setenv(name, setting)
    assert BOLD not in repr(laid_out(LINES))


def test_text_can_be_copied_and_pickled():
    text = laid_out(LINES)
    for other in (copy.copy(text), copy.deepcopy(text), pickle.loads(pickle.dumps(text))):
        assert isinstance(other, Text)
        assert other == text


def test_terminals_get_ascii():
    assert laid_out(["λ + \U0001f600"]) == "\\u03bb + \\U0001f600"
