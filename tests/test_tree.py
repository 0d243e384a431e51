"""Nested structures: what is taken apart is put together again."""

from collections import namedtuple
from dataclasses import dataclass, field

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tinygrad_edu import Value, nn
from tinygrad_edu.tree import flatten, leaves, rebuild, walk


@dataclass(frozen=True, slots=True)
class State:
    position: object
    velocity: object = 0
    derived: int = field(init=False, default=7)

    def __post_init__(self):
        if self.position == "built again":
            raise ValueError


trees = st.recursive(
    st.integers() | st.none(),
    lambda inner: (
        st.lists(inner) | st.dictionaries(st.text(), inner) | st.tuples(inner, inner) | st.builds(State, inner, inner)
    ),
    max_leaves=12,
)


@given(trees)
def test_rebuild_undoes_flatten(tree):
    assert rebuild(tree, leaves(tree)) == tree
    assert leaves(tree) == [leaf for _, leaf in flatten(tree)]


@given(trees)
def test_rebuild_puts_other_leaves_in_the_same_places(tree):
    doubled = rebuild(tree, [2 * leaf for leaf in leaves(tree)])
    assert [(p, 2 * leaf) for p, leaf in flatten(tree)] == list(flatten(doubled))


def test_paths_read_as_a_user_would_write_them():
    tree = {"layers": [{"weight": 1, "bias": 2}], "scale": 3}
    assert [p for p, _ in flatten(tree)] == ["layers.0.weight", "layers.0.bias", "scale"]


def test_named_tuples_keep_their_type():
    pair = namedtuple("pair", "a b")
    assert rebuild(pair(1, [2]), [3, 4]) == pair(3, [4])
    assert isinstance(rebuild(pair(1, 2), [3, 4]), pair)


def test_dataclasses_keep_their_type_and_are_not_initialised_again():
    state = State([1, 2], 3)
    assert [p for p, _ in flatten(state)] == ["position.0", "position.1", "velocity", "derived"]
    other = rebuild(state, ["built", "again", 4, 5])
    assert (type(other), other.position, other.velocity, other.derived) == (State, ["built", "again"], 4, 5)
    assert rebuild(State(1, 2), ["built again", 0, 0]).position == "built again"
    assert state == State([1, 2], 3)


def test_a_class_is_a_leaf_and_none_holds_nothing():
    assert leaves([State, None, 1]) == [State, 1]
    assert rebuild([None, {"a": None}, 1], [2]) == [None, {"a": None}, 2]


def test_a_module_gives_its_parameters_and_is_rebuilt_as_a_dict_or_kept():
    net = nn.Sequential(nn.Linear(2, 3, bias=False), nn.Linear(3, 1))
    names = ["layers.0.weight", "layers.1.weight", "layers.1.bias"]
    assert list(flatten([net])) == [(f"0.{name}", p) for name, p in net.named_parameters()]
    assert rebuild({"net": net, "x": 0}, [1, 2, 3, 4]) == {"net": dict(zip(names, [1, 2, 3], strict=True)), "x": 4}
    kept = rebuild((net, 0), [1, 2, 3, 4], same=True)
    assert kept[0] is net
    assert kept[1] == 4


# -- walking ------------------------------------------------------------------------------------------------
names = st.text("abc", min_size=1, max_size=3)
structures = st.recursive(
    st.builds(Value, st.floats(-1, 1)) | st.integers() | st.none(),
    lambda inner: st.lists(inner, max_size=3) | st.tuples(inner, inner) | st.dictionaries(names, inner, max_size=3),
    max_leaves=12,
)


def reach(thing, path):
    """What a path leads to, step by step."""
    for step in filter(None, path.split(".")):
        thing = thing[step] if isinstance(thing, dict) else thing[int(step)]
    return thing


def values(thing):
    """The Values by recursion, to compare with."""
    if isinstance(thing, Value):
        return [thing]
    held = thing.values() if isinstance(thing, dict) else thing
    return [v for part in held for v in values(part)] if isinstance(thing, list | tuple | dict) else []


@given(structures)
def test_the_path_leads_to_the_thing(structure):
    assert all(reach(structure, path) is thing for path, thing, _ in walk(structure))


@given(structures)
def test_every_value_is_met_once_in_order_where_that_is_asked_for(structure):
    found = [id(thing) for _, thing, _ in walk(structure, once=True) if isinstance(thing, Value)]
    assert found == list(dict.fromkeys(map(id, values(structure))))


def test_a_shared_value_is_a_leaf_at_each_of_its_places():
    w = Value(1.0)
    assert [path for path, _ in flatten({"a": w, "b": [w, w]})] == ["a", "b.0", "b.1"]


def test_a_structure_that_holds_itself_is_refused_and_one_held_twice_is_not():
    circle = [1, 2]
    assert leaves([circle, circle]) == [1, 2, 1, 2]
    circle.append({"again": circle})
    with pytest.raises(ValueError, match=r"a list holds itself \(test_tree\.py:\d+\)"):
        leaves(circle)
    assert [path for path, _, _ in walk(circle, once=True)] == ["", "0", "1", "2"]


def test_ten_thousand_levels_are_taken_apart_and_put_together():
    deep = [1.0]
    for _ in range(10_000):
        deep = [deep]
    [(path, _)] = flatten(deep)
    assert path.count(".") == 10_000
    assert leaves(rebuild(deep, [2.0])) == [2.0]
