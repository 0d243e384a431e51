"""The line that shows how far a training is."""

from __future__ import annotations

import sys
from collections.abc import Callable
from importlib.util import find_spec
from typing import Any


def bar(total: int, done: int, shown: bool) -> Any:
    """A bar of tqdm, a context manager: on a terminal or in a notebook; elsewhere, and if not `shown`, silent."""
    notebook = "ipykernel" in sys.modules
    if notebook and find_spec("ipywidgets"):
        from tqdm.notebook import tqdm
    else:
        from tqdm import tqdm
    return tqdm(total=total, initial=done, unit="step", disable=None if shown and not notebook else not shown)


def say(line: Any, numbers: Callable[[], dict[str, float]]) -> None:
    """Show one step more, and some numbers, which are asked for only if there is a bar."""
    if line.disable:
        line.n += 1
    else:
        line.set_postfix_str(", ".join(f"{name} {n:.4g}" for name, n in numbers().items()), refresh=False)
        line.update()
