"""`Explorer`: forward, backward and update step by step, in one HTML file that needs nothing else.

The same file works from a disk, without a network, and inside a notebook, where it lies in a sandboxed frame over a
picture of the graph: notebooks that strip frames, because they are not trusted, show the picture. Style, script, data
and picture are all in it. Its Content-Security-Policy names the one script and the one style by their hashes, and
forbids everything else; the data is JSON in which no character can end the element around it.

Source: Satyanarayan and Heer, "Lyra" (2014), and Victor, "Ladder of Abstraction" (2011), for stepping by hand; W3C,
Content Security Policy Level 3; the OWASP cheat sheet on cross-site scripting.
"""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Callable
from dataclasses import asdict
from functools import cache, cached_property
from html import escape
from os import PathLike
from string import Template
from typing import Any, Protocol

from tinygrad_edu.viz.model.palette import DARK, LIGHT, Palette
from tinygrad_edu.viz.model.records import Story
from tinygrad_edu.viz.page.narration import final_gradients, narrated
from tinygrad_edu.viz.saving import DrawingError, checked, write

FRAME = """<div style="position:relative;height:{height}px;overflow:hidden">
{picture}
<iframe title="The backward pass of {title}, step by step" sandbox="allow-scripts" srcdoc="{page}" \
style="position:absolute;left:0;top:0;width:100%;height:100%;border:0;background:white"></iframe>
</div>"""
HEIGHT = 720
"""Pixels: graph, card and ledger are seen at once, and the cell still fits on a laptop's screen."""

SVG_URI = "data:image/svg+xml;base64,"
POLICY = (
    "default-src 'none'; script-src '{script}'; style-src '{style}'; img-src data:; base-uri 'none'; "
    "form-action 'none'"
)
IMPLIED = (
    ("font-size", "15"), ("text-anchor", "middle"), ("fill", LIGHT.ink), ("stroke", LIGHT.ink), ("fill", LIGHT.live),
    ("stroke", LIGHT.live),
)  # fmt: skip
"""What the style says of every picture: the size of text, dark lines and letters, and blue ones at edges."""

ENDINGS = {ord(c): f"\\u{ord(c):04x}" for c in "<>&\u2028\u2029"}


class Drawn(Protocol):
    """A static drawing, which as text is a tree."""

    def rendered(self, form: str) -> bytes:
        """The drawing in one of its formats."""


class Explorer:
    """A page, as `html`, that shows the backward pass of a result step by step.

    It draws the graph of the story with `draw`: from the gradient that each box shows, by its id, and the attributes
    that the page implies, to an SVG with arrows both ways and nothing in it that can act. The drawing is static, and
    shown where no page can be.
    """

    def __init__(self, story: Story, draw: Callable[..., str], drawing: Drawn) -> None:
        self.story = story
        self.draw = draw
        self.drawing = drawing
        self.title = story.diagram.root.name

    @cached_property
    def html(self) -> str:
        """The page; without Graphviz it has no picture, and says what to install."""
        try:
            picture = self.draw(final_gradients(self.story), mode="both", implied=IMPLIED)
        except DrawingError as error:
            picture = f"<p>{escape(str(error))}</p>"
        return page(self.title, picture, narrated(self.story))

    def save(self, path: str | PathLike[str]) -> None:
        """Write the page to a file, all of it or nothing.

        Parameters
        ----------
        path
            Where to; the ending is .html.

        Raises
        ------
        ValueError
            For another ending.
        FileNotFoundError
            If the folder does not exist.
        """
        target, _ = checked(path, ("html",))
        write(target, self.html.encode())

    def framed(self) -> str:
        """The page in a sandboxed frame, which hides the picture below it."""
        return FRAME.format(height=HEIGHT, picture=self.still(), title=escape(self.title), page=escape(self.html))

    def still(self) -> str:
        """The static drawing as an image; without Graphviz the text view."""
        try:
            uri = SVG_URI + b64encode(self.drawing.rendered("svg")).decode()
        except DrawingError:
            return f"<pre>{escape(str(self))}</pre>"
        words = f"The graph of {escape(self.title)}"
        return f'<img alt="{words}" src="{uri}" style="max-width:100%;max-height:100%">'

    def _repr_html_(self) -> str:
        return self.framed()

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, str]:
        return {"text/html": self.framed(), "text/plain": str(self)}

    def __str__(self) -> str:
        return str(self.drawing)

    __repr__ = __str__


def page(title: str, picture: str, data: Any) -> str:
    """The page as one file: it loads nothing and runs nothing but its own.

    The picture is an element without anything active in it, such as a sanitised SVG.
    """
    style, script = colours() + asset("explorer.css"), asset("explorer.js")
    return Template(asset("explorer.html")).substitute(
        title=escape(title),
        policy=POLICY.format(script=digest(script), style=digest(style)),
        style=style,
        script=script,
        picture=picture,
        data=inert(data),
    )


@cache
def asset(name: str) -> str:
    """A file beside this one, without comments of a line and without indentation."""
    from importlib.resources import files

    lines = (files("tinygrad_edu.viz.page") / "assets" / name).read_text(encoding="utf-8").splitlines()
    kept = (line.strip() for line in lines)
    return "\n".join(line for line in kept if line and not line.startswith(("//", "/*")))


def digest(text: str) -> str:
    """The hash by which the policy knows the script and the style."""
    from hashlib import sha256

    return f"sha256-{b64encode(sha256(text.encode()).digest()).decode()}"


def inert(data: Any) -> str:
    """JSON that cannot be taken for HTML, and is one line of JavaScript as well."""
    from json import dumps

    return dumps(data, ensure_ascii=True, separators=(",", ":")).translate(ENDINGS)


def colours() -> str:
    """The palettes as variables, and the colours that Graphviz wrote into the picture replaced by them."""
    rules = [f":root{{color-scheme:light dark;{variables(LIGHT)}}}"]
    rules.append(f"@media (prefers-color-scheme:dark){{:root{{{variables(DARK)}}}}}")
    for role, colour in asdict(LIGHT).items():
        if role != "step_ink":
            rules += [f'svg [{what}="{colour.lower()}"]{{{what}:var(--{role})}}' for what in ("fill", "stroke")]
    for place, role in (("svg", "ink"), ("svg .edge", "live")):
        rules.append(f"{place}{{fill:var(--{role});stroke:var(--{role})}}")
    rules.append("svg [id^=o] text{fill:var(--step-ink)}")
    return "\n".join(rules) + "\n"


def variables(palette: Palette) -> str:
    """The colours of a palette by their roles."""
    return ";".join(f"--{role.replace('_', '-')}:{colour}" for role, colour in asdict(palette).items())
