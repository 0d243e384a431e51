"""A Value's own name, else the one in `names`, else its module's path, else its operation and a number."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tinygrad_edu import Value, nn
from tinygrad_edu.graph import toposort
from tinygrad_edu.table import entries
from tinygrad_edu.viz.model.names import LONGEST, Names, clean, spelled


def names_of(root, **given):
    nodes = toposort(root)[::-1]
    names = Names(nodes, given)
    return [names[node] for node in nodes]


def test_the_order_of_sources():
    own, listed, bare = Value(1.0, name="own"), Value(2.0), Value(3.0)
    root = own * listed * bare
    assert names_of(root, other=own, listed=listed) == ["own", "listed", "value_1", "mul_1", "mul_2"]


def test_values_in_lists_have_an_index_and_private_names_do_not_count():
    w, hidden = [Value(1.0), Value(2.0)], Value(3.0)
    assert names_of(w[0] * w[1] * hidden, w=w, _hidden=hidden) == ["w[0]", "w[1]", "value_1", "mul_1", "mul_2"]


def test_the_first_of_two_names_counts():
    x = Value(1.0)
    assert names_of(x * 2.0, first=x, second=x) == ["first", "mul_1"]


def test_what_a_module_returns_is_called_by_its_path_and_count():
    layer = nn.Linear(2, 2, bias=False, rng=0)
    model = nn.Sequential(layer, nn.Tanh())
    x = np.ones((1, 2))
    names = names_of((model(x) + model(x)).sum())
    assert [name for name in names if name.startswith("layers.1")] == ["layers.1", "layers.1#2"]
    assert "layers.0.weight" in names


def test_constants_have_names_but_plain_numbers_do_not():
    x, two = np.ones(3), 2.0
    names = Names([], {"x": x, "two": two})
    assert (names.constant(x), names.constant(two), names.constant(np.ones(3))) == ("x", "", "")


def test_only_names_that_somebody_gave_are_told():
    x = Value(1.0, name="x")
    y = x * 2.0
    names = Names([x, y], None)
    assert names.told == {x}
    assert names.given_names() == {x: "x"}


def test_every_operation_of_the_table_has_a_word():
    assert all(spelled(op).isidentifier() for op in entries())
    assert {"mul", "div", "pow", "matmul", "max", "where"} <= {spelled(op) for op in entries()}


@given(st.text(max_size=60))
def test_a_name_that_cleans_to_nothing_is_no_name(name):
    x = Value(1.0, name=name)
    (shown, _) = names_of(x * 2.0)
    assert shown
    assert shown.isprintable()


def test_names_need_not_be_unique():
    assert names_of(Value(1.0, name="w") * Value(2.0, name="w")) == ["w", "w", "mul_1"]


@given(st.text(st.characters(), max_size=300))
def test_a_name_is_one_short_printable_line(name):
    cleaned = clean(name)
    assert len(cleaned) <= LONGEST
    assert cleaned.isprintable()
    assert cleaned == " ".join(cleaned.split())
    cleaned.encode()


@given(st.text("abc_[].09 äλ", max_size=LONGEST).map(lambda text: " ".join(text.split())))
def test_an_ordinary_name_is_kept(name):
    assert clean(name) == name


@pytest.mark.parametrize(
    ("name", "cleaned"),
    [
        ("a\nb\tc", "a b c"),
        ("\x1b[31mred", "[31mred"),
        ("ab\u202ecd", "abcd"),
        ("nul\0", "nul"),
        ("\ud800x", "x"),
        ("n" * 100_000, "n" * 37 + "..."),
        ("<script>", "<script>"),
    ],
)
def test_hostile_names(name, cleaned):
    assert clean(name) == cleaned
