"""What optimisers refuse when they are made, and in which words."""

import copy
import gc
import math
import pickle
import weakref
from fractions import Fraction

import numpy as np
import pytest

from tinygrad_edu import Value, nn, no_grad, optim

W = Value(1.0, name="w")
with no_grad():
    WITHOUT_PAST = [W * 1.0]


@pytest.mark.parametrize("make", [lambda p: optim.SGD(p, lr=0.1), optim.Adam])
@pytest.mark.parametrize(
    ("params", "error", "message"),
    [
        ([], ValueError, "was given no parameters"),
        (iter([]), ValueError, "generator used before"),
        (W, TypeError, r"\(\[w\], ...\) for a single one"),
        (nn.Linear(1, 1), TypeError, r"use model.parameters\(\)"),
        ([W, np.ones(3)], TypeError, r"parameter 1 is a ndarray, not a Value: wrap it, Value\(x\)"),
        ({"w": W}, TypeError, r"got a dict: use list\(params\.values\(\)\)"),
        (nn.Linear(1, 1).state_dict(), TypeError, r"such as state_dict\(\) copies: use model\.parameters\(\), which"),
        (nn.Linear(1, 1).parameters, TypeError, r"got method: call it, parameters\(\)"),
        (
            list(nn.Linear(1, 1).named_parameters()),
            TypeError,
            r"is a tuple.*use model\.parameters\(\) in place of model\.named",
        ),
        (
            [{"params": [W], "learning_rate": 0.1}],
            TypeError,
            "no option 'learning_rate' for a group: it has params",
        ),
        ([{"params": [W], "lr": 0.0}], ValueError, r"lr is 0\.0; it must be a finite number above 0"),
        ([{"params": [W]}, W], TypeError, "every group is a dict with 'params', as .*; got a Value"),
        ([{"params": [W]}, {"params": [W]}], ValueError, "parameter 1 is parameter 0 again"),
        ([{"w": W}], TypeError, r"parameter 0 is a dict, not a Value: a group .* is \{'params': \[w\], 'lr': 0\.1\}"),
        ([{"params": W}], TypeError, r"\(\[w\], ...\) for a single one"),
        ([nn.Linear(1, 1), nn.Linear(1, 1)], TypeError, r"\[\*a\.parameters\(\), \*b\.parameters\(\)\]"),
        ([[W], [W]], TypeError, r"is a list, not a Value: give one list, such as \[\*first, \*second\]"),
        (WITHOUT_PAST, ValueError, r"parameter 0 is a result of no_grad\(\)"),
        (None, TypeError, "takes a list of parameters; got NoneType"),
        (0.1, TypeError, "takes a list of parameters; got float"),
        ([W, Value(2.0), W], ValueError, "parameter 2 is parameter 0 again"),
        ([W * 2.0], ValueError, r"parameter 0 is the result of multiply.*Value\(v.data\)"),
    ],
)
def test_parameters(make, params, error, message):
    with pytest.raises(error, match=message) as caught:
        make(params)
    assert "(test_refusals.py:" in str(caught.value)


def test_a_generator_is_fine_once():
    generator = (p for p in [W])
    assert optim.SGD(generator, lr=0.1).params[0] is W
    with pytest.raises(ValueError, match="empty the second time"):
        optim.SGD(generator, lr=0.1)


@pytest.mark.parametrize("make", [optim.SGD, optim.Adam])
@pytest.mark.parametrize("lr", [0, -0.1, math.nan, math.inf, -math.inf])
def test_learning_rates(make, lr):
    with pytest.raises(ValueError, match=r"lr is .*; it must be a finite number above 0"):
        make([W], lr=lr)


@pytest.mark.parametrize("make", [optim.SGD, optim.Adam])
@pytest.mark.parametrize(
    "lr", [None, "0.1", b"1", 1j, [0.1], np.ones(1), np.array("x"), Value(0.1), True, {}, object]
)
def test_learning_rates_that_are_no_numbers(make, lr):
    kind = type(lr).__name__
    with pytest.raises(TypeError, match=rf"lr is a {kind}; it must be a finite number above 0 \(test_refusals.py:"):
        make([W], lr=lr)


@pytest.mark.parametrize("lr", [1, np.float32(0.5), np.int64(1), np.array(0.5), np.float16(0.5), Fraction(1, 2)])
def test_any_real_number_is_a_learning_rate(lr):
    optimizer = optim.SGD([W], lr=lr)
    assert optimizer.lr == float(lr)
    assert type(optimizer.lr) is float


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"momentum": 1.0}, r"momentum is 1.0; it must be in \[0, 1\)"),
        ({"momentum": -0.1}, "momentum is -0.1"),
        ({"momentum": math.nan}, "momentum is nan"),
        ({"weight_decay": -1}, "weight_decay is -1.0; it must be a finite number of at least 0"),
        ({"weight_decay": math.inf}, "weight_decay is inf"),
        ({"nesterov": True}, "nesterov needs a momentum above 0"),
    ],
)
def test_sgd_options(options, message):
    with pytest.raises(ValueError, match=message):
        optim.SGD([W], lr=0.1, **options)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"betas": (1.0, 0.9)}, r"betas\[0\] is 1.0; it must be in \[0, 1\)"),
        ({"betas": (0.9, math.nan)}, r"betas\[1\] is nan"),
        ({"eps": 0}, "eps is 0.0; it must be a finite number above 0"),
        ({"lr": 10**400}, "lr is inf"),
    ],
)
def test_adam_options(options, message):
    with pytest.raises(ValueError, match=message):
        optim.Adam([W], **options)


@pytest.mark.parametrize(
    ("betas", "got"), [(0.9, "a float"), ((0.9,), "1 of them"), ((0.9, 0.9, 0.9), "3 of them"), (None, "a NoneType")]
)
def test_betas_are_two(betas, got):
    with pytest.raises(TypeError, match=rf"betas are two numbers in \[0, 1\), such as .*; got {got} \(test_ref"):
        optim.Adam([W], betas=betas)


@pytest.mark.parametrize("option", ["momentum", "weight_decay"])
def test_options_that_are_no_numbers(option):
    with pytest.raises(TypeError, match=rf"{option} is a str; it must be a (finite )?number"):
        optim.SGD([W], lr=0.1, **{option: "0.9"})


@pytest.mark.parametrize(
    ("gradient", "error", "message"),
    [
        (np.ones(3), ValueError, r"b\.grad has shape \(2,\), got \(3,\)"),
        (np.ones((2, 2)), ValueError, r"b\.grad has shape \(2,\), got \(2, 2\)"),
        (1.0, ValueError, r"b\.grad has shape \(2,\), got \(\)"),
        (Value([1.0, 1.0]), TypeError, r"b\.grad was set to a Value: it takes numbers"),
        (np.array([1j, 1.0]), TypeError, r"b\.grad was set to complex128: it takes real numbers"),
        (np.array(["1", "1"]), TypeError, r"b\.grad was set to <U1: it takes real numbers"),
        (np.ma.masked_array([1.0, 1.0]), TypeError, "a MaskedArray was given"),
    ],
)
@pytest.mark.parametrize("make", [optim.SGD, optim.Adam])
def test_a_gradient_that_does_not_fit_is_refused_where_it_is_set(make, gradient, error, message):
    a, b = Value(np.ones(2), name="a"), Value(np.ones(2), name="b")
    optimizer = make([a, b], lr=0.1)
    a.grad = np.ones(2)
    with pytest.raises(error, match=message):
        b.grad = gradient
    assert b.grad is None
    optimizer.step()
    assert np.array_equal(b.data, np.ones(2))
    assert not np.array_equal(a.data, np.ones(2))


@pytest.mark.parametrize("make", [optim.SGD, optim.Adam])
@pytest.mark.parametrize("data", [np.ones(2, np.float32), np.float32(1.0)])
def test_a_step_keeps_the_dtype_of_a_parameter_whatever_its_gradient_has(make, data):
    value = Value(data)
    optimizer = make([value], lr=0.1)
    for gradient in (np.full(data.shape, 0.5), np.full(data.shape, 2), np.full(data.shape, 0.5).tolist()):
        value.grad = gradient
        optimizer.step()
        assert value.data.dtype == np.float32


# -- what a step refuses -------------------------------------------------------------------------------------

MAKES = [lambda p: optim.SGD(p, lr=0.1), lambda p: optim.SGD(p, lr=0.1, momentum=0.9), optim.Adam]
every = pytest.mark.parametrize("make", MAKES)


def step(model, optimizer):
    optimizer.zero_grad()
    (model(np.ones((2, 2))) ** 2).mean().backward()
    optimizer.step()


@every
@pytest.mark.parametrize("number", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_a_gradient_that_is_not_finite_changes_nothing_and_is_named_by_its_path(make, number, dtype):
    model = nn.Sequential(nn.Linear(2, 3, rng=0, dtype=dtype), nn.Tanh(), nn.Linear(3, 1, rng=1, dtype=dtype))
    optimizer = make(model.parameters())
    step(model, optimizer)
    before, remembered = model.state_dict(), optimizer.state_dict()
    (model(np.ones((2, 2))) ** 2).mean().backward()
    gradient = np.array(model.layers[2].weight.grad)
    gradient[1, 0] = number
    model.layers[2].weight.grad = gradient
    message = rf"parameter 2 \(layers\.2\.weight\) is {number} at \(1, 0\), and nothing was changed.*\(test_refusals"
    with pytest.raises(ValueError, match=message):
        optimizer.step()
    assert all(np.array_equal(array, before[name]) for name, array in model.state_dict().items())
    assert all(np.array_equal(array, remembered[name]) for name, array in optimizer.state_dict().items())


@every
def test_single_numbers_and_casts_are_looked_at_too(make):
    w = Value(1.0, name="w")
    w.grad = np.float64(np.nan)
    with pytest.raises(ValueError, match=r"parameter 0 \(w\) is nan at \(\)"):
        make([w]).step()
    v = Value(np.ones(2, np.float32), name="v")
    v.grad = np.array([1.0, np.inf])
    with pytest.raises(ValueError, match=r"parameter 0 \(v\) is inf at \(1,\)"):
        make([v]).step()


@every
def test_an_algorithm_keeps_shape_and_dtype(make):
    halved = optim.Algorithm(lambda w: None, lambda w, g, state, lr: ((w - lr * g)[:1], None))
    v, w = Value(np.ones(1)), Value(np.ones(2), name="w")
    v.grad, w.grad = np.ones(1), np.ones(2)
    with pytest.raises(
        ValueError, match=r"made \(1,\) from the \(2,\) of parameter 1 \(w\), and nothing was changed"
    ):
        optim.Optimizer([v, w], 0.1, halved).step()
    assert v.data.tolist() == [1.0]
    model = nn.Linear(2, 1, rng=0)
    optimizer = make(model.parameters())
    step(model, optimizer)
    model.astype(np.float32)
    step(model, optimizer)
    assert {p.data.dtype for p in model.parameters()} == {np.dtype(np.float32)}


@pytest.mark.parametrize("name", ["learning_rate", "eta", "step_size"])
@every
def test_another_name_for_the_learning_rate_is_refused(make, name):
    optimizer = make([W])
    kind = type(optimizer).__name__
    with pytest.raises(
        AttributeError, match=rf"{kind} has no {name} to set: the learning rate is {kind.lower()}\.lr"
    ):
        setattr(optimizer, name, 0.01)
    assert not hasattr(optimizer, name)


@pytest.mark.parametrize("name", ["momentum", "weight_decay", "betas", "param_groups", "Lr"])
@every
def test_other_attributes_are_refused(make, name):
    with pytest.raises(AttributeError, match=rf"has no {name} to set: options are given to (SGD|Adam)\(\.\.\.\)"):
        setattr(make([W]), name, 0.5)


def test_a_class_of_ones_own_may_add_attributes_but_no_learning_rate():
    class Counting(optim.SGD):
        def __init__(self, params):
            super().__init__(params, lr=0.1)
            self.steps = 0

    mine = Counting([W])
    assert mine.steps == 0
    with pytest.raises(AttributeError, match=r"the learning rate is counting\.lr"):
        mine.learning_rate = 0.1


def network():
    return nn.Sequential(nn.Linear(2, 3, rng=0), nn.Tanh(), nn.Linear(3, 1, rng=1))


def replace_weight(model):
    model.layers[0].weight = Value(np.ones((2, 3)))


def replace_layer(model):
    model.layers[2] = nn.Linear(3, 1, rng=5)


def replace_all(model):
    model.layers = [nn.Linear(2, 3, rng=5), nn.Tanh(), nn.Linear(3, 1, rng=6)]


REPLACED = {
    replace_weight: r"parameter 0 \(layers\.0\.weight\) was replaced.*does not train layers\.0\.weight now",
    replace_layer: r"parameter 2 \(layers\.2\.weight\).*does not train layers\.2\.weight, layers\.2\.bias now",
    replace_all: r"parameter 0 .*weight, layers\.0\.bias, layers\.2\.weight now",
}


@pytest.mark.parametrize("steps", [0, 2])
@pytest.mark.parametrize("change", REPLACED, ids=lambda f: f.__name__)
@pytest.mark.parametrize("as_list", [True, False])
@every
def test_a_parameter_that_was_replaced_is_noticed_at_the_next_step(make, change, steps, as_list):
    model = network()
    optimizer = make(list(model.parameters()) if as_list else model.parameters())
    for _ in range(steps):
        step(model, optimizer)
    change(model)
    before = model.state_dict()
    with pytest.raises(ValueError, match=rf"{REPLACED[change]}.*model\.weight\.data = .*make the optimiser again"):
        step(model, optimizer)
    assert all(np.array_equal(array, before[name]) for name, array in model.state_dict().items())
    step(model, make(model.parameters()))


@every
def test_what_may_change_after_an_optimiser_was_made(make):
    model = network()
    frozen = make(model.layers[2].parameters())
    step(model, frozen)
    model.layers[2].weight.data = np.ones((3, 1))
    step(model, frozen)
    model.layers[0].weight = Value(np.ones((2, 3)))  # not one of its own
    step(model, frozen)
    both = make([*model.layers[0].parameters(), *model.layers[2].parameters()])
    step(model, both)
    model.eval()
    model.train()
    step(model, both)
    parameters = [Value(np.ones(1)), Value(np.ones(1))]
    partly = make(parameters)
    (parameters[0] * 2.0).sum().backward()
    partly.step()


@every
def test_a_copied_training_goes_on(make):
    model = network()
    optimizer = make(model.parameters())
    step(model, optimizer)
    other, again = copy.deepcopy((model, optimizer))
    for _ in range(2):
        step(other, again)
        step(model, optimizer)
    assert all(np.array_equal(array, model.state_dict()[name]) for name, array in other.state_dict().items())
    replace_weight(other)
    with pytest.raises(ValueError, match="was replaced"):
        step(other, again)
    step(model, optimizer)


def append_layer(model):
    model.layers.append(nn.Linear(1, 1, rng=3))


def set_layer(model):
    model.layers[1].scale = nn.Linear(3, 3, rng=3)
    model.layers[1].forward = lambda x: np.tanh(model.layers[1].scale(x))


def add_value(model):
    model.layers[1].slope = Value(2.0)
    model.layers[1].forward = lambda x: np.tanh(model.layers[1].slope * x)


ADDED = {
    append_layer: r"layers\.3\.weight, layers\.3\.bias",
    set_layer: r"layers\.1\.scale\.weight, layers\.1\.scale\.bias",
    add_value: r"layers\.1\.slope",
}


@pytest.mark.parametrize("steps", [0, 2])
@pytest.mark.parametrize("change", ADDED, ids=lambda f: f.__name__)
@every
def test_a_parameter_that_came_later_is_noticed_at_the_next_step_once(make, change, steps):
    model = network()
    optimizer = make(model.parameters())
    for _ in range(steps):
        step(model, optimizer)
    change(model)
    kind = type(optimizer).__name__
    message = (
        rf"{ADDED[change]} came into the model after this {kind} was made, .*{kind}\(model\.parameters.*\(test_ref"
    )
    with pytest.warns(nn.LostParameterWarning, match=message):
        step(model, optimizer)
    step(model, optimizer)


@every
def test_a_layer_made_before_the_optimiser_and_appended_afterwards_is_noticed(make):
    model, layer = network(), nn.Linear(1, 1, rng=3)
    optimizer = make(model.parameters())
    step(model, optimizer)
    model.layers.append(layer)
    with pytest.warns(nn.LostParameterWarning, match=r"layers\.3\.weight, layers\.3\.bias came into the model"):
        step(model, optimizer)


@pytest.mark.parametrize("steps", [0, 1, 4, 9])
@every
def test_a_value_appended_to_a_list_is_noticed_after_at_most_twice_as_many_steps(make, steps):
    model = Weights(2)
    optimizer = make(model.parameters())

    def once():
        optimizer.zero_grad()
        model(2.0).backward()
        optimizer.step()

    several(once, steps)
    model.weights.append(Value(3.0))
    with pytest.warns(nn.LostParameterWarning, match=r"weights\.2 came into the model"):
        several(once, steps + 1)


class Weights(nn.Module):
    def __init__(self, count):
        self.weights = [Value(float(i)) for i in range(count)]

    def forward(self, x):
        return sum(weight * x for weight in self.weights)


@every
def test_no_warning_where_another_optimiser_trains_it_or_no_loss_uses_it_or_it_was_left_out(make):
    model = network()
    first = make(model.layers[2].parameters())  # the others are frozen
    step(model, first)
    model.layers[0].weight = Value(np.ones((2, 3)))  # and stay so
    step(model, first)
    optimizer = make(model.parameters())
    step(model, optimizer)
    model.unused = Value(1.0)
    step(model, optimizer)
    append_layer(model)
    second = make(model.layers[3].parameters())
    step(model, optimizer)
    second.step()


@every
def test_an_optimiser_keeps_no_module_alive(make):
    model = network()
    optimizer = make(model.parameters())
    gone = weakref.ref(model)
    step(model, optimizer)
    del model
    gc.collect()
    assert gone() is None
    optimizer.params[0].grad = np.ones((2, 3))
    optimizer.step()
    assert pickle.loads(pickle.dumps(optimizer)).lr == optimizer.lr


def several(f, times):
    for _ in range(times):
        f()


@pytest.mark.parametrize("steps", [0, 2])
@pytest.mark.parametrize(
    ("replace", "words"),
    [
        (lambda w: w * 0.5, r"the result of multiply in its place"),
        (lambda w: w.data * 0.5, r"an array in its place"),
        (lambda w: np.float64(1.0), r"an array in its place"),
    ],
)
@every
def test_a_parameter_in_a_list_that_became_a_result_or_an_array_is_noticed(make, replace, words, steps):
    model = Weights(2)
    optimizer = make(model.parameters())

    def once():
        optimizer.zero_grad()
        model(2.0).backward()
        optimizer.step()

    several(once, steps)
    model.weights[1] = replace(model.weights[1])
    data = model.weights[0].data
    message = rf"parameter 1 \(weights\.1\) is no longer in its module.*{words}.*\(test_refusals"
    with pytest.raises(ValueError, match=message):
        several(once, 2)
    assert model.weights[0].data is data


@every
def test_a_parameter_may_be_taken_out(make):
    model = Weights(2)
    optimizer = make(model.parameters())
    del model.weights[1]
    model(2.0).backward()
    optimizer.step()
