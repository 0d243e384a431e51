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
    """What a command of pytest prints in the folder of recipes; an error if it fails."""
    options = shlex.split(command)[1:]
    words = ["-m", "pytest", "-c", os.devnull, "--rootdir=.", *SETTINGS.split(), *options, "."]
    env = os.environ | {
        "PYTHONDONTWRITEBYTECODE": "1",
        "PYTHONPATH": str(RECIPES.parents[1]),
        "PYTEST_ADDOPTS": "",
        "COLUMNS": "72",
        "CI": "true",  # the same examples each time
    }
    with tempfile.TemporaryDirectory() as folder:
        env["HYPOTHESIS_STORAGE_DIRECTORY"] = folder
        done = subprocess.run([sys.executable, *words], cwd=RECIPES, env=env, capture_output=True, text=True)
    if done.returncode:
        raise RuntimeError(f"{command} failed:\n{done.stdout}\n{done.stderr}")
    return re.sub(r" in [\d.]+s", "", done.stdout).strip()


class RecipeRun(Directive):
    """The command that is the argument, and what it printed."""

    required_arguments, final_argument_whitespace = 1, True

    def run(self):
        """The command and its output as a block of text."""
        command = self.arguments[0]
        text = f"$ {command}\n{run(command)}"
        return [nodes.literal_block(text, text, language="console")]


def setup(app):
    """Called by Sphinx."""
    app.add_directive("recipe-run", RecipeRun)
    return {"version": "1", "parallel_read_safe": True}
