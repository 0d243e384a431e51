"""Whatever surrounds it, a program prints the same: flags, hash seeds, locale, NumPy's settings, missing packages.

One program builds, differentiates, trains, draws in text and asks, each time in an interpreter of its own with
warnings as errors. What it prints is compared byte for byte.
"""

import sys

import pytest

from tests.robustness.running import fresh

PROGRAM = """
import copy, hashlib, pickle, sys
import numpy as np
import tinygrad_edu as te
from tinygrad_edu import Value, nn, optim, viz

def told(*things):
    print(*(thing.tobytes().hex()[:64] if hasattr(thing, "tobytes") else thing for thing in things))

x = Value(np.linspace(-2, 2, 6).reshape(2, 3), name="x")
w = Value([0.5, -1.0, 2.0], name="w")
y = (np.tanh(x @ w) + np.linalg.norm(te.relu(x)) + np.logaddexp(x, w).mean()).sum()
y.backward()
told(y.data, x.grad, w.grad)
told(*te.gradients(y, [x, w]), te.hessian(lambda v: (np.sin(v) * v**2).sum())(np.ones(3)))
told(te.jvp(np.exp, (2.0,), (1.0,))[1], te.grad(te.grad(te.sigmoid))(30.0), te.grad(te.sigmoid)(-1000.0))
told(nn.binary_cross_entropy(Value([1e4, -1e4]), [0.0, 1.0]).data)

model = nn.Sequential(nn.Linear(3, 4, rng=0), nn.Tanh(), nn.Linear(4, 1, rng=1))
for optimizer in (optim.SGD(model.parameters(), lr=0.1, momentum=0.9), optim.Adam(model.parameters())):
    for _ in range(30):
        optimizer.zero_grad()
        nn.mse_loss(model(x.data), np.ones((2, 1))).backward()
        optimizer.step()
loss = nn.mse_loss(model(x), np.ones((2, 1)))
told(*model.state_dict().values(), loss.data, copy.deepcopy(loss).data, pickle.loads(pickle.dumps(loss)).data)
print(nn.cross_entropy(Value([[1e4, -1e4]]), [0]).item(), repr(model), repr(x), repr(optimizer))
print(te.testing.check_gradients(lambda v: (v * np.sin(v)).sum(), np.arange(1.0, 4.0)).verdict)
for text in (viz.draw(loss), viz.draw(y, to=w), viz.explain(w, y), viz.why(w, y), viz.steps(y), viz.trace(y)):
    print(text)
for level in ("module", "tensor"):
    print(viz.draw(loss, level=level).source)
print(viz.trace(y).json)
for mistake in (lambda: x @ x, lambda: x.backward(), lambda: np.fft.fft(x), lambda: model(1.0), lambda: nn.Tanh(1)):
    try:
        mistake()
    except (TypeError, ValueError) as error:
        print(type(error).__name__, error)
print(te.grad.__name__, isinstance(te.__version__, str))
"""
HIDDEN = "import sys; sys.modules.update(dict.fromkeys({names}))"


@pytest.fixture(scope="module")
def ordinary():
    return fresh(PROGRAM)


def test_the_program_says_something(ordinary):
    assert len(ordinary) > 10_000
    assert ordinary.isascii()
    assert "x @ x: x is (2, 3), x is (2, 3)" in ordinary


# flags of the interpreter, NumPy's setting and variables of the environment, several at a time: none changes anything
AROUND = {
    "without assertions, NumPy raises, hash seed 0, plain ASCII": (
        ["-O"], "raise", {"PYTHONHASHSEED": "0", "LC_ALL": "C", "PYTHONIOENCODING": "ascii", "PYTHONUTF8": "0"},
    ),
    "without docstrings, the user's packages and bytecode, NumPy warns, hash seed 12,345, a tiny terminal": (
        ["-OO", "-s", "-B"], "warn",
        {"PYTHONHASHSEED": "12345", "COLUMNS": "80", "LINES": "1", "TERM": "dumb", "NO_COLOR": "1"},
    ),
    "bytes are no text, nor is text UTF-8, NumPy ignores, hash seed 4,294,967,295, no home": (
        ["-bb", "-X", "utf8=0"], "ignore",
        {"PYTHONHASHSEED": "4294967295", "HOME": "/nowhere", "MPLCONFIGDIR": "/nowhere", "XDG_CACHE_HOME": "/"},
    ),
    "development mode": (["-X", "dev"], "print", {}),
}  # fmt: skip


@pytest.mark.parametrize("name", AROUND)
def test_what_surrounds_it_changes_nothing(name, ordinary):
    flags, setting, variables = AROUND[name]
    assert fresh(f"import numpy; numpy.seterr(all={setting!r}){PROGRAM}", flags=flags, **variables) == ordinary


def test_errors_that_are_to_be_raised_are_raised():
    code = "import numpy as np\nnp.seterr(all='raise')\nfrom tinygrad_edu import Value\n{}"
    for line in ("np.log(Value(0.0))", "Value(1.0) / 0.0", "np.exp(Value(1000.0))"):
        with pytest.raises(AssertionError, match="FloatingPointError"):
            fresh(code.format(line))


PACKAGES = {
    "Graphviz": ["pygraphviz"],
    "matplotlib": ["matplotlib", "PIL"],
    "SciPy": ["scipy"],
    "what tests, saves and shows": ["hypothesis", "pytest", "_pytest", "safetensors", "IPython"],
}


@pytest.mark.parametrize("name", [*PACKAGES, "any of them"])
def test_packages_that_are_not_there_are_not_missed(name, ordinary):
    names = PACKAGES.get(name) or [package for packages in PACKAGES.values() for package in packages]
    assert fresh(HIDDEN.format(names=names) + PROGRAM, PATH="/nowhere") == ordinary


ASKED = """
import numpy as np
from tinygrad_edu import Value, nn, viz
model = nn.Linear(1, 1, rng=0)
loss = (model(np.ones((2, 1))) ** 2).mean()
with viz.watch(model) as watched:
    loss.backward()
for work in (lambda: viz.draw(loss).svg, lambda: watched.loss()):
    try:
        work()
    except (ImportError, viz.DrawingError) as error:
        print(type(error).__name__, error)
bundle = viz.draw(loss)._repr_mimebundle_()
print(sorted(bundle), "sum" in bundle["text/plain"] or "mean" in bundle["text/plain"])
print(len(viz.trace(loss).explore().html) > 10_000)
"""


def test_what_needs_a_package_says_which_one_and_shows_the_text():
    lines = fresh(HIDDEN.format(names=PACKAGES["Graphviz"] + PACKAGES["matplotlib"]) + ASKED, PATH="/nowhere")
    drawing, curves, kinds, page = lines.splitlines()
    assert "no Graphviz found" in drawing
    assert 'pip install "tinygrad_edu[viz]"' in drawing
    assert 'pip install "tinygrad_edu[viz]"' in curves
    assert kinds == "['text/plain'] True"
    assert page == "True"


def test_what_runs_here_has_no_raised_limits():
    assert fresh("import sys, tinygrad_edu.nn, tinygrad_edu.viz; print(sys.getrecursionlimit())").strip() == "1000"
    assert sys.getrecursionlimit() <= 3_000
