"""Walking: every structure, in order, once."""

from hypothesis import given
from hypothesis import strategies as st

from tinygrad_edu import Value
from tinygrad_edu.nn.walk import join, printable, walk


class Box:
    def __init__(self, **attributes):
        vars(self).update(attributes)


names = st.text("abc", min_size=1, max_size=3)
structures = st.recursive(
    st.builds(Value, st.floats(-1, 1)) | st.integers() | st.none(),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.lists(inner, max_size=3).map(tuple)
        | st.dictionaries(names, inner, max_size=3)
        | st.dictionaries(names, inner, max_size=3).map(lambda d: Box(**d))
    ),
    max_leaves=12,
)


def reach(thing, path):
    """What a path leads to, step by step."""
    for step in filter(None, path.split(".")):
        if isinstance(thing, Box):
            thing = getattr(thing, step)
        else:
            thing = thing[step] if isinstance(thing, dict) else thing[int(step)]
    return thing


def leaves(thing):
    """The Values by recursion, to compare with."""
    if isinstance(thing, Value):
        return [thing]
    parts = vars(thing).values() if isinstance(thing, Box) else thing.values() if isinstance(thing, dict) else thing
    return [v for part in parts for v in leaves(part)] if isinstance(thing, Box | list | tuple | dict) else []


@given(structures)
def test_the_path_leads_to_the_thing(structure):
    assert all(reach(structure, path) is thing for path, thing in walk(structure, Box))


@given(structures)
def test_every_value_is_met_once_in_order_of_definition(structure):
    expected = []
    for value in leaves(structure):
        if not any(value is seen for seen in expected):
            expected.append(value)
    found = [thing for _, thing in walk(structure, Box) if isinstance(thing, Value)]
    assert list(map(id, found)) == list(map(id, expected))


def test_shared_and_circular_things_are_met_once():
    w = Value(1.0)
    box = Box(a=w, b=[w, w])
    box.myself = box
    assert [path for path, _ in walk(box, Box)] == ["", "a"]


def test_ten_thousand_levels_are_walked():
    deep = [Value(1.0)]
    for _ in range(10_000):
        deep = [deep]
    [(path, _)] = walk(deep, Box)
    assert path.count(".") == 10_000


def test_join():
    assert join("", 0) == "0"
    assert join("layers", 0) == "layers.0"


@given(st.text() | st.integers())
def test_a_printable_name_is_the_name_without_what_could_steer_a_screen(name):
    shown = printable(name)
    assert shown.isprintable()
    assert shown == printable(shown)
    assert shown == str(name) or not str(name).isprintable()
    assert printable("\x1b[2J\n\u202e") == r"\x1b[2J\n\u202e"
