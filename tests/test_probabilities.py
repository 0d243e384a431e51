"""Sigmoid and softmax are found before a loss that applies them, however they are written and moved about."""

import numpy as np
import pytest

from tinygrad_edu import Value, custom, nn, no_grad
from tinygrad_edu.probabilities import squashed_by

X = np.linspace(-2, 2, 12).reshape(4, 3)
CLASSES = np.array([0, 1, 2, 0])


def stable(x):
    e = np.exp(x - x.max(axis=1, keepdims=True))
    return e / e.sum(axis=1, keepdims=True)


SIGMOIDS = {
    "sigmoid": nn.sigmoid,
    "method": lambda x: x.sigmoid(),
    "module": nn.Sigmoid(),
    "by hand": lambda x: 1 / (1 + np.exp(-x)),
    "by hand, other way round": lambda x: 1.0 / (np.exp(-x) + 1.0),
    "by hand, np.divide": lambda x: np.divide(1, 1 + np.exp(-x)),
    "by hand, twice exp": lambda x: np.exp(x) / (1 + np.exp(x)),
    "power": lambda x: (1 + np.exp(-x)) ** -1,
    "reciprocal": lambda x: np.reciprocal(1 + np.exp(-x)),
    "product": lambda x: np.exp(x) * (1 / (1 + np.exp(x))),
    "base e": lambda x: 1 / (1 + np.e ** (-x)),
    "tanh": lambda x: (1 + np.tanh(x / 2)) / 2,
    "tanh, summed last": lambda x: 0.5 * np.tanh(0.5 * x) + 0.5,
    "tanh, subtracted": lambda x: (1 - np.tanh(-x)) * np.full((4, 3), 0.5),
    "tanh, divided and moved": lambda x: ((np.tanh(x) + 1).T / 2.0).T,
    "arc tangent": lambda x: 0.5 + np.arctan(x) / np.pi,
    "complement": lambda x: 1 - nn.sigmoid(x),
    "complement by hand": lambda x: 1 - 1 / (1 + np.exp(-x)),
    "shifted": lambda x: nn.sigmoid(x) * (1 - 2e-7) + 1e-7,
    "difference": lambda x: nn.sigmoid(x) - 1e-7,
    "ones": lambda x: np.ones((4, 3)) / (np.ones((4, 3)) + np.exp(-x)),
}
SOFTMAXES = {
    "textbook": lambda x: np.exp(x) / np.exp(x).sum(axis=1, keepdims=True),
    "stable": stable,
    "new axis": lambda x: np.exp(x) / np.sum(np.exp(x), axis=1)[:, None],
    "reshape": lambda x: np.exp(x) / np.exp(x).sum(axis=1).reshape(-1, 1),
    "transposed": lambda x: (np.exp(x).T / np.exp(x).sum(axis=1)).T,
    "a small number": lambda x: np.exp(x) / (np.exp(x).sum(axis=1, keepdims=True) + 1e-9),
    "logsumexp": lambda x: np.exp(x - x.logsumexp(axis=1, keepdims=True)),
    "product": lambda x: np.exp(x) * (1 / np.exp(x).sum(axis=1, keepdims=True)),
    "power": lambda x: np.exp(x) * np.exp(x).sum(axis=1, keepdims=True) ** -1,
    "shifted": lambda x: stable(x) + 1e-9,
}
MOVED = {
    "as it is": lambda p: p,
    "reshape": lambda p: p.reshape(2, 2, 3).reshape(4, 3),
    "ravel": lambda p: np.ravel(p).reshape(4, 3),
    "indexing": lambda p: p[:4][[0, 1, 2, 3]],
    "transposed": lambda p: p.T.transpose(),
    "moved": lambda p: np.moveaxis(np.swapaxes(p, 0, 1), 0, 1),
    "an axis more and less": lambda p: np.squeeze(p[:, None], 1),
    "concatenated": lambda p: np.concatenate([p[:2], p[2:]]),
    "stacked": lambda p: np.stack([p[0], p[1], p[2], p[3]]),
    "clipped": lambda p: np.clip(p, 1e-7, 1 - 1e-7),
    "limited": lambda p: np.maximum(p, 1e-9),
    "converted": lambda p: p.astype(np.float32),
    "copied": lambda p: p.copy(),
    "chosen": lambda p: np.where(X > 0, p, p),
}


@pytest.mark.parametrize("moved", MOVED)
@pytest.mark.parametrize("kind", SIGMOIDS)
def test_a_sigmoid_is_found_by_both_losses(kind, moved):
    p = MOVED[moved](SIGMOIDS[kind](Value(X)))
    assert squashed_by(p) == "sigmoid"
    message = r"binary_cross_entropy applies the sigmoid itself: give it the logits, .*your sigmoid \(test_prob"
    with pytest.raises(ValueError, match=message):
        nn.binary_cross_entropy(p, np.ones((4, 3)))
    with pytest.raises(
        ValueError, match=r"applies a softmax itself.*from a sigmoid.* or no, use binary_cross_entropy"
    ):
        nn.cross_entropy(p, CLASSES)


@pytest.mark.parametrize("moved", MOVED)
@pytest.mark.parametrize("kind", SOFTMAXES)
def test_a_softmax_is_found_by_both_losses(kind, moved):
    p = MOVED[moved](SOFTMAXES[kind](Value(X)))
    assert np.allclose(p.data.sum(axis=1), 1, atol=1e-6)
    assert squashed_by(p) == "softmax"
    with pytest.raises(
        ValueError, match=r"cross_entropy applies the softmax itself: give it the logits, the input of"
    ):
        nn.cross_entropy(p, CLASSES)
    with pytest.raises(
        ValueError, match=r"applies a sigmoid itself.*come from a softmax.*one is right, use cross_ent"
    ):
        nn.binary_cross_entropy(p, np.ones((4, 3)))


@pytest.mark.parametrize("name", ["expit", "log_expit", "ndtr", "erf"])
def test_those_of_scipy_are_found(name):
    function = getattr(pytest.importorskip("scipy.special"), name)
    p = (1 + function(Value(X))) / 2 if name == "erf" else function(Value(X))
    with pytest.raises(ValueError, match="applies the sigmoid itself"):
        nn.binary_cross_entropy(p, np.ones((4, 3)))


@pytest.mark.parametrize("constant", [0.0, np.nan, np.inf, np.zeros((4, 3)), np.array([[np.nan, 1.0, 1.0]])])
def test_odd_constants_are_no_stretching(constant):
    with np.errstate(all="ignore"):
        assert squashed_by(np.tanh(Value(X)) / constant + 0.5) == squashed_by(nn.sigmoid(Value(X)) * constant) == ""


@pytest.mark.parametrize(("pick", "target"), [(np.s_[:, 0], np.ones(4)), (np.s_[:, 1:2], np.ones((4, 1)))])
def test_one_column_of_it_is_still_one(pick, target):
    with pytest.raises(ValueError, match="applies the sigmoid itself"):
        nn.binary_cross_entropy(nn.sigmoid(Value(X))[pick], target)


def test_an_operation_of_ones_own_is_known_by_its_name(table):
    softmax = lambda x: np.exp(x) / np.sum(np.exp(x))
    rule = lambda g, out, x: out * (g - np.sum(g * out))
    softmax.__name__ = "softmax"
    from tinygrad_edu.table import case

    own = custom((rule,), domain=(-1, 1), order=1, cases=[case((3,))])(softmax)
    with pytest.raises(ValueError, match="applies the softmax itself"):
        nn.cross_entropy(own(Value(X[0])), 1)


LOGITS = {
    "a layer": lambda x: x @ np.ones((3, 3)),
    "a hidden sigmoid": lambda x: nn.sigmoid(x) @ np.ones((3, 3)),
    "a scaled sigmoid": lambda x: 5 * nn.sigmoid(x),
    "a sigmoid around 0": lambda x: 2 * nn.sigmoid(x) - 1,
    "half a sigmoid": lambda x: nn.sigmoid(x) / 2,
    "a scaled tanh": lambda x: 10 * np.tanh(x) + 0.5,
    "shifted differently": lambda x: (1 + np.tanh(x)) * np.arange(3.0) + 0.5,
    "divided by it": lambda x: 1 / (2 + np.tanh(x)),
    "added": lambda x: x + x * 0.5 + 0.5,
    "silu": lambda x: x * (1 / (1 + np.exp(-x))),
    "attention": lambda x: stable(x) @ np.ones((3, 3)),
    "log of a softmax": lambda x: np.log(stable(x)),
    "log softmax": lambda x: x - x.logsumexp(axis=1, keepdims=True),
    "exp": np.exp,
    "a ratio": lambda x: x / (1 + x**2),
    "a mean of exponentials": lambda x: np.exp(x) / np.mean(x**2),
    "tanh": np.tanh,
    "variables": lambda x: x,
    "inverse": lambda x: 1 / (2 + np.exp(-x)),
    "square root": lambda x: (1 + np.exp(-x)) ** -0.5,
}


@pytest.mark.parametrize("kind", LOGITS)
def test_logits_are_let_through(kind):
    logits = LOGITS[kind](Value(X))
    assert squashed_by(logits) == ""
    assert np.isfinite(nn.cross_entropy(logits, CLASSES).item())
    assert np.isfinite(nn.binary_cross_entropy(logits, np.ones((4, 3))).item())


def test_without_a_graph_nothing_can_be_seen():
    with no_grad():
        assert squashed_by(nn.sigmoid(Value(X))) == ""
    assert squashed_by(X) == squashed_by(1.0) == ""


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
def test_rows_of_probabilities_are_seen_by_their_numbers_where_there_is_no_graph(dtype):
    z = X.astype(dtype)
    with no_grad():
        results = [stable(Value(z)), Value(z) * 1.0]
    p = results[0].data
    for given in (p, p.tolist(), results[0]):
        with pytest.raises(ValueError, match=r"cross_entropy applies the softmax itself.*\(test_probabilities"):
            nn.cross_entropy(given, CLASSES)
    for logits in (z, results[1], np.eye(3, dtype=dtype)[CLASSES], p * 2, p[:, :2], Value(p), np.abs(z[:0].T).T):
        if logits.shape[0]:
            assert np.isfinite(nn.cross_entropy(logits, CLASSES % logits.shape[1]).item())


def test_a_long_chain_of_moves_ends():
    p = nn.sigmoid(Value(X))
    for _ in range(5_000):
        p = p.T
    assert squashed_by(p) == ""
