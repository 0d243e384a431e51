"""Whether this machine has any fonts: without them a PNG shows boxes for letters, and nobody says so.

Only Linux comes without fonts, in containers and on servers; there they lie in a few known folders.

Source: the Filesystem Hierarchy Standard and the default folders of fontconfig.
"""

from __future__ import annotations

import sys
import warnings
from pathlib import Path

from tinygrad_edu.errors import user_frame

FOLDERS = ("/usr/share/fonts", "/usr/local/share/fonts", "~/.fonts", "~/.local/share/fonts")
ENDINGS = (".ttf", ".otf", ".ttc", ".pfb", ".pfa")


class FontWarning(UserWarning):
    """A picture was drawn where there are no fonts."""


def found() -> bool:
    """Whether there is a font; taken for granted on other systems than Linux."""
    if sys.platform != "linux":
        return True
    folders = (Path(folder).expanduser() for folder in FOLDERS)
    return any(path.suffix.lower() in ENDINGS for folder in folders for path in folder.rglob("*"))


def warn_without(form: str) -> None:
    """Warn, on the line of the user, that letters will be boxes in a PNG or PDF."""
    if form in ("png", "pdf") and not found():
        text = f"this machine has no fonts, so the letters in a .{form} are boxes: save as .svg, or install a font"
        warnings.warn(f"{text} (Debian: fonts-dejavu-core)", FontWarning, stacklevel=user_frame()[1])
