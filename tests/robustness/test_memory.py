"""Memory: a dropped graph is gone at once, training does not grow, and a pass that fails changes nothing.

Nodes point only at what they were made from, so reference counts alone free a graph: the cyclic collector is off.
"""

import gc
import tracemalloc
import weakref

import numpy as np
import pytest

import tinygrad_edu as te
from tinygrad_edu import Value, graph, nn, notes, optim, viz
from tinygrad_edu.listeners import BLOCKS, JOINED
from tinygrad_edu.table import Op
from tinygrad_edu.value import apply

pytestmark = pytest.mark.no_cover

GROWTH = 64 * 1024


@pytest.fixture(autouse=True)
def without_the_collector():
    gc.disable()
    yield
    gc.enable()


def network():
    return nn.Sequential(nn.Linear(2, 8, rng=0), nn.Tanh(), nn.Linear(8, 1, rng=1))


X, Y = np.linspace(-1, 1, 20).reshape(10, 2), np.linspace(0, 1, 10).reshape(10, 1)


def alive(loss):
    """Weak references to all that operations made behind a loss."""
    return [weakref.ref(node) for node in graph.ancestors(loss) if node.op is not None]


def left(references):
    return sum(reference() is not None for reference in references)


USES = {
    "forward": lambda loss, model: None,
    "backward": lambda loss, model: loss.backward(),
    "twice": lambda loss, model: (loss.backward(), loss.backward()),
    "gradients": lambda loss, model: te.gradients(loss, model.parameters()),
    "second order": lambda loss, model: te.gradients(
        sum((g**2).sum() for g in te.gradients(loss, model.parameters(), differentiable=True)), model.parameters()
    ),
    "repr": lambda loss, model: (repr(loss), loss._repr_mimebundle_()),
    "draw": lambda loss, model: str(viz.draw(loss, to=model.layers[0].weight)),
    "explain": lambda loss, model: str(viz.explain(model.layers[0].weight, loss)),
    "why": lambda loss, model: str(viz.why(model.layers[0].weight, loss)),
    "steps": lambda loss, model: str(viz.steps(loss)),
    "explore": lambda loss, model: viz.trace(loss).explore().html,
}


@pytest.mark.parametrize("use", USES)
def test_all_that_a_loss_was_made_from_dies_with_it(use):
    model = network()
    loss = nn.mse_loss(model(X), Y)
    references = alive(loss)
    USES[use](loss, model)
    assert left(references) == len(references) > 5
    del loss
    assert left(references) == 0


@pytest.mark.parametrize("transform", [te.grad, te.hessian, te.jacobian, lambda f: te.grad(lambda x: te.grad(f)(x))])
def test_transforms_keep_nothing(transform):
    references = []

    def f(x):
        y = np.tanh(x) * x
        references.append(weakref.ref(y))
        return y

    transform(f)(2.0)
    assert references
    assert left(references) == 0


def test_gradient_of_a_gradient_dies_with_it():
    x = Value(2.0)
    references, inner = [], lambda z: z**3 * x
    slope = te.grad(lambda z: te.grad(inner)(z))(Value(1.5))
    references += alive(slope)
    assert slope.item() == pytest.approx(6 * 1.5 * 2.0)
    slope.backward()
    assert left(references) == len(references) > 5
    del slope
    assert left(references) == 0
    assert x.grad == pytest.approx(6 * 1.5)


def test_what_a_checkpoint_computes_again_dies_at_once():
    references = []

    def f(x):
        y = np.sin(x) * x
        references.extend(alive(y))
        return y

    x = Value(2.0)
    y = te.checkpoint(f)(x)
    assert left(references) == 0
    y.backward()
    assert left(references) == 0
    assert len(references) == 4


def steps(model, optimizer, count):
    for _ in range(count):
        optimizer.zero_grad()
        nn.mse_loss(model(X), Y).backward()
        optimizer.step()


def grown(work):
    """How many more bytes are in use after some work than before; the first round of it does not count."""
    work()
    tracemalloc.start()
    try:
        before = tracemalloc.get_traced_memory()[0]
        work()
        return tracemalloc.get_traced_memory()[0] - before
    finally:
        tracemalloc.stop()


OPTIMIZERS = {
    "sgd": lambda p: optim.SGD(p, lr=0.1),
    "momentum": lambda p: optim.SGD(p, lr=0.1, momentum=0.9),
    "adam": optim.Adam,
}


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_a_thousand_training_steps_grow_by_less_than_64_kb(name):
    model = network()
    optimizer = OPTIMIZERS[name](model.parameters())
    assert grown(lambda: steps(model, optimizer, 1_000)) < GROWTH


def test_a_kept_graph_would_be_seen():
    model, kept = network(), []
    assert grown(lambda: kept.extend(nn.mse_loss(model(X), Y) for _ in range(100))) > GROWTH


def test_recording_and_watching_leave_nothing_behind():
    model = network()
    optimizer = optim.SGD(model.parameters(), lr=0.1)

    def recorded():
        with viz.recording():
            steps(model, optimizer, 100)

    def watched():
        with viz.watch(model):
            steps(model, optimizer, 100)

    before = len(notes.NOTES)
    for work in (recorded, watched):
        assert grown(work) < GROWTH
    assert len(notes.NOTES) == before
    assert JOINED == {}
    assert BLOCKS.get() == ()


def test_the_lines_of_a_value_go_with_it():
    before = len(notes.NOTES)
    with viz.recording():
        x = Value(1.0) * 2.0
        assert len(notes.NOTES) == before + 2
    assert viz.line_of(x).file == __file__
    del x
    assert len(notes.NOTES) == before


# -- a backward pass that fails -----------------------------------------------------------------------------

FAULTS = [KeyboardInterrupt, MemoryError, SystemExit, FloatingPointError, ZeroDivisionError, ValueError, TypeError]
FAULTS += [AttributeError, IndexError, KeyError, RecursionError, AssertionError, StopIteration, GeneratorExit]
fault, at_call = None, 0


def failing_rule(g, out, x):
    """The rule of `delicate`: raises what the test asks for, at the call it asks for."""
    global at_call
    at_call -= 1
    if fault is not None and at_call == 0:
        raise fault("the rule failed")
    return g * 1.0


# beside the table, which other tests walk
DELICATE = Op(lambda x: x * 1.0, [failing_rule], domain=te.REALS)


def delicate(x):
    return apply(DELICATE, (x,))


@pytest.mark.parametrize("kind", FAULTS)
@pytest.mark.parametrize("call", [1, 2, 5])
def test_a_rule_that_fails_changes_no_gradient(monkeypatch, kind, call):
    variables = [Value(np.array([1.0, 2.0]), name=f"v{i}") for i in range(5)]
    total = sum((delicate(v * v)).sum() for v in variables)
    total.backward()
    nodes = list(graph.ancestors(total))
    before = {node: (node.gradient, np.copy(node.gradient)) for node in nodes}
    monkeypatch.setitem(globals(), "fault", kind)
    for attempt in (total.backward, lambda: te.gradients(total, variables)):
        monkeypatch.setitem(globals(), "at_call", call)
        with pytest.raises(kind):
            attempt()
    monkeypatch.setitem(globals(), "fault", None)
    for node, (array, numbers) in before.items():
        assert node.gradient is array
        assert np.array_equal(node.gradient, numbers)
    total.backward()
    for variable in variables:
        assert np.array_equal(variable.grad, 4.0 * variable.data)


def test_a_gradient_that_cannot_be_added_changes_no_other():
    first, second = Value(1.0), Value(np.ones(2))
    total = (first * second).sum()
    second.gradient = np.ones(3)  # past the check
    with pytest.raises(ValueError, match="shape"):
        total.backward()
    assert first.grad is None
    assert total.grad is None
    assert np.array_equal(second.grad, np.ones(3))


def test_a_wrong_start_changes_no_gradient():
    v = Value([1.0, 2.0])
    y = v * v
    for gradient in (np.ones(3), np.ones((2, 1)), "x", 1j, None, [1, [2]], np.ones(2, complex), object()):
        with pytest.raises((TypeError, ValueError)):
            y.backward(gradient)
    assert v.grad is None
    assert y.grad is None


def test_a_function_that_fails_leaves_recording_as_it_was():
    def broken(x):
        raise KeyError(x.item())

    for transform in (te.grad, te.value_and_grad, te.jacobian, te.hessian, te.elementwise_grad):
        with pytest.raises(KeyError), te.no_grad():
            transform(broken)(2.0)
        assert (Value(1.0) * 2.0).op is not None
    with pytest.raises(KeyError), te.no_grad():
        te.vjp(broken, 2.0)
    with pytest.raises(KeyError):
        te.checkpoint(broken)(Value(2.0))
    assert (Value(1.0) * 2.0).op is not None
