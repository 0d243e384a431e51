"""DOT to SVG, PNG or PDF, with whatever Graphviz there is.

First the program `dot`; else pygraphviz, whose wheels contain the Graphviz library. Either way in a process of its
own: a layout cannot be interrupted, and a fault in a C library must not take the user's session with it. That
process ends without freeing the layout, because freeing one that has a long caption is such a fault (pygraphviz 2.0).
Without any fonts a PNG shows boxes for letters, and Graphviz does not say so; only Linux comes without, in containers
and on servers, and there fonts lie in a few known folders.

Source: the documentation of pygraphviz 2; the Filesystem Hierarchy Standard and the default folders of fontconfig.
"""

from __future__ import annotations

import sys
import warnings
from collections.abc import Sequence
from pathlib import Path

from tinygrad_edu.errors import refusal, user_frame
from tinygrad_edu.viz.saving import DrawingError

SECONDS = 30.0
"""The time for a layout: longer than any picture took that can still be read, shorter than patience."""

FOLDERS = ("/usr/share/fonts", "/usr/local/share/fonts", "~/.fonts", "~/.local/share/fonts")
ENDINGS = (".ttf", ".otf", ".ttc", ".pfb", ".pfa")
MISSING = 'no Graphviz found: pip install "tinygrad_edu[viz]"'
RENDER = """
import os, sys
from pygraphviz import AGraph, graphviz
graphviz.gvFreeLayout = graphviz.gvFreeContext = lambda *ignored: None
picture = AGraph(string=sys.stdin.buffer.read().decode()).draw(format=sys.argv[1], prog="dot")
sys.stdout.buffer.write(picture)
sys.stdout.buffer.flush()
os._exit(0)
"""


class LayoutTimeout(DrawingError):
    """Laying out took longer than allowed."""


class FontWarning(UserWarning):
    """A picture was drawn where there are no fonts."""


def render(source: str, form: str, seconds: float = SECONDS) -> bytes:
    """The picture of DOT text as bytes: "svg", "png" or "pdf".

    A DrawingError says that there is no Graphviz, or that it failed; `LayoutTimeout` that it took too long.
    """
    from shutil import which

    warn_without_fonts(form)
    if program := which("dot"):
        return in_child([program, f"-T{form}"], source, seconds)
    if not has_library():
        raise refusal(DrawingError, MISSING)
    return in_child([sys.executable, "-c", RENDER, form], source, seconds)


def has_library() -> bool:
    """Whether pygraphviz >= 2, whose wheels contain the Graphviz library, is installed."""
    from importlib.metadata import version
    from importlib.util import find_spec

    return find_spec("pygraphviz") is not None and int(version("pygraphviz").partition(".")[0]) >= 2


def in_child(command: Sequence[str], source: str, seconds: float) -> bytes:
    """Lay out in another process, with a limit on its time."""
    from subprocess import TimeoutExpired, run

    try:
        done = run(command, input=source.encode(), capture_output=True, timeout=seconds, check=False)
    except TimeoutExpired:
        raise LayoutTimeout(f"Graphviz took more than {seconds:g} s for {len(source):,} characters of DOT") from None
    if done.returncode or not done.stdout:
        raise refusal(DrawingError, f"Graphviz failed: {done.stderr.decode(errors='replace').strip()[-500:]}")
    return done.stdout


def has_fonts() -> bool:
    """Whether there is a font; taken for granted on other systems than Linux."""
    if sys.platform != "linux":
        return True
    folders = (Path(folder).expanduser() for folder in FOLDERS)
    return any(path.suffix.lower() in ENDINGS for folder in folders for path in folder.rglob("*"))


def warn_without_fonts(form: str) -> None:
    """Warn, on the line of the user, that letters will be boxes in a PNG or PDF."""
    if form in ("png", "pdf") and not has_fonts():
        text = f"this machine has no fonts, so the letters in a .{form} are boxes: save as .svg, or install a font"
        warnings.warn(f"{text} (Debian: fonts-dejavu-core)", FontWarning, stacklevel=user_frame()[1])
