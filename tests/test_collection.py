"""The cyclic collector skips a growing graph, and nothing else for good."""

import gc
import weakref

import pytest

from tinygrad_edu import Value, collection


class Knot:
    """A cycle of one."""

    def __init__(self):
        self.self = self


def grow(length):
    y = Value(1.0)
    for _ in range(length):
        y = y + 1.0
    return y


@pytest.fixture(autouse=True)
def thawed():
    gc.collect()
    gc.collect()
    yield
    gc.unfreeze()
    collection.aside = False


def test_a_small_graph_changes_nothing():
    knot = weakref.ref(Knot())
    graph = grow(10)
    gc.collect()
    assert knot() is None
    assert not collection.aside
    assert graph.item() == 11.0


def test_a_large_growing_graph_is_set_aside_and_taken_back():
    graph, before = grow(collection.LARGE + 1), gc.get_freeze_count()
    gc.disable()
    try:
        graph = graph + 1.0
        gc.collect()
    finally:
        gc.enable()
    assert collection.aside
    assert gc.get_freeze_count() > before + collection.LARGE
    knot = weakref.ref(Knot())
    del graph
    gc.collect()
    assert knot() is None
    assert not collection.aside
    assert gc.get_freeze_count() == 0


def test_a_dropped_graph_is_freed_without_the_collector():
    gc.disable()
    try:
        x = Value(1.0)
        middle = x * 2.0
        seen = weakref.ref(middle)
        loss = middle.tanh()
        loss.backward()
        del middle, loss
        assert seen() is None
    finally:
        gc.enable()
    assert x.grad is not None
