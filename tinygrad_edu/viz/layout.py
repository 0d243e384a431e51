"""DOT to SVG, PNG or PDF, with whatever Graphviz there is.

First the program `dot`; else pygraphviz, whose wheels contain the Graphviz library. Either way in a process of its
own: a layout cannot be interrupted, and a fault in a C library must not take the user's session with it. That
process ends without freeing the layout, because freeing one that has a long caption is such a fault (pygraphviz 2.0).

Source: the documentation of pygraphviz 2.
"""

from __future__ import annotations

from tinygrad_edu.viz import fonts

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

SECONDS = 30.0
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


class DrawingError(RuntimeError):
    """A picture cannot be laid out here; the text view and the DOT text are there all the same."""


class LayoutTimeout(DrawingError):
    """Laying out took longer than allowed."""


def render(source: str, form: str, seconds: float = SECONDS) -> bytes:
    """The picture as bytes.

    Parameters
    ----------
    source
        DOT text.
    form
        "svg", "png" or "pdf".
    seconds
        How long the layout may take.

    Raises
    ------
    DrawingError
        Without Graphviz, and when Graphviz fails; `LayoutTimeout` when it takes too long.
    """
    import sys
    from shutil import which

    fonts.warn_without(form)
    if program := which("dot"):
        return in_child([program, f"-T{form}"], source, seconds)
    if not has_library():
        raise DrawingError(MISSING)
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
        raise DrawingError(f"Graphviz failed: {done.stderr.decode(errors='replace').strip()[-500:]}")
    return done.stdout
