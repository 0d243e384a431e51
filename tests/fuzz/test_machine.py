"""The machine over a living graph: the engine agrees with dual numbers, and faults planted in it are found."""

import os

import numpy as np
import pytest
from hypothesis import HealthCheck, Phase, seed, settings
from hypothesis.errors import HypothesisException
from hypothesis.stateful import run_state_machine_as_test

from tests.fuzz.machine import GraphMachine, expect_own_memory, reachable, transferred
from tinygrad_edu import Value, graph, value
from tinygrad_edu.backward import backpropagate
from tinygrad_edu.backward import seed as started
from tinygrad_edu.graph import Node

PROFILE = os.environ.get("HYPOTHESIS_PROFILE", "ci" if os.environ.get("CI") else "dev")
LONG = PROFILE in ("nightly", "thorough")
COUNT = 2_000 if LONG else 60 if PROFILE == "ci" else 20
SOUND = settings(max_examples=COUNT, stateful_step_count=30, deadline=None, database=None)
PLANTED = settings(max_examples=300, stateful_step_count=25, deadline=None, database=None, phases=[Phase.generate],
                   suppress_health_check=list(HealthCheck), report_multiple_bugs=False)  # fmt: skip
SHRUNK = settings(max_examples=300, stateful_step_count=10, deadline=None, database=None, derandomize=True,
                  phases=[Phase.generate, Phase.shrink])  # fmt: skip
REAL = Value.backward


def found(self, gradient):
    return backpropagate(self, started(self, gradient))


def inner_gradients_add_up(self, gradient=None):
    for v, g in found(self, gradient).items():
        v.grad = g.copy() if v.grad is None else v.grad + g


def the_last_pass_wins(self, gradient=None):
    for v, g in found(self, gradient).items():
        v.grad = g.copy()


def variables_share_memory(self, gradient=None):
    for v, g in found(self, gradient).items():
        v.gradient = g if v.op or v.gradient is None else v.gradient + g


def adds_in_place(self, gradient=None):
    for v, g in found(self, gradient).items():
        if v.op or v.gradient is None:
            v.gradient = np.asarray(g).copy()
        else:
            v.gradient = np.asarray(v.gradient)
            v.gradient += g


def only_variables(self, gradient=None):
    for v, g in found(self, gradient).items():
        if not v.op:
            v.grad = g.copy() if v.grad is None else v.grad + g


def data_of_now(self, gradient=None):
    for v in graph.toposort(self):
        if v.op:
            pairs = zip(v.args, v.saved[1:], strict=True)
            v.saved = (v.array, *(a.array if isinstance(a, Node) else array for a, array in pairs))
    REAL(self, gradient)


def keeps_everything(self, gradient=None, kept=[]):  # noqa: B006
    kept.append(self)
    REAL(self, gradient)


def pack_without_sharing(root):
    nodes = graph.toposort(root)[::-1]
    place = {node: i for i, node in enumerate(nodes)}
    return [
        ([(place[a], None) if isinstance(a, Node) else (-1, a) for a in n.args], [getattr(n, s) for s in graph.OWN])
        for n in nodes
    ]


def pack_without_gradient(root):
    packed = graph.pack(root)
    for entry in packed:
        if not isinstance(entry, Node):
            entry[1][graph.OWN.index("gradient")] = None
    return packed


def pack_with_data_of_now(root):
    data_of_now(root, np.zeros(root.shape))
    return graph.pack(root)


PASSES = [inner_gradients_add_up, the_last_pass_wins, variables_share_memory, adds_in_place, only_variables,
          data_of_now, keeps_everything]  # fmt: skip
COPIES = [pack_without_sharing, pack_with_data_of_now, pack_without_gradient]


def falls(seeded=0):
    with pytest.raises(BaseException) as caught:  # noqa: PT011 - any failure of the machine
        run_state_machine_as_test(seed(seeded)(GraphMachine), settings=PLANTED)
    return caught.value


def test_the_engine_agrees_with_dual_numbers_whatever_is_done_to_a_graph():
    run_state_machine_as_test(GraphMachine, settings=SOUND)


@pytest.mark.parametrize("fault", PASSES, ids=lambda fault: fault.__name__)
def test_faults_of_a_backward_pass_fall(fault, monkeypatch):
    monkeypatch.setattr(Value, "backward", fault)
    assert isinstance(falls(), AssertionError)


@pytest.mark.parametrize("fault", COPIES, ids=lambda fault: fault.__name__)
def test_faults_of_a_copy_fall(fault, monkeypatch):
    monkeypatch.setattr(value, "pack", fault)
    assert not isinstance(falls(), HypothesisException)  # the fault falls, not the way of drawing


def test_memory_that_is_shared_is_seen():
    a = np.ones(3)
    expect_own_memory([a], [a.copy(), a.copy()])
    with pytest.raises(AssertionError, match="gradients share memory"):
        expect_own_memory([], [a, a[:1]])
    with pytest.raises(AssertionError, match="gradients share memory"):
        expect_own_memory([a], [a])


def test_reachable_is_everything_behind():
    x, y, z = Value(1.0), Value(2.0), Value(3.0)
    m = x * y
    out = m + 1.0
    assert reachable([out]) == set(map(id, (x, y, m, out)))
    assert reachable([z]) == {id(z)}


def test_slopes_under_new_names():
    assert transferred({("a", 0): 1.0, ("b", 1): 2.0}, {"b": "c"}) == {("c", 1): 2.0}


def test_what_fails_is_told_as_the_steps_that_lead_there(monkeypatch):
    monkeypatch.setattr(Value, "backward", the_last_pass_wins)
    with pytest.raises(AssertionError) as caught:
        run_state_machine_as_test(GraphMachine, settings=SHRUNK)
    steps = [line for note in caught.value.__notes__ for line in note.splitlines() if "state." in line]
    steps = [step for step in steps if not step.endswith(("agrees()", "frees()"))]
    assert any(".leaf(" in step for step in steps)
    assert len(steps) <= 6, steps
