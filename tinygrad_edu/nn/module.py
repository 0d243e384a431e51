"""`Module`: a piece of a network, with parameters that have names.

A parameter is a Value that no operation made, found by walking the module's attributes: nothing is registered. A
call runs `forward` inside a name scope, so that every operation knows the layer it belongs to.
Source: the interface of torch.nn.Module (Paszke et al., "PyTorch", 2019), without its registration.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from inspect import Parameter, Signature
from typing import TYPE_CHECKING, Any, Self

from tinygrad_edu.errors import printable, refusal
from tinygrad_edu.kinds import DTYPE
from tinygrad_edu.kinds import shown as told
from tinygrad_edu.names import of_module
from tinygrad_edu.nn.attributes import in_forward, own, owner, replaced
from tinygrad_edu.nn.lost import after_first_call
from tinygrad_edu.recording import SCOPE, Scope, recording_scope
from tinygrad_edu.spellings import MODULE_WORKS
from tinygrad_edu.state_dict import state_of, take
from tinygrad_edu.tree import buffers_of, contents, is_array, is_module, is_parameter, put
from tinygrad_edu.value import Value, shown

if TYPE_CHECKING:
    from numpy.typing import DTypeLike

MISSING = object()


class Module:
    """A part of a network: subclass it, keep Values and modules in attributes, and define `forward`.

    A Value in an attribute is a *parameter*, which an optimiser trains; an array in an attribute is a *buffer*, such
    as a running mean, which is saved and loaded with them. Lists, tuples, dicts, sets, deques and dataclasses are
    walked too. A Value shared by two layers is one parameter. A Value made by an operation, such as a hidden layer
    kept to look at, is none, and an array that `forward` makes under a new name is a note and not saved.

    `training` is True until `eval()`, for layers that behave differently while learning.

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
    _called: bool = False
    _changes: int = 0
    _notes: frozenset[str] = frozenset()
    _asked: frozenset[str] = frozenset()

    def __init__(self, *args: Any, **options: Any) -> None:
        following = super().__init__  # of another class that a network inherits from, if there is one
        if (args or options) and following.__qualname__ == "object.__init__":
            kind = type(self).__name__
            use = f"make it first and call it then, {kind}()(x)" if args else "leave them out"
            raise refusal(TypeError, f"{kind}() takes no arguments: {use}")
        following(*args, **options)

    vars()["__init__"].__signature__ = Signature([Parameter("self", Parameter.POSITIONAL_ONLY)])  # for help

    def forward(self, *args: Any, **kwargs: Any) -> Any:
        """The output for an input; every subclass defines its own.

        Parameters
        ----------
        *args, **kwargs
            What the subclass takes, such as `x` of shape (batch, in).
        """
        kind = type(self).__name__
        raise refusal(NotImplementedError, f"{kind} has no forward: define `def forward(self, x)` in class {kind}")

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """The result of `forward`; every operation recorded in it carries the name of this module."""
        if self._path is None:
            self._label()
        around = recording_scope()
        scope = around and Scope(self._path or "", type(self).__name__, around)
        token = SCOPE.set(scope)
        try:
            out = self.forward(*args, **kwargs)
        finally:
            SCOPE.reset(token)
        if not self._called and scope is not None:
            after_first_call(self, scope, (args, kwargs), out)
        return out

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

    def named_buffers(self) -> Iterator[tuple[str, Any]]:
        """Every buffer with its path, such as 'layers.1.mean', in order of definition."""
        self._label()
        return ((path, array) for path, _, _, array in buffers_of(self))

    def buffers(self) -> list[Any]:
        """Every buffer, in order of definition."""
        return [array for _, array in self.named_buffers()]

    def state_dict(self) -> dict[str, Any]:
        """Copies of the arrays of parameters and buffers, as a dict by path; two of one path are a ValueError."""
        return {path: array.copy() for path, array in state_of(self).items()}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Give every parameter and buffer the array under its path, cast to its dtype; all of them or none.

        Parameters
        ----------
        state
            Arrays of numbers by path, as `state_dict()` returns them; a TypeError or ValueError if paths are missing
            or left over, or shapes differ.
        """
        take(self, state)

    def astype(self, dtype: DTypeLike) -> Self:
        """Convert every parameter, and every buffer of floating point numbers, here and inside; returns the module.

        Parameters
        ----------
        dtype
            A floating point type, such as np.float32. Make the optimiser afterwards.
        """
        if not DTYPE.fits(dtype):
            raise refusal(TypeError, f"parameters are floating point: model.astype(np.float32); got {told(dtype)}")
        for value in self.parameters():
            value.array, value.gradient = value.array.astype(dtype), None
        for _, holder, name, array in list(buffers_of(self)):
            if array.dtype.kind == "f":
                put(holder, name, array.astype(dtype))
        return self

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
        """Tell every module its path, and every parameter its name; a part of a bigger module keeps that path."""
        for full, thing in contents(self, self._path or ""):
            if is_module(thing):
                thing._path = full
            elif is_parameter(thing):
                if (known := owner(thing)) is not self:
                    Module._changes += known is None
                    own(self, thing)
                if thing.name is None or full.endswith(f".{thing.name}"):
                    thing.name = full

    def __setattr__(self, name: str, thing: Any) -> None:
        before = vars(self).get(name, MISSING)
        if before is MISSING or before is None:
            result = isinstance(thing, Value) and not is_parameter(thing)
            note = is_array(thing) and before is MISSING and name not in self._asked
            if (result or note) and in_forward(self):
                self._notes |= {name}
        elif before is not thing:
            thing = replaced(self, name, before, thing)
        if before is not thing and any(is_parameter(x) or is_module(x) for x in (before, thing)):
            Module._changes += 1
        object.__setattr__(self, name, thing)

    _repr_mimebundle_ = shown

    if not TYPE_CHECKING:  # a type checker should report unknown attributes, not accept them all

        def __getattr__(self, name: str) -> Any:
            """What a name from another framework is here, or the nearest one that exists."""
            if not name.startswith("_") and in_forward(self):  # with hasattr, before it makes one: so that is no note
                self._asked |= {name}
            return of_module(self, MODULE_WORKS, name)

    def __repr__(self) -> str:
        kinds = {path: type(module).__name__ for path, module in self.named_modules()}
        shapes: dict[str, list[str]] = {path: [] for path in kinds}
        for name, value in self.named_parameters():
            holder = name.rpartition(".")[0]
            while holder not in kinds:
                holder = holder.rpartition(".")[0]
            shapes[holder].append(f"{name[len(holder) :].lstrip('.')} {value.shape}")
        lines = (f"{path and f'  {path}: '}{kind}({', '.join(shapes[path])})" for path, kind in kinds.items())
        return "\n".join(map(printable, lines))


def changes() -> int:
    """How often a parameter or a module came into any module, or was replaced: who asks again sees a change."""
    return Module._changes
