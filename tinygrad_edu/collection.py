"""Python's cyclic collector, kept from walking graphs that cannot hold cycles.

Nodes point only at what they were made from, so a dropped graph is freed by reference counts. Yet while a large graph
grows, Python starts one full collection after another: more work than recording it. So one that interrupts the growth
of a large graph sets everything older aside (`gc.freeze`); the first that finds no such graph takes it back.
"""

import gc
from itertools import islice
from typing import Any

from tinygrad_edu.graph import Node, ancestors

LARGE = 5_000  # nodes: fewer are searched in about a millisecond, which is not worth setting aside everything else
aside = False


def spare_graphs(phase: str, info: dict[str, Any]) -> None:
    """Called by the collector before and after each collection."""
    global aside
    if phase != "start" or info["generation"] != 2:
        return
    young = reversed(gc.get_objects(generation=0))
    whole = (item for item in young if isinstance(item, Node) and hasattr(item, "number"))  # numbered last
    newest = next(whole, None)
    if newest is not None and next(islice(ancestors(newest), LARGE, None), None):  # more than that are behind it
        gc.freeze()
        aside = True
    elif aside:
        gc.unfreeze()
        aside = False


gc.callbacks.append(spare_graphs)
