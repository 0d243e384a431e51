"""The program is listed, and the rule to blame is the one that is wrong."""

import numpy as np
import pytest

import tinygrad_edu as te
from tinygrad_edu import Value
from tinygrad_edu.table import REALS, Op
from tinygrad_edu.testing.tracing import ALL_RIGHT, disagreeing, traced
from tinygrad_edu.value import apply

X = np.random.default_rng(0).normal(size=(3, 2))


def product(x, y):
    return x * y


def wrong(x, y):
    return apply(Op(product, [lambda g, out, x, y: g * y, lambda g, out, x, y: -g * x], domain=REALS), (x, y))


def test_the_program_is_listed_with_the_wrong_rule_marked():
    x, w = Value(X), Value(X + 1, name="w")
    out = np.sum(wrong(np.tanh(x), w) * 2.0, axis=0)
    assert traced(out, [x], ["argument 0"]).splitlines() == [
        "program:",
        "  v0 = argument 0  # (3, 2)",
        "  v1 = w  # (3, 2)",
        "  v2 = tanh(v0)  # (3, 2)",
        "  v3 = product(v2, v1)  # (3, 2)  <- wrong is its rule for v1: ratio -1, the sign is flipped",
        "  v4 = multiply(v3, 2)  # (3, 2)",
        "  v5 = sum(v4, axis=0)  # (2,)",
    ]


def test_a_rule_that_is_wrong_in_one_entry_has_no_single_ratio():
    sign = np.ones((3, 2))
    sign[1, 0] = -1.0
    x = Value(X)
    flipped = apply(
        Op(product, [lambda g, out, x, y: g * y * sign, lambda g, out, x, y: g * x], domain=REALS), (x, X)
    )
    text = traced(flipped, [x], ["argument 0"])
    assert "wrong is its rule for v0: not by the same ratio in all entries" in text


def test_where_every_rule_is_right_the_graph_is_suspected():
    x = Value(X)
    text = traced(np.sum(x * x.data), [x], ["argument 0"])
    assert "multiply(v0, constant (3, 2))" in text
    assert text.endswith(ALL_RIGHT)


def test_a_long_program_is_cut_to_what_is_wrong():
    x = y = Value(X)
    for _ in range(20):
        y = np.tanh(y)
    lines = traced(wrong(y, y) + 1.0, [x], ["argument 0"]).splitlines()
    assert len(lines) == 3
    assert "v21 = product(v20, v20)" in lines[1]
    assert lines[2] == "  ... 22 other lines"


def test_nothing_was_recorded():
    assert traced(np.ones(3), [], []) == ""
    x = Value(X)
    assert traced(x, [x], ["argument 0"]) == ""


@pytest.mark.parametrize(
    "f",
    [
        np.tanh, te.relu, np.abs, lambda x: np.sort(x, axis=0), lambda x: np.max(x, axis=1), lambda x: x[[0, 0, 1]],
        lambda x: np.concatenate([x, x]), lambda x: np.linalg.norm(x), lambda x: x @ X.T, lambda x: X[:1] * x,
        lambda x: np.where(X > 0, x, 2 * x), lambda x: te.logsumexp(x, axis=0),
    ],
)  # fmt: skip
@pytest.mark.parametrize("dtype", [float, np.float32])
def test_right_rules_are_not_blamed(f, dtype):
    out = f(Value(X.astype(dtype)))
    for i, parent in enumerate(out.args):
        assert not isinstance(parent, Value) or disagreeing(out, i) is None


def test_beside_a_kink_no_right_rule_is_blamed():
    x = Value(np.array([1e-5, -2e-5, 1.0]))
    assert disagreeing(np.abs(x), 0) is None
