"""One HTML file with everything inside: style, script, data, picture. It loads nothing and runs nothing but its own.

The Content-Security-Policy names the one script and the one style by their hashes, and forbids everything else. Data
is JSON in which no character can end the element around it.

Source: W3C, Content Security Policy Level 3; the OWASP cheat sheet on cross-site scripting.
"""

from __future__ import annotations

from dataclasses import asdict
from functools import cache
from string import Template

from tinygrad_edu.viz.picture.style import DARK, LIGHT

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from tinygrad_edu.viz.picture.style import Palette

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


def page(title: str, picture: str, data: Any) -> str:
    """The file.

    Parameters
    ----------
    title
        The name of the result.
    picture
        An element without anything active in it, as `allow_list.allowed` makes it.
    data
        What the script reads, made of dictionaries, lists and text.
    """
    from html import escape

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
    from base64 import b64encode
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
