"""`Module`: a piece of a network, with parameters that have names.

A parameter is a Value that no operation made, found by walking the module's attributes: nothing is registered. A
call runs `forward` inside a name scope, so that every operation knows the layer it belongs to.

Source: the interface of torch.nn.Module (Paszke et al., "PyTorch", 2019), without its registration.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any, NoReturn, Self

from tinygrad_edu.errors import printable, refusal
from tinygrad_edu.recording import SCOPE, Scope
from tinygrad_edu.tree import checked_state, parts, walk
from tinygrad_edu.value import Value, shown


class Module:
    """A part of a network: subclass it, keep Values and modules in attributes, and define `forward`.

    Values and modules are also found in lists, tuples and dicts. A Value that two layers share is one parameter. The
    result of an operation, such as a hidden layer that you keep to look at it, is no parameter.

    Attributes
    ----------
    training
        True until `eval()`; for layers that behave differently while learning.

    Examples
    --------
    >>> from tinygrad_edu import Value
    >>> class Scale(Module):
    ...     def __init__(self):
    ...         self.factor = Value(3.0)
    ...
    ...     def forward(self, x):
    ...         return self.factor * x
    >>> Scale()(2.0).item()
    6.0
    """

    training: bool = True
    _path: str | None = None

    def forward(self, *args: Any, **kwargs: Any) -> Any:
        """The output for an input; every subclass defines its own.

        Parameters
        ----------
        *args, **kwargs
            What the subclass takes, such as `x` of shape (batch, in).
        """
        kind = type(self).__name__
        raise NotImplementedError(f"{kind} has no forward: define `def forward(self, x)` in class {kind}")

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """The result of `forward`; every operation recorded in it carries the name of this module.

        Parameters
        ----------
        *args, **kwargs
            What `forward` takes.
        """
        if self._path is None:
            self._label()
        around = SCOPE.get()
        token = SCOPE.set(around and Scope(self._path or "", type(self).__name__, around))
        try:
            return self.forward(*args, **kwargs)
        finally:
            SCOPE.reset(token)

    def named_modules(self) -> Iterator[tuple[str, Module]]:
        """Every module inside, each once, with its path; this one comes first, and its path is empty."""
        self._label()
        return ((path, thing) for path, thing in contents(self) if isinstance(thing, Module))

    def named_parameters(self) -> Iterator[tuple[str, Value]]:
        """Every parameter once, with its path, such as 'layers.0.weight', in order of definition."""
        self._label()
        return ((path, thing) for path, thing in contents(self) if is_parameter(thing))

    def parameters(self) -> list[Value]:
        """Every parameter once, in order of definition."""
        return [value for _, value in self.named_parameters()]

    def state_dict(self) -> dict[str, Any]:
        """Copies of the parameters' arrays, as a dict by path; two parameters of one path are a ValueError."""
        named = list(self.named_parameters())
        state = {name: value.data.copy() for name, value in named}
        if len(state) < len(named):
            names = [name for name, _ in named]
            twice = sorted({name for name in names if names.count(name) > 1})
            raise refusal(ValueError, f"two parameters have one path: {', '.join(twice)}; rename a dict key")
        return state

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Give every parameter the array under its path, cast to the parameter's dtype; all of them or none.

        Parameters
        ----------
        state
            Arrays by path, as `state_dict()` returns them: the paths and shapes of this module.

        Raises
        ------
        TypeError, ValueError
            If that is no dict of arrays of real numbers, paths are missing or left over, or shapes differ.
        """
        own = dict(self.named_parameters())
        arrays = checked_state(own, state, type(self).__name__)
        for name, value in own.items():
            value.data = arrays[name].astype(value.data.dtype)

    def train(self, mode: bool = True) -> Self:
        """Set `training` here and in every module inside; returns the module.

        Parameters
        ----------
        mode
            True while the network learns, False afterwards.
        """
        for _, module in self.named_modules():
            module.training = mode
        return self

    def eval(self) -> Self:
        """Set `training` to False here and in every module inside, as `train(False)` does; returns the module."""
        return self.train(False)

    def _label(self) -> None:
        """Tell every module its path, and every parameter its name, as seen from the outermost module walked.

        A module that is already part of a bigger one keeps that path in front.
        """
        for full, thing in contents(self, self._path or ""):
            if isinstance(thing, Module):
                thing._path = full
            elif is_parameter(thing) and (thing.name is None or full.endswith(f".{thing.name}")):
                thing.name = full

    _repr_mimebundle_ = shown

    if not TYPE_CHECKING:  # a type checker should report unknown attributes, not accept them all

        def __getattr__(self, name: str) -> NoReturn:
            """Refuse an unknown attribute, with the nearest one that exists."""
            from difflib import get_close_matches

            if hasattr(type(self), name):  # a property that failed: say why
                return object.__getattribute__(self, name)
            near = [] if name.startswith("__") else get_close_matches(name, dir(self), n=1)
            hint = f"; did you mean '{near[0]}'?" if near else ""
            raise AttributeError(printable(f"{type(self).__name__} has no attribute '{name}'{hint}"))

    def __repr__(self) -> str:
        lines: dict[str, list[str]] = {}
        named = [(path, type(module).__name__) for path, module in self.named_modules()]
        paths = {path for path, _ in named}
        for name, value in self.named_parameters():
            owner = name.rpartition(".")[0]
            while owner not in paths:
                owner = owner.rpartition(".")[0]
            shape = f"{name[len(owner) :].lstrip('.')} {value.data.shape}"
            lines.setdefault(owner, []).append(shape)
        return "\n".join(describe(path, kind, lines.get(path, [])) for path, kind in named)


def held(thing: Any) -> dict[Any, Any] | None:
    """What a module, a list, a tuple or a dict holds, by name; None for everything else."""
    if isinstance(thing, Module):
        return vars(thing)
    return parts(thing) if isinstance(thing, list | tuple | dict) else None


def contents(module: Module, path: str = "") -> Iterator[tuple[str, Any]]:
    """Everything a module holds, itself first, each thing once, with its path as seen from where `path` starts."""
    return ((place, thing) for place, thing, _ in walk(module, path, held, once=True))


def describe(path: str, kind: str, shapes: list[str]) -> str:
    """One line of a module's repr: its path, its class, its own parameters with shapes."""
    start = f"  {path}: {kind}" if path else kind
    return printable(f"{start}({', '.join(shapes)})")


def is_parameter(thing: Any) -> bool:
    """Whether something is a Value that no operation made."""
    return isinstance(thing, Value) and thing.op is None
