"""What is public says in its docstring what it takes and what it gives, as numpydoc reads it."""

import inspect
import re
from importlib import import_module

import pytest
from numpydoc.docscrape import NumpyDocString

PUBLIC = ("", ".nn", ".nn.init", ".optim", ".data", ".train", ".viz", ".testing", ".testing.strategies")
SUBJECTS = ("nn", "optim", "data", "saving", "train", "viz", "testing")  # everything else belongs to the engine
# A summary that begins with one of these names the result: "The mean of the squared differences."
NAMES_THE_RESULT = ("A", "An", "As", "Copies", "Every", "How", "One", "The", "Two", "What", "Whether")


def subject(thing):
    """The part of the package that something is defined in, or None for what is not this package's."""
    top, _, rest = (getattr(thing, "__module__", None) or "").partition(".")
    part = rest.partition(".")[0]
    return None if top != "tinygrad_edu" else part if part in SUBJECTS else "engine"


def offered(name):
    """The public functions and classes of a module: those in `__all__`, or all that it defines."""
    module = import_module(f"tinygrad_edu{name}")
    found = getattr(module, "__all__", None) or [n for n in vars(module) if not n.startswith("_")]
    things = [getattr(module, n) for n in found]
    return [x for x in things if callable(x) and (hasattr(module, "__all__") or x.__module__ == module.__name__)]


def methods(kind):
    """The public methods that a class defines or inherits from a class of this package."""
    for base in filter(subject, kind.__mro__):
        names = [name for name, member in vars(base).items() if inspect.isroutine(member)]
        yield from (getattr(kind, name) for name in names if not name.startswith("_"))


def public():
    """Every public callable by name, each once."""
    things = [thing for module in PUBLIC for thing in offered(module)]
    things += [method for thing in things if inspect.isclass(thing) for method in methods(thing)]
    once = {id(thing): thing for thing in things if subject(thing) and hasattr(thing, "__qualname__")}
    return {f"{thing.__module__}.{thing.__qualname__}": thing for thing in once.values()}


def parameters(thing):
    """The parameters of a call by name, without `self`; exceptions take texts, which go without saying."""
    if inspect.isclass(thing) and issubclass(thing, Exception):
        return {}
    return {name: p for name, p in inspect.signature(thing).parameters.items() if name != "self"}


def gives_nothing(thing):
    """Whether a function returns None, or a class, which returns its object."""
    if inspect.isclass(thing):
        return True
    return str(inspect.signature(thing).return_annotation).strip("'\"") in ("None", "NoReturn")


def faults(thing):
    """What a docstring lacks, as texts."""
    text = inspect.getdoc(thing) or ""
    summary = " ".join(text.partition("\n\n")[0].split())
    if not summary.endswith(".") or re.search(r"[.!?] [A-Z]", summary):
        yield "does not begin with one sentence"
    doc = NumpyDocString(text)
    entries = doc["Parameters"] + doc["Other Parameters"]
    told = {name.strip(" *") for entry in entries for name in entry.name.split(",")}
    takes = parameters(thing)
    if silent := [name for name in takes if name not in told]:
        yield f"does not explain {', '.join(silent)}"
    free = any(p.kind is p.VAR_KEYWORD for p in takes.values())
    if (extra := sorted(told - set(takes))) and not free:
        yield f"explains {', '.join(extra)}, which it does not take"
    if empty := [entry.name for entry in entries if not any(entry.desc)]:
        yield f"says nothing of {', '.join(empty)}"
    named = summary.split(" ")[0].strip("`") in NAMES_THE_RESULT or "eturns" in summary
    if not (gives_nothing(thing) or named or doc["Returns"] or doc["Yields"]):
        yield "does not say what it returns"


@pytest.mark.parametrize("part", sorted({*SUBJECTS, "engine"}))
def test_docstrings_explain_every_parameter_and_the_result(part):
    things = {name: thing for name, thing in public().items() if subject(thing) == part}
    assert things
    wrong = [f"{name} {fault}" for name, thing in things.items() for fault in faults(thing)]
    assert not wrong, "\n" + "\n".join(wrong)


def good(x, *rest: int, **options) -> int:
    """The sum of all.

    Parameters
    ----------
    x, *rest
        Numbers.
    **options
        Ignored.
    """


def silent(x: int, y: int) -> None:
    """Do it.

    Parameters
    ----------
    x
        A number.
    z
        No parameter.
    """


def wordless(x: int) -> int:
    """Double it. And more

    Parameters
    ----------
    x
    """


def test_the_check_sees_what_is_missing():
    assert list(faults(good)) == []
    assert list(faults(silent)) == ["does not explain y", "explains z, which it does not take"]
    assert list(faults(wordless)) == [
        "does not begin with one sentence",
        "says nothing of x",
        "does not say what it returns",
    ]


def test_methods_are_found_once_and_those_of_other_packages_not_at_all():
    names = list(public())
    assert "tinygrad_edu.nn.module.Module.load_state_dict" in names
    assert "tinygrad_edu.nn.layers.Linear.forward" in names
    assert "tinygrad_edu.nn.init.he_normal" in names
    assert "tinygrad_edu.value.Value.tanh" in names
    assert not [
        name for name in names if "Linear.load_state_dict" in name or name.endswith((".nn.tanh", "None.tanh"))
    ]
