"""check_module passes right modules, and names what a planted fault breaks."""

import numpy as np
import pytest

from tinygrad_edu import Value, nn, stop_gradient
from tinygrad_edu.testing import FAIL, PASS, GradientError, check_module

X = np.random.default_rng(0).normal(size=(4, 3))


class Scale(nn.Module):
    """y = a x, with a hook for a fault."""

    def __init__(self):
        self.factor = Value(np.full(3, 2.0), name="factor")

    def forward(self, x):
        return x * self.factor


class Dropout(nn.Module):
    """Random in train mode, from a generator of its own."""

    def __init__(self):
        self.rng = np.random.default_rng(0)

    def forward(self, x):
        return x * (self.rng.random(x.shape) > 0.5) * 2.0 if self.training else x


def network():
    return nn.Sequential(nn.Linear(3, 5, rng=0), nn.Tanh(), Dropout(), nn.Linear(5, 2, rng=1))


def test_a_network_with_dropout_passes_in_both_modes():
    report = check_module(network, X, order=2)
    assert report.verdict == PASS
    places = " ".join(finding.place for finding in report.findings)
    for place in (
        "train: order 1, layers.0.weight[0, 0]",
        "eval: order 2, layers.3.bias[1]",
        "train: order 1, input 0[3, 2]",
    ):
        assert place in places


def test_shared_parameters_structures_and_several_outputs():
    class Tied(nn.Module):
        def __init__(self):
            self.first = nn.Linear(3, 3, rng=0)
            self.blocks = {"same": [self.first], "own": Scale()}

        def forward(self, pair, index):
            x = self.blocks["same"][0](np.tanh(self.first(pair["x"])))
            return {"out": self.blocks["own"](x)[index], "norm": np.sum(x * x)}

    assert check_module(Tied, {"x": X}, np.array([0, 0, 2])).verdict == PASS


def test_float32_parameters():
    class Narrow(Scale):
        def __init__(self):
            self.factor = Value(np.full(3, 2.0, np.float32))

    assert check_module(Narrow, X.astype(np.float32)).verdict == PASS


class Cut(Scale):
    def forward(self, x):
        return x * stop_gradient(self.factor) + 0.0 * self.factor


class OnlyInTraining(Scale):
    def forward(self, x):
        return np.tanh(x * self.factor) if not self.training else x * (2.0 * self.factor - stop_gradient(self.factor))


class Overwrites(Scale):
    def forward(self, x):
        out = x * self.factor
        if not isinstance(x, Value):
            x[0, 0] += 1.0
        return out


class Learns(Scale):
    def forward(self, x):
        out = x * self.factor
        self.factor.data = self.factor.data + 1.0
        return out


class Counts(Scale):
    calls = 0

    def forward(self, x):
        self.calls += 1
        return x * self.factor * float(self.calls)


class Remembers(Scale):
    mean = 0.0

    def forward(self, x):
        if self.training:
            self.mean = self.mean + np.mean(x.data if isinstance(x, Value) else x)
        return x * self.factor - self.mean.item() if self.mean else x * self.factor


class Shares(Scale):
    def state_dict(self):
        return {"factor": self.factor.data}


class Forgets(Scale):
    def load_state_dict(self, state):
        self.factor.data = np.asarray(state["factor"]) + 1e-12


FAULTS = {
    Cut: "FAIL train: factor[2] at 2: analytic 0",
    OnlyInTraining: "exactly double",
    Overwrites: "FAIL train: inputs: a call changes its inputs: work on a copy",
    Learns: "FAIL train: parameters: a call changes the parameters: only an optimiser does",
    Counts: "FAIL eval: repeated: two calls give different outputs",
    Remembers: "FAIL state_dict: a module with the same state gives another output: something that forward uses",
    Shares: "FAIL state_dict: shares memory with the parameters: give copies",
    Forgets: "FAIL state_dict: the loaded state is not the one that was given",
}


@pytest.mark.parametrize("module", FAULTS)
def test_what_is_broken_is_named(module):
    report = check_module(module, X.copy(), raises=False)
    assert report.verdict == FAIL
    assert FAULTS[module] in "\n".join(map(str, report.findings))
    with pytest.raises(GradientError, match=f"^{module.__name__}: "):
        check_module(module, X.copy())


def test_the_module_that_the_faults_are_planted_in_is_right():
    assert check_module(Scale, X).verdict == PASS


def test_random_numbers_from_outside_are_refused():
    rng = np.random.default_rng(0)

    class Noisy(Scale):
        def forward(self, x):
            return x * self.factor + rng.normal()

    with pytest.raises(ValueError, match=r"disagree in train mode.*self.rng = np.random.default_rng\(0\)"):
        check_module(Noisy, X)


@pytest.mark.parametrize("make", [nn.Linear(2, 1), lambda: 3, None], ids=["a module", "no module", "no function"])
def test_what_makes_no_module_is_refused_with_a_remedy(make):
    with pytest.raises(TypeError, match=r"check_module\(lambda: nn.Linear\(2, 1\), x\); got"):
        check_module(make, np.ones((3, 2)))
