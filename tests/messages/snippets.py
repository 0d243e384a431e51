"""Runs code as a learner writes it, in a file `snippet.py`, and looks at what is said of it."""

import math

import numpy as np
import pytest

import tinygrad_edu as te
from tinygrad_edu import Value, data, nn, optim, testing, train, viz


def names():
    """What a snippet finds: the packages, a few Values, and a small network with its loss."""
    v = Value([1.0, 2.0, 3.0], name="v")
    w = Value([4.0, 5.0, 6.0], name="w")
    s = Value(2.0, name="s")
    model = nn.Sequential(nn.Linear(3, 4, rng=0), nn.Tanh(), nn.Linear(4, 1, rng=1))
    x = np.ones((5, 3))
    y = np.zeros((5, 1))
    found = {"te": te, "np": np, "math": math, "nn": nn, "optim": optim, "data": data, "viz": viz, "testing": testing}
    return found | {
        "train": train,
        "Value": Value,
        "v": v,
        "w": w,
        "s": s,
        "model": model,
        "x": x,
        "y": y,
        "a": np.zeros(3),
    }


def run(code):
    """Run a snippet; what its last line gives, if that is an expression, is `result`."""
    found = names()
    *before, last = code.splitlines()
    try:
        compile(last, "snippet.py", "eval")
        code = "\n".join([*before, f"result = {last}"])
    except SyntaxError:
        pass
    exec(compile(code, "snippet.py", "exec"), found)
    return found.get("result")


def line_of(code):
    """The number of the line that is marked `# here`, else of the last."""
    lines = code.splitlines()
    marked = [number for number, line in enumerate(lines, 1) if line.endswith("# here")]
    return marked[0] if marked else len(lines)


def refused(code, words):
    """Hold that a snippet is refused in these words, with the line where the mistake is.

    Where NumPy itself puts its own error over ours, as for `a[0] = v`, the cause counts.
    """
    with pytest.raises(Exception) as caught:  # noqa: PT011 - the words are what counts, and they are looked at
        run(code)
    text = str(caught.value.__cause__ if str(caught.value).startswith("setting an array") else caught.value)
    assert words in text, text
    assert text.endswith(f"(snippet.py:{line_of(code)})"), text


def works(code, expected):
    """Hold that a snippet gives a number, an array or a text."""
    result = run(code)
    result = result.data if isinstance(result, Value) else result
    if isinstance(expected, str | bool | None):
        assert result == expected
    else:
        np.testing.assert_allclose(result, expected)
