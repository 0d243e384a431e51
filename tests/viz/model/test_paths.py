"""Paths are counted exactly, the largest are found, and the listed products with the rest sum to the gradient."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.viz.graphs import graphs, programs
from tinygrad_edu import Value, relu
from tinygrad_edu.testing import numeric_gradient
from tinygrad_edu.viz.model.paths import LISTED, along, find_paths
from tinygrad_edu.viz.model.replay import Edge, Replay


def paths_of(root, to):
    return find_paths(Replay(root), to)


def every_path(node, to):
    """All ways down from a node, found by brute force."""
    if node is to:
        return [()]
    down = [(i, arg) for i, arg in enumerate(node.args) if isinstance(arg, Value)]
    return [(Edge(node, i), *rest) for i, arg in down for rest in every_path(arg, to)]


def products_and_rest_sum_to_the_gradient(loss, leaves):
    """The sums over all paths to each variable."""
    loss.backward()
    held, replay, totals = [leaf.grad for leaf in leaves], Replay(loss), []
    for leaf in leaves:
        paths = find_paths(replay, leaf)
        totals.append(sum((path.product for path in paths.listed), start=paths.rest))
        np.testing.assert_array_equal(paths.gradient, leaf.grad)
        np.testing.assert_allclose(totals[-1], leaf.grad, rtol=1e-9, atol=1e-12)
        if len(paths.listed) == paths.count:
            np.testing.assert_allclose(
                paths.rest, np.zeros_like(leaf.grad), atol=1e-9 * np.max(np.abs(leaf.grad) + 1)
            )
    assert all(leaf.grad is grad for leaf, grad in zip(leaves, held, strict=True))
    return totals


@given(programs(smooth=True), st.integers(0, 2**32 - 1))
def test_the_sum_over_paths_is_the_slope_by_differences(program, seed):
    compute, arrays = program
    leaves, rng = [Value(array) for array in arrays], np.random.default_rng(seed)
    for place, total in enumerate(products_and_rest_sum_to_the_gradient(compute(*leaves), leaves)):
        direction = rng.normal(size=total.shape)

        def along_line(t, place=place, direction=direction):
            return compute(*(array + t * direction if k == place else array for k, array in enumerate(arrays)))

        slope, _ = numeric_gradient(along_line, np.array(0.0), "4-point")
        size = np.linalg.norm(total) * np.linalg.norm(direction)
        assert abs(np.sum(total * direction) - slope) <= 1e-6 * (size + 1)


@settings(max_examples=settings().max_examples // 2)  # one graph is looked at from many sides
@given(graphs(shapes=((),), size=6))
def test_count_and_largest_agree_with_brute_force(made):
    loss, leaves = made
    for leaf in leaves:
        ways = every_path(loss, leaf)
        if not ways or len(ways) > 300:
            continue
        paths = paths_of(loss, leaf)
        assert paths.count == len(ways)
        sizes = sorted((abs(float(along(way, np.float64(1.0)))) for way in ways), reverse=True)
        np.testing.assert_allclose(
            [abs(path.product) for path in paths.listed], sizes[:LISTED], rtol=1e-9, atol=1e-300
        )


def test_each_listed_path_is_a_way_through_the_graph():
    x = Value(0.5)
    root = x * x + np.sin(x) * x
    paths = paths_of(root, x)
    assert {path.edges for path in paths.listed} == set(every_path(root, x))
    for path in paths.listed:
        assert float(along(path.edges, np.float64(1.0))) == path.product


def test_squaring_three_hundred_times_has_two_to_the_three_hundred_paths():
    x = Value(1.0)
    y = x
    for _ in range(300):
        y = y * y
    paths = paths_of(y, x)
    assert paths.count == 2**300
    assert len(paths.listed) == LISTED
    assert all(path.product == 1.0 for path in paths.listed)


def test_of_arrays_the_first_few_paths_are_composed():
    x = Value(np.ones(3))
    y = x
    for _ in range(40):
        y = 0.5 * (y + y)
    paths = paths_of(y.sum(), x)
    assert paths.count == 2**40
    assert len(paths.listed) == LISTED
    np.testing.assert_allclose(paths.rest, 1.0, rtol=1e-9)


def test_only_nodes_on_the_way_are_between():
    x, other = Value(1.0), Value(2.0)
    y = np.sin(x)
    root = y * other
    assert paths_of(root, x).between == {root, y, x}


def test_a_path_that_is_nan_is_listed_first():
    x = Value(0.0)
    root = relu(x * np.nan) + x * 1e9
    assert np.isnan(paths_of(root, x).listed[0].product)


@pytest.mark.parametrize("depth", [5_000])
def test_a_deep_chain_is_no_recursion(depth):
    x = Value(0.5)
    y = x
    for _ in range(depth):
        y = np.sin(y)
    (path,) = paths_of(y, x).listed
    assert len(path.edges) == depth
