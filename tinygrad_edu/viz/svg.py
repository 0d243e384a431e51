"""The SVG that Graphviz wrote, made fit for a page.

Its size in points is dropped, so that it takes the width there is without being cut off, up to its natural one; so
are comments and `<title>` elements, which browsers show as tooltips full of node ids.

Source: the SVG 2 specification, sections 5.8 (title) and 8.2 (viewBox).
"""

from __future__ import annotations

import re

HEAD = re.compile(r'<svg width="([\d.]+)pt" height="[\d.]+pt"')
NOISE = re.compile(r"<!--.*?-->\n?|<title>.*?</title>\n?|<!DOCTYPE.*?>\n?", re.DOTALL)
PROLOG = '<?xml version="1.0" encoding="UTF-8"?>\n'


def fit_page(svg: str, spoken: str) -> str:
    """The `<svg>` element alone, scalable.

    Parameters
    ----------
    svg
        What Graphviz wrote.
    spoken
        What a screen reader says in place of the picture.
    """
    from html import escape

    svg = NOISE.sub("", svg[svg.index("<svg") :])
    spoken = escape(spoken)
    return HEAD.sub(lambda size: f'<svg style="max-width:{size[1]}pt" role="img" aria-label="{spoken}"', svg)
