"""Strategies keep to what they are asked for, and draw the simplest first."""

import pickle
import warnings
from itertools import combinations

import numpy as np
import pytest
from hypothesis import Phase, find, given, settings
from hypothesis import strategies as st

from tinygrad_edu import BroadcastWarning, Value, nn, optim
from tinygrad_edu.table import DEFINITE, REGULAR, TIES
from tinygrad_edu.testing import FAIL, check_gradients, check_module
from tinygrad_edu.testing.strategies import (
    LAYOUTS,
    Network,
    TrainingSteps,
    broadcastable,
    cotangents,
    indices,
    layers,
    networks,
    scalars,
    shapes,
    shapes_for,
    tensors,
    training_steps,
)
from tinygrad_edu.testing.strategies.models import known, layer_code, needed
from tinygrad_edu.testing.strategies.shapes_and_indices import calm, narrower, together

# -- numbers and arrays --------------------------------------------------------------------------------------


few = settings(max_examples=max(10, settings().max_examples // 4))
first = settings(phases=[Phase.generate])  # nothing is left to shrink
DOMAINS = [(-np.inf, np.inf), (0.0, np.inf), (-np.inf, -1.0), (-1.0, 1.0), (2.0, 2.001), (1.0, 3.0)]


@few
@given(st.data(), st.sampled_from(DOMAINS))
def test_numbers_lie_inside_with_a_margin_from_points(data, domain):
    x = data.draw(scalars(domain, kinks=(0.5,), singular=(-2.0,)))
    assert isinstance(x, float)
    assert domain[0] < x < domain[1]
    assert abs(x) <= 10
    if domain[1] - domain[0] > 0.5:
        assert min(abs(x - 0.5), abs(x + 2.0)) >= 0.1 - 1e-12


def test_0_comes_first_and_then_simple_numbers():
    assert find(scalars(), lambda x: True) == 0.0
    assert find(scalars((0, np.inf)), lambda x: True) == 1.0
    assert find(tensors(), lambda x: x.size > 1).tolist() == [0.0, 0.0]


@few
@given(st.data(), st.sampled_from([np.float32, np.float16, float]))
def test_dtypes(data, dtype):
    x, a = data.draw(scalars(dtype=dtype)), data.draw(tensors(dtype=dtype))
    assert np.result_type(x) == a.dtype == dtype


@few
@given(st.data(), st.sampled_from([*LAYOUTS, None]), shapes())
def test_layouts_hold_numbers_of_the_domain_in_the_shape(data, layout, shape):
    a = data.draw(tensors(shape, (0.0, 4.0), layout=layout))
    assert a.shape == shape
    assert np.all((a > 0) & (a < 4))


@pytest.mark.parametrize(
    ("layout", "shown"),
    [
        ("C", lambda a: a.flags.c_contiguous and a.flags.writeable),
        ("F", lambda a: a.flags.f_contiguous and not a.flags.c_contiguous),
        ("reversed", lambda a: a.strides[0] < 0),
        ("strided", lambda a: a.strides[-1] == 2 * a.itemsize),
        ("stride-0", lambda a: a.strides[0] == 0),
        ("read-only", lambda a: not a.flags.writeable),
    ],
)
def test_each_layout_is_what_it_is_called(layout, shown):
    assert shown(find(tensors((2, 3), layout=layout), lambda a: True, settings=first))


@few
@given(st.data(), st.sampled_from([REGULAR, DEFINITE]))
def test_matrices_are_far_from_singular(data, kind):
    a = data.draw(tensors(domain=kind))
    assert np.min(np.linalg.svd(a, compute_uv=False)) > 0.5
    if kind == DEFINITE:
        np.testing.assert_allclose(a, a.mT, atol=1e-12)
        assert np.min(np.linalg.eigvalsh(a)) > 0.5


@few
@given(tensors((2, 4), (-1.0, 1.0), kinks=TIES))
def test_no_ties(a):
    assert np.min(np.diff(np.sort(a, axis=None))) > 0.05


@few
@given(tensors(200, (-1.0, 1.0), kinks=(0.0,)))
def test_large_arrays_keep_to_the_domain_too(a):
    assert a.shape == (200,)
    assert np.all((np.abs(a) < 1) & (np.abs(a) >= 0.1))


@few
@given(broadcastable(3, (0, 1)), broadcastable(2))
def test_broadcastable_gives_arrays_or_shapes(arrays, found):
    np.broadcast_arrays(*arrays)
    np.broadcast_shapes(*found)
    assert (len(arrays), len(found)) == (3, 2)


@few
@given(st.data(), shapes(max_rank=3), st.sampled_from([float, np.float32]))
def test_cotangents_are_nowhere_0_or_1(data, shape, dtype):
    g = data.draw(cotangents(shape, dtype))
    assert (g.shape, g.dtype) == (shape, dtype)
    assert np.all((np.abs(g) >= 0.2) & (np.abs(np.abs(g) - 1) > 0.04) & (np.abs(g) < 2))


@pytest.mark.parametrize(
    ("make", "text"),
    [
        (lambda: tensors(layout="fortran"), "no layout 'fortran': one of C, F, reversed"),
        (lambda: tensors(domain=3), r"a domain is \(low, high\)"),
        (lambda: scalars(domain="reals"), r"a domain is \(low, high\), 'full rank' or 'positive definite'"),
        (lambda: tensors(domain="singular"), "matrices are 'full rank' or 'positive definite'"),
        (lambda: tensors((3,), REGULAR), "with two axes or more"),
        (lambda: scalars((0, 0.15), kinks=(0.02, 0.045, 0.07, 0.095, 0.12, 0.14)), "has no room beside the points"),
        (lambda: tensors(domain=(1, -1)), "has no room"),
        (lambda: tensors(domain=(np.nan, 1)), "has no room|a domain is"),
    ],
)
def test_what_cannot_be_drawn_is_refused_with_what_can(make, text):
    with pytest.raises(ValueError, match=text):
        find(make(), lambda x: True)


# -- shapes --------------------------------------------------------------------------------------------------


@few
@given(st.data(), st.integers(0, 2), st.integers(2, 3), st.integers(0, 1), st.integers(1, 3))
def test_shapes_keep_to_their_bounds(data, few, many, short, long):
    shape = data.draw(shapes(few, many, short, long))
    assert few <= len(shape) <= many
    assert all(short <= n <= long for n in shape)


def test_the_simplest_shape_comes_first():
    assert find(shapes(), lambda shape: True) == ()


@given(shapes_for("(m,n),(n,p),(2),()->(m,p)"))
def test_names_of_a_signature_are_one_length_everywhere(found):
    (m, n), (same, p), two, nothing = found
    assert (same, two, nothing) == (n, (2,), ())
    assert np.matmul(np.ones((m, n)), np.ones((same, p))).shape == (m, p)


@pytest.mark.parametrize("text", ["m,n->m", "(m,n)", "", "(m;n)->()", "(m,)->()", "(m)->(m) extra"])
def test_text_that_is_no_signature_is_refused(text):
    with pytest.raises(ValueError, match=r"is not a signature: write one such as '\(m,n\),\(n,p\)->\(m,p\)'"):
        find(shapes_for(text), lambda shapes: True)


@given(st.integers(1, 4).flatmap(together))
def test_shapes_together_broadcast_and_no_pair_is_warned_of(found):
    full = np.broadcast_shapes(*found)
    assert all(shape in narrower(full) for shape in found)
    with warnings.catch_warnings():
        warnings.simplefilter("error", BroadcastWarning)
        for x, y in combinations(found, 2):
            _ = Value(np.ones(x)) * Value(np.ones(y))


@given(shapes(max_rank=3), shapes(max_rank=3))
def test_calm_is_what_the_engine_does_not_warn_of(x, y):
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", BroadcastWarning)
            _ = Value(np.ones(x)) + Value(np.ones(y))
    except (BroadcastWarning, ValueError):
        assert not calm(x, y)
    else:
        assert calm(x, y)


def test_narrower_shapes_are_all_those_that_broadcast_to_one():
    every = [(), *((n,) for n in (1, 2, 3)), *((m, n) for m in (1, 2, 3) for n in (1, 2, 3))]
    fitting = [shape for shape in every if len(shape) <= 2 and np_fits(shape, (2, 3))]
    assert sorted(narrower((2, 3))) == sorted(fitting)


def np_fits(shape, full):
    try:
        return np.broadcast_shapes(shape, full) == full
    except ValueError:
        return False


# -- indices -------------------------------------------------------------------------------------------------


few = settings(max_examples=max(10, settings().max_examples // 4))
any_of_many = settings(max_examples=2_000, phases=[Phase.generate], database=None)


@few
@given(st.data(), shapes(max_rank=3, shortest=0))
def test_numpy_takes_every_index(data, shape):
    a = np.arange(np.prod(shape)).reshape(shape)
    assert a[data.draw(indices(shape))].ndim <= 8


@settings(max_examples=200)
@given(indices((3, 3, 1)))
def test_what_stands_after_an_ellipsis_fits_the_axes_it_is_for(index):
    assert np.zeros((3, 3, 1))[index].ndim <= 8


def test_every_kind_is_drawn():
    kinds = {
        "a number": lambda i: isinstance(i, int),
        "a slice": lambda i: isinstance(i, slice),
        "a step back": lambda i: isinstance(i, slice) and (i.step or 1) < 0,
        "repeats": lambda i: isinstance(i, list) and len(set(i)) < len(i),
        "a mask": lambda i: isinstance(i, np.ndarray) and i.dtype == bool and i.any(),
        "an ellipsis": lambda i: isinstance(i, tuple) and any(part is ... for part in i),
        "a new axis": lambda i: isinstance(i, tuple) and any(part is None for part in i),
        "both kinds": lambda i: isinstance(i, tuple) and {slice, np.ndarray} <= set(map(type, i)),
    }
    for name, drawn in kinds.items():
        assert find(indices((3, 2)), drawn, settings=any_of_many) is not None, name


@few
@given(st.data(), shapes(min_rank=1))
def test_gradients_through_indices_equal_differences(data, shape):
    index = data.draw(indices(shape))
    x = np.cos(np.arange(float(np.prod(shape)))).reshape(shape)
    check_gradients(lambda x: np.sin(x)[index], x)


# -- layers, networks and trainings --------------------------------------------------------------------------


rarely = settings(max_examples=max(5, settings().max_examples // 20))
some = settings(max_examples=max(10, settings().max_examples // 4))


@rarely
@given(layers())
def test_layers_keep_the_promises_of_modules(layer):
    assert check_module(layer, *layer.inputs, raises=False).verdict != FAIL


@rarely
@given(networks())
def test_networks_keep_the_promises_of_modules(network):
    assert check_module(network, *network.inputs, raises=False).verdict != FAIL


@some
@given(networks(depth=3))
def test_a_network_is_its_code(network):
    first, second = network(), network()
    assert len(first.layers) <= 3
    assert isinstance(first.layers[-1], nn.Linear)
    out = first(*network.inputs)
    assert out.ndim == 2
    np.testing.assert_array_equal(out.data, second(*network.inputs).data)
    again = eval(repr(network), {"Network": Network, "array": np.array})
    np.testing.assert_array_equal(again()(*again.inputs).data, out.data)


def test_every_layer_and_optimiser_takes_part():
    for name in known(nn, nn.Module):
        if name != "Sequential":
            assert find(layers(), lambda layer, name=name: layer.code.startswith(f"nn.{name}("), settings=any_of_many)
    for name in known(optim, optim.Optimizer):
        taken = lambda steps, name=name: f"optim.{name}(" in steps.optimizer
        assert find(training_steps(), taken, settings=any_of_many)
    assert (needed(nn.Linear), needed(nn.Tanh), needed(nn.Sequential)) == (2, 0, 9)


@some
@given(training_steps(), st.integers(0, 4))
def test_a_training_is_the_same_twice_and_when_it_is_interrupted(steps, stop):
    model, losses = steps.run()
    again, same = steps.run()
    assert losses == same
    assert len(losses) == steps.times
    assert np.all(np.isfinite(losses))
    other, optimizer = steps.start()
    for i in range(steps.times):
        if i == stop:
            other, optimizer = pickle.loads(pickle.dumps((other, optimizer)))
        assert steps.step(other, optimizer) == losses[i]
    for a, b, c in zip(model.parameters(), again.parameters(), other.parameters(), strict=True):
        np.testing.assert_array_equal(a.data, b.data)
        np.testing.assert_array_equal(a.data, c.data)


def test_a_training_goes_down():
    network = Network("nn.Linear(2, 1, rng=0)", (np.array([[1.0, 2.0], [0.5, -1.0]]),))
    steps = TrainingSteps(network, "nn.mse_loss", np.ones((2, 1)), "optim.SGD(parameters, lr=0.1)", 20)
    _, losses = steps.run()
    assert losses[-1] < 0.1 * losses[0]


def test_what_cannot_be_drawn_is_refused():
    with pytest.raises(ValueError, match="a network has one layer or more, got depth=0"):
        find(networks(depth=0), lambda network: True)
    with pytest.raises(ValueError, match="a training has one step or more, got longest=0"):
        find(training_steps(longest=0), lambda steps: True)


@few
@given(data=st.data(), width=st.integers(1, 3), out=st.integers(4, 9))
def test_a_width_that_is_asked_for_is_given(data, width, out):
    code, found = data.draw(st.composite(lambda draw: layer_code(draw, width, out))())
    assert found == out
    assert code.startswith(f"nn.Linear({width}, {out}, ")
