"""What is imported only when it is first used: the one place of imports by name.

So `import tinygrad_edu` loads NumPy and the engine, and nothing that only some users need: no Hypothesis, no drawing,
no SciPy.
"""

from importlib import import_module
from typing import Any

PUBLIC = {name: name for name in ("data", "nn", "optim", "testing", "train", "viz")}
PUBLIC |= {"conventions": "testing.conventions", "custom": "extension.custom"}
PUBLIC |= {name: f"saving.{name}" for name in ("CheckpointError", "load", "save")}
"""What `tinygrad_edu.name` stands for: a subpackage, or what a module of the package holds."""

CHAPTERS = {"scipy.special": "rules.special"}
"""A library, and the chapter of the table that is read once the user has imported it."""


def public(name: str) -> Any:
    """What `tinygrad_edu.name` stands for."""
    module, _, attribute = PUBLIC[name].partition(".")
    found = import_module(f"tinygrad_edu.{module}")
    return getattr(found, attribute) if attribute else found


def chapter(library: str) -> None:
    """Read the chapter that waits for a library, which is read once."""
    import_module(f"tinygrad_edu.{CHAPTERS.pop(library)}")
