"""Sphinx: what the documentation is built from."""

import os
import sys
import warnings
from pathlib import Path
from shutil import copytree, ignore_patterns, rmtree

HERE = Path(__file__).parent
os.environ["MPLBACKEND"] = "Agg"
warnings.filterwarnings("ignore", message="FigureCanvasAgg is non-interactive")
sys.path[:0] = [str(HERE.parent), str(HERE / "extensions")]

import tinygrad_edu  # noqa: E402

# The examples write into the folder where they lie, so a copy of them runs.
rmtree(HERE / "_build" / "examples", ignore_errors=True)
written = ignore_patterns("*.svg", "*.png", "*.gif", "*.html", "__pycache__")
copytree(HERE.parent / "examples", HERE / "_build" / "examples", ignore=written)

project = "tinygrad_edu"
author = "The tinygrad_edu authors"
copyright = "2026, The tinygrad_edu authors"
version = release = tinygrad_edu.__version__

extensions = [
    "sphinx.ext.autodoc",
    "sphinx.ext.viewcode",
    "numpydoc",
    "sphinx_gallery.gen_gallery",
    "rule_table",
    "fault_table",
    "recipe_run",
    "house",
]
exclude_patterns = ["_build", "sg_execution_times.rst", "gallery/sg_execution_times.rst"]
default_role = "code"
nitpicky = False

autodoc_member_order = "bysource"
autodoc_typehints = "none"
numpydoc_show_class_members = False
numpydoc_xref_param_type = False

sphinx_gallery_conf = {
    "examples_dirs": "_build/examples",
    "gallery_dirs": "gallery",
    "filename_pattern": r"\.py$",
    "ignore_pattern": r"__init__\.py$",
    "abort_on_example_error": True,
    "image_scrapers": ("matplotlib", "drawings.saved_drawings"),
    "download_all_examples": False,
    "min_reported_time": 1,
    "show_memory": False,
}

html_theme = "pydata_sphinx_theme"
html_title = "tinygrad_edu"
html_static_path = ["_static"]
html_show_sourcelink = False
html_sidebars = {"*": []}  # would be empty beside pages that have none below them
html_theme_options = {
    "navigation_with_keys": False,
    "secondary_sidebar_items": ["page-toc"],
    "show_prev_next": False,
}
