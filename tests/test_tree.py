"""Nested structures: what is taken apart is put together again."""

from collections import namedtuple
from dataclasses import dataclass, field

from hypothesis import given
from hypothesis import strategies as st

from tinygrad_edu import nn
from tinygrad_edu.tree import flatten, leaves, rebuild


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
