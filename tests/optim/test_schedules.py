"""Schedules against their formulas, and against torch where it is installed."""

import math
import pickle

import numpy as np
import pytest

from tinygrad_edu import Value, nn, optim

OURS = {
    "CosineAnnealingLR": (optim.cosine(0.5, 40, low=0.01), {"T_max": 40, "eta_min": 0.01}, 40),
    "StepLR": (optim.step_decay(0.5, 7, 0.3), {"step_size": 7, "gamma": 0.3}, 100),
    "ExponentialLR": (optim.exponential(0.5, 0.97), {"gamma": 0.97}, 100),
    "OneCycleLR": (optim.one_cycle(0.5, 50, 0.25), {"max_lr": 0.5, "total_steps": 50, "pct_start": 0.25}, 49),
}


@pytest.mark.parametrize("name", OURS)
@pytest.mark.filterwarnings("ignore")
def test_rates_are_torchs(name):
    torch = pytest.importorskip("torch", reason="torch is not installed: nothing to compare with")
    schedule, options, last = OURS[name]
    optimizer = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=0.5, momentum=0.9)
    theirs, expected = getattr(torch.optim.lr_scheduler, name)(optimizer, **options), []
    for _ in range(last + 1):
        expected.append(optimizer.param_groups[0]["lr"])
        theirs.step() if len(expected) <= last else None
    np.testing.assert_allclose([schedule(step) for step in range(last + 1)], expected, rtol=1e-9)


def test_rates_are_the_formulas():
    cosine = optim.cosine(0.5, 40, low=0.1)
    assert [cosine(0), cosine(40), cosine(1_000)] == pytest.approx([0.5, 0.1, 0.1])
    assert cosine(10) == pytest.approx(0.1 + 0.4 * (1 + math.cos(math.pi / 4)) / 2, rel=1e-15)
    assert [optim.step_decay(1.0, 3, 0.5)(t) for t in range(7)] == [1, 1, 1, 0.5, 0.5, 0.5, 0.25]
    assert optim.exponential(2.0, 0.5)(3) == 0.25


def test_one_cycle_rises_to_its_rate_and_falls_to_almost_nothing():
    for steps in (1, 2, 3, 4, 10, 99):
        rates = [optim.one_cycle(0.5, steps)(step) for step in range(steps)]
        top = int(np.argmax(rates))
        assert rates == sorted(rates[: top + 1]) + sorted(rates[top + 1 :], reverse=True)
        assert 0 < min(rates) <= max(rates) <= 0.5
    assert rates[0] == pytest.approx(0.5 / 25)
    assert rates[-1] == pytest.approx(0.5 / 250_000)


def test_a_warmup_grows_evenly_and_goes_on_with_its_schedule():
    warm = optim.warmup(optim.step_decay(1.0, 2, 0.5), 3)
    assert [warm(step) for step in range(7)] == [0.25, 0.5, 0.75, 1, 1, 0.5, 0.5]


def test_a_plateau_reduces_the_rate_and_can_be_saved():
    schedule = optim.reduce_on_plateau(1.0, factor=0.5, patience=1)
    rates = []
    for loss in [3.0, 2.0, 2.0, 2.0, 2.0, 1.0, 1.0, np.nan, 1.0]:
        schedule.see(loss)
        rates.append(schedule(0))
        other = optim.reduce_on_plateau(9.0, factor=0.5, patience=1)
        other.load_state_dict(schedule.state_dict())
        schedule = pickle.loads(pickle.dumps(other))
    assert rates == [1, 1, 1, 0.5, 0.5, 0.5, 0.5, 0.25, 0.25]


@pytest.mark.filterwarnings("ignore")
def test_plateaus_are_torchs():
    torch = pytest.importorskip("torch", reason="torch is not installed: nothing to compare with")
    optimizer = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=0.5)
    theirs = torch.optim.lr_scheduler.ReduceLROnPlateau(optimizer, factor=0.5, patience=3)
    ours, rng = optim.reduce_on_plateau(0.5, factor=0.5, patience=3), np.random.default_rng(0)
    for epoch in range(60):
        loss = 1 / (epoch + 1) + 0.1 * rng.random()
        theirs.step(loss)
        ours.see(loss)
        assert ours(epoch) == pytest.approx(optimizer.param_groups[0]["lr"], rel=1e-15)
    assert ours(0) < 0.05


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: optim.cosine(0.0, 3), "cosine: lr is a positive number; got 0.0"),
        (lambda: optim.cosine(0.1, 0), "cosine: steps is a whole number of at least 1; got 0"),
        (lambda: optim.step_decay(0.1, 2.5), "step_decay: every is a whole number of at least 1; got 2.5"),
        (lambda: optim.warmup(0.1, 3), "warmup: schedule is a function: f, not its result"),
        (lambda: optim.one_cycle(0.1, 3, 2.0), "one_cycle: warm is a number between 0 and 1; got 2.0"),
        (lambda: optim.reduce_on_plateau(0.1, 2), "factor is a number between 0 and 1; got 2"),
        (lambda: optim.exponential("0.1", 1), "exponential: lr is a positive number; got '0.1'"),
    ],
)
def test_wrong_arguments(make, message):
    with pytest.raises(TypeError, match=message) as caught:
        make()
    assert "(test_schedules.py:" in str(caught.value)


# -- SciPy ---------------------------------------------------------------------------------------------------


def rosenbrock(p):
    return 100.0 * (p[1] - p[0] ** 2) ** 2 + (1.0 - p[0]) ** 2


def test_a_tree_of_numbers_and_arrays_comes_back_at_the_minimum():
    pytest.importorskip("scipy")
    found = optim.minimize(lambda t: rosenbrock([t["x"], t["y"].sum()]), {"x": -1.2, "y": np.array([0.5, 0.5])})
    assert found.success
    assert found.fun < 1e-9
    assert isinstance(found.tree["y"], np.ndarray)
    np.testing.assert_allclose([found.tree["x"], found.tree["y"].sum()], 1.0, atol=1e-4)


def test_a_module_is_trained_and_float32_stays():
    pytest.importorskip("scipy")
    x = np.linspace(-1, 1, 20)[:, None]
    model = nn.Sequential(nn.Linear(1, 8, rng=0), nn.Tanh(), nn.Linear(8, 1, rng=1, dtype=np.float32))
    found = optim.minimize(lambda m: nn.mse_loss(m(x), np.sin(3 * x)), model, tol=1e-12, options={"maxiter": 500})
    assert found.tree is model
    assert nn.mse_loss(model(x), np.sin(3 * x)).item() == pytest.approx(found.fun)
    assert found.fun < 1e-4
    assert [p.dtype for p in model.parameters()] == [np.float64, np.float64, np.float32, np.float32]


def test_an_error_in_the_loss_changes_nothing():
    pytest.importorskip("scipy")
    w, calls = Value(3.0, name="w"), []

    def loss(w):
        calls.append(w.item())
        if len(calls) > 2:
            raise KeyboardInterrupt
        return w * w

    with pytest.raises(KeyboardInterrupt):
        optim.minimize(loss, w, method="BFGS")
    assert w.item() == 3.0
    assert len(calls) == 3


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: optim.minimize(1.0, Value(1.0)), TypeError, "f is a function: f, not its result"),
        (lambda: optim.minimize(lambda w: w, Value([1.0, 2.0])), TypeError, r"got one of shape \(2,\): \.mean\(\)"),
        (lambda: optim.minimize(lambda w: 1.0, Value(1.0)), TypeError, "f gives a Value of one number; got a float"),
        (lambda: optim.minimize(lambda w: w.sum(), np.zeros(0)), ValueError, "only empty arrays"),
        (lambda: optim.minimize(lambda w: w, []), ValueError, "minimize was given no parameters"),
    ],
)
def test_minimize_refuses(call, error, message):
    pytest.importorskip("scipy")
    with pytest.raises(error, match=message) as caught:
        call()
    assert "(test_schedules.py:" in str(caught.value)
