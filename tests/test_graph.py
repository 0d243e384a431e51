"""Walks and packing, on chains, diamonds and random graphs."""

import copy
import pickle
import sys
import threading
import time

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from tinygrad_edu import Value
from tinygrad_edu.graph import sources, toposort


def random_graph(choices):
    """A graph in which every choice (operation, operand, operand) picks from what is there already."""
    nodes = [Value(0.5), Value(-1.25)]
    for kind, i, j in choices:
        x, y = nodes[-1 - i % len(nodes)], nodes[-1 - j % len(nodes)]
        nodes.append([x + y, x * y, x.tanh()][kind])
    return nodes


programs = st.lists(st.tuples(st.integers(0, 2), st.integers(0, 9), st.integers(0, 9)), min_size=1, max_size=30)


@given(programs)
def test_every_node_comes_once_and_after_all_of_its_consumers(choices):
    root = random_graph(choices)[-1]
    order = toposort(root)
    place = {node: i for i, node in enumerate(order)}
    assert len(place) == len(order)
    assert order[0] is root
    for node in order:
        for parent in node.args:
            assert place[parent] > place[node]


@given(programs)
def test_a_pickled_graph_has_the_same_gradients(choices):
    nodes = random_graph(choices)
    for twin in (pickle.loads(pickle.dumps(nodes[-1])), copy.deepcopy(nodes[-1]), copy.copy(nodes[-1])):
        assert len(toposort(twin)) == len(toposort(nodes[-1]))
        twin.backward()
        nodes[-1].grad = None
        for node in nodes[:2]:
            node.grad = None
        nodes[-1].backward()
        twins = {n.number: n for n in toposort(twin) if n.op is None}
        originals = {n.number: n for n in toposort(nodes[-1]) if n.op is None}
        assert [twins[k].grad for k in sorted(twins)] == [originals[k].grad for k in sorted(originals)]


def test_a_shared_variable_stays_shared_in_a_pickle():
    w = Value([1.0, 2.0], name="w")
    first, second, again = pickle.loads(pickle.dumps((w.sum(), w.mean(), w)))
    (first + second).backward()
    np.testing.assert_array_equal(again.grad, [1.5, 1.5])
    assert again.name == "w"


def test_a_chain_of_a_hundred_thousand_nodes_needs_no_recursion():
    x, w, b = Value(1.0), Value(0.999), Value(0.0013)
    y = x
    for _ in range(50_000):
        y = y * w + b
    y.backward()
    value, slope = 1.0, 0.0
    for _ in range(50_000):
        value, slope = value * 0.999 + 0.0013, value + slope * 0.999
    assert abs(w.grad - slope) <= 1e-9 * slope
    assert abs(y.item() - value) <= 1e-12
    del y


def test_a_long_chain_pickles_copies_and_reprs_on_a_small_stack():
    def work():
        y = Value(1.0)
        for _ in range(5_000):
            y = y + 1.0
        done.append((pickle.loads(pickle.dumps(y)).item(), copy.deepcopy(y).item(), repr(y)[:5]))

    done = []
    before = threading.stack_size(512 * 1024)
    try:
        thread = threading.Thread(target=work)
        thread.start()
        thread.join()
    finally:
        threading.stack_size(before)
    assert done == [(5_001.0, 5_001.0, "Value")]
    assert sys.getrecursionlimit() <= 3_000


def test_sixty_doublings_take_no_exponential_time():
    x = y = Value(1.0)
    for _ in range(60):
        y = y + y
    started = time.perf_counter()
    y.backward()
    assert x.grad == 2.0**60
    assert time.perf_counter() - started < 1.0


def test_a_walk_stops_at_what_is_older():
    x = Value(2.0)
    before = x * 3.0
    y = Value(5.0)
    after = before * y + before
    assert toposort(after, since=y.number) == [after, after.args[0], y]
    assert sources(after, since=y.number) == [before]
    assert sources(after, before, since=x.number) == []
    assert sources(x, since=y.number) == [x]
    assert set(toposort(before, after)) == set(toposort(after))
