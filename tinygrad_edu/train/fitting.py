"""`fit`: the training loop."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, nullcontext
from typing import Any, NamedTuple

from tinygrad_edu.data import minibatches
from tinygrad_edu.data.batches import Minibatches
from tinygrad_edu.errors import refusal
from tinygrad_edu.inputs import Seed, generator, plain
from tinygrad_edu.kinds import COUNT, FLAG, FUNCTION, PATH, POSITIVE, SIZE, Kind, expecting, optional
from tinygrad_edu.names import spelled
from tinygrad_edu.nn import Module
from tinygrad_edu.notes import verified
from tinygrad_edu.optim import Optimizer, clip_grad_norm
from tinygrad_edu.train.blocks_of_rows import learn_in_blocks
from tinygrad_edu.train.checkpoints import Best, Checkpoint
from tinygrad_edu.train.evaluation import DATA, METRICS, MODEL, NONE, Mean, Metrics, evaluate, is_blocked, number
from tinygrad_edu.train.history import History
from tinygrad_edu.train.progress import bar, say
from tinygrad_edu.value import Value

VERIFIED = 3  # steps: a program that refills a batch between forward and backward pass does so in every step
OPTIMIZER = Kind(lambda thing: isinstance(thing, Optimizer), "an optimiser, optim.Adam(model.parameters(), lr=0.01)")
HOOKS = Kind(lambda thing: isinstance(thing, list | tuple) and all(map(callable, thing)), "a list of functions")


class Step(NamedTuple):
    """A step that was made, as the functions of `after_step` are told: its number and that of its epoch, from 0."""

    number: int
    epoch: int
    loss: float
    model: Module
    optimizer: Optimizer


@spelled
@expecting(
    model=MODEL, loss=FUNCTION, optimizer=OPTIMIZER, data=DATA, epochs=SIZE, validation=optional(DATA),
    metrics=METRICS, schedule=optional(FUNCTION), clip=optional(POSITIVE), patience=optional(COUNT),
    checkpoint=optional(PATH), resume=FLAG, progress=FLAG, after_step=HOOKS,
)  # fmt: skip
def fit(
    model: Module, loss: Callable[[Any, Any], Any], optimizer: Optimizer, data: Any, *, epochs: int,
    batch_size: int = 32, validation: Any = None, metrics: Metrics = NONE, schedule: Any = None,
    clip: float | None = None, patience: int | None = None, checkpoint: Any = None, resume: bool = False,
    progress: bool = True, rng: Seed = None, after_step: Iterable[Callable[[Step], Any]] = (),
) -> History:  # fmt: skip
    """Train a model, and return what was measured in each epoch.

    It is the loop of the page "The loop", with the options that programs ask for. The first steps are verified
    (`te.verified`). Ctrl-C ends the training and returns the history so far.

    Parameters
    ----------
    model, loss, optimizer
        A Module; a function `loss(model(x), y)` that gives a mean over rows, such as `nn.mse_loss`; and what changes
        the model's parameters.
    data
        The arrays `(x, y)` of equal numbers of rows, the targets last; of several inputs, `(x1, x2, y)`. Arrays of
        dask are computed in blocks of rows, on the workers of a `distributed.Client` if there is one.
    epochs, batch_size, rng
        How often to go through all rows, in a new order each time; how many rows make a step; a seed or a generator
        for the order.
    validation
        Arrays as in `data`, which the model does not learn from, evaluated after each epoch.
    metrics
        Functions of outputs and targets by name, such as `{"accuracy": nn.accuracy}`.
    schedule
        The learning rate as a function of the step, such as `optim.cosine(0.1, steps)`, set before each one.
    clip
        The largest norm of all gradients together; see `optim.clip_grad_norm`.
    patience
        End after so many epochs in a row that were no better than the best one, by the loss of `validation`, or else
        of `data`. Then the model has the weights of its best epoch, and so it has after all epochs and after Ctrl-C.
    checkpoint, resume
        A file that is written after each epoch, and whether to go on from it if it is there: a program that was
        killed and is run again with `resume=True` gives bit for bit what it would have given.
    progress
        Whether a bar is shown on a terminal and in a notebook.
    after_step
        Functions to call after each step with its `number`, `epoch`, `loss`, `model` and `optimizer`.

    Returns
    -------
    History
        For each epoch the means of loss and metrics, those of the validation data as `val_...`, and the rate, `lr`.
    """
    batches = minibatches(*data, batch_size=batch_size, rng=generator(rng))
    measured = ["loss", *metrics]
    history = History([*measured, *(f"val_{name}" for name in measured if validation is not None), "lr"])
    best = Best(model, history)
    parts = {"model": model, "optimizer": optimizer, "schedule": schedule, "history": history, "best": best}
    file = Checkpoint(checkpoint, parts, [batches.rng, model, loss, metrics, after_step], resume)
    done = len(history) * len(batches)
    line = bar(epochs * len(batches), done, progress)
    with interruptible(history), line:
        for epoch in range(len(history), epochs):
            if patience is not None and best.waited() >= patience:
                history.ended = "patience"
                break
            model.train()
            options = (metrics, schedule, clip, after_step, done + VERIFIED, line)
            row = train_epoch(model, loss, optimizer, batches, epoch, *options)
            if validation is not None:
                found = evaluate(model, loss, validation, metrics, batch_size=batch_size)
                row |= {f"val_{name}": value for name, value in found.items()}
            history.add(row | {"lr": optimizer.lr})
            best.see()
            if hasattr(schedule, "see"):  # reduce_on_plateau
                schedule.see(history.watched[-1])
            file.save()
    if patience is not None:
        best.restore()
    return history


def train_epoch(
    model: Module, loss: Callable[[Any, Any], Any], optimizer: Optimizer, batches: Minibatches, epoch: int,
    metrics: Metrics, schedule: Any, clip: float | None, after_step: Any, careful: int, line: Any,
) -> dict[str, float]:  # fmt: skip
    """Go through all rows once, and return the means of the loss and of the metrics."""
    mean = Mean()
    for step, batch in enumerate(batches, epoch * len(batches)):
        if schedule is not None:
            optimizer.lr = schedule(step)
        optimizer.zero_grad()
        if any(map(is_blocked, batch)):
            found = learn_in_blocks(model, loss, metrics, list(batch))
        else:
            *inputs, target = batch
            with verified() if step < careful else nullcontext():
                output = model(*inputs)
                error = expect_recorded(loss(output, target))
                error.backward()
            means = {name: number(name, metric(plain(output), target)) for name, metric in metrics.items()}
            found = {"loss": error.item(), **means}
        if clip is not None:
            clip_grad_norm(optimizer.params, clip)
        optimizer.step()
        mean.add(len(batch[-1]), found)
        for hook in after_step:
            hook(Step(step, epoch, found["loss"], model, optimizer))
        say(line, mean.result)
    return mean.result()


def expect_recorded(error: Any) -> Value:
    """Refuse a loss without a past."""
    if isinstance(error, Value) and error.op is not None:
        return error
    got = "a Value that depends on nothing" if isinstance(error, Value) else f"a {type(error).__name__}"
    text = f"loss(model(x), y) gave {got}, which has no gradient: compute it from the model's output; was .data used?"
    raise refusal(TypeError, text)


@contextmanager
def interruptible(history: History) -> Iterator[None]:
    """Inside, Ctrl-C ends the block."""
    try:
        yield
    except KeyboardInterrupt:
        history.ended = "Ctrl-C"
