"""Arguments of the wrong kind: names, paths, seeds, initialisers, dtypes, data."""

import pytest

from tests.messages.snippets import refused

ROWS = [
    ("Value(2.0, 3)", "the name of a Value is a text"),
    ("Value(2.0, name=3)", "the name of a Value is a text"),
    ("Value(2.0, (v, w), '+')", "the name of a Value is a text, Value(2.0, name='w'); got a tuple"),
    ("Value([1.0], [2.0])", "the name of a Value is a text"),
    ("Value(2.0, np.float32)", "the name of a Value is a text"),
    ("Value('2.0')", "a text was given where numbers are expected: float(text)"),
    ("v + '1'", "a text was given where numbers are expected"),
    ("nn.mse_loss('a', y)", "prediction: a text was given"),
    ("Value({'w': 1.0})", "a dict was given where numbers are expected"),
    ("Value({1.0, 2.0})", "a set was given where numbers are expected"),
    ("Value(x for x in range(3))", "a generator was given where numbers are expected: list(...)"),
    ("Value(map(float, [1, 2]))", "a map was given where numbers are expected: list(...)"),
    ("Value(zip([1.0], [2.0]))", "a zip was given where numbers are expected: list(...)"),
    ("te.save(model, 3)", "path is the name of a file"),
    ("te.save(model, None)", "path is the name of a file"),
    ("te.load(model, 0)", "path is the name of a file"),
    ("nn.Linear(3, 1, init='glorot')", "init is a function (shape, rng)"),
    ("nn.Linear(3, 1, init=np.zeros((3, 1)))", "init is a function (shape, rng)"),
    ("nn.Linear(3, 1, init=0.1)", "init is a function (shape, rng)"),
    ("nn.Linear(3, 1, bias_init=0.0)", "bias_init is a function (shape, rng)"),
    ("nn.Linear(3, 1, init=np.zeros)", "init is a function (shape, rng)"),
    ("nn.Linear(3, 1, init=lambda shape, rng: np.zeros(2))", "init gave an array of shape (2,)"),
    ("nn.Linear(3, 1, init=lambda shape, rng: None)", "init gave"),
    ("nn.Linear(3, 1, dtype=int)", "dtype is a floating point type"),
    ("nn.Linear(3, 1, dtype='float23')", "dtype is a floating point type"),
    ("nn.Linear(3, 1, dtype=complex)", "dtype is a floating point type"),
    ("nn.Linear(3, 1, dtype=v)", "dtype is a floating point type"),
    ("nn.Linear(3, 1, dtype=0.5)", "dtype is a floating point type"),
    ("data.moons(10, rng='zero')", "rng is a whole number from 0"),
    ("data.moons(10, rng=-1)", "rng is a whole number from 0"),
    ("data.moons(10.0)", "count is a whole number"),
    ("data.moons('10')", "count is a whole number"),
    ("data.moons(1)", "two moons need at least 2 points"),
    ("data.moons(10, noise=-1.0)", "it must be at least 0"),
    ("data.moons(10, noise='low')", "noise is a number"),
    ("data.house_prices(0)", "it must be at least 1"),
    ("data.house_prices(2.5)", "count is a whole number"),
    ("data.house_prices(2, rng=0.5)", "rng is a whole number from 0"),
    ("data.minibatches(x, y, batch_size=2, rng='zero')", "rng is a whole number from 0"),
    ("data.minibatches(x, y, batch_size=0)", "it must be at least 1"),
    ("data.minibatches(x, y[1:], batch_size=2)", "as many rows as each other"),
    ("data.train_test_split(x, y, test=2)", "both parts must hold at least one row"),
    ("data.train_test_split(x, y, test='20%')", "test is a number"),
    ("data.train_test_split(x, y[:2])", "as many rows as each other"),
    ("data.train_test_split(x, y, rng=1.5)", "rng is a whole number from 0"),
    ("v.name = 'v'\nclass Twice(nn.Module):\n    def __init__(self):\n        self.d = {1: v, '1': w}\n"
     "Twice().state_dict()", "two parameters have one path"),
    ("from tinygrad_edu import differentiable\ndifferentiable(np.tanh, lambda g, out, x: g, domain=te.REALS)",
     "in the table already"),
    ("te.custom((lambda g, out, x: g,), domain=te.REALS)(lambda x: x * x)", "disagrees with differences"),
]  # fmt: skip


@pytest.mark.parametrize(("code", "words"), ROWS)
def test_an_argument_of_the_wrong_kind_is_named(code, words):
    refused(code, words)
