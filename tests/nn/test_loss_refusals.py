"""What losses refuse, and in which words."""

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis.extra import numpy as hnp

from tinygrad_edu import Value, nn

shapes = hnp.array_shapes(max_dims=3, max_side=3)
THREE = np.zeros((5, 3))


@given(shapes, shapes)
def test_different_shapes_never_make_a_loss(x, y):
    assume(x != y)
    for loss in (nn.mse_loss, nn.binary_cross_entropy):
        with pytest.raises(ValueError, match=r"broadcast|one shape"):
            loss(Value(np.ones(x)), np.ones(y))


def test_the_column_against_the_row():
    message = (
        "prediction - target: prediction is (4, 1), target is (4,); this would broadcast to (4, 4): "
        "16 differences instead of 4. Use target[:, None] or prediction[:, 0] (test_loss_refusals.py:"
    )
    with pytest.raises(ValueError, match="broadcast") as caught:
        nn.mse_loss(Value(np.ones((4, 1))), np.ones(4))
    assert str(caught.value).startswith(message)


@pytest.mark.parametrize("shape", [(3,), (4, 3)])
def test_shapes_that_differ_otherwise(shape):
    with pytest.raises(ValueError, match=r"prediction is \(4, 1\), target is .*; they must have one shape"):
        nn.mse_loss(np.ones((4, 1)), np.ones((2, *shape)) if shape == (3,) else np.ones(shape))


@pytest.mark.parametrize(
    ("logits", "classes", "error", "message"),
    [
        (THREE, np.zeros(5), TypeError, r"got float64. Use classes.astype\(int\)"),
        (THREE, THREE, TypeError, r"got float64. Use classes.argmax\(axis=-1\)"),
        (THREE, np.zeros(5, bool), TypeError, "got bool"),
        (THREE, Value(np.zeros(5)), TypeError, "not a Value"),
        (THREE, THREE.astype(int), ValueError, r"one-hot rows use classes.argmax\(axis=-1\)"),
        (THREE, np.zeros((5, 1), int), ValueError, r"expected \(5,\). Use classes\[:, 0\]"),
        (np.zeros((2, 3, 4)), np.zeros(6, int), ValueError, r"Use classes.reshape\(\(2, 3\)\)"),
        (THREE, np.zeros(4, int), ValueError, r"logits is \(5, 3\), classes is \(4,\); expected \(5,\)"),
        (THREE, np.array([0, 1, 3, 0, 0]), ValueError, r"class 3 at \(2,\) is outside 0 to 2"),
        (THREE, np.array([0, -1, 2, 0, 0]), ValueError, r"class -1 at \(1,\) is outside 0 to 2"),
        (np.zeros(3), 7, ValueError, "class 7 .* is outside 0 to 2"),
        (np.zeros(()), 0, ValueError, r"single number; expected \(batch, classes\)"),
        (np.zeros((0, 3)), np.zeros(0, int), ValueError, "no examples"),
    ],
)
def test_classes(logits, classes, error, message):
    with pytest.raises(error, match=message) as caught:
        nn.cross_entropy(Value(logits), classes)
    assert "(test_loss_refusals.py:" in str(caught.value)


@pytest.mark.parametrize("target", [-0.1, 1.1, np.nan, 2.0])
def test_targets_are_probabilities(target):
    with pytest.raises(ValueError, match="targets are from 0 to 1; got"):
        nn.binary_cross_entropy(Value([0.0, 1.0]), np.array([0.5, target]))
    with pytest.raises(ValueError, match="targets are from 0 to 1; got"):
        nn.binary_cross_entropy(Value([0.0, 1.0]), target)


def test_a_sigmoid_before_the_loss_that_applies_it():
    with pytest.raises(ValueError, match="applies the sigmoid itself"):
        nn.binary_cross_entropy(nn.sigmoid(Value([0.0])), np.array([1.0]))


def test_no_examples_have_no_mean():
    with pytest.raises(ValueError, match=r"prediction is \(0, 2\): there are no examples"):
        nn.mse_loss(Value(np.ones((0, 2))), np.ones((0, 2)))


@pytest.mark.parametrize(
    ("target", "where"), [([1.0, np.nan], r"\(1,\)"), (np.nan, r"\(\)"), ([np.nan] * 2, r"\(0,\)")]
)
def test_targets_that_were_not_measured(target, where):
    message = rf"target is nan at {where}: leave out what was not measured \(test_loss_refusals.py:"
    for numbers in (target, np.float32(target), Value(target)):
        with pytest.raises(ValueError, match=message):
            nn.mse_loss(Value([0.0, 1.0]), numbers)


def test_infinite_targets_and_nan_predictions_are_let_through():
    assert nn.mse_loss(Value([0.0, 1.0]), [np.inf, 1.0]).item() == np.inf
    assert np.isnan(nn.mse_loss(Value([np.nan, 1.0]), [0.0, 1.0]).item())


LOSSES = {
    "mse_loss": ("prediction", "target"),
    "binary_cross_entropy": ("logits", "target"),
    "cross_entropy": ("logits", "classes"),
    "accuracy": ("prediction", "target"),
}
NO_NUMBERS = {
    "ragged": ([[1.0], [2.0, 3.0]], "this is not an array of numbers: .*inhomogeneous"),
    "object": (np.array([None, 1.0]), "ndarray of dtype object|got object"),
    "text": ("cat", "a text was given where numbers are expected"),
    "complex": (np.ones(2, complex), "dtype complex128|got complex128"),
    "None": (None, "None was given where numbers are expected"),
    "set": ({1.0, 2.0}, "a set was given where numbers are expected"),
    "masked": (np.ma.array([1.0, 2.0], mask=[0, 1]), r"a MaskedArray was given: .*a\.filled\(0\.0\)"),
    "list of Values": ([Value(1.0), Value(2.0)], "a list of Values was given: np.stack"),
}


@pytest.mark.parametrize("fault", NO_NUMBERS)
@pytest.mark.parametrize("place", [0, 1])
@pytest.mark.parametrize("loss", LOSSES)
def test_what_is_no_number_is_refused_under_the_name_of_the_argument(loss, place, fault):
    wrong, words = NO_NUMBERS[fault]
    right = np.zeros(2, int) if loss == "cross_entropy" and not place else np.ones((2, 2))
    arguments = [right, right]
    arguments[place] = wrong
    with pytest.raises(TypeError, match=words) as caught:
        getattr(nn, loss)(*arguments)
    assert str(caught.value).count("(test_loss_refusals.py:") == 1
    assert LOSSES[loss][place] in str(caught.value)


@pytest.mark.parametrize("logits", [np.zeros((4, 1)), np.zeros((2, 2, 1)), np.zeros(1)])
def test_a_single_class_is_refused(logits):
    shape = str(logits.shape).replace("(", r"\(").replace(")", r"\)")
    message = rf"logits is {shape}: with one class the loss is 0.*binary_cross_entropy where the answer is yes or no"
    with pytest.raises(ValueError, match=message):
        nn.cross_entropy(Value(logits), np.zeros(logits.shape[:-1], int))


def test_one_logit_for_each_example_is_for_the_other_loss():
    with pytest.raises(ValueError, match=r"expected \(\)\. For one logit for each example use binary_cross_entropy"):
        nn.cross_entropy(Value(np.zeros(4)), np.zeros(4, int))


@pytest.mark.parametrize(
    ("call", "error"),
    [
        (lambda: nn.cross_entropy(np.zeros(5, int), Value(THREE)), TypeError),
        (lambda: nn.cross_entropy(np.zeros(5, int), THREE), TypeError),
        (lambda: nn.binary_cross_entropy(np.array([0, 1]), Value([0.2, 3.0])), ValueError),
        (lambda: nn.binary_cross_entropy(np.array([0.0, 1.0]), Value([0.2, 0.9])), ValueError),
        (lambda: nn.binary_cross_entropy(np.array([0.0, 1.0]), np.array([0.2, 0.9])), ValueError),
        (lambda: nn.binary_cross_entropy(np.array([0.0, 1.0]), np.array([-2.0, 9.0])), ValueError),
        (lambda: nn.accuracy(np.array([0, 1, 2, 0, 0]), np.random.default_rng(0).normal(size=(5, 3))), ValueError),
    ],
)
def test_swapped_arguments_are_noticed_where_the_ranges_tell(call, error):
    with pytest.raises(
        error, match=r"are the arguments swapped\? (cross_entropy|binary_cross|accuracy).*\(test_loss_refusals"
    ):
        call()


def test_what_could_be_meant_is_no_swap():
    assert nn.binary_cross_entropy(Value(np.zeros(2)), np.array([0.3, 0.6])).item() > 0
    assert nn.binary_cross_entropy(Value([0.0, 1.0]), np.array([0.3, 0.6])).item() > 0
    assert nn.binary_cross_entropy(np.zeros(2), np.array([0.3, 0.6])) > 0
    assert nn.binary_cross_entropy(np.array([0.0, 1.0]), np.array([0.0, 1.0])) > 0
    assert nn.binary_cross_entropy(Value([0.0, 1.0]), Value([0.3, 0.6])).item() > 0


NAN = np.array([[0.1, np.nan], [1.0, 0.0]])
MISREAD = {
    "nan in scores": (NAN, [0, 1], r"prediction is nan at \(0, 1\)"),
    "nan in classes": (np.array([0.0, np.nan]), [0, 1], r"prediction is nan at \(1,\)"),
    "nan in targets": ([0, 1], np.array([0.0, np.nan]), r"target is nan at \(1,\)"),
    "one-hot targets": (np.ones((2, 3)), np.eye(3)[:2], r"one-hot rows: for these use target\.argmax\(axis=-1\)"),
    "one-hot both": (np.eye(3), np.eye(3), "one-hot rows"),
    "one-hot and classes": (np.array([0, 1, 2]), np.eye(3), "one-hot rows"),
    "whole scores": (
        np.array([3.0, -2.0, 1.0]),
        [1, 0, 1],
        r"got 3\.0 where the targets are 0 and 1.*prediction > 0",
    ),
    "negative whole scores": (np.array([-3, 2, 1]), [1, 2, 0], r"got -3 where the targets are at least 0"),
    "fractions": (np.array([0.3, 0.9]), [0, 1], r"predictions are classes, got fractions: use prediction > 0\.5"),
    "fractions as targets": ([0, 1], np.array([0.5, 1.0]), "targets are classes, got fractions"),
    "fractions beside scores": (np.ones((2, 3)), np.array([0.5, 1.0]), "targets are classes, got fractions"),
    "a class too many": (np.ones((2, 3)), [0, 3], r"target 3 at \(1,\) is outside 0 to 2: prediction is \(2, 3\)"),
    "a class below 0": (np.ones((2, 3)), [0, -1], r"target -1 at \(1,\) is outside 0 to 2"),
    "a column": (np.ones((2, 3)), [[0], [1]], r"expected \(2,\)\. Use target\[\.\.\., 0\]"),
}


@pytest.mark.parametrize("kind", MISREAD)
def test_accuracy_refuses_what_it_would_misread(kind):
    prediction, target, message = MISREAD[kind]
    with pytest.raises(ValueError, match=rf"{message}.*\(test_loss_refusals\.py:"):
        nn.accuracy(prediction, target)


@pytest.mark.parametrize(
    ("prediction", "target", "expected"),
    [
        ([-1, 1, 1], [-1, 1, -1], 2 / 3),
        ([0, 2, 1], [0, 2, 2], 2 / 3),
        (np.array([2.0, 0.0]), np.array([2.0, 1.0]), 0.5),
        (np.array([True, False]), np.array([1.0, 1.0]), 0.5),
        (np.array([True, False]), np.array([True, False]), 1.0),
        (np.array([[1, 1], [0, 1]]), np.array([[1, 1], [1, 1]]), 0.75),
        (np.array([[np.inf, 1.0]]), [0], 1.0),
        (np.array([[0.1, 0.9]]), np.array([True]), 1.0),
        ([3, 1], [0, 1], 0.5),
    ],
)
def test_accuracy_of_classes_however_they_are_written(prediction, target, expected):
    assert nn.accuracy(prediction, target) == pytest.approx(expected)
