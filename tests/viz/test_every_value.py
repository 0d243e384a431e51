"""Every view shows every Value that the engine accepts: dtypes, shapes, layouts, infinite, huge and missing numbers.

A refusal is a TypeError or ValueError that names the user's line; nothing else comes out.
"""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from tinygrad_edu import Value, nn, viz


class Own(np.ndarray):
    """A subclass of arrays."""


def frozen():
    array = np.arange(6.0).reshape(2, 3)
    array.flags.writeable = False
    return array


KINDS = {
    "half": np.arange(4, dtype=np.float16),
    "single": np.float32(2.5),
    "long": np.arange(4, dtype=np.longdouble),
    "long, huge": np.longdouble("1e4000") if np.finfo(np.longdouble).max > 1e308 else np.longdouble(1e300),
    "large and small": np.array([1e308, -1e308, 1e-308, 5e-324]),
    "not finite": np.array([np.nan, np.inf, -np.inf, -0.0]),
    "all nan": np.full((3, 3), np.nan),
    "empty": np.zeros((0,)),
    "empty inside": np.zeros((3, 0, 2)),
    "no axes": np.array(3.0),
    "many axes": np.ones((1,) * 32),
    "five axes": np.arange(32.0).reshape((2,) * 5),
    "backwards": np.arange(12.0)[::-2],
    "columns first": np.asfortranarray(np.arange(6.0).reshape(2, 3)),
    "read-only": frozen(),
    "stretched": np.broadcast_to(1.0, (3, 4)),
    "subclass": np.arange(4.0).view(Own),
    "big-endian": np.arange(4.0).astype(">f8"),
    "a Python number": 3,
    "a list": [[1.0, 2.0], [3.0, 4.0]],
    "long line": np.arange(100_000.0),
    "wide": np.ones((1, 5_000)),
    "tall": np.ones((5_000, 1)),
}
GRAPHS = {
    "a sum": lambda v: np.sum(v),
    "several operations": lambda v: (np.tanh(v * v) + v).sum() * 2.0,
    "an index": lambda v: np.reshape(v, -1)[:2].sum(),
}
WITHOUT_BACKWARD = {
    "repr": lambda loss, v: f"{loss!r}{v!r}{v}",
    "drawing": lambda loss, v: viz.draw(loss).source,
    "modules": lambda loss, v: viz.draw(loss, level="module").source,
    "card": lambda loss, v: viz.bundle(loss),
}
VIEWS = WITHOUT_BACKWARD | {
    "numbers": lambda loss, v: viz.draw(loss, level="scalar").source,
    "paths": lambda loss, v: viz.trace(loss).paths(v) and viz.draw(loss, to=v).source,
    "story": lambda loss, v: viz.trace(loss).story and str(viz.trace(loss)),
    "explorer": lambda loss, v: viz.trace(loss).explore().html,
    "animation": lambda loss, v: viz.trace(loss).rendered("svg", True),
    "explain": lambda loss, v: str(viz.explain(v, loss)),
    "why": lambda loss, v: str(viz.why(v, loss)),
    "steps": lambda loss, v: str(viz.steps(loss)),
    "diff": lambda loss, v: str(viz.diff(viz.trace(loss), viz.trace(loss * 2.0))),
}
LARGE = 100  # numbers: the picture of single numbers leaves larger arrays to the others

pytestmark = pytest.mark.filterwarnings("ignore")  # of overflow, and of what a view leaves out


def show(view, data, make):
    """What a view makes of data; only the picture of single numbers is refused, where there are none."""
    v = Value(data, name="v")
    with np.errstate(all="ignore"):
        loss = make(v)
        if view == "numbers" and v.data.size == 0:
            with pytest.raises(ValueError, match=r"has none: use level='tensor' .*\(test_every_value\.py:"):
                VIEWS[view](loss, v)
        elif view != "numbers" or v.data.size < LARGE:
            assert VIEWS[view](loss, v)


@pytest.mark.parametrize("graph", GRAPHS)
@pytest.mark.parametrize("kind", KINDS)
def test_every_view_shows_it(kind, graph):
    for view in VIEWS:
        show(view, KINDS[kind], GRAPHS[graph])


@pytest.mark.parametrize("make", [lambda v: v, lambda v: v * 1.0], ids=["variable", "result"])
@pytest.mark.parametrize("kind", [kind for kind in KINDS if np.size(KINDS[kind]) != 1])
def test_what_is_no_single_number_is_shown_without_a_backward_pass(kind, make):
    for view, look in VIEWS.items():
        v = Value(KINDS[kind], name="v")
        with np.errstate(all="ignore"):
            if view in WITHOUT_BACKWARD:
                assert look(make(v), v)
                continue
            with pytest.raises((TypeError, ValueError), match=r"\(test_every_value\.py:\d+\)$"):
                look(make(v), v)


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("view", VIEWS)
def test_arrays_of_another_library_are_shown_as_their_numbers(view):
    blocks = pytest.importorskip("dask.array").from_array
    x = np.linspace(-1, 1, 6).reshape(3, 2)
    graphs = []
    for data in (x, blocks(x, chunks=2)):
        v = Value(data, name="v")
        graphs.append((np.tanh(v * v).sum(), v))
    plain, other = graphs
    if view in ("repr", "diff", "card"):  # those say of the data where they are, or of the graphs that they differ
        assert VIEWS[view](*other)
    else:
        assert VIEWS[view](*other) == VIEWS[view](*plain)


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("view", [view for view in VIEWS if view != "numbers"])
def test_a_layer_on_arrays_of_another_library_is_shown(view):
    blocks = pytest.importorskip("dask.array").from_array
    x = np.linspace(-1, 1, 6).reshape(3, 2)
    model = nn.Sequential(nn.Linear(2, 3, rng=0), nn.Tanh(), nn.Linear(3, 1, rng=1))
    loss = nn.mse_loss(model(blocks(x, chunks=2)), blocks(x[:, :1], chunks=2))
    loss.backward()
    assert VIEWS[view](loss, model.layers[0].weight)


anything = st.one_of(
    hnp.arrays(dtype, hnp.array_shapes(min_dims=0, max_dims=3, min_side=0, max_side=3)) for dtype in "efdg"
)


@given(anything, st.sampled_from(sorted(GRAPHS)), st.sampled_from(sorted(VIEWS)))
def test_every_view_shows_any_array(array, graph, view):
    show(view, array, GRAPHS[graph])
