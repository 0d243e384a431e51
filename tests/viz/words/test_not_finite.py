"""The first number that is not finite, forward and backward."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tinygrad_edu import Value
from tinygrad_edu.graph import toposort
from tinygrad_edu.viz.model.detail import finite
from tinygrad_edu.viz.model.names import Names
from tinygrad_edu.viz.model.paths import edges_between, toward
from tinygrad_edu.viz.model.replay import Edge, Replay
from tinygrad_edu.viz.words.not_finite import backward_origin, forward_origins, passed_on


@pytest.fixture(autouse=True)
def quiet():
    with np.errstate(all="ignore"):
        yield


def origins(root):
    return forward_origins(root, Names(toposort(root)[::-1], None))


def backward(loss, to):
    replay = Replay(loss)
    edge, contribution = backward_origin(edges_between(replay.nodes, toward(replay.nodes, to)), replay.gradients)
    return edge, passed_on(edge, replay.gradients[edge.result], contribution, replay.names)


@given(st.integers(0, 5), st.integers(0, 6), st.integers(0, 6))
def test_the_first_nan_is_found_wherever_it_is(index, before, after):
    data = np.ones(6)
    data[index] = -1.0
    v = Value(data, name="v")
    for _ in range(before):
        v = v * 1.0
    with np.errstate(all="ignore"):
        made = v = np.log(v)
        for _ in range(after):
            v = v + 1.0
    ((node, said),) = origins(v.sum())
    assert node is made
    assert said.startswith(f"gives nan at ({index},): ")
    assert said.endswith(" is -1")


def test_the_infinity_behind_a_nan_is_told_too():
    x = Value(800.0, name="x")
    e = np.exp(x)
    assert [(node.op.name, said) for node, said in origins(e / (1.0 + e))] == [
        ("divide", "gives nan: exp_1 is infinity, add_1 is infinity"),
        ("exp", "gives infinity: x is 800"),
    ]


def test_operands_from_outside_are_named():
    v = Value([1.0, np.nan], name="v")
    node = v * 2.0
    loss = node.sum()
    v.data = np.ones(2)  # what counts is what was used
    assert origins(loss) == [(node, "has an operand v: nan at (1,)")]
    v = Value([1.0, np.nan])
    assert origins(v) == [(v, "holds nan at (1,)")]
    w = Value(1.0) * np.inf
    assert origins(w) == [(w, "has an operand infinity: infinity")]


def test_all_is_well():
    assert origins(Value(1.0) * 2.0) == []
    assert finite([1.0])
    assert not finite([1.0, np.inf])


def test_the_slope_of_a_root_at_zero():
    v = Value(0.0, name="v")
    square = v * v
    root = np.sqrt(square)
    edge, said = backward(root, v)
    assert edge == Edge(root, 0)
    assert said == "is given 1 and passes on infinity: sqrt_1 is 0 there"


def test_zero_times_nan_behind_a_condition():
    v = Value([-1.0, 4.0], name="v")
    root = np.sqrt(v)
    edge, said = backward(np.where(v.data > 0, root, 0.0).sum(), v)
    assert edge == Edge(root, 0)
    assert said == "is given [0, 1] and passes on nan at (0,): sqrt_1 is nan there"


def test_none_where_all_is_finite():
    v = Value(1.0)
    replay = Replay(v * v)
    assert backward_origin(edges_between(replay.nodes, toward(replay.nodes, v)), replay.gradients) is None
