"""`.data` is the user's to change, and a graph keeps the numbers that it was computed from."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import tinygrad_edu as te
from tinygrad_edu import Value, nn, optim, viz
from tinygrad_edu.graph import same_bits
from tinygrad_edu.testing.arguments import calls, draw

X, Y = np.random.default_rng(0).normal(size=(5, 2)), np.random.default_rng(1).normal(size=(5, 3))


def in_place(w):
    w.data -= 0.5


def at_an_index(w):
    w.data[0] = 100.0


def by_out(w):
    np.add(w.data, 1.0, out=w.data)


def through_a_view(w):
    w.data[..., :1].fill(7.0)


def rebound(w):
    w.data = w.data * 3.0


def by_a_list(w):
    w.data = np.zeros(w.shape).tolist()


def by_an_optimiser(w):
    w.grad = np.ones(w.shape)
    optim.SGD([w], lr=1.0).step()
    w.grad = None


CHANGES = [in_place, at_an_index, by_out, through_a_view, rebound, by_a_list, by_an_optimiser]


def network(w, b):
    return np.sum((np.tanh(X @ w + b) - Y) ** 2) + np.sum(w * w)


def parameters():
    rng = np.random.default_rng(2)
    return Value(rng.normal(size=(2, 3)), name="w"), Value(rng.normal(size=3), name="b")


@given(st.lists(st.tuples(st.sampled_from(CHANGES), st.integers(0, 1)), min_size=1, max_size=4), st.booleans())
def test_changes_after_the_forward_pass_change_no_gradient_and_no_picture(changes, held_before):
    untouched, touched = parameters(), parameters()
    held = [p.data for p in touched] if held_before else []
    expected, loss = network(*untouched), network(*touched)
    drawn = viz.draw(expected).source
    for change, which in changes:
        change(touched[which])
    for array in held:
        array[...] = -5.0
    assert viz.draw(loss).source == drawn
    loss.backward()
    expected.backward()
    for p, q in zip(touched, untouched, strict=True):
        assert np.array_equal(p.grad, q.grad)


@pytest.mark.parametrize("change", CHANGES)
def test_the_next_graph_has_the_changed_numbers(change):
    w, _ = parameters()
    np.sum(w * w).backward()
    w.grad = None
    change(w)
    now = w.data.copy()
    np.sum(w * w).backward()
    assert np.array_equal(w.grad, 2.0 * now)


def test_an_array_that_was_asked_for_once_stays_the_data_of_the_variable():
    w, _ = parameters()
    held = w.data
    for _ in range(3):
        loss = np.sum(w * w)
        loss.backward()
        held -= 0.1 * w.grad
        w.grad = None
        assert w.data is held
    assert loss.item() < np.sum(parameters()[0].data ** 2)


def test_two_values_of_one_array_share_nothing_with_it_or_each_other():
    rows = np.ones((2, 3))
    v, w, row = Value(rows), Value(rows), Value(rows[0])
    v.data += 1.0
    row.data[0] = 9.0
    assert rows.tolist() == [[1.0] * 3] * 2
    assert w.data.tolist() == rows.tolist()
    rows[0] = 5.0
    assert w.data[0].tolist() == [1.0] * 3


def test_rebinding_shares_nothing():
    a, v, w = np.ones(2), Value([0.0, 0.0]), Value([0.0, 0.0])
    v.data = a
    w.data = v.data
    v.data[0] = 7.0
    assert a.tolist() == w.data.tolist() == [1.0, 1.0]


def test_results_are_read_only():
    w, _ = parameters()
    out = np.tanh(w)
    for result in (out, out.T, out[0], w.reshape(6), np.positive(w)):
        with pytest.raises(ValueError, match="read-only"):
            result.data[0] = 1.0
    w.data[0] = 1.0


def test_the_data_of_a_result_cannot_be_set():
    w, _ = parameters()
    out = np.tanh(w)
    with pytest.raises(TypeError, match=r"is the result of a computation: change the variables .*\(test_data\.py"):
        out.data = np.zeros(out.shape)
    with pytest.raises(ValueError, match="read-only"):
        out.data -= 1.0
    assert np.array_equal(out.data, np.tanh(w.data))


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64, np.longdouble])
@pytest.mark.parametrize("size", [10, 100_000])
def test_graphs_share_one_copy_of_data_until_they_change(size, dtype):
    w = Value(np.linspace(-1.0, 1.0, size).astype(dtype))
    held = w.data
    first, second = w * w, w * w
    assert first.saved[1] is second.saved[1]
    held[-1] = -held[-1]
    third = w * w
    assert third.saved[1] is not first.saved[1]
    assert third.saved[1][-1] == held[-1] == -first.saved[1][-1]


@pytest.mark.parametrize(
    ("x", "y", "same"),
    [
        ([0.0, 1.0], [0.0, 1.0], True),
        ([0.0, 1.0], [-0.0, 1.0], False),
        ([np.nan, 1.0], [-np.nan, 1.0], True),
        ([np.inf, 1.0], [-np.inf, 1.0], False),
        ([1.0, 1.0], [1.0, np.nextafter(1.0, 2.0)], False),
        ([1.0, 1.0], [[1.0, 1.0]], False),
        ([1.0, 1.0], np.ones(2, np.float32), False),
    ],
)
@pytest.mark.parametrize("times", [1, 10_000])
def test_same_bits(x, y, same, times):
    x, y = np.repeat(x, times, axis=-1), np.repeat(y, times, axis=-1)
    assert same_bits(x, y) is same_bits(y, x) is same
    if times == 1 and same:
        assert all(same_bits(a, b) for a, b in zip(x, y, strict=True))


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        (None, "None"),
        (Value([1.0, 2.0]), "set to a Value"),
        ([1.0], r"has shape \(2,\), got \(1,\)"),
        (np.ones((2, 2)), r"has shape \(2,\), got \(2, 2\)"),
        ([1j, 2j], "complex"),
        ("ab", "it takes real numbers"),
        ([[1.0], [2.0, 3.0]], "array of numbers"),
    ],
)
def test_data_is_checked_like_a_new_variable(wrong, words):
    w = Value([1.0, 2.0], name="w")
    with pytest.raises((TypeError, ValueError), match=rf"{words}.*\(test_data\.py:\d+\)"):
        w.data = wrong
    assert w.data.tolist() == [1.0, 2.0]


def test_data_is_cast_to_the_dtype_of_the_variable():
    w = Value(np.ones(2, np.float32))
    for given_data in ([3, 4], (3.0, 4.0), np.array([3, 4]), np.array([3.0, 4.0]), np.array([3, 4], np.int8)):
        w.data = given_data
        assert w.data.dtype == np.float32
        assert w.data.tolist() == [3.0, 4.0]
    v = Value(2.0)
    v.data = 3
    assert (v * 2.0).data == 6.0


@pytest.mark.parametrize("wrong", [[1.0], np.ones((2, 2)), "no", [1j, 1j], Value([1.0, 2.0])])
def test_grad_is_none_or_real_numbers_of_the_shape(wrong):
    w = Value([1.0, 2.0], name="w")
    with pytest.raises((TypeError, ValueError), match=r"grad.*\(test_data\.py:\d+\)"):
        w.grad = wrong
    assert w.grad is None
    with pytest.raises(ValueError, match=r"w\.grad has shape \(2,\), got \(\): w\.grad = None forgets it"):
        w.grad = 0
    w.grad = [1, 2]
    assert w.grad.tolist() == [1.0, 2.0]
    w.grad = None
    assert w.grad is None


def test_gradients_are_writable_and_share_nothing():
    w, b = parameters()
    hidden = w + b
    other = hidden + 1.0
    np.sum(other).backward()
    grads = [v.grad for v in (w, b, hidden, other)]
    for i, g in enumerate(grads):
        g[...] = i
    assert [float(np.ravel(g)[0]) for g in grads] == [0.0, 1.0, 2.0, 3.0]
    assert float(np.ravel(hidden.grad)[0]) == 2.0


def by_rebinding(p):
    p.data = p.data - 0.1 * p.grad


def by_minus_equals(p):
    p.data -= 0.1 * p.grad


def by_plus_equals(p):
    p.data += -0.1 * p.grad


def without_recording(p):
    with te.no_grad():
        p -= 0.1 * p.grad


def by_slices(p):
    p.data[...] = p.data - 0.1 * p.grad


@pytest.mark.parametrize("update", [by_minus_equals, by_plus_equals, without_recording, by_slices])
def test_every_way_to_write_an_update_trains_as_rebinding_does(update):
    def trained(update):
        model, losses = nn.Sequential(nn.Linear(2, 4, rng=0), nn.Tanh(), nn.Linear(4, 3, rng=1)), []
        for _ in range(20):
            loss = nn.mse_loss(model(X), Y)
            loss.backward()
            losses.append(loss.item())
            for p in model.parameters():
                update(p)
                p.grad = None
        return losses

    assert trained(update) == trained(by_rebinding)


@pytest.mark.parametrize("op", list(te.entries()), ids=lambda op: op.name)
def test_reading_a_result_takes_nothing_from_the_user(op):
    """The array of a result is read-only; an operand of it stays what it was, whoever owns it."""
    for call in calls(op):
        drawn = draw(op, np.random.default_rng(0), call)
        for place in range(max(1, len(drawn.arrays))):
            arrays = [np.array(a) for a in drawn.arrays]
            args = [a if i == place and len(arrays) > 1 else Value(a) for i, a in enumerate(arrays)]
            out = te.value.apply(op, tuple(args), drawn.options)
            assert not isinstance(out.data, np.ndarray) or not out.data.flags.writeable
            assert all(a.flags.writeable for a in arrays)
            assert not any(np.shares_memory(out.array, a) for a in arrays)
            for arg in args:
                array = arg.data if isinstance(arg, Value) else arg
                if isinstance(array, np.ndarray):
                    array[...] = array + 1.0  # what it was computed from is nobody's but the graph's
                    assert not np.shares_memory(out.array, array)
