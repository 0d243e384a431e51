"""A directive that runs a command in the folder of recipes, and shows the command and what it printed."""

import os
import re
import shlex
import subprocess
import sys
import tempfile
from pathlib import Path

from docutils import nodes
from docutils.parsers.rst import Directive

RECIPES = Path(__file__).parents[1] / "recipes"
PLUGIN = "-p no:tinygrad_edu -p tinygrad_edu.testing.pytest_plugin.hooks"
SETTINGS = f"-q {PLUGIN} -p no:cacheprovider -o grad_modules=activations"
"""What a project has in its pyproject.toml, for a folder that has none; the plugin need not be installed."""


def run(command):
    """What a command prints in the folder of recipes; an error if it fails."""
    words = shlex.split(command)
    if words[0] == "pytest":
        words = ["python", "-m", "pytest", "-c", os.devnull, "--rootdir=.", *SETTINGS.split(), *words[1:], "."]
    env = os.environ | {
        "PYTHONDONTWRITEBYTECODE": "1",
        "PYTHONPATH": str(RECIPES.parents[1]),
        "PYTEST_ADDOPTS": "",
        "COLUMNS": "72",
        "CI": "true",  # the same examples each time
    }
    with tempfile.TemporaryDirectory() as folder:
        env["HYPOTHESIS_STORAGE_DIRECTORY"] = folder
        done = subprocess.run([sys.executable, *words[1:]], cwd=RECIPES, env=env, capture_output=True, text=True)
    if done.returncode:
        raise RuntimeError(f"{command} failed:\n{done.stdout}\n{done.stderr}")
    return re.sub(r" in [\d.]+s", "", done.stdout).strip()


class RecipeRun(Directive):
    """The command that is the argument, and what it printed."""

    required_arguments, final_argument_whitespace = 1, True

    def run(self):
        """The command and its output as blocks of text; a program as a block of its own."""
        command = self.arguments[0]
        text = run(command)
        if text.startswith('"""'):
            return [block(f"$ {command}", "console"), block(text, "python")]
        return [block(f"$ {command}\n{text}", "console")]


def block(text, language):
    """A block of text."""
    return nodes.literal_block(text, text, language=language)


def setup(app):
    """Called by Sphinx."""
    app.add_directive("recipe-run", RecipeRun)
    return {"version": "1", "parallel_read_safe": True}
