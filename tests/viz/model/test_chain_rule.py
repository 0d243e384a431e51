"""The chain rule under the picture: named factors, numbers that multiply to the gradient, a sum over paths."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tinygrad_edu import Value, sigmoid
from tinygrad_edu.viz.model.build import chain_rule
from tinygrad_edu.viz.model.chain_rule import FACTORS, circled, shortened
from tinygrad_edu.viz.model.replay import Replay


def caption(root, to, **names):
    return chain_rule(Replay(root, names), to)


def neuron():
    w, b = Value([0.5, -0.25], name="w"), Value(0.1, name="b")
    layer_1 = np.array([1.66, 1.56]) @ w + b
    prediction = sigmoid(layer_1)
    return (prediction - 1.0) ** 2, w, {"layer_1": layer_1, "prediction": prediction}


def test_the_tutorials_neuron():
    error, w, names = neuron()
    (line,) = caption(error, w, error=error, **names).lines()
    assert line == (
        "derror_dw = derror_dprediction * dprediction_dlayer_1 * dlayer_1_dw "
        "= -0.7364 * 0.2326 * [1.66, 1.56] = [-0.2844, -0.2672]"
    )


def test_a_factor_over_unnamed_values_is_the_product_of_its_edges():
    error, w, names = neuron()
    found = caption(error, w, error=error, **names)
    assert sorted(map(found.factor, found.factors.values())) == [
        "derror_dprediction = -0.7364 * 1 = -0.7364",
        "dlayer_1_dw = 1 * [1.66, 1.56] = [1.66, 1.56]",
    ]


@given(st.floats(0.3, 0.9), st.floats(0.3, 0.9))
def test_the_numbers_of_a_line_multiply_to_its_product(x, y):
    w, v = Value(x, name="w"), Value(y, name="v")
    (line,) = caption(np.tanh(np.sin(w) * v), w).lines()
    name, words, numbers, product = line.split(" = ")
    assert (name, words) == ("dtanh_1_dw", "dtanh_1_dmul_1 * dmul_1_dsin_1 * dsin_1_dw")
    assert np.prod([float(n) for n in numbers.split(" * ")]) == pytest.approx(float(product), rel=3e-3)


def test_several_paths_are_summed_and_numbered():
    w = Value(3.0, name="w")
    found = caption(w * w + 5.0 * w, w)
    assert found.lines()[0] == "dadd_1_dw = 5 (1) + 3 (2) + 3 (3) = 11"
    assert [line.rpartition(" = ")[2] for line in found.lines()[1:]] == ["5", "3", "3"]
    assert sorted(map(circled, found.numbers.values())) == ["①", "①", "②", "②③", "③"]


def test_more_paths_than_are_listed_are_one_term():
    x = Value(1.0, name="x")
    y = x
    for _ in range(4):
        y = y + y
    found = caption(y, x)
    assert (
        found.lines()[0]
        == "dadd_4_dx = " + " + ".join(f"1 ({k})" for k in range(1, 7)) + " + 10 (+10 more paths) = 16"
    )


def test_a_jacobian_has_no_number_in_the_line():
    w = Value(np.ones((2, 2)), name="w")
    (line,) = caption(np.tanh(np.ones((3, 2)) @ w).sum(), w).lines()
    assert line.startswith("dsum_1_dw = dsum_1_dtanh_1 * dtanh_1_dmatmul_1 * dmatmul_1_dw = ")
    assert line.count(" = ") == 2


def test_a_value_with_itself_is_one_factor():
    w = Value(2.0, name="w")
    assert caption(w * 3.0, w).lines() == ["dmul_1_dw = 3"]


def test_long_products_leave_out_the_middle():
    assert shortened(["a"] * FACTORS) == " * ".join(["a"] * FACTORS)
    text = shortened([f"f{i}" for i in range(100)])
    assert text == "f0 * f1 * f2 * ... 95 more ... * f98 * f99"
