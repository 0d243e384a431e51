"""Assigning to attributes: parameters stay parameters, buffers stay arrays, and the words that say so."""

import numpy as np
import pytest

from tinygrad_edu import Value, nn, no_grad, optim

X = np.arange(12.0).reshape(4, 3)


class Net(nn.Module):
    def __init__(self):
        self.w = Value(np.ones((3, 2)))
        self.mean = np.zeros(2)

    def forward(self, x):
        return x @ self.w


REFUSED = {
    "an array": (lambda m: np.ones((3, 2)), TypeError, "would become an array, which nothing trains"),
    "a number": (lambda m: 1.0, TypeError, "would become a float"),
    "a list": (lambda m: [[1.0, 2.0]], TypeError, "would become a list"),
    "an update": (lambda m: m.w - 0.1 * m.w, TypeError, "the result of subtract.*an optimiser"),
    "arrays' update": (lambda m: m.w.data * 0.9, TypeError, r"an array.*model\.w\.data = \.\.\. or an optimiser"),
    "another shape": (lambda m: Value(np.ones(3)), ValueError, r"of shape \(3, 2\), and this one is \(3,\)"),
}


@pytest.mark.parametrize("kind", REFUSED)
def test_what_is_assigned_to_a_parameter_stays_one(kind):
    make, error, message = REFUSED[kind]
    model = Net()
    before = model.w
    with pytest.raises(error, match=rf"Net\.w is a parameter.*{message}") as caught:
        model.w = make(model)
    assert "(test_assignment.py:" in str(caught.value)
    assert model.w is before


def test_the_words_name_a_result_of_no_grad():
    model = Net()
    with no_grad(), pytest.raises(TypeError, match=r"would become a result of no_grad\(\), which nothing trains"):
        model.w = model.w - 0.1 * model.w


def test_a_parameter_may_become_another_of_its_shape_none_or_a_module():
    model = Net()
    model.w = Value(np.zeros((3, 2)))
    model.w = model.w  # what `with no_grad(): model.w -= ...` ends in
    assert len(model.parameters()) == 1
    model.w = None
    assert model.parameters() == []
    model.w = nn.Linear(3, 2, rng=0)
    assert len(model.parameters()) == 2
    other = Net()
    del other.w
    other.w = Value(np.ones(5))
    assert other.w.shape == (5,)


@pytest.mark.parametrize("recorded", [True, False])
def test_a_result_kept_to_look_at_is_no_parameter_and_no_buffer(recorded):
    class Keeps(Net):
        def forward(self, x):
            self.hidden = x @ self.w
            return self.hidden

    model = Keeps()
    for _ in range(2):
        if recorded:
            model(X)
        else:
            with no_grad():
                model(X)
        assert list(model.state_dict()) == ["w", "mean"]
    model(X)
    with no_grad():
        model(X)
    assert list(model.state_dict()) == ["w", "mean"]
    assert np.array_equal(model.hidden.data, X @ model.w.data)


def test_arrays_that_forward_makes_are_notes_and_not_saved():
    class Notes(Net):
        def forward(self, x):
            self.rows = np.asarray(x)
            self.again = self.rows  # a second name for it
            return x @ self.w

    model = Notes()
    for rows in (4, 2):
        model(X[:rows])
        assert list(model.state_dict()) == ["w", "mean"]
    Notes().load_state_dict(model.state_dict())
    model.mask = np.ones(2)  # not in forward
    assert list(model.state_dict()) == ["w", "mean", "mask"]


def normalised(update, start=lambda: np.zeros(3)):
    """A network with a running mean that is updated before the parameters are used."""

    class Normalised(nn.Module):
        def __init__(self):
            self.first, self.mean, self.w = nn.Linear(3, 3, rng=0), start(), Value(np.ones((3, 1)))

        def forward(self, x):
            h = self.first(x)
            if self.training:
                update(self, h)
            return (h - self.mean) @ self.w

    return Normalised()


def rebinding(self, h):
    self.mean = 0.9 * self.mean + 0.1 * h.data.mean(0)


def augmented(self, h):
    self.mean *= 0.9
    self.mean += 0.1 * h.data.mean(0)


def whole(self, h):
    self.mean[:] = 0.9 * self.mean + 0.1 * h.data.mean(axis=0)


def without_recording(self, h):
    with no_grad():
        self.mean = 0.9 * self.mean + 0.1 * h.mean(axis=0)


def difference(self, h):
    with no_grad():
        self.mean = self.mean + 0.1 * (h.mean(0) - self.mean)


def through_a_method(self, h):
    def keep(mean):
        self.mean = mean

    keep(0.9 * self.mean + 0.1 * np.mean(h.data, 0))


UPDATES = [rebinding, augmented, whole, without_recording, difference, through_a_method]


@pytest.mark.parametrize("update", UPDATES, ids=lambda f: f.__name__)
def test_running_statistics_work_as_everybody_writes_them(update):
    model, twin = normalised(update), normalised(update)
    optimizer = optim.SGD(model.parameters(), lr=1e-4)
    expected = np.zeros(3)
    for _ in range(3):
        expected = 0.9 * expected + 0.1 * (X @ model.first.weight.data + model.first.bias.data).mean(0)
        optimizer.zero_grad()
        (model(X) ** 2).mean().backward()
        optimizer.step()
    assert type(model.mean) is np.ndarray
    assert np.allclose(model.mean, expected, rtol=1e-12)
    assert [name for name, _ in model.named_parameters()] == ["first.weight", "first.bias", "w"]
    assert list(model.state_dict()) == ["first.weight", "first.bias", "w", "mean"]
    assert model.mean.flags.writeable
    twin.load_state_dict(model.state_dict())
    assert np.array_equal(twin.eval()(X).data, model.eval()(X).data)


def test_a_running_statistic_may_start_inside_no_grad():
    with no_grad():
        model = normalised(without_recording, lambda: Value(np.ones(3)) * 0.0)
    assert list(model.state_dict()) == ["first.weight", "first.bias", "w", "mean"]
    model(X)
    state = model.state_dict()
    assert np.allclose(state["mean"], 0.1 * (X @ model.first.weight.data).mean(0))
    with no_grad():
        other = normalised(without_recording, lambda: Value(np.ones(3)) * 0.0)
    other.load_state_dict(state)
    assert np.array_equal(other.eval()(X).data, model.eval()(X).data)


@pytest.mark.parametrize("start", [lambda: np.zeros(3), lambda: np.float64(0.0)])
def test_a_statistic_that_would_keep_every_step_is_refused(start):
    def recorded(self, h):
        self.mean = 0.9 * self.mean + 0.1 * h.mean(0)

    model = normalised(recorded, start)
    message = r"Normalised\.mean is a buffer.*x\.data instead of x, or inside no_grad\(\); .* as None \(test_ass"
    with pytest.raises(TypeError, match=message):
        model(X)


def recorded_average(self, h):
    self.mean = 0.9 * self.mean + 0.1 * h.mean()


def recorded_difference(self, h):
    self.mean += 0.1 * (h.mean() - self.mean)


def recorded_sum(self, h):
    self.mean = self.mean + h.sum(0)


@pytest.mark.parametrize("update", [recorded_average, recorded_difference, recorded_sum], ids=lambda f: f.__name__)
@pytest.mark.parametrize("start", [0, 0.0])
def test_a_statistic_that_starts_as_a_number_is_refused_when_it_would_grow(update, start):
    model = normalised(update, lambda: start)
    model(X)
    before = model.mean
    message = r"Normalised\.mean started as a number.*keeps all calls before it.*start it as an array.*\(test_ass"
    with pytest.raises(TypeError, match=message):
        model(X)
    assert model.mean is before


class Remembers(nn.Module):
    """A recurrent network that keeps its state itself."""

    def __init__(self, start):
        self.cell, self.start, self.h = nn.Linear(3, 3, rng=0), start, start

    def forward(self, x):
        before = 0.0 if self.h is None else self.h
        self.h = np.tanh(self.cell(x) + before)
        return self.h


def test_a_state_that_gradients_go_through_starts_as_none():
    model = Remembers(None)
    for _ in range(2):
        for _ in range(3):
            out = model(X)
        model.cell.bias.grad = None
        (out**2).mean().backward()
        model.h = None
    h, gradient = [Value(np.zeros((4, 3)))], model.cell.bias.grad
    for _ in range(3):
        h.append(np.tanh(model.cell(X) + h[-1]))
    model.cell.bias.grad = None
    (h[-1] ** 2).mean().backward()
    assert np.allclose(model.cell.bias.grad, gradient, rtol=1e-12)
    assert list(model.state_dict()) == ["cell.weight", "cell.bias"]


def test_results_may_be_summed_inside_one_call_of_a_network_and_be_started_anew():
    class Block(nn.Module):
        def __init__(self):
            self.linear, self.penalty = nn.Linear(3, 3, rng=0), 0.0

        def forward(self, x):
            self.penalty = self.penalty + (self.linear.weight**2).mean()
            return np.tanh(self.linear(x))

    class Net(nn.Module):
        def __init__(self):
            self.block = Block()

        def forward(self, x):
            self.block.penalty = 0.0
            return self.block(self.block(self.block(x)))

    model = Net()
    for _ in range(3):
        model(X)
        assert np.isclose(model.block.penalty.item(), 3 * np.mean(model.block.linear.weight.data**2))


def test_the_last_loss_may_be_kept_although_it_started_as_a_number():
    class Keeps(Net):
        def __init__(self):
            super().__init__()
            self.loss = 0.0

        def forward(self, x):
            self.loss = (x @ self.w).mean()
            return self.loss

    model = Keeps()
    for _ in range(3):
        assert model(X) is model.loss


def test_a_statistic_of_numbers_without_a_past_is_refused_where_it_is_recorded():
    def recorded(self, h):
        self.mean = 0.9 * self.mean + 0.1 * h.mean(0)

    with no_grad():
        model = normalised(recorded, lambda: Value(np.ones(3)) * 0.0)
    with pytest.raises(TypeError, match=r"mean is a buffer"):
        model(X)


def test_a_buffer_may_become_a_parameter_or_another_array():
    model = Net()
    model.mean = np.zeros(5)
    model.mean = Value(model.mean)
    assert [name for name, _ in model.named_parameters()] == ["w", "mean"]
    assert list(model.named_buffers()) == []


def with_hasattr(self, h):
    if not hasattr(self, "mean"):
        self.mean = np.zeros(3)


def with_getattr(self, h):
    self.mean = getattr(self, "mean", np.zeros(3))


def with_an_error(self, h):
    try:
        self.mean  # noqa: B018
    except AttributeError:
        self.mean = np.zeros(3)


@pytest.mark.parametrize("ask", [with_hasattr, with_getattr, with_an_error], ids=lambda f: f.__name__)
def test_what_forward_asks_for_before_it_makes_it_is_a_buffer_and_no_note(ask):
    class Late(nn.Module):
        def __init__(self):
            self.linear = nn.Linear(3, 3, rng=0)

        def forward(self, x):
            h = self.linear(x)
            ask(self, h)
            self.mean = 0.9 * self.mean + 0.1 * h.data.mean(0)
            self.seen = h.data
            return h - self.mean

    model = Late()
    assert not hasattr(model, "other")
    model.other = np.ones(2)
    for _ in range(2):
        model(X)
        assert {name for name, _ in model.named_buffers()} == {"mean", "other"}
