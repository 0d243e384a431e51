"""AdamW, RMSprop, Adagrad and Lion over 100 steps: against their formulas, and torch where it is installed."""

import numpy as np
import pytest

from tinygrad_edu import Value, nn, optim

STEPS = 100
GOAL = np.array([1.0, -2.0, 0.5])


def gradient(w):
    """Of a loss that is no parabola."""
    return np.sinh(w - GOAL) + 0.3 * w


def path(make):
    w = Value(np.array([3.0, 0.1, -1.0]))
    optimizer, found = make([w]), []
    for _ in range(STEPS):
        w.grad = gradient(w.data)
        optimizer.step()
        found.append(w.data)
    return np.array(found)


def adamw(w, g, t, s, lr=0.02, b1=0.8, b2=0.95, eps=1e-6, decay=0.1):
    s["m"] = b1 * s.get("m", 0.0) + (1 - b1) * g
    s["v"] = b2 * s.get("v", 0.0) + (1 - b2) * g**2
    return w - lr * (s["m"] / (1 - b1**t) / (np.sqrt(s["v"] / (1 - b2**t)) + eps) + decay * w)


def rmsprop(w, g, t, s, lr=0.02, alpha=0.9, eps=1e-6, decay=0.1, mu=0.5):
    g = g + decay * w
    s["v"] = alpha * s.get("v", 0.0) + (1 - alpha) * g**2
    s["b"] = mu * s.get("b", 0.0) + g / (np.sqrt(s["v"]) + eps)
    return w - lr * s["b"]


def adagrad(w, g, t, s, lr=0.2, lr_decay=0.01, decay=0.1, start=0.3, eps=1e-6):
    g = g + decay * w
    s["s"] = s.get("s", start) + g**2
    return w - lr / (1 + (t - 1) * lr_decay) * g / (np.sqrt(s["s"]) + eps)


def lion(w, g, t, s, lr=0.02, b1=0.9, b2=0.99, decay=0.1):
    m = s.get("m", 0.0)
    s["m"] = b2 * m + (1 - b2) * g
    return w - lr * (np.sign(b1 * m + (1 - b1) * g) + decay * w)


CASES = {
    "AdamW": (adamw, {"lr": 0.02, "betas": (0.8, 0.95), "eps": 1e-6, "weight_decay": 0.1}),
    "RMSprop": (rmsprop, {"lr": 0.02, "alpha": 0.9, "eps": 1e-6, "weight_decay": 0.1, "momentum": 0.5}),
    "Adagrad": (
        adagrad,
        {"lr": 0.2, "lr_decay": 0.01, "weight_decay": 0.1, "initial_accumulator_value": 0.3, "eps": 1e-6},
    ),
    "Lion": (lion, {"lr": 0.02, "weight_decay": 0.1}),
    "Adam": (None, {"lr": 0.02, "betas": (0.8, 0.95), "eps": 1e-6}),
    "SGD": (None, {"lr": 0.02, "momentum": 0.9, "nesterov": True, "weight_decay": 0.1}),
}


@pytest.mark.parametrize("name", ["AdamW", "RMSprop", "Adagrad", "Lion"])
def test_a_hundred_steps_are_those_of_the_formula(name):
    formula, options = CASES[name]
    w, memory, expected = np.array([3.0, 0.1, -1.0]), {}, []
    for t in range(1, STEPS + 1):
        w = formula(w, gradient(w), t, memory)
        expected.append(w)
    np.testing.assert_allclose(path(lambda p: getattr(optim, name)(p, **options)), expected, rtol=1e-10, atol=1e-10)


@pytest.mark.parametrize("defaults", [False, True])
@pytest.mark.parametrize("name", ["AdamW", "RMSprop", "Adagrad", "Adam", "SGD"])
def test_a_hundred_steps_are_torchs(name, defaults):
    torch = pytest.importorskip("torch", reason="torch is not installed: nothing to compare with")
    options = CASES[name][1]
    if defaults:
        options = {"lr": options["lr"]} if name == "SGD" else {}
    w = torch.tensor([3.0, 0.1, -1.0], dtype=torch.float64, requires_grad=True)
    optimizer, expected = getattr(torch.optim, name)([w], **options), []
    for _ in range(STEPS):
        w.grad = torch.tensor(gradient(w.detach().numpy()))
        optimizer.step()
        expected.append(w.detach().numpy().copy())
    np.testing.assert_allclose(path(lambda p: getattr(optim, name)(p, **options)), expected, rtol=1e-10, atol=1e-10)


# -- groups --------------------------------------------------------------------------------------------------


def test_groups_are_optimisers_of_their_own():
    def run(make):
        one, other = Value([1.0, 2.0]), Value([3.0])
        steppers = make(one, other)
        for t in range(5):
            one.grad, other.grad = np.array([1.0, -2.0]) + t, np.array([0.5])
            for stepper in steppers:
                stepper.step()
        return np.concatenate([one.data, other.data])

    together = run(lambda a, b: [optim.SGD([{"params": [a], "lr": 0.1, "momentum": 0.5}, {"params": [b]}], lr=0.2)])
    apart = run(lambda a, b: [optim.SGD([a], lr=0.1, momentum=0.5), optim.SGD([b], lr=0.2)])
    np.testing.assert_allclose(together, apart, rtol=1e-15)


def test_rates_of_groups_change_in_the_same_ratio():
    a, b = Value(0.0), Value(0.0)
    optimizer = optim.SGD([{"params": [a], "lr": 0.25}, {"params": [b]}], lr=1.0)
    optimizer.lr = 0.5
    a.grad = b.grad = 1.0
    optimizer.step()
    assert (a.item(), b.item()) == (-0.125, -0.5)


def test_groups_are_torchs():
    torch = pytest.importorskip("torch", reason="torch is not installed: nothing to compare with")
    groups = [{"params": [0], "lr": 0.3, "weight_decay": 0.2}, {"params": [1]}]
    ours, theirs = [Value([1.0]), Value([2.0])], [torch.tensor([x], dtype=torch.float64) for x in (1.0, 2.0)]
    for module, values in ((optim, ours), (torch.optim, theirs)):
        own = [group | {"params": [values[i] for i in group["params"]]} for group in groups]
        optimizer = module.AdamW(own, lr=0.1)
        for t in range(STEPS):
            for v in values:
                v.grad = v.data * 0.5 + t
            optimizer.step()
    np.testing.assert_allclose([v.item() for v in ours], [v.item() for v in theirs], rtol=1e-10)


@pytest.mark.parametrize(
    ("group", "error", "message"),
    [
        ({"nesterov": True, "momentum": 0.0}, ValueError, "nesterov needs a momentum above 0"),
        ({"momentum": 2.0}, ValueError, r"momentum is 2\.0; it must be in \[0, 1\)"),
        ({"params": []}, ValueError, "was given no parameters"),
    ],
)
def test_options_of_a_group_are_checked(group, error, message):
    with pytest.raises(error, match=message) as caught:
        optim.SGD([{"params": [Value(1.0)]} | group], lr=0.1, momentum=0.9)
    assert "(test_other_algorithms.py:" in str(caught.value)


# -- clipping ------------------------------------------------------------------------------------------------


def test_clipping_shortens_all_gradients_together_and_rebinds():
    a, b, unused = Value([3.0, 0.0]), Value(np.float32(4.0)), Value(1.0)
    a.grad, b.grad = np.array([3.0, 0.0]), np.float32(4.0)
    before = a.grad
    assert optim.clip_grad_norm([a, b, unused], 1.0) == 5.0
    assert np.array_equal(before, [3.0, 0.0])
    np.testing.assert_allclose([*a.grad, b.grad], np.array([3.0, 0.0, 4.0]) / (5 + 1e-6), rtol=1e-7)
    assert b.grad.dtype == np.float32
    assert unused.grad is None
    same = a.grad
    assert optim.clip_grad_norm([a, b], 2.0) == pytest.approx(1.0)
    assert a.grad is same


def test_a_norm_that_is_not_finite_clips_nothing_and_the_step_names_the_parameter():
    a = Value([1.0, 1.0], name="a")
    a.grad = [np.inf, 1.0]
    assert optim.clip_grad_norm([a], 1.0) == np.inf
    with pytest.raises(ValueError, match=r"the gradient of parameter 0 \(a\) is inf"):
        optim.SGD([a], lr=0.1).step()


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ((nn.Linear(1, 1), 1.0), TypeError, r"clip_grad_norm takes a list of parameters: use model\.parameters\(\)"),
        (([Value(1.0)], 0), ValueError, r"max_norm is 0\.0; it must be a finite number above 0"),
        (([Value(1.0)], None), TypeError, "max_norm is a NoneType"),
    ],
)
def test_clipping_refuses(arguments, error, message):
    with pytest.raises(error, match=message) as caught:
        optim.clip_grad_norm(*arguments)
    assert "(test_other_algorithms.py:" in str(caught.value)


def test_clipping_is_torchs():
    torch = pytest.importorskip("torch", reason="torch is not installed: nothing to compare with")
    a, t = Value(np.ones(3)), torch.ones(3, dtype=torch.float64)
    a.grad, t.grad = np.arange(3.0), torch.arange(3.0, dtype=torch.float64)
    assert optim.clip_grad_norm([a], 0.7) == pytest.approx(torch.nn.utils.clip_grad_norm_([t], 0.7).item(), rel=1e-15)
    np.testing.assert_allclose(a.grad, t.grad.numpy(), rtol=1e-14)
