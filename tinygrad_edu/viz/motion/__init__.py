"""Moving pictures of a backward pass: scenes from its story, on one layout, as an SVG without scripts or as a GIF."""
