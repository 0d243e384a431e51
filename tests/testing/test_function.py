"""Planted faults are caught, correct rules pass, and kinks are judged by their one-sided slopes."""

import numpy as np
import pytest

import tinygrad_edu as te
from tinygrad_edu import Value, nn
from tinygrad_edu.inputs import plain
from tinygrad_edu.table import OPERATIONS, PRIMITIVES, REALS
from tinygrad_edu.testing import FAIL, KINK, PASS, GradientError, check_gradients, check_taylor

X = np.random.default_rng(0).normal(size=5)


@pytest.fixture
def plant():
    """Make a primitive of a function and a (wrong) rule, for one test."""
    before, names = set(OPERATIONS), dict(PRIMITIVES)

    def make(function, *pullbacks, **declared):
        return te.primitive(function, *pullbacks, domain=REALS, **declared)

    yield make
    for function in set(OPERATIONS) - before:
        del OPERATIONS[function]
    PRIMITIVES.clear()
    PRIMITIVES.update(names)


def slopes(report):
    """The findings about slopes, without those about invariants."""
    return [finding for finding in report.findings if not np.isnan(finding.scale)]


def tanh(x):
    return np.tanh(x)


@pytest.mark.parametrize("factor", [1 + 1e-4, 1 - 1e-3, 2.0, -1.0, 0.0])
@pytest.mark.parametrize("size", [1e-6, 1.0, 1e6])
def test_a_factor_is_caught_at_any_size_of_the_gradient(plant, factor, size):
    wrong = plant(tanh, lambda g, out, x: g * (1 - out**2) * factor)
    with pytest.raises(GradientError, match="FAIL argument 0"):
        check_gradients(lambda x: size * wrong(x), X)


def test_garbage_for_the_second_argument(plant):
    def product(x, y):
        return x * y

    wrong = plant(product, lambda g, out, x, y: g * y, lambda g, out, x, y: g * np.sin(x))
    with pytest.raises(GradientError, match="argument 1"):
        check_gradients(wrong, X, X + 1)
    assert check_gradients(wrong, X, X + 1, wrt=[0]).verdict == PASS


def test_a_rule_that_an_all_ones_cotangent_would_hide(plant):
    def shares(x):
        return np.exp(x) / np.exp(x).sum()

    wrong = plant(shares, lambda g, out, x: 1000.0 * out * (g - np.sum(g * out)))
    with pytest.raises(GradientError):
        check_gradients(wrong, X)


def test_a_wrong_second_derivative_behind_a_right_first(plant):
    wrong = plant(tanh, lambda g, out, x: g * (1 - plain(out) ** 2))
    assert check_gradients(wrong, X).verdict == PASS
    with pytest.raises(GradientError, match="order 2"):
        check_gradients(wrong, X, order=2)


@pytest.mark.parametrize("seed", range(10))
def test_correct_rules_pass(seed):
    rng = np.random.default_rng(seed)
    x, y = rng.normal(size=(3, 4)), rng.normal(size=(4, 2))
    for f, args in (
        (lambda a, b: np.tanh(a @ b), (x, y)),
        (lambda a: te.logsumexp(a, axis=1), (x,)),
        (lambda a: a.std(axis=0), (x,)),
        (lambda p: np.sum(p["w"] * 2.0) * p["b"][0], ({"w": x, "b": [1.5, "note", 3]},)),
        (te.sigmoid, (rng.normal(size=(40, 40)) * 10,)),
    ):
        assert check_gradients(f, *args, seed=seed, order=2).verdict == PASS


@pytest.mark.parametrize("f", [te.relu, lambda x: np.maximum(x, 0.0), lambda x: np.clip(x, 0.0, 1.0)])
def test_a_convention_between_the_slopes_is_no_false_alarm(f):
    report = check_gradients(f, np.array([0.0, 0.5, -0.5]))
    assert (report.verdict, [f.verdict for f in slopes(report)]) == (KINK, [KINK, PASS, PASS])


def test_a_convention_that_central_differences_share_passes():
    assert check_gradients(np.abs, np.array([0.0, 0.5, -0.5])).verdict == PASS


def test_a_rule_outside_the_slopes_at_a_kink_fails(plant):
    def relu(x):
        return np.maximum(x, 0.0)

    wrong = plant(relu, lambda g, out, x: g * np.where(x == 0, 2.0, x > 0))
    with pytest.raises(GradientError, match="a kink: slopes"):
        check_gradients(wrong, np.array([0.0, 1.0]))


def test_float32_is_moved_in_float64():
    assert check_gradients(np.tanh, X.astype(np.float32)).verdict == PASS


def test_values_as_arguments_keep_their_gradients():
    v = Value(X)
    check_gradients(np.tanh, v)
    assert v.grad is None


def test_nothing_to_check_is_an_error():
    with pytest.raises(TypeError, match="no floating point argument"):
        check_gradients(np.tanh, np.arange(3))


def test_a_function_that_ignores_its_argument_has_gradient_zero():
    assert check_gradients(lambda x: 3.0, X).verdict == PASS


def test_a_module_among_the_arguments_is_handed_on_as_it_is():
    report = check_gradients(lambda net, x: np.tanh(net(x)), nn.Linear(2, 1, rng=0), np.ones((3, 2)))
    assert (report.verdict, len(slopes(report))) == (PASS, 6)


@pytest.mark.parametrize("method", ["auto", "4-point", "ridders", "complex"])
@pytest.mark.parametrize("modes", [("reverse",), ("forward",), ("reverse", "forward")])
def test_every_method_in_every_mode_passes_what_is_right_and_fails_what_is_not(plant, method, modes):
    wrong = plant(tanh, lambda g, out, x: g * (1 - out**2) * 1.001)
    assert check_gradients(np.tanh, X, method=method, modes=modes).verdict == PASS
    report = check_gradients(wrong, X, method=method, modes=modes, raises=False)
    assert [f.verdict for f in slopes(report)] == [FAIL] * len(X) * len(modes)


def test_the_mode_is_named():
    report = check_gradients(np.tanh, X[:1], modes=("reverse", "forward"))
    assert [f.place for f in slopes(report)] == ["reverse, argument 0[0]", "forward, argument 0[0]"]


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"method": "best"}, "method is one of 'auto', '4-point'"),
        ({"modes": "forward"}, "modes are"),
        ({"modes": ()}, "modes are"),
        ({"modes": ("sideways",)}, "modes are"),
        ({"method": "complex", "order": 2}, "is for order=1"),
        *(({"order": order}, "order is 1, or 2") for order in (0, -1, True, 1.5, "2")),
        *(({"wrt": wrt}, "positions of arguments, such as") for wrt in (0, (0, 1), (-1,), [0, 7])),
        *(({"rtol": rtol}, "rtol is a positive number") for rtol in (-1.0, 0.0, np.inf, np.nan)),
        *(({"distance": distance}, "a positive number") for distance in (0, -1.0, np.nan)),
    ],
)
def test_unknown_options_are_refused(options, words):
    with pytest.raises(ValueError, match=words):
        check_gradients(np.tanh, X, **options)


def test_a_complex_step_needs_an_analytic_function():
    with pytest.raises(TypeError, match="takes complex numbers"):
        check_gradients(lambda x: np.abs(x) ** 2, X, method="complex")


def test_the_tolerance_can_be_chosen(plant):
    wrong = plant(tanh, lambda g, out, x: g * (1 - out**2) * (1 + 1e-7))
    assert check_gradients(wrong, X).verdict == PASS
    assert check_gradients(wrong, X, rtol=1e-8, raises=False).verdict == FAIL
    assert check_gradients(plant(lambda x: np.sin(x), lambda g, out, x: g), X, rtol=10.0).verdict == PASS


def test_the_tolerance_does_not_grow_with_the_size(plant):
    wrong = plant(tanh, lambda g, out, x: g * (1 - out**2) * (1 + 1e-4))
    for size in (1, 64, 65, 5_000):
        x = np.random.default_rng(size).normal(size=size)
        assert check_gradients(wrong, x, raises=False).verdict == FAIL


def test_a_random_result_is_inconclusive_and_never_a_pass():
    rng = np.random.default_rng(0)
    with pytest.raises(GradientError, match="INCONCLUSIVE repeated: two calls"):
        check_gradients(lambda x: x * rng.normal(), X)


def test_results_and_arguments_may_be_structures():
    f = lambda p: {"a": np.tanh(p["w"]), "b": [p["w"].sum() * p["b"], 3.0]}
    report = check_gradients(f, {"w": X, "b": 2.0}, order=2)
    assert report.verdict == PASS
    assert "order 2, argument 0 b" in {f.place for f in report.findings}


def test_rounding_inside_is_no_kink_and_no_fault():
    lost = lambda x: (1e6 * x + np.sin(x)) - 1e6 * x
    for seed in range(20):
        x = np.random.default_rng(seed).normal(size=60)
        assert check_gradients(lost, x, seed=seed, raises=False).count(FAIL) == 0


def test_float32_rules_that_answer_in_float64_are_linear_enough():
    for f in (lambda x: np.max(x, axis=0), np.sort, lambda x: np.maximum(x, 0.1)):
        for seed in range(5):
            x = np.random.default_rng(seed).normal(size=(4, 3)).astype(np.float32)
            assert check_gradients(f, x, seed=seed).verdict == PASS


def test_an_empty_argument_has_nothing_to_fail():
    assert check_gradients(lambda x: np.sum(x * 2.0, axis=0), np.ones((0, 2))).verdict == PASS


@pytest.mark.parametrize("method", ["auto", "ridders", "complex"])
@pytest.mark.parametrize("power", [3, 5, 8])
def test_where_a_function_is_flat_rounding_is_no_slope(method, power):
    assert check_gradients(lambda x: x**power, np.zeros(2), method=method).verdict == PASS


@pytest.mark.parametrize("loss", [lambda p, t: np.mean((p - t) ** 2), lambda p, t: np.sum(np.square(p - t))])
def test_a_loss_at_its_target_is_no_fault(loss):
    for p in ([0.5], [0.5, 0.0, 0.0], [-0.7, 1 / 3], [1.5, 0.5]):
        assert check_gradients(loss, np.array(p), np.array(p)).verdict == PASS


@pytest.mark.parametrize("result", [None, "text", 1j, object()])
@pytest.mark.parametrize("check", [check_gradients, check_taylor])
def test_what_gives_no_real_numbers_is_refused_in_words(check, result):
    with pytest.raises(
        TypeError, match=r"the function gives .*: gradients are of real numbers; is its `return` missing"
    ):
        check(lambda x: result, 1.0)
