"""Values where Python or NumPy would make something else of them: numbers, arrays, truth values, texts, pictures."""

import numpy as np
import pytest

from tests.messages.snippets import refused, works

ROWS = [
    ("a[1:3] = v[1:]", "a = te.at(a, i).set(v)"),
    ("a[0] = s", "a = te.at(a, i).set(v)"),
    ("a[:] = v", "a = te.at(a, i).set(v)"),
    ("a[a > -1] = v", "a = te.at(a, i).set(v)"),
    ("a[1:3] += v[1:]", "te.at(a, i).add(v) instead of a[i] += v"),
    ("for i in range(3):\n    a[i] = v[i] * 2.0", "collect the Values in a list and join them"),
    ("v[0] = 1.0", "v = te.at(v, i).set(x)"),
    ("v[v > 1.0] = 0.0", "v = te.at(v, i).set(x)"),
    ("v[0] += 1.0", "v = te.at(v, i).set(x)"),
    ("if v > 0:  # here\n    pass", "an answer for each number, here of shape (3,)"),
    ("if v > 0:  # here\n    pass", "np.where(v > 0, a, b) to choose for each"),
    ("while v < w:  # here\n    pass", "write .all() or .any() behind it"),
    ("assert v == w", "write .all() or .any() behind it"),
    ("r = 1.0 if v > w else 2.0", "np.where(v > 0, a, b)"),
    ("r = v > 0 and w > 0", "an answer for each number"),
    ("r = not v > 0", "an answer for each number"),
    ("if v:  # here\n    pass", "a Value of shape (3,) is neither true nor false"),
    ("r = v or w", "neither true nor false"),
    ("r = bool(v)", "neither true nor false"),
    ("w in [v]", "`in` compares numbers"),
    ("s in [Value(2.0)]", "`in` compares numbers"),
    ("w not in (v, s)", "any(v is w for w in values)"),
    ("len(s)", "a Value that is a single number has no length"),
    ("for number in s:  # here\n    pass", "has no length and no entries"),
    ("p, q = s", "has no length and no entries"),
    ("list(s)", "has no length and no entries"),
    ("np.full(3, s)", "np.ones(3) * v instead of np.full(3, v)"),
    ("Value(v)", "use it as it is"),
    ("np.add.at(a, [0], s)", "te.at(a, i).add(v) is a new one"),
    ("np.subtract.at(a, [0, 1], v[:2])", "te.at(a, i).add(v) is a new one"),
    ("a[s]", "an index is a whole number"),
    ("x[v]", "an index is a whole number"),
    ("[1, 2, 3][s]", "int(v.item())"),
    ("f'{s:d}'", "f'{v:.3f}'"),
    ("f'{v:x}'", "f'{v:.3f}'"),
    ("round(v, 2)", "np.round(v)"),
    ("v.item()", "v.tolist() gives all of them"),
    ("np.concatenate(v, w)", "several arrays stand in a list, concatenate([v, w])"),
    ("np.stack(v, w)", "several arrays stand in a list, stack([v, w])"),
    ("np.sum(v, w)", "sum: option axis=Value"),
    ("np.where(v > 0, v)", "where: either both or neither of x and y should be given"),
    ("import matplotlib.pyplot as plt\nplt.plot(v)", "matplotlib draws plain numbers: give it v.data"),
    ("import matplotlib.pyplot as plt\nplt.scatter(a, v)", "matplotlib draws plain numbers: give it v.data"),
    ("import matplotlib.pyplot as plt\nplt.bar(a, v)", "matplotlib draws plain numbers: give it v.data"),
    ("import matplotlib.pyplot as plt\nplt.imshow(v.reshape(1, 3))", "matplotlib draws plain numbers"),
    ("import matplotlib.pyplot as plt\nplt.plot([s, s])", "matplotlib draws plain numbers"),
    ("import matplotlib.pyplot as plt\nplt.hist(v)", "matplotlib draws plain numbers"),
    ("np.testing.assert_allclose(v, a)", "np.testing compares plain arrays: tinygrad_edu.testing.assert_close(a, b)"),
    ("np.testing.assert_array_equal(a, v)", "testing.assert_close(a, b) takes Values, arrays and structures"),
    ("np.testing.assert_equal([v], [a])", "testing.assert_close(a, b)"),
]

WORKING = [
    ("f'{v:.3f}'", "[1.000 2.000 3.000]"),
    ("f'{v * w:.1f}'", "[4.0 10.0 18.0]"),
    ("f'{s:.3f}'", "2.000"),
    ("'%s' % f'{v[None]:.0f}'", "[[1 2 3]]"),
    ("3.0 in [v[0], v[2]]", True),
    ("v in {v, w}", True),
    ("v in [w, v][1:]", True),
    ("s > 1.0 and s < 3.0", True),
    ("(v > 0).all() and True", True),
    ("np.where(v > 1.0, v, 0.0)", [0.0, 2.0, 3.0]),
    ("te.at(np.zeros(3), slice(1, 3)).set(v[1:])", [0.0, 2.0, 3.0]),
    ("mask = v > 1.0\nmask.sum()", 2),
]


@pytest.mark.parametrize(("code", "words"), ROWS)
def test_a_conversion_is_refused_in_words_that_fit_the_line(code, words):
    refused(code, words)


@pytest.mark.parametrize(("code", "expected"), WORKING)
def test_what_has_one_meaning_works(code, expected):
    works(code, expected)


def test_writing_into_an_array_changes_nothing():
    refused("a[:] = v", "cut the graph")
    works("try:\n    a[:] = v\nexcept TypeError:\n    pass\na", np.zeros(3))
