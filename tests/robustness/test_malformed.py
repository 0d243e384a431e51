"""Bad input: 30 kinds of it into 30 calls, and always an error that says where; nothing is half changed.

An error is a TypeError, ValueError or IndexError with the user's file and line in it. What is in `ALLOWED` is
no mistake there. Calls that read an operand just as another one does are asked for one kind of each family.
"""

import datetime
import decimal
import fractions

import numpy as np
import pytest

import tinygrad_edu as te
from tinygrad_edu import Value, nn, optim

HERE = "(test_malformed.py:"


class Own:
    """An object that knows nothing of numbers."""

    def __repr__(self):
        return "Own()"


BAD = {
    "ragged": [[1.0, 2.0], [3.0]],
    "deeply ragged": [[[1.0]], [[1.0, 2.0]]],
    "objects": np.array([1.0, None]),
    "object": Own(),
    "text": "3.5",
    "array of text": np.array(["a", "b"]),
    "NumPy's text": np.str_("x"),
    "bytes": b"x",
    "complex": 1j,
    "complex array": np.ones(3, complex),
    "None": None,
    "set": {1.0, 2.0},
    "dict": {"a": 1.0},
    "generator": (float(i) for i in range(2)),
    "iterator": map(float, [1]),
    "record": np.zeros(2, [("a", float)]),
    "void": np.zeros(2, "V8"),
    "matrix": np.ones((2, 2)).view(np.matrix),
    "masked": np.ma.array([1.0, 2.0], mask=[False, True]),
    "dates": np.array(["2020-01-01"], "M8[D]"),
    "durations": np.array([1], "m8[D]"),
    "date": datetime.date(2020, 1, 1),
    "decimal": decimal.Decimal("1.5"),
    "fraction": fractions.Fraction(1, 2),
    "class": float,
    "function": np.sin,
    "module": np,
    "ellipsis": ...,
    "list of Values": [Value(1.0), Value(2.0)],
    "tuple with a Value": (Value(1.0), 2.0),
}
V = Value(np.arange(1.0, 7.0).reshape(2, 3), name="v")


OPERATIONS = {
    "+": lambda x: V + x,
    "* from the right": lambda x: x * V,
    "/": lambda x: V / x,
    "@": lambda x: V @ x,
    "**": lambda x: V**x,
    "np.maximum": lambda x: np.maximum(V, x),
    "np.arctan2": lambda x: np.arctan2(x, V),
    "np.where": lambda x: np.where(np.ones((2, 3), bool), V, x),
    "np.stack": lambda x: np.stack([V, x]),
    "np.concatenate": lambda x: np.concatenate([V, x]),
    "backward": lambda x: (V * 2.0).backward(x),
    "gradient of": lambda x: te.vjp(lambda v: v * v, V)[1](x),
    "prediction": lambda x: nn.mse_loss(x, np.ones(2)),
    "target": lambda x: nn.mse_loss(V, x),
    "logits": lambda x: nn.cross_entropy(x, [0, 1]),
    "classes": lambda x: nn.cross_entropy(V, x),
    "bce logits": lambda x: nn.binary_cross_entropy(x, np.ones(2)),
    "bce target": lambda x: nn.binary_cross_entropy(V, x),
    "accuracy": lambda x: nn.accuracy(x, np.ones(2)),
    "truth": lambda x: nn.accuracy(V, x),
    "Linear": lambda x: nn.Linear(3, 1, rng=0)(x),
    "width": lambda x: nn.Linear(x, 1),
    "seed": lambda x: nn.Linear(1, 1, rng=x),
    "layer": lambda x: nn.Sequential(x),
    "state": lambda x: nn.Linear(3, 1, rng=0).load_state_dict(x),
    "state's array": lambda x: nn.Linear(3, 1, rng=0).load_state_dict({"weight": x, "bias": [1.0]}),
    "lr": lambda x: optim.SGD([V], lr=x),
    "momentum": lambda x: optim.SGD([V], lr=0.1, momentum=x),
    "betas": lambda x: optim.Adam([V], betas=x),
    "parameters": lambda x: optim.SGD(x, lr=0.1),
}
ALLOWED = {
    ("backward", "None"): "it stands for 1",
    ("gradient of", "None"): "it stands for 1",
    ("seed", "None"): "random",
    ("layer", "function"): "any callable is a layer",
    ("lr", "fraction"): "a real number",
    ("momentum", "fraction"): "a real number",
    ("parameters", "list of Values"): "that is what they are",
}


READ_ALIKE = {"/", "@", "**", "np.where", "bce logits", "bce target", "truth"}  # as "+", "logits" or "accuracy"
FAMILIES = ["ragged", "objects", "object", "text", "complex", "None", "matrix", "masked", "list of Values"]


def wrong_with(call, kind):
    """What is wrong with how a call refuses a kind of input, or an empty text."""
    before = V.data.tobytes(), V.grad
    try:
        OPERATIONS[call](BAD[kind])
    except (TypeError, ValueError, IndexError) as error:
        text = str(error)
        if text.count(HERE) != 1 or len(text) >= 400:
            return f"{kind}: {text}"
        return "" if (V.data.tobytes(), V.grad) == before else f"{kind}: something was changed"
    return f"{kind}: not refused"


@pytest.mark.parametrize("call", OPERATIONS)
def test_bad_input_is_refused_with_the_place_and_changes_nothing(call):
    kinds = [kind for kind in (FAMILIES if call in READ_ALIKE else BAD) if (call, kind) not in ALLOWED]
    assert [wrong for kind in kinds if (wrong := wrong_with(call, kind))] == []


@pytest.mark.parametrize("call", ["lr", "momentum", "betas", "width", "seed"])
@pytest.mark.parametrize("flag", [True, np.True_, np.array([True, False])])
def test_true_is_no_number_where_a_number_is_meant(call, flag):
    with pytest.raises(TypeError) as caught:
        OPERATIONS[call](flag)
    assert HERE in str(caught.value)


# -- shapes and axes ----------------------------------------------------------------------------------------

x, w = Value(np.ones((2, 3)), name="x"), Value(np.ones((4, 2)), name="w")
SHAPES = {
    "rank": (lambda: x.reshape(6) @ w, "x @ w: x is (6,), w is (4, 2); inner sizes 6 and 4 differ."),
    "sizes": (lambda: x + w, "x + w: x is (2, 3), w is (4, 2); sizes 3 and 2 on axis -1 differ"),
    "operand": (lambda: x * np.ones(4), "x * y: x is (2, 3), y is (4,); sizes 3 and 4 on axis -1 differ"),
    "maximum": (lambda: np.maximum(x, w), "maximum(x, w): x is (2, 3), w is (4, 2); "),
    "axis": (lambda: np.sum(x, axis=2), "sum(x): x is (2, 3); axis 2 is out of bounds"),
    "axes": (lambda: np.mean(x, axis=(0, -3)), "mean(x): x is (2, 3); axis -3 is out of bounds"),
    "same axis": (lambda: np.sum(x, axis=(0, 0)), "sum(x): x is (2, 3); duplicate value in 'axis'"),
    "transpose": (lambda: np.transpose(x, (0, 2)), "transpose(x): x is (2, 3); axis 2 is out of bounds"),
    "reshape": (lambda: x.reshape(4), "reshape(x): x is (2, 3); cannot reshape array of size 6 into shape (4,)"),
    "squeeze": (lambda: np.squeeze(x, 0), "squeeze(x): x is (2, 3); cannot select an axis"),
    "index": (lambda: x[2], "x is (2, 3); index 2 is out of bounds for axis 0 with size 2"),
    "indices": (lambda: x[0, 0, 0], "x is (2, 3); too many indices"),
    "mask": (lambda: x[np.ones(3, bool)], "x is (2, 3); boolean index did not match"),
    "stack": (lambda: np.stack([x, w]), "all input arrays must have the same shape"),
    "concatenate": (lambda: np.concatenate([x, w]), "all the input array dimensions"),
    "einsum": (lambda: np.einsum("ij,jk->ik", x, w), "x is (2, 3), w is (4, 2); "),
    "Linear": (lambda: nn.Linear(2, 1)(x), "Linear expects 2 inputs, got 3 (x is (2, 3))"),
    "flat target": (lambda: nn.mse_loss(w[:, :1], np.ones(4)), "prediction is (4, 1), target is (4,); this would"),
    "tall target": (
        lambda: nn.mse_loss(w[:, 0], np.ones((4, 1))),
        "prediction is (4,), target is (4, 1); this would",
    ),
    "flat labels": (lambda: nn.accuracy(np.ones((4, 1)), np.ones(4)), "prediction is (4, 1), target is (4,); this"),
    "classes": (lambda: nn.cross_entropy(x, [0, 1, 1]), "logits is (2, 3), classes is (3,); expected (2,)"),
    "class": (lambda: nn.cross_entropy(x, [0, 3]), "class 3 at (1,) is outside 0 to 2: logits is (2, 3)"),
    "nan": (lambda: nn.mse_loss(x[0], [1.0, np.nan, 2.0]), "target is nan at (1,)"),
    "nan probability": (
        lambda: nn.binary_cross_entropy(x[0], [1.0, np.nan, 0.0]),
        "targets are from 0 to 1; got nan",
    ),
    "empty": (lambda: nn.mse_loss(x[:0], np.ones((0, 3))), "prediction is (0, 3): there are no examples"),
    "no logits": (lambda: nn.cross_entropy(x[:0], np.ones(0, int)), "logits is (0, 3): there are no examples"),
    "no labels": (lambda: nn.accuracy(np.ones(0), np.ones(0)), "prediction is (0,): there are no examples"),
    "not scalar": (lambda: (x * 2.0).backward(), "loss has shape (2, 3): call .mean() or .sum() first"),
    "seed": (lambda: x.backward(np.ones((3, 2))), "gradient has shape (3, 2), the Value has (2, 3); they must be"),
    "not square": (lambda: np.linalg.inv(x), "inv(x): x is (2, 3); "),
    "singular": (lambda: np.linalg.inv(x[:, :2]), "inv(x): x is (2, 2); Singular matrix"),
}


@pytest.mark.parametrize("mistake", SHAPES)
def test_shapes_that_do_not_fit_are_named(mistake):
    call, words = SHAPES[mistake]
    with pytest.raises((ValueError, IndexError, np.linalg.LinAlgError)) as caught:
        call()
    assert words in str(caught.value)
    assert HERE in str(caught.value)


def test_a_column_minus_a_row_is_computed_with_a_warning():
    with pytest.warns(te.BroadcastWarning, match=r"x is \(4, 1\), y is \(4,\); this would broadcast to \(4, 4\)"):
        assert (w[:, :1] - np.ones(4)).shape == (4, 4)


# -- unusual, and right -------------------------------------------------------------------------------------

LAYOUTS = {
    "big-endian": lambda a: a.astype(">f8"),
    "Fortran order": np.asfortranarray,
    "reversed": lambda a: a[::-1, ::-1].copy()[::-1, ::-1],
    "strided": lambda a: np.repeat(a, 2, axis=1)[:, ::2],
    "unaligned": lambda a: np.frombuffer(b"x" + a.tobytes(), "u1")[1:].view(a.dtype).reshape(a.shape),
    "subclass": lambda a: a.view(type("Sub", (np.ndarray,), {})),
    "nested lists": np.ndarray.tolist,
    "memory": memoryview,
}


@pytest.mark.parametrize("layout", LAYOUTS)
def test_any_layout_in_memory_gives_the_same_gradients_and_stays_as_it_was(layout):
    a, b = np.arange(6.0).reshape(2, 3), np.linspace(-1, 1, 6).reshape(2, 3)

    def found(one, other):
        u = Value(one)
        (np.tanh(u) * other).sum().backward()
        return np.asarray(u.grad)

    one, other = LAYOUTS[layout](a.copy()), LAYOUTS[layout](b.copy())
    gradient = found(one, other)
    assert gradient.tobytes() == found(a, b).tobytes()
    assert gradient.dtype == np.float64
    assert gradient.dtype.isnative
    assert np.array_equal(one, a)
    assert np.array_equal(other, b)


def test_read_only_data_is_enough():
    a = np.ones((2, 3))
    a.flags.writeable = False
    u = Value(a)
    optimizer = optim.SGD([u], lr=0.5)
    (u * a).sum().backward()
    optimizer.step()
    assert np.array_equal(u.data, np.full((2, 3), 0.5))
    assert np.array_equal(a, np.ones((2, 3)))


# -- what the engine says itself ----------------------------------------------------------------------------

square = lambda v: (v * v).sum()
ENGINE = {
    "argnums out of range": (lambda: te.grad(square, argnums=3)(2.0), "argnums is 3, and 1 positional arguments"),
    "argnums by name": (lambda: te.grad(square, argnums="v")(2.0), "got a str: write grad(f)(x) for grad(f, x)"),
    "no argnums": (lambda: te.grad(square, argnums=None)(2.0), "argnums says by place which arguments"),
    "keyword only": (lambda: te.grad(square)(v=2.0), "argnums is 0, and 0 positional arguments were given: pass by"),
    "class Value": (lambda: Value(Value), "the class Value was given"),
    "times a class": (lambda: x * Value, "the class Value was given"),
    "==": (lambda: x == w, "x == w: x is (2, 3), w is (4, 2); sizes 3 and 2 on axis -1 differ, and neither is 1."),
    "<": (lambda: x < np.ones(4), "x < y: x is (2, 3), y is (4,); sizes 3 and 4 on axis -1 differ"),
    "< None": (lambda: x < None, "x < y: x is (2, 3), y is (); '<' not supported"),
    "tangent of text": (lambda: te.jvp(square, (2.0,), ("1",)), "a text was given where numbers are expected"),
    "complex tangent": (lambda: te.jvp(square, (2.0,), (1j,)), "gradients are of real numbers; got complex"),
    "tangent of no number": (lambda: te.jvp(square, (2.0,), (Own(),)), "Own is not a number"),
}


@pytest.mark.parametrize("mistake", ENGINE)
def test_mistakes_outside_of_operations_are_explained(mistake):
    call, words = ENGINE[mistake]
    with pytest.raises((TypeError, ValueError)) as caught:
        call()
    assert words in str(caught.value)
    assert HERE in str(caught.value)
