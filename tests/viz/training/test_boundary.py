"""The boundary stands where the output passes the level, for every kind of model."""

import numpy as np
import pytest
from matplotlib import pyplot as plt
from matplotlib.figure import Figure

from tests.viz.trainings import mean_square, network, parameters
from tinygrad_edu import Value, nn, sigmoid
from tinygrad_edu.viz.training.boundary import boundary, labelled, usual_level

POINTS = np.array([[-1.0, 0.0], [-0.5, 1.0], [0.5, 0.0], [1.0, 1.0]])
LABELS = np.array([0, 0, 1, 1])
WEIGHT = Value([[2.0], [0.0]])


def drawn(predict, x=POINTS, y=LABELS, **options):
    ax = Figure().subplots()
    boundary(predict, x, y, ax, **options)
    return ax


def lines(ax):
    """Where the boundary crosses the picture."""
    return [
        path.vertices for c in ax.collections if len(c.get_linewidths()) and not c.filled for path in c.get_paths()
    ]


@pytest.mark.parametrize(
    ("predict", "options", "crossing"),
    [
        (lambda x: x @ WEIGHT, {}, 0.0),
        (lambda x: (x @ WEIGHT)[:, 0], {}, 0.0),
        (lambda x: sigmoid(x @ WEIGHT - 0.5), {}, 0.25),
        (lambda x: x[:, :1], {"level": 0.3}, 0.3),
        (lambda x: np.tanh(x @ WEIGHT), {}, 0.0),
    ],
)
def test_the_line_is_where_one_output_passes_the_level(predict, options, crossing):
    (line,) = lines(drawn(predict, **options))
    np.testing.assert_allclose(line[:, 0], crossing, atol=0.01)
    assert np.ptp(line[:, 1]) > 1.0


@pytest.mark.parametrize(
    ("predict", "right"),
    [
        (lambda x: x @ WEIGHT, "100.0%"),
        (lambda x: -(x @ WEIGHT), "0.0%"),
        (lambda x: x @ WEIGHT - 1.5, "75.0%"),
        (lambda x: np.concatenate([x @ Value([[-1.0], [0.0]]), x @ Value([[1.0], [0.0]])], axis=1), "100.0%"),
        (lambda x: (x[:, 0] > 0).astype(int), "100.0%"),
        (lambda x: x[:, 0] > 0.7, "75.0%"),
    ],
)
def test_the_title_says_how_many_points_are_right(predict, right):
    assert drawn(predict).get_title() == f"{right} of 4 points right"


def test_labels_need_not_be_0_and_1_for_one_output():
    ax = drawn(lambda x: x @ WEIGHT, y=np.array([[-1.0], [-1.0], [1.0], [1.0]]))
    assert ax.get_title().startswith("100.0%")
    assert [text.get_text() for text in ax.get_legend().get_texts()] == ["class -1", "class 1"]


def test_points_are_drawn_in_their_classes_with_marks_of_their_own():
    ax = drawn(lambda x: x @ WEIGHT)
    first, second = ax.lines
    assert np.stack(first.get_data(), axis=1).tolist() == POINTS[:2].tolist()
    assert np.stack(second.get_data(), axis=1).tolist() == POINTS[2:].tolist()
    assert first.get_marker() != second.get_marker()
    (left, right), (low, high) = ax.get_xlim(), ax.get_ylim()
    assert left < POINTS[:, 0].min() < POINTS[:, 0].max() < right
    assert low < POINTS[:, 1].min() < POINTS[:, 1].max() < high


def test_several_classes_are_regions():
    centres = np.array([[-1.0, 0.0], [1.0, 0.0], [0.0, 2.0]])
    ax = drawn(lambda x: -((x[:, None] - centres) ** 2).sum(-1), x=centres, y=[0, 1, 2])
    classes = np.asarray(ax.collections[0].get_array())
    assert np.unique(classes).tolist() == [0, 1, 2]
    assert ax.get_title() == "100.0% of 3 points right"


@pytest.mark.parametrize("output", [0.0, 1.0, np.nan, np.inf])
def test_a_model_without_a_boundary_is_drawn_without(output):
    ax = drawn(lambda x: np.full((len(x), 1), output))
    assert lines(ax) == []
    ax.figure.canvas.draw()


def test_nothing_is_recorded_and_no_gradient_is_touched():
    found, seen = parameters(), []
    mean_square(found).backward()
    before = [p.grad for p in found.values()]

    def predict(x):
        out = network(found, x)
        seen.append((len(x), out.op))
        return out

    drawn(predict)
    assert all(p.grad is g for p, g in zip(found.values(), before, strict=True))
    assert [op for count, op in seen if count > 1] == [None]


def test_the_level_of_models():
    assert usual_level(nn.Sequential(nn.Linear(2, 1), nn.Sigmoid()), POINTS) == 0.5
    assert usual_level(nn.Linear(2, 1), POINTS) == 0.0
    assert usual_level(lambda x: x[:, 0], POINTS) == 0.0


def test_a_single_point():
    points = labelled([[1.0, 2.0]], [1])
    assert points.bounds().tolist() == [[0.0, 1.0], [2.0, 3.0]]


def test_a_new_figure_is_returned():
    figure = boundary(lambda x: x @ WEIGHT, POINTS, LABELS)
    assert figure is plt.gcf()
    plt.close(figure)


@pytest.mark.parametrize(
    ("x", "y", "said"),
    [
        (np.ones((3, 3)), [0, 1, 0], r"x is \(3, 3\); a boundary is drawn in a plane: x is \(points, 2\)"),
        (np.ones(2), [0, 1], r"x is \(2,\)"),
        (np.ones((0, 2)), [], r"x is \(0, 2\)"),
        (POINTS, [0, 1], r"y is \(2,\); it holds a whole number for each of the 4 points"),
        (POINTS, [0.5, 1, 0, 1], "whole number"),
    ],
)
def test_points_that_cannot_be_drawn(x, y, said):
    with pytest.raises(ValueError, match=said):
        boundary(lambda x: x[:, :1], x, y)


@pytest.mark.parametrize("predict", [lambda x: x.sum(), lambda x: x[:2], lambda x: np.ones((len(x), 2, 2))])
def test_outputs_that_cannot_be_drawn(predict):
    with pytest.raises(ValueError, match=r"the model returned shape .* expected one output, or one score per class"):
        drawn(predict)
