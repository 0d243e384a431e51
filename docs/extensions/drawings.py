"""Show the SVG pictures that an example saves, below the lines that save them."""

from pathlib import Path
from shutil import move

from sphinx_gallery.scrapers import figure_rst


def saved_drawings(block, block_vars, gallery_conf):
    """Move new pictures from the script's folder into the gallery; called after each block of an example."""
    targets = block_vars["image_path_iterator"]
    pictures = sorted(Path(block_vars["src_file"]).parent.glob("*.svg"))
    moved = [move(picture, Path(next(targets)).with_suffix(".svg")) for picture in pictures]
    return figure_rst([str(path) for path in moved], gallery_conf["src_dir"])
