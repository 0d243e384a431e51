"""How to ask about a gradient, and what is said to a wrong question."""

import numpy as np
import pytest

from tinygrad_edu import Value, viz
from tinygrad_edu.viz import explain, recording, why
from tinygrad_edu.viz.answers.asked import asked
from tinygrad_edu.viz.lines import LAST


@pytest.fixture(autouse=True)
def forget():
    LAST.set(None)


def test_both_given():
    w = Value(1.0)
    loss = w * 2.0
    assert asked("why", w, loss) == (w, loss)


def test_the_loss_of_the_last_recorded_backward():
    w = Value(1.0)
    with recording():
        loss = w * 2.0
        loss.backward()
    assert asked("why", w, None)[1] is loss


@pytest.mark.parametrize("look", [viz.trace, viz.draw])
def test_the_loss_that_was_looked_at_last(look):
    w = Value(1.0)
    first, loss = w * 2.0, w * 3.0
    look(first)
    look(loss)
    assert asked("why", w, None)[1] is loss
    del loss
    with pytest.raises(TypeError, match=r"call viz\.trace\(loss\) first"):
        asked("why", w, None)


@pytest.mark.parametrize("question", [explain, why])
@pytest.mark.parametrize(
    ("w", "loss", "kind", "words"),
    [
        (1.0, Value(1.0), TypeError, "is about a Value, such as a weight; got float"),
        (Value(1.0), None, TypeError, "a Value does not know what was computed from it: write viz."),
        (Value(1.0), 2.0, TypeError, "computed from constants only"),
        (Value(1.0), Value(np.ones(3), name="out"), ValueError, "out has shape"),
    ],
)
def test_wrong_questions(question, w, loss, kind, words):
    with pytest.raises(kind, match=words) as caught:
        question(w, loss)
    assert "test_asked.py:" in str(caught.value)
    assert question.__name__ in str(caught.value) or words.startswith(("computed", "out"))
