"""How to read off a DOT text the labels that Graphviz shows."""

import re

import pytest


def shown(source):
    """The first line of every label that Graphviz reads in a DOT text; laying out is not needed for that."""
    graphs = pytest.importorskip("pygraphviz")
    graph = graphs.AGraph(string=source)
    first_line = re.compile(r"(?:\\[^n]|[^\\])*")
    return [first_line.match(node.attr["label"])[0] for node in graph.nodes() if str(node).startswith("v")]


def unescaped(text):
    """What Graphviz shows for a label."""
    return re.sub(r"\\(.)", r"\1", text).replace("&amp;", "&")
