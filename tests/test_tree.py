"""Nested structures: what is taken apart is put together again."""

from collections import namedtuple

from hypothesis import given
from hypothesis import strategies as st

from tinygrad_edu.tree import flatten, rebuild

trees = st.recursive(
    st.integers(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner) | st.tuples(inner, inner),
    max_leaves=12,
)


@given(trees)
def test_rebuild_undoes_flatten(tree):
    assert rebuild(tree, [leaf for _, leaf in flatten(tree)]) == tree


@given(trees)
def test_rebuild_puts_other_leaves_in_the_same_places(tree):
    doubled = rebuild(tree, [2 * leaf for _, leaf in flatten(tree)])
    assert [(p, 2 * leaf) for p, leaf in flatten(tree)] == list(flatten(doubled))


def test_paths_read_as_a_user_would_write_them():
    tree = {"layers": [{"weight": 1, "bias": 2}], "scale": 3}
    assert [p for p, _ in flatten(tree)] == ["layers.0.weight", "layers.0.bias", "scale"]


def test_named_tuples_keep_their_type():
    pair = namedtuple("pair", "a b")
    assert rebuild(pair(1, [2]), [3, 4]) == pair(3, [4])
    assert isinstance(rebuild(pair(1, 2), [3, 4]), pair)
