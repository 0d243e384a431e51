"""Show the pictures that an example saves, SVG and GIF, below the lines that save them."""

from pathlib import Path
from shutil import move

from sphinx_gallery.scrapers import figure_rst

FORMS = ("*.svg", "*.gif")


def saved_drawings(block, block_vars, gallery_conf):
    """Move new pictures from the script's folder into the gallery; called after each block of an example."""
    targets = block_vars["image_path_iterator"]
    folder = Path(block_vars["src_file"]).parent
    pictures = [picture for form in FORMS for picture in sorted(folder.glob(form))]
    moved = [move(picture, Path(next(targets)).with_suffix(picture.suffix)) for picture in pictures]
    return figure_rst([str(path) for path in moved], gallery_conf["src_dir"])
