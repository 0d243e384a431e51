"""What notebooks show of Values and modules: asked of `viz`, and only when something is shown.

The engine knows nothing of pictures. A notebook asks a thing how to show it, and the question is passed on here by
name, so that nothing is imported before somebody looks.

Source: IPython's documentation of `_repr_mimebundle_`.
"""

from __future__ import annotations

from importlib import import_module
from typing import Any


def shown(thing: Any, include: Any = None, exclude: Any = None) -> dict[str, str]:
    """The forms in which a notebook can show a thing, by MIME type."""
    bundle: dict[str, str] = import_module("tinygrad_edu.viz").bundle(thing)
    return bundle
