"""Explanations: the terms add up to the gradient, and `.grad` is accounted for."""

import re

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tinygrad_edu import Value, viz
from tinygrad_edu.notes import LAST
from tinygrad_edu.viz import explain, recording, why
from tinygrad_edu.viz.model.formatting import how_many
from tinygrad_edu.viz.words.explain import question

HOSTILE = "\x1b[31mred\u202e<b>"


def terms(text):
    """The numbers of the sum in the first line, and the total."""
    *_, total = text.splitlines()[0].split(" = ")
    summed = text.splitlines()[0].split(" = ")[1]
    return [float(term.split()[0]) for term in summed.split(" + ")], float(total)


@given(
    st.lists(st.tuples(st.integers(0, 2), st.floats(-2, 2).filter(lambda c: abs(c) > 0.01)), min_size=1, max_size=7)
)
def test_the_terms_shown_add_up_to_the_gradient(program):
    w = Value(0.7, name="w")
    x = w
    for call, c in program:
        x = (x * c, x + w * c, x * w)[call]
    if x is w:
        return
    x.backward()
    shown, total = terms(explain(w, x))
    assert np.isclose(sum(shown), w.grad, rtol=2e-3, atol=1e-3 * sum(map(abs, shown)))
    assert total == float(f"{w.grad:.4g}")


def test_a_weight_used_twice():
    with recording():
        w = Value(0.5, name="w")
        hidden = w * 2.0
        loss = w * hidden
        loss.backward()
    lines = explain(w, names=locals()).splitlines()
    assert lines[:3] == ["dloss_dw = 1 (1) + 1 (2) = 2", "w.grad = 2", ""]
    number = next(int(n) for n in re.findall(r"test_explain.py:(\d+): loss", "\n".join(lines)))
    assert lines[3:] == [
        "(1) 1 factor, product 1",
        f"  test_explain.py:{number}: loss = w * hidden",
        "    dloss_dw = hidden = 1",
        "",
        "(2) 2 factors, product 1",
        f"  test_explain.py:{number}: loss = w * hidden",
        "    dloss_dhidden = w = 0.5",
        f"  test_explain.py:{number - 1}: hidden = w * 2.0",
        "    dhidden_dw = 2   product so far 1",
    ]


def test_lines_are_left_out_where_none_were_noted():
    w = Value(0.5, name="w")
    assert ".py:" not in explain(w, w * w)


def test_paths_beyond_the_listed_are_counted_and_their_sum_given():
    w = Value(1.0, name="w")
    x = w
    for _ in range(70):
        x = x * x
    text = explain(w, x)
    assert terms(text)[0] == [1.0] * 6 + [float(f"{2.0**70 - 6:.4g}")]
    assert text.splitlines()[-1] == f"+{how_many(2**70 - 6)} more paths = 1.181e+21"
    assert "58 more factors" in text


def test_arrays_are_told_by_products_of_jacobians():
    x, w = np.ones((5, 3)), Value(np.ones((3, 2)), name="w")
    loss = ((x @ w) ** 2).sum()
    loss.backward()
    text = explain(w, loss, names={"x": x})
    assert f"dsum_1_dw = (3, 2), norm {np.linalg.norm(w.grad):.4g}" in text
    assert "dmatmul_1_dw = x^T  (3, 5)   product so far (3, 2)" in text


def test_the_value_itself_has_one_empty_path():
    w = Value(2.0, name="w")
    assert "(1) 0 factors, product 1" in explain(w, w)


@pytest.mark.parametrize(
    ("prepare", "said"),
    [
        (lambda w, loss: None, "w.grad is None: mul_1.backward() has not run"),
        (lambda w, loss: loss.backward(), "w.grad = 6"),
        (lambda w, loss: (loss.backward(), setattr(w, "grad", None)), "w.grad is None: it was cleared"),
        (lambda w, loss: (loss.backward(), loss.backward()),
         "w.grad = 12 = 6 + 6 left over from an earlier backward: zero_grad()?"),
        (lambda w, loss: loss.backward(gradient=5.0),
         "w.grad = 30: the last backward through mul_1 began with 5, not 1"),
        (lambda w, loss: (w * 4.0).backward(), "w.grad = 4, from another backward: mul_1.backward() has not run"),
    ],
)  # fmt: skip
def test_what_grad_holds(prepare, said):
    w = Value(3.0, name="w")
    loss = w * w
    prepare(w, loss)
    assert explain(w, loss).splitlines()[1] == said


def test_a_closed_factor_says_so():
    w = Value(-1.0, name="w")
    assert "drelu_1_dw = [w > 0] = 0 (closed)" in explain(w, w.relu())


def test_names_cannot_send_commands_to_the_terminal():
    w = Value(1.0, name=HOSTILE)
    text = explain(w, w * w)
    assert all(c == "\n" or (c.isascii() and c.isprintable()) for c in text)


def test_no_path_is_an_error_that_names_the_other_question():
    with pytest.raises(ValueError, match=r"was not computed from w: viz.why\(w, loss\) says"):
        explain(Value(1.0, name="w"), Value(2.0) * 3.0)


@pytest.fixture(autouse=True)
def forget():
    LAST.set(None)


def test_both_given():
    w = Value(1.0)
    loss = w * 2.0
    assert question("why", w, loss) == (w, loss)


def test_the_loss_of_the_last_recorded_backward():
    w = Value(1.0)
    with recording():
        loss = w * 2.0
        loss.backward()
    assert question("why", w, None)[1] is loss


@pytest.mark.parametrize("look", [viz.trace, viz.draw])
def test_the_loss_that_was_looked_at_last(look):
    w = Value(1.0)
    first, loss = w * 2.0, w * 3.0
    look(first)
    look(loss)
    assert question("why", w, None)[1] is loss
    del loss
    with pytest.raises(TypeError, match=r"call viz\.trace\(loss\) first"):
        question("why", w, None)


@pytest.mark.parametrize("ask", [explain, why])
@pytest.mark.parametrize(
    ("w", "loss", "kind", "words"),
    [
        (1.0, Value(1.0), TypeError, "is about a Value, such as a weight; got float"),
        (Value(1.0), None, TypeError, "a Value does not know what was computed from it: write viz."),
        (Value(1.0), 2.0, TypeError, "computed from constants only"),
        (Value(1.0), Value(np.ones(3), name="out"), ValueError, "out has shape"),
    ],
)
def test_wrong_questions(ask, w, loss, kind, words):
    with pytest.raises(kind, match=words) as caught:
        ask(w, loss)
    assert "test_explain.py:" in str(caught.value)
    assert ask.__name__ in str(caught.value) or words.startswith(("computed", "out"))
