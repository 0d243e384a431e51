"""A planted mistake is named by the report, word for word, and the rule to blame is found."""

import numpy as np
import pytest

import tinygrad_edu as te
from tinygrad_edu import Value
from tinygrad_edu.backward import backpropagate, unbroadcast
from tinygrad_edu.graph import toposort
from tinygrad_edu.table import OPERATIONS, PRIMITIVES, REALS, Op
from tinygrad_edu.testing import FAIL, check_gradients, hint
from tinygrad_edu.testing.diagnosis.hints import DOUBLE, HALF, NONE, SIGN, UNKNOWN, Evidence, diagnose, ratio
from tinygrad_edu.testing.diagnosis.program import ALL_RIGHT, disagreeing, listed
from tinygrad_edu.value import apply

RNG = np.random.default_rng(3)
X, Y, ROW, A, B, W = (RNG.normal(size=s) for s in ((5,), (5,), (1, 3), (2, 3), (3, 4), (3, 3)))
FLIP = np.array([1.0, 1.0, -1.0, 1.0, 1.0])


def square(x):
    return x * x


def mean(x):
    return np.mean(x, axis=0)


def shares(x):
    return np.exp(x) / np.exp(x).sum()


def product(x, y):
    return x * y


def matmul(x, y):
    return x @ y


def turned(x):
    return np.sin(x).T


def pick(x):
    return x[[0, 0, 1, 2]]


right = lambda g, out, x, y: g * y
FAULTS = {
    "sign": (square, [lambda g, out, x: -2 * g * x], (X,), 0, SIGN),
    "double": (square, [lambda g, out, x: 4 * g * x], (X,), 0, DOUBLE),
    "half": (square, [lambda g, out, x: g * x], (X,), 0, HALF),
    "nothing": (square, [lambda g, out, x: 0 * g * x], (X,), 0, NONE),
    "mean without 1/n": (
        mean, [lambda g, out, x: g + 0 * x], (B,), 0,
        "3 times too large: a mean's 1/n is missing; n = 3 is the length of axis 0 of argument 0",
    ),
    "divided by n twice": (
        mean, [lambda g, out, x: g / 9 + 0 * x], (B,), 0,
        "1/3 of it: divided by n too often; n = 3 is the length of axis 0 of argument 0; or a factor is missing, "
        "as in the chain rule",
    ),
    "two rows": (
        mean, [lambda g, out, x: g + 0 * x], (A,), 0,
        f"{DOUBLE}; or 2 times too large: a mean's 1/n is missing; n = 2 is the length of axis 0 of argument 0",
    ),
    "no cotangent": (
        square, [lambda g, out, x: 2 * x + 0 * g], (X,), 0,
        "this is the gradient of the sum: the rule forgets its cotangent, multiply by g",
    ),
    "only the cotangent": (
        square, [lambda g, out, x: g + 0 * x], (X,), 0,
        "the cotangent is handed on as it came: the local derivative is missing",
    ),
    "transposed, square": (
        turned, [lambda g, out, x: g * np.cos(x).T], (W,), 0,
        "transposed: the right numbers, rows and columns exchanged",
    ),
    "transposed, not square": (
        turned, [lambda g, out, x: (g * np.cos(x).T).reshape(x.shape)], (A,), 0,
        "the right numbers in the wrong order: a reshape to (2, 3) where .T was meant",
    ),
    "matmul without .T": (
        matmul, [lambda g, out, x, y: g @ y, lambda g, out, x, y: x.T @ g], (A, W), 0,
        "right if argument 1 were transposed: a .T is missing, or one too many, in the rule",
    ),
    "swapped rules": (
        product, [lambda g, out, x, y: g * x, right], (X, Y), 0,
        "this is the gradient of argument 1: are the arguments, or their rules, swapped?",
    ),
    "one of the copies": (
        product, [lambda g, out, x, y: (g * y)[: len(x)], lambda g, out, x, y: g * x], (ROW, A), 0,
        "wrong only where it is broadcast, from (1, 3) to (2, 3): the gradient of a copied entry is the sum over its "
        "copies, so sum over axis 0",
    ),
    "mean over the copies": (
        product, [lambda g, out, x, y: (g * y).sum(0) / len(y) if x.shape != y.shape else g * y,
                  lambda g, out, x, y: g * x],
        (ROW[0], A), 0,
        "wrong only where it is broadcast, from (3,) to (2, 3): the gradient of a copied entry is the sum over its "
        "copies, so sum over axis 0",
    ),
    "a constant": (
        square, [lambda g, out, x: 2.5 * g * x], (X,), 0,
        "the same factor 1.25 in all entries: a constant in the formula is wrong",
    ),
    "one entry": (
        square, [lambda g, out, x: 2 * g * x * FLIP], (abs(X),), 0,
        "wrong in 1 of 5 compared entries only: [2]; with the sign flipped",
    ),
    "negative numbers": (
        square, [lambda g, out, x: 2 * g * abs(x)], (X,), 0,
        f"wrong in {np.sum(X < 0)} of 5 compared entries only: where the argument is negative; with the sign flipped",
    ),
    "repeated indices": (
        pick, [lambda g, out, x: g[1:]], (X[:3],), 0,
        "wrong in 1 of 3 compared entries only: [0]",
    ),
    "reversed": (
        square, [lambda g, out, x: (2 * g * x)[::-1]], (X,), 0,
        "reversed along axis 0: the right numbers from back to front",
    ),
    "nan": (
        square, [lambda g, out, x: 2 * g * x * np.where(x > 0, 1.0, np.nan)], (X,), 0,
        "not finite: 0 * inf or 0 / 0 in the rule, or np.where with a branch that is not defined there",
    ),
    "nonsense": (square, [lambda g, out, x: g * np.sin(7 * x)], (X,), 0, UNKNOWN),
}  # fmt: skip


@pytest.fixture
def plant():
    """Make a primitive of a function and a wrong rule, for one test."""
    before, names = set(OPERATIONS), dict(PRIMITIVES)

    def make(function, pullbacks):
        copy = lambda *args: function(*args)
        return te.primitive(copy, *pullbacks, name=function.__name__, domain=REALS)

    yield make
    for function in set(OPERATIONS) - before:
        del OPERATIONS[function]
    PRIMITIVES.clear()
    PRIMITIVES.update(names)


@pytest.mark.parametrize("fault", FAULTS)
def test_a_planted_mistake_is_named(plant, fault):
    function, pullbacks, args, k, words = FAULTS[fault]
    report = check_gradients(plant(function, pullbacks), *args, raises=False)
    assert report.verdict == FAIL
    failed = [f for f in report.findings if f.verdict == FAIL and f.place.startswith(f"argument {k}")]
    assert {f.hint for f in failed} == {words}
    assert f": {words}" in str(report)


def test_a_large_array_is_judged_by_the_compared_entries(plant):
    wrong = plant(turned, [lambda g, out, x: g * np.cos(x).T])
    report = check_gradients(wrong, RNG.normal(size=(20, 20)), raises=False)
    assert "transposed: the right numbers" in str(report)


def test_the_second_order_is_judged_by_its_numbers(plant):
    wrong = plant(square, [lambda g, out, x: g * (x + x.data if isinstance(x, te.Value) else 2 * x)])
    report = check_gradients(wrong, X, order=2, raises=False)
    assert "FAIL order 2, argument 0" in str(report)
    assert "exactly half" in str(report)


def test_a_function_that_refuses_the_questions_still_gets_an_answer(plant):
    wrong = plant(product, [lambda g, out, x, y: g * y * 2.5, lambda g, out, x, y: g * x])

    def only_rows(x, y):
        assert x.shape == (1, 3), "a row, please"
        return wrong(x, y)

    assert "the same factor 2.5" in str(check_gradients(only_rows, ROW, A, raises=False))


def test_a_diagnosis_from_numbers_alone():
    x = np.ones(4)
    case = Evidence(0, [x], ["argument 0"], [-2 * X[:4]], np.arange(4), 2 * X[:4], np.ones(4, bool))
    assert diagnose(case) == SIGN


@pytest.mark.parametrize(
    ("analytic", "numeric", "size", "words"),
    [
        (-3.0, 3.0, 1, SIGN),
        (0.0, 3.0, 1, NONE),
        (6.0, 3.0, 1, DOUBLE),
        (1.5, 3.0, 1, HALF),
        (15.0, 3.0, 5, "5 times too large: a mean's 1/n is missing"),
        (0.6, 3.0, 5, "1/5 of it: divided by n too often"),
        (3.1, 3.0, 5, f"{UNKNOWN}, or at swapped arguments"),
    ],
)
def test_the_ratio_of_a_single_slope_suggests_a_cause(analytic, numeric, size, words):
    assert hint(analytic, numeric, size) == words


def test_the_ratio_to_nothing_is_infinite():
    assert ratio(1.0, 0.0) == float("inf")


def assigning(root, gradient, differentiable=False, since=0):
    """A backward pass with `=` for `+=` at leaves."""
    found = backpropagate(root, gradient, differentiable, since)
    for node in toposort(root)[::-1]:
        for i, parent in enumerate(node.args):
            if isinstance(parent, te.Value) and parent.op is None and node in found:
                found[parent] = unbroadcast(
                    np.asarray(node.op.pullbacks[i](found[node], *node.saved, **node.options)), parent.data
                )
    return found


def counting_twice(root, gradient, differentiable=False, since=0):
    """A backward pass that adds the first use of a leaf twice."""
    found = backpropagate(root, gradient, differentiable, since)
    once = assigning(root, gradient)
    return found | {node: found[node] + once[node] for node in found if node.op is None}


@pytest.mark.parametrize(
    ("engine", "words"),
    [
        (assigning, "one of 2, is all that counts: gradients of every use add up, += and not ="),
        (counting_twice, "one of 2, is counted twice: a shared node adds up the gradient of each use once"),
    ],
)
def test_a_fault_where_gradients_are_added_up_is_named(monkeypatch, engine, words):
    monkeypatch.setattr("tinygrad_edu.value.backpropagate", engine)
    report = check_gradients(lambda x: np.sin(x) * 2.0 + np.exp(x), X, raises=False)
    assert words in str(report)
    assert "every rule is right by itself" in str(report)


@pytest.mark.parametrize(
    ("mine", "words"),
    [
        (lambda g: g, "they agree"),
        (lambda g: -g, SIGN),
        (lambda g: g / 2, f"{HALF}; or 1/2 of it"),
        (lambda g: 6 * g, "6 times too large: a mean's 1/n is missing; n = 6 is the size of the argument"),
        (lambda g: g.T, "the shapes differ: (3, 2), and (2, 3)"),
        (lambda g: g[::-1], "reversed along axis 0"),
        (lambda g: 0 * g, NONE),
        (lambda g: g * np.nan, "not finite"),
    ],
)
def test_a_gradient_worked_out_by_hand_is_judged_as_a_whole(mine, words):
    right = RNG.normal(size=(2, 3))
    assert hint(mine(right), right).startswith(words)


def test_an_error_of_a_ten_thousandth_is_no_swapped_argument(plant):
    wrong = plant(product, [lambda g, out, x, y: g * y * 1.0001, lambda g, out, x, y: g * x])
    assert "the same factor 1.0001 in all entries" in str(check_gradients(wrong, X, X * 1.00005, raises=False))


@pytest.mark.parametrize(
    ("mine", "right", "text"),
    [
        (2.0, 2.0, "they agree"),
        (0.0, 0.0, "they agree"),
        (0.6347, 0.6347395900, "they agree"),
        ([], [], "they agree"),
        (np.nan, 1.0, "not finite"),
        (3.0, [3.0, 3.0], "the shapes differ: (), and (2,)"),
    ],
)
def test_gradients_that_agree_and_ones_that_cannot_be_compared(mine, right, text):
    assert hint(mine, right).startswith(text)


def test_a_failure_is_never_said_to_agree():
    slightly = lambda x: np.tanh(x) * (1 + 1e-4) - te.stop_gradient(np.tanh(x)) * 1e-4
    assert "they agree" not in str(check_gradients(slightly, 0.3, raises=False))


def test_a_function_of_symmetric_matrices_is_recognised():
    report = check_gradients(np.linalg.cholesky, np.array([[2.0, 0.5], [0.5, 1.0]]), raises=False)
    assert "check lambda a: f((a + a.T) / 2)" in str(report)


def test_a_single_negative_entry_is_no_pattern():
    cut = lambda x: x[0] * float(getattr(x, "data", x)[1]) + np.sum(x)
    report = check_gradients(cut, np.array([2.0, -1.5, 0.5]), raises=False)
    assert "1 of 3 compared entries only: [1]" in str(report)


# -- what is known of a wrong gradient -----------------------------------------------------------------------


P, Q = np.random.default_rng(0).normal(size=(2, 3, 2))
WEIGHTS = np.random.default_rng(1).normal(size=(3, 2))
COMPARED = np.array([0, 3, 5])


@pytest.fixture
def case():
    found, nothing = [WEIGHTS * np.cos(P) * Q, WEIGHTS * np.sin(P)], np.zeros(3)
    call = lambda values: np.sin(values[0]) * values[1]
    return Evidence(0, [P, Q], ["x", "y"], found, COMPARED, nothing, nothing > 0, call, WEIGHTS)


def test_the_compared_entries(case):
    np.testing.assert_array_equal(case.at(P), P.ravel()[COMPARED])
    np.testing.assert_array_equal(case.analytic, (WEIGHTS * np.cos(P) * Q).ravel()[COMPARED])


def test_slopes_for_other_weights_arguments_and_positions(case):
    np.testing.assert_allclose(case.slopes(WEIGHTS, [P, Q], 0), case.analytic, rtol=1e-9)
    np.testing.assert_allclose(case.slopes(1.0, [P, Q], 0), case.at(np.cos(P) * Q), rtol=1e-9)
    np.testing.assert_allclose(case.slopes(WEIGHTS, [P, Q], 1), case.at(case.found[1]), rtol=1e-9)
    np.testing.assert_allclose(case.slopes(WEIGHTS, [P, 2 * Q], 0), 2 * case.analytic, rtol=1e-9)


def test_the_result_at_another_argument(case):
    np.testing.assert_allclose(te.gradients(*case._replace(k=1).recorded(3 * Q))[0], 3 * case.found[0])
    np.testing.assert_allclose(te.gradients(*case.recorded(P))[1], case.found[1])


def test_steps_stay_on_this_side_of_a_singular_point():
    x, one = np.array([1e-4, 1e-3]), np.ones(2)
    case = Evidence(0, [x], ["x"], [1 / x], np.arange(2), one, one > 0, lambda xs: np.log(xs[0]), one, reach=1e-4)
    np.testing.assert_allclose(case.slopes(1.0, [x], 0), 1 / x, rtol=1e-9)


# -- the program behind a wrong gradient ---------------------------------------------------------------------


MATRIX = np.random.default_rng(0).normal(size=(3, 2))


def negated(x, y):
    return apply(Op(product, [lambda g, out, x, y: g * y, lambda g, out, x, y: -g * x], domain=REALS), (x, y))


def test_the_program_is_listed_with_the_wrong_rule_marked():
    x, w = Value(MATRIX), Value(MATRIX + 1, name="w")
    out = np.sum(negated(np.tanh(x), w) * 2.0, axis=0)
    assert listed(out, [x], ["argument 0"]).splitlines() == [
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
    x = Value(MATRIX)
    flipped = apply(
        Op(product, [lambda g, out, x, y: g * y * sign, lambda g, out, x, y: g * x], domain=REALS), (x, MATRIX)
    )
    text = listed(flipped, [x], ["argument 0"])
    assert "wrong is its rule for v0: not by the same ratio in all entries" in text


def test_where_every_rule_is_right_the_graph_is_suspected():
    x = Value(MATRIX)
    text = listed(np.sum(x * x.data), [x], ["argument 0"])
    assert "multiply(v0, constant (3, 2))" in text
    assert text.endswith(ALL_RIGHT)


def test_a_long_program_is_cut_to_what_is_wrong():
    x = y = Value(MATRIX)
    for _ in range(20):
        y = np.tanh(y)
    lines = listed(negated(y, y) + 1.0, [x], ["argument 0"]).splitlines()
    assert len(lines) == 3
    assert "v21 = product(v20, v20)" in lines[1]
    assert lines[2] == "  ... 22 other lines"


def test_nothing_was_recorded():
    assert listed(np.ones(3), [], []) == ""
    x = Value(MATRIX)
    assert listed(x, [x], ["argument 0"]) == ""


@pytest.mark.parametrize(
    "f",
    [
        np.tanh, te.relu, np.abs, lambda x: np.sort(x, axis=0), lambda x: np.max(x, axis=1), lambda x: x[[0, 0, 1]],
        lambda x: np.concatenate([x, x]), lambda x: np.linalg.norm(x), lambda x: x @ MATRIX.T,
        lambda x: MATRIX[:1] * x, lambda x: np.where(MATRIX > 0, x, 2 * x), lambda x: te.logsumexp(x, axis=0),
    ],
)  # fmt: skip
@pytest.mark.filterwarnings("ignore::tinygrad_edu.PromotionWarning")
@pytest.mark.parametrize("dtype", [float, np.float32])
def test_right_rules_are_not_blamed(f, dtype):
    out = f(Value(MATRIX.astype(dtype)))
    for i, parent in enumerate(out.args):
        assert not isinstance(parent, Value) or disagreeing(out, i) is None


def test_beside_a_kink_no_right_rule_is_blamed():
    x = Value(np.array([1e-5, -2e-5, 1.0]))
    assert disagreeing(np.abs(x), 0) is None
