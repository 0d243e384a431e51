"""Pictures as files: refused before anything is drawn, and written as a whole or not at all."""

from __future__ import annotations

from collections.abc import Sequence
from io import BytesIO
from os import PathLike
from pathlib import Path
from typing import Any

from tinygrad_edu.errors import refusal
from tinygrad_edu.kinds import PATH, shown

SHORTEST = 20
"""Milliseconds of a picture in a GIF: what is to last shorter, browsers show for 100."""


class DrawingError(RuntimeError):
    """A picture cannot be made here; the text view and the DOT text are there all the same."""


def checked(path: str | PathLike[str], forms: Sequence[str]) -> tuple[Path, str]:
    """The file to write and its form, which its ending names; refused before anything is drawn."""
    if not PATH.fits(path):
        raise refusal(TypeError, f"save: path is {PATH.words}; got {shown(path)}")
    target = Path(path)
    form = target.suffix.lower().removeprefix(".")
    if form not in forms:
        raise refusal(ValueError, f"cannot save {target.name!r}: the formats are {', '.join('.' + f for f in forms)}")
    if not target.parent.is_dir():
        raise refusal(
            FileNotFoundError, f"cannot save {target.name!r}: create the folder {str(target.parent)!r} first"
        )
    return target, form


def write(target: Path, picture: bytes) -> None:
    """A file, all of it or nothing."""
    unfinished = target.with_name(f"{target.name}.part")
    unfinished.write_bytes(picture)
    unfinished.replace(target)


def as_gif(pictures: Sequence[Any], milliseconds: Sequence[int]) -> bytes:
    """Pictures of Pillow as an animated GIF, each shown for so long; it starts again when it is over."""
    first, *others = pictures
    lasting = [max(SHORTEST, time) for time in milliseconds]
    file = BytesIO()
    first.save(file, "GIF", save_all=True, append_images=others, duration=lasting, loop=0, optimize=True)
    return file.getvalue()
