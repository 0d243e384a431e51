"""Networks and trainings as data: a layer, a network, and some steps of an optimiser, each printed as its code.

Layers and optimisers are found in `nn` and `optim`, so a new one takes part at once. Inputs are nowhere 0 and biases
only as often as they are in practice, so a layer that forgets one of them is seen.
Source: Goodfellow, Bengio and Courville, "Deep Learning" (2016), chapters 6 and 8: what a network and a step are.
"""

from __future__ import annotations

import inspect
from typing import Any, NamedTuple

import numpy as np
from hypothesis import strategies as st

from tinygrad_edu import nn, optim
from tinygrad_edu.errors import refusal
from tinygrad_edu.kinds import WHOLE, expecting
from tinygrad_edu.testing.differences.numeric import Array
from tinygrad_edu.testing.strategies.arrays import cotangents

BATCH = 3  # rows of an input, at most
WIDEST = 3  # a failing network is read by people
CALLS: dict[str, Any] = {"nn": nn, "optim": optim, "np": np, "__builtins__": {}}
LOSSES = ("nn.mse_loss", "nn.binary_cross_entropy", "nn.cross_entropy")


class Network(NamedTuple):
    """A module as code, and inputs for it; calling it makes the module, the same each time.

    Parameters
    ----------
    code, inputs
        An expression such as `nn.Linear(2, 1, rng=0)`, and an array for each argument, such as one of (batch, in).

    Examples
    --------
    >>> import numpy as np
    >>> from tinygrad_edu.testing.strategies import Network
    >>> network = Network("nn.Linear(2, 1, rng=0)", (np.ones((3, 2)),))
    >>> network()(*network.inputs).shape
    (3, 1)
    """

    code: str
    inputs: tuple[Array, ...]

    def __call__(self) -> nn.Module:
        """A new module: `check_module(network, *network.inputs)`."""
        made: nn.Module = eval(self.code, CALLS)
        return made


class TrainingSteps(NamedTuple):
    """A network, a loss with its target, an optimiser as code, and how many steps are taken.

    Parameters
    ----------
    network, target
        The network with its inputs, and what the loss compares its output with.
    loss, optimizer
        Expressions such as `nn.mse_loss` and `optim.SGD(parameters, lr=0.1)`.
    times
        How many steps there are.

    Examples
    --------
    >>> import numpy as np
    >>> from tinygrad_edu.testing.strategies import Network, TrainingSteps
    >>> network = Network("nn.Linear(2, 1, rng=0)", (np.ones((3, 2)),))
    >>> steps = TrainingSteps(network, "nn.mse_loss", np.ones((3, 1)), "optim.SGD(parameters, lr=0.1)", 5)
    >>> _, losses = steps.run()
    >>> losses[-1] < losses[0]
    True
    """

    network: Network
    loss: str
    target: Array
    optimizer: str
    times: int

    def start(self) -> tuple[nn.Module, optim.Optimizer]:
        """A new model, and its optimiser."""
        model = self.network()
        return model, eval(self.optimizer, CALLS | {"parameters": model.parameters()})

    def step(self, model: nn.Module, optimizer: optim.Optimizer) -> float:
        """Takes one step; returns the loss before it.

        Parameters
        ----------
        model, optimizer
            The two that `start` gives.
        """
        loss = eval(self.loss, CALLS)(model(*self.network.inputs), self.target)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        return float(loss.item())

    def run(self) -> tuple[nn.Module, list[float]]:
        """Takes all steps from the start; returns the trained model, and the losses."""
        model, optimizer = self.start()
        return model, [self.step(model, optimizer) for _ in range(self.times)]


def needed(cls: type) -> int:
    """How many arguments a class has that must be given; 9 if they are not given by position."""
    parameters = list(inspect.signature(cls).parameters.values())
    if any(p.kind is p.VAR_POSITIONAL for p in parameters):
        return 9
    return sum(p.default is p.empty for p in parameters)


def known(namespace: Any, base: type) -> dict[str, type]:
    """The public classes of a namespace that extend a base, by name."""
    found = {name: getattr(namespace, name) for name in namespace.__all__}
    return {name: c for name, c in found.items() if inspect.isclass(c) and issubclass(c, base) and c is not base}


def layer_code(draw: Any, width: int, out: int | None = None) -> tuple[str, int]:
    """The code of a layer for some width, and the width of what it gives; a `Linear` if `out` says which."""
    found = known(nn, nn.Module)
    keeping = [name for name, cls in found.items() if needed(cls) == 0]
    kind = "Linear" if out else draw(st.sampled_from(["Linear", *keeping]))
    if kind in keeping:
        return f"nn.{kind}()", width
    out = out or draw(st.integers(1, WIDEST))
    seed = draw(st.integers(0, 99))
    bias = draw(st.sampled_from((", bias_init=nn.init.uniform", "", ", bias=False")))
    return f"nn.{kind}({width}, {out}, rng={seed}{bias})", out


@st.composite
def layers(draw: Any) -> Network:
    """A strategy of single layers of `nn`, each a `Network` with one input of shape (batch, in)."""
    width = draw(st.integers(1, WIDEST))
    code, _ = layer_code(draw, width)
    return Network(code, (draw(cotangents((draw(st.integers(1, BATCH)), width))),))


@expecting(depth=WHOLE)
@st.composite
def networks(draw: Any, depth: int = 4) -> Network:
    """A strategy of chains of layers that end with a `Linear`, each a `Network` with one input (batch, in).

    Parameters
    ----------
    depth
        How many layers there are at most.

    Raises
    ------
    ValueError
        For a depth below 1.

    Examples
    --------
    ::

        @given(networks())
        def test_networks(network):
            check_module(network, *network.inputs)
    """
    if depth < 1:
        raise refusal(ValueError, f"a network has one layer or more, got depth={depth!r}")
    first = width = draw(st.integers(1, WIDEST))
    codes = []
    for _ in range(draw(st.integers(0, depth - 1))):
        code, width = layer_code(draw, width)
        codes.append(code)
    codes.append(layer_code(draw, width, draw(st.integers(1, WIDEST)))[0])
    return Network(f"nn.Sequential({', '.join(codes)})", (draw(cotangents((draw(st.integers(1, BATCH)), first))),))


@expecting(longest=WHOLE)
@st.composite
def training_steps(draw: Any, longest: int = 4) -> TrainingSteps:
    """A strategy of trainings: a network, a loss, an optimiser of `optim`, and a number of steps.

    Parameters
    ----------
    longest
        How many steps there are at most.

    Raises
    ------
    ValueError
        For fewer than 1.
    """
    if longest < 1:
        raise refusal(ValueError, f"a training has one step or more, got longest={longest!r}")
    network = draw(networks())
    shape = network()(*network.inputs).shape
    losses = LOSSES if shape[-1] > 1 else LOSSES[:2]  # of a single class there is nothing to learn
    loss = draw(st.sampled_from(losses))
    target = np.asarray(draw(cotangents(shape)))
    if loss == "nn.binary_cross_entropy":
        target = np.round(0.5 + 0.2 * target, 3)
    if loss == "nn.cross_entropy":
        target = np.argmax(target, axis=-1)
    name = draw(st.sampled_from(list(known(optim, optim.Optimizer))))
    lr = draw(st.sampled_from((0.1, 0.01)))
    momentum = ", momentum=0.9" if "momentum" in inspect.signature(getattr(optim, name)).parameters else ""
    options = momentum if momentum and draw(st.booleans()) else ""
    return TrainingSteps(
        network, loss, target, f"optim.{name}(parameters, lr={lr}{options})", draw(st.integers(1, longest))
    )
