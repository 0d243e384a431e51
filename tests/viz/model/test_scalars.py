"""The opened computation has the same result and the same gradients, number by number."""

import numpy as np
import pytest
from hypothesis import given

from tests.viz.graphs import graphs
from tinygrad_edu import Value, gradients, nn
from tinygrad_edu.graph import toposort
from tinygrad_edu.viz.model.scalars import MOST, opened

X = np.array([[0.3, -1.2], [2.0, 0.7]])
PROGRAMS = {
    "matmul": lambda w: (X @ w).sum(),
    "mean of an axis": lambda w: w.mean(axis=0).sum(),
    "max shares ties": lambda w: np.maximum(w, 0.5).max(axis=1, keepdims=True).sum(),
    "where": lambda w: np.where(w > 0, w, 2.0 * w).sum(),
    "logsumexp": lambda w: w.logsumexp(axis=1).sum(),
    "cross entropy": lambda w: nn.cross_entropy(w, np.array([0, 1])),
    "shapes": lambda w: np.concatenate([w, w[:, ::-1].T]).reshape(8).var(),
    "std": lambda w: w.std(),
    "dot": lambda w: w[0] @ w[1],
}


def entries(root, name):
    """The opened variables called `name[...]`, by their index."""
    found = {node.name: node for node in toposort(root) if node.op is None and node.name}
    return {key.removeprefix(name): node for key, node in found.items() if key.startswith(name)}


@pytest.mark.parametrize("program", PROGRAMS)
def test_result_and_gradients_are_those_of_the_arrays(program):
    w = Value(X.copy(), name="w")
    loss = PROGRAMS[program](w)
    loss.backward()
    root = opened(loss, {w: "w"})
    np.testing.assert_allclose(root.item(), loss.item(), rtol=1e-6)
    found = entries(root, "w")
    for index in np.ndindex(2, 2):
        if str(list(index)) in found:
            np.testing.assert_allclose(found[str(list(index))].grad, w.grad[index], rtol=1e-6, atol=1e-12)
        else:
            assert w.grad[index] == 0.0
    root.backward()
    for index, node in ((i, found[str(list(i))]) for i in np.ndindex(2, 2) if str(list(i)) in found):
        np.testing.assert_allclose(node.grad, 2.0 * w.grad[index], rtol=1e-6, atol=1e-12)


@given(graphs(size=6))
def test_random_graphs_open_to_the_same_numbers_and_only_to_numbers(made):
    loss, leaves = made
    root = opened(loss, {leaf: leaf.name for leaf in leaves})
    np.testing.assert_allclose(root.item(), loss.item(), rtol=1e-9, atol=1e-12)
    assert all(node.data.ndim == 0 for node in toposort(root) if node.op is None)


def test_a_matrix_product_is_multiplications_and_additions():
    w = Value(X, name="w")
    names = [node.op.name for node in toposort(opened((X @ w).sum(), {})) if node.op]
    assert (names.count("multiply"), names.count("add")) == (8, 4 + 3)
    assert set(names) == {"multiply", "add"}


def test_before_backward_there_are_no_gradients():
    w = Value(X, name="w")
    assert all(node.grad is None for node in toposort(opened((w * 2.0).sum(), {w: "w"})))


def test_a_gradient_left_from_earlier_is_shown_as_the_variable_holds_it():
    w = Value(np.array([1.0, 2.0]), name="w")
    loss = (w * 3.0).sum()
    loss.backward()
    loss.backward()
    assert [node.grad for node in entries(opened(loss, {w: "w"}), "w").values()] == [6.0, 6.0]


def test_opened_numbers_stay_in_their_module_call():
    root = opened(nn.Linear(2, 1, rng=0)(np.ones((1, 2))).sum(), {})
    assert {node.scope.kind for node in toposort(root) if node.op and node.op.name == "multiply"} == {"Linear"}


def test_too_many_numbers_are_refused():
    with pytest.raises(ValueError, match=rf"1,{2 * MOST - 1000 + 1}.* use level='tensor'"):
        opened(Value(np.ones(2 * MOST)).sum(), {})


def test_an_operation_that_numpy_cannot_do_on_numbers_one_by_one_is_refused():
    with pytest.raises(ValueError, match=r"astype cannot be opened into single numbers: use level='tensor'"):
        opened(Value([1.0, 2.0]).astype(np.float32).sum(), {})


@pytest.mark.parametrize(
    ("name", "f"),
    [
        ("sort", lambda w: np.sort(w, axis=0).sum()),
        ("max", lambda w: np.max(w, initial=0.0, where=X > 0)),
    ],
)
def test_what_is_no_reduction_line_by_line_is_refused(name, f):
    with pytest.raises(ValueError, match=rf"{name} cannot be opened into single numbers: use level='tensor'"):
        opened(f(Value(X)), {})


def test_zeros_around_the_entries_stay_numbers():
    w = Value(np.array([1.0, 2.0]), name="w")
    (g,) = gradients(np.square(w[1:]).sum(), [w], differentiable=True)  # zeros, and the gradient of w[1]
    loss = (g * np.array([3.0, 4.0])).sum()
    root = opened(loss, {w: "w", g: "g"})
    assert (root.item(), loss.item()) == (16.0, 16.0)
    root.backward()
    assert entries(root, "w")["[1]"].grad == 8.0


def test_an_array_without_numbers_is_refused():
    with pytest.raises(ValueError, match=r"an array of shape \(0, 3\) has none: use level='tensor'"):
        opened(np.square(Value(np.ones((0, 3)))).sum(), {})


def test_a_result_of_several_numbers_is_refused():
    with pytest.raises(ValueError, match=r"y has shape \(2, 2\): call \.mean\(\) or \.sum\(\) first"):
        opened(Value(X, name="y"), {})


def test_a_count_of_entries_is_taken_line_by_line():
    assert opened(np.linalg.norm(Value(X), 0, axis=1).sum(), {}).item() == 4.0
