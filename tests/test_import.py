"""Importing the package is cheap: what only some users need is imported when they use it."""

import subprocess
import sys
from pathlib import Path

LATER = {"PIL", "graphviz", "hypothesis", "matplotlib", "numba", "pygraphviz", "pytest", "safetensors"}
LATER |= {"scipy", "tqdm"}


def imported_by(statement):
    """The top-level modules that a fresh interpreter holds after one statement."""
    code = f"import sys\n{statement}\nprint(*{{name.partition('.')[0] for name in sys.modules}})"
    root = Path(__file__).parents[1]
    done = subprocess.run([sys.executable, "-c", code], cwd=root, capture_output=True, text=True, check=True)
    return set(done.stdout.split())


def test_the_package_imports_only_what_everybody_needs():
    assert not LATER & imported_by("import tinygrad_edu")


def test_the_check_would_see_an_import():
    assert "tqdm" in imported_by("import tqdm")
