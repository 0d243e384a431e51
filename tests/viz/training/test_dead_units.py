"""Units that no row opens: of which layers, under which names, and when they count as dead."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from tinygrad_edu import Value, nn
from tinygrad_edu.backward import backpropagate
from tinygrad_edu.viz.training.dead_units import PATIENCE, Census, opened

inputs = arrays(float, (3, 4), elements=st.sampled_from([-2.0, -1.0, 1.0, 2.0]))


def units(loss):
    return {name: flags.tolist() for name, flags in opened(backpropagate(loss, 1.0)).items()}


@given(inputs)
def test_a_unit_is_open_if_some_row_opens_it(x):
    v = Value(x)
    expected = (x > 0).any(axis=0).tolist()
    assert units(v.relu().sum()) == {"relu": expected}
    assert units(np.maximum(v, 0.0).sum()) == {"maximum": expected}
    assert units(np.maximum(0.0, v).sum()) == {"maximum": expected}
    assert units(np.maximum(v * 1.0, np.zeros(4)).sum()) == {"maximum": expected}


def test_no_switch_without_a_kink_without_an_axis_or_between_two_variables():
    v = Value([1.0, -1.0])
    assert units(np.tanh(v).sum() + v.sum().relu() + np.maximum(v, 2.0 * v).sum()) == {}


def test_layers_are_named_after_their_modules_in_forward_order():
    model = nn.Sequential(
        nn.Linear(2, 3, rng=0), nn.ReLU(), nn.Linear(3, 5, rng=0), nn.ReLU(), nn.Linear(5, 1, rng=0)
    )
    found = units(np.mean(model(np.ones((4, 2)))))
    assert [(name, len(flags)) for name, flags in found.items()] == [("layers.1 relu", 3), ("layers.3 relu", 5)]


def test_the_calls_of_one_module_are_one_layer_and_two_in_one_call_are_two():
    relu, v = nn.ReLU(), Value([[1.0, -1.0]])
    assert units((relu(v) + relu(-v)).sum()) == {"relu": [True, True]}
    assert units((v.relu() + (-v).relu()).sum()) == {"relu": [True, False], "relu 2": [False, True]}


def test_a_unit_is_dead_while_it_never_opened_or_has_not_for_a_while():
    census = Census()
    flags = {"relu": np.array([True, False])}
    assert census.count(flags) == {"relu": (2, 1)}
    assert census.count({"relu": np.array([False, True])}) == {"relu": (2, 0)}
    for _ in range(PATIENCE - 2):
        assert census.count({"relu": np.array([False, True])}) == {"relu": (2, 0)}
    assert census.count({"relu": np.array([False, True])}) == {"relu": (2, 1)}
    assert census.count({"relu": np.array([True, True, True])}) == {"relu": (3, 0)}
