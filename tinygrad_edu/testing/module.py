"""`check_module`: whether a network's gradients, states and modes are what they have to be.

The module is copied for every evaluation, with its parameters replaced by the moved ones; so random generators and
running statistics start from the same state each time, and dropout can be differenced like any other function.

Source: the contract of torch.nn.Module (Paszke et al., "PyTorch", 2019): parameters, train and eval, state_dict.
"""

from __future__ import annotations

import re
import warnings
from collections.abc import Callable, Iterator
from copy import deepcopy
from typing import Any

import numpy as np

from tinygrad_edu.errors import refusal
from tinygrad_edu.inputs import plain
from tinygrad_edu.kinds import FLAG, SEED, expecting
from tinygrad_edu.nn import Module
from tinygrad_edu.nn.lost import LostParameterWarning, lost_parameters
from tinygrad_edu.notes import noting_lines
from tinygrad_edu.testing.function import check_gradients
from tinygrad_edu.testing.invariants import refilled
from tinygrad_edu.testing.report import FAIL, Finding, GradientReport, concluded, condition, repeated
from tinygrad_edu.tree import leaves
from tinygrad_edu.value import Value


@expecting(seed=SEED, raises=FLAG)
def check_module(
    make_module: Callable[[], Module], *inputs: Any, order: int = 1, seed: int = 0, raises: bool = True
) -> GradientReport:
    """Check everything that holds for a module, in train and in eval mode.

    Parameters
    ----------
    make_module
        Makes the module, such as `lambda: nn.Linear(3, 2)`; called anew for every check.
    inputs
        What the module is called with; those that are floating point are checked as the parameters are.
    order
        2 checks the gradients of the gradients as well.
    seed, raises
        As for `check_gradients`.

    Returns
    -------
    GradientReport
        The gradients for every parameter and input in both modes; that all Values it uses are parameters;
        that a call changes neither inputs nor parameters;
        that eval gives the same twice; and that a state, loaded into another module, gives the same outputs bit by
        bit, also after a call in train mode.

    Raises
    ------
    GradientError
        If something is wrong, or a gradient could not be judged.
    TypeError
        If `make_module` makes no module; a module itself does not.
    ValueError
        If two copies of the module disagree: random numbers from outside cannot be differenced.

    Examples
    --------
    >>> import numpy as np
    >>> from tinygrad_edu import nn
    >>> from tinygrad_edu.testing import check_module
    >>> check_module(lambda: nn.Linear(2, 1), np.ones((3, 2))).verdict
    'PASS'
    """
    name = type(made(make_module)).__name__
    findings = list[Finding]()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", LostParameterWarning)  # all of them are findings
        findings += all_found(make_module(), inputs)
        for mode in ("train", "eval"):
            module = make_module().train(mode == "train")
            kept = list(unchanged(module, inputs, mode))
            findings += kept
            if all(finding.verdict != FAIL for finding in kept):  # what changes its arguments cannot be differenced
                findings += slopes(module, inputs, mode, order, seed)
        findings += round_trip(make_module, inputs)
    return concluded(GradientReport(name, findings, repeated("check_module", make_module, inputs, seed=seed)), raises)


def made(make_module: Callable[[], Module]) -> Module:
    """A new module; TypeError for what makes none, such as a module itself."""
    module: Any = make_module() if callable(make_module) and not isinstance(make_module, Module) else None
    if not isinstance(module, Module):
        raise refusal(
            TypeError,
            "check_module takes a function that makes the module, so that each check has a new one: "
            f"check_module(lambda: nn.Linear(2, 1), x); got {make_module!r}",
        )
    return module


def run(module: Module, parameters: dict[str, Any], inputs: Any) -> Any:
    """The output of a copy of the module, with these parameters in place of its own; several outputs as one array."""
    swaps = {id(own): parameters[path] for path, own in module.named_parameters()}
    out = deepcopy(module, swaps)(*inputs)
    parts = leaves(out)
    return out if len(parts) == 1 and parts[0] is out else np.concatenate([np.ravel(part) for part in parts])


def slopes(module: Module, inputs: Any, mode: str, order: int, seed: int) -> Iterator[Finding]:
    """The gradients for every parameter and every input."""
    parameters = dict(module.named_parameters())
    first, second = (plain(run(module, parameters, inputs)) for _ in range(2))
    if not np.array_equal(first, second, equal_nan=True):
        raise refusal(
            ValueError,
            f"{type(module).__name__}: two copies of one module disagree in {mode} mode, so its random numbers come "
            "from outside: keep the generator in an attribute, self.rng = np.random.default_rng(0)",
        )

    def output(values: dict[str, Any], *given: Any) -> Any:
        named = {path: value if isinstance(value, Value) else Value(value) for path, value in values.items()}
        return run(module, named, given)

    arrays = {path: value.array for path, value in parameters.items()}
    for finding in check_gradients(output, arrays, *inputs, order=order, seed=seed, raises=False).findings:
        finding.place = f"{mode}: {renamed(finding.place)}"
        finding.hint = renamed(finding.hint)
        yield finding


def renamed(text: str) -> str:
    """A parameter's own path for `argument 0 path`, and `input 0` for `argument 1`."""
    text = re.sub(r"\bargument 0 ", "", text)
    return re.sub(r"\bargument (\d+)", lambda found: f"input {int(found[1]) - 1}", text)


def unchanged(module: Module, inputs: Any, mode: str) -> Iterator[Finding]:
    """That a call and its backward pass change neither inputs nor parameters, and that eval gives the same twice."""
    given = deepcopy(inputs)
    state = module.state_dict()
    copy = deepcopy(module)
    with noting_lines():
        out = copy(*given)
    words = refilled(*leaves(out))
    yield condition(f"{mode}: constants", not words, words)
    if any(isinstance(part, Value) for part in leaves(out)):  # else it has no parameters
        np.sum(np.concatenate([np.ravel(part) for part in leaves(out)])).backward()
    yield condition(f"{mode}: inputs", same(inputs, given), "a call changes its inputs: work on a copy")
    kept = same(copy.state_dict(), state)
    yield condition(f"{mode}: parameters", kept, "a call changes the parameters: only an optimiser does")
    if mode == "eval":
        again = same(copy(*deepcopy(inputs)), out)
        note = "two calls give different outputs: in eval mode nothing is random, and no statistic moves"
        yield condition("eval: repeated", again, note)


def all_found(module: Module, inputs: Any) -> Iterator[Finding]:
    """That every Value which the module reaches or uses is one of its parameters or came in."""
    lost = lost_parameters(module, *deepcopy(inputs))
    yield condition("parameters", not lost, "; ".join(lost))


def round_trip(make_module: Callable[[], Module], inputs: Any) -> Iterator[Finding]:
    """That a state, loaded into another module, makes it the same, also after a call in train mode."""
    first = make_module()
    second = make_module()
    first(*deepcopy(inputs))
    state = first.state_dict()
    kept = [value.array for value in first.parameters()]
    shared = any(np.shares_memory(a, own) for a in state.values() for own in kept)
    yield condition("state_dict", not shared, "shares memory with the parameters: give copies")
    second.load_state_dict({path: array + 1 for path, array in state.items()})
    second.load_state_dict(state)
    yield condition("state_dict", same(second.state_dict(), state), "the loaded state is not the one that was given")
    outputs = [module.eval()(*deepcopy(inputs)) for module in (first, second)]
    note = "a module with the same state gives another output: something that forward uses is not in state_dict"
    yield condition("state_dict", same(*outputs), note)


def same(a: Any, b: Any) -> bool:
    """Whether two structures hold the same arrays, bit by bit."""
    pairs = [(np.asarray(plain(x)), np.asarray(plain(y))) for x, y in zip(leaves(a), leaves(b), strict=True)]
    return all(x.dtype == y.dtype and x.shape == y.shape and x.tobytes() == y.tobytes() for x, y in pairs)
