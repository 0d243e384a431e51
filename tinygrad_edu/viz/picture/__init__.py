"""The static drawing: a diagram as DOT text, laid out by Graphviz."""
