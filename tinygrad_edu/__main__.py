"""The command `tinygrad-edu`: train the documents' two systems, compare the numbers, draw the pictures.

One neuron learns from one row at a time, the 3-4-1 network from the whole table. What the documents print stands
beside what the run gives. Pictures are written to one side first and moved when they are whole.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import numpy as np

from tinygrad_edu import __version__, nn, no_grad, optim, viz
from tinygrad_edu.data import documents

Row = tuple[str, str, str]
Picture = Callable[[Path], None]

STEPS_NEURON = 10_000
STEPS_NETWORK = 50_000
REMEDY = 'pip install "tinygrad_edu[viz]"'


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command; the status is 0, 1 for a picture that failed, 2 for a bad folder, 130 when interrupted."""
    out = arguments().parse_args(argv).out
    try:
        out.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=".tinygrad-edu-", dir=out) as aside:
            return run(out, Path(aside))
    except OSError as error:
        reason = error.strerror or error
        print(f"tinygrad-edu: cannot write to {out}: {reason}; choose another folder, --out DIR", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("tinygrad-edu: interrupted, no pictures written", file=sys.stderr)
        return 130


def arguments() -> argparse.ArgumentParser:
    """The options of the command."""
    parser = argparse.ArgumentParser(
        prog="tinygrad-edu",
        description="Train one sigmoid neuron (10,000 steps) and the 3-4-1 network (50,000 steps) of the source "
        "documents, print their numbers beside what this run gives, and draw the graph, one path of the chain "
        "rule, and the error while learning.",
        epilog=f"Pictures need {REMEDY}; without it they are skipped.",
    )
    parser.add_argument(
        "--out", type=Path, default=Path("tinygrad_edu_out"), metavar="DIR", help="where pictures go (%(default)s)"
    )
    parser.add_argument("--version", action="version", version=f"tinygrad_edu {__version__}")
    return parser


def run(out: Path, aside: Path) -> int:
    """Train, print the tables, draw."""
    neuron, first, errors = train_neuron()
    network_rows = train_network()
    print(table("One sigmoid neuron, online SGD, 10,000 steps", neuron_rows(first, errors)))
    print()
    print(table("The 3-4-1 network, 50,000 steps", network_rows))
    print()
    return draw(pictures(neuron, errors), out, aside)


def progress(steps: int, what: str) -> Iterator[int]:
    """Count the steps, with a bar on stderr."""
    from tqdm import tqdm

    yield from tqdm(range(steps), desc=what, unit="step", mininterval=0.5, file=sys.stderr)


def train_neuron() -> tuple[nn.Sequential, str, list[float]]:
    """The neuron, its first prediction, and the error of all rows after every 100th step."""
    x, y = documents.eight_rows()
    rng = np.random.RandomState(42)
    linear = nn.Linear(2, 1, init=nn.init.normal, bias_init=nn.init.normal, rng=rng)
    neuron = nn.Sequential(linear, nn.Sigmoid())
    optimizer = optim.SGD(neuron.parameters(), lr=0.1)
    first = repr(neuron(np.array(documents.FIRST_INPUT)).item())
    errors = []
    for step in progress(STEPS_NEURON, "neuron "):
        row = rng.randint(len(x))
        loss = nn.mse_loss(neuron(x[row]), y[row])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        if step % 100 == 0:
            with no_grad():
                errors.append(np.square(neuron(x) - y).sum().item())
    return neuron, first, errors


def train_network() -> list[Row]:
    """The rows of the network's table: what is printed, what the document gives, what this run gives."""
    x, y = documents.xor()
    rng = np.random.RandomState(1)
    hidden = nn.Linear(3, 4, bias=False, init=nn.init.uniform, rng=rng)
    output = nn.Linear(4, 1, bias=False, init=nn.init.uniform, rng=rng)
    network = nn.Sequential(hidden, nn.Sigmoid(), output, nn.Sigmoid())
    optimizer = optim.SGD(network.parameters(), lr=1.0)
    rows = []
    for step in progress(STEPS_NETWORK, "network"):
        prediction = network(x)
        if step in documents.MEAN_ABSOLUTE_ERRORS:
            error = f"{np.abs(prediction.data - y).mean():.12g}"
            rows.append((f"mean absolute error, step {step:,}", documents.MEAN_ABSOLUTE_ERRORS[step], error))
        loss = 0.5 * np.square(prediction - y).sum()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    outputs = [f"{number:.8f}" for number in prediction.data[:, 0]]
    names = [f"output for {row.astype(int).tolist()}" for row in x]
    return rows + list(zip(names, documents.OUTPUTS, outputs, strict=True))


def neuron_rows(first: str, errors: list[float]) -> list[Row]:
    """The rows of the neuron's table; of the errors, the document gives only the plot."""
    return [
        (f"first prediction, for {list(documents.FIRST_INPUT)}", documents.FIRST_PREDICTION, first),
        ("error of all rows, step 0", "-", f"{errors[0]:.6f}"),
        ("error of all rows, mean of first 10", "-", f"{np.mean(errors[:10]):.6f}"),
        ("error of all rows, mean of last 10", "-", f"{np.mean(errors[-10:]):.6f}"),
    ]


def table(title: str, rows: list[Row]) -> str:
    """A title and aligned columns."""
    verdicts = ["" if given == "-" else "same" if given == here else "differs" for _, given, here in rows]
    lines = [
        f"  {what:36} {given:20} {here:20} {v}".rstrip()
        for (what, given, here), v in zip(rows, verdicts, strict=True)
    ]
    return "\n".join([title, f"  {'':36} {'given':20} {'this run'}", *lines])


def pictures(neuron: nn.Sequential, errors: list[float]) -> dict[str, Picture]:
    """What to draw: a file name, and the function that writes it; `to` is the end of a path in bold red."""
    x, y = documents.eight_rows()
    weights, bias = neuron.parameters()
    weights.grad = bias.grad = None
    prediction = neuron(x[0])
    error = nn.mse_loss(prediction, y[0])
    error.backward()
    weights.name = "weights"
    bias.name = "bias"
    prediction.args[0].name = "layer_1"
    prediction.name = "prediction"
    error.name = "error"
    return {
        "graph.svg": lambda path: viz.draw(error).save(path),
        "path.svg": lambda path: viz.draw(error, to=weights).save(path),
        "cumulative_error.png": lambda path: plot_errors(path, errors),
    }


def plot_errors(path: Path, errors: list[float]) -> None:
    """The error of all rows while learning, as the document plots it."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure()
    FigureCanvasAgg(figure)
    axes = figure.subplots()
    axes.plot(range(0, 100 * len(errors), 100), errors, color="#0072B2")
    axes.set(xlabel="Iterations", ylabel="Error for all training instances")
    figure.savefig(path)


def draw(wanted: dict[str, Picture], out: Path, aside: Path) -> int:
    """Write each picture whole, or say that it was skipped and why; 1 if anything but the extra is missing."""
    skipped: dict[str, list[str]] = {}
    for name, picture in wanted.items():
        try:
            picture(aside / name)
        except (ImportError, viz.DrawingError) as error:
            missing = isinstance(error, ImportError) or REMEDY in str(error)
            skipped.setdefault(REMEDY if missing else str(error), []).append(name)
            continue
        os.replace(aside / name, out / name)
        print(f"wrote {out / name}")
    for reason, names in skipped.items():
        print(f"skipped {', '.join(names)}: {reason}" + " draws them" * (reason == REMEDY))
    return int(bool(skipped.keys() - {REMEDY}))


if __name__ == "__main__":
    sys.exit(main())
