"""Arrays as small pictures: the sign is a hue, the size a strength; the strongest entry and nan are never lost."""

import io
import sys
from base64 import b64decode

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays

from tinygrad_edu.viz.model.palette import cells, colours, strongest, thumbnail

BLUE, WHITE, ORANGE, BLACK = "#0072b2", "#ffffff", "#d55e00", "#1a1a1a"


def test_blue_below_zero_orange_above_white_at_zero_black_for_nan():
    assert cells([[-2.0, 0.0, 2.0, np.nan]]) == [[BLUE, WHITE, ORANGE, BLACK]]
    assert cells([[-np.inf, np.inf, 1.0]])[0][:2] == [BLUE, ORANGE]
    assert cells(3.0) == [[ORANGE]]
    assert cells(np.zeros(2)) == [[WHITE, WHITE]]


@given(arrays(float, array_shapes(max_dims=4, max_side=9), elements=st.floats(-1e300, 1e300)))
def test_there_are_few_cells_and_the_strongest_entry_is_among_them(data):
    shown = cells(data, rows=5, columns=7)
    assert 1 <= len(shown) <= 5
    assert all(1 <= len(row) <= 7 for row in shown)
    largest = data[np.abs(data) == np.max(np.abs(data))]
    full = {WHITE if entry == 0 else BLUE if entry < 0 else ORANGE for entry in largest}
    assert full & {cell for row in shown for cell in row}


@given(arrays(float, (3, 4), elements=st.floats(-1e6, 1e6)))
def test_a_change_of_sign_exchanges_the_hues_and_the_scale_does_not_matter(data):
    assert cells(data) == cells(2.0 * data)
    swapped = colours(-data, 8, 12)
    assert np.array_equal((swapped == colours(data, 8, 12)).all(-1), np.all(swapped == 255, -1))


def test_a_checkerboard_is_not_averaged_away_and_one_nan_is_seen():
    board = np.indices((100, 100)).sum(0) % 2 * 2.0 - 1.0
    assert {cell for row in cells(board) for cell in row} <= {BLUE, ORANGE}
    board[37, 50] = np.nan
    assert sum(cell == BLACK for row in cells(board) for cell in row) == 1


def test_blocks_cover_everything_once():
    assert strongest(np.arange(10.0)[None, :], 3, 1).tolist() == [[2.0, 5.0, 9.0]]


@pytest.mark.parametrize("shape", [(), (5,), (2, 3), (4, 5, 6), (40, 1)])
def test_the_picture_has_a_pixel_per_cell(shape):
    image = pytest.importorskip("PIL.Image")
    found = thumbnail(np.ones(shape))
    head, _, code = found.partition(",")
    assert head == "data:image/png;base64"
    assert len(found) < 1_500
    picture = image.open(io.BytesIO(b64decode(code)))
    assert picture.size == colours(np.ones(shape), 16, 16).shape[1::-1]
    assert picture.getpixel((0, 0)) == (0xD5, 0x5E, 0x00)


def test_nothing_without_pillow_and_of_nothing(monkeypatch):
    assert thumbnail(np.zeros((0, 3))) == ""
    assert cells(np.zeros((0, 3))) == []
    monkeypatch.setitem(sys.modules, "PIL", None)
    assert thumbnail(np.ones(5)) == ""
