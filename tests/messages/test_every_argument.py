"""Every argument of every public function, in every wrong kind: it works, or the refusal names the user's line."""

import warnings

import matplotlib
import pytest

from tests.messages.snippets import names
from tinygrad_edu.testing import strategies

matplotlib.use("Agg")

# A call of each function that works, its arguments as code; each of them is replaced by each wrong kind in turn.
CALLS = {
    "Value": ["2.0", "'w'"],
    "te.at": ["v", "0"],
    "te.at(np.zeros(3), 0).add": ["1.0"],
    "te.at(np.zeros(3), 0).set": ["1.0"],
    "te.at({}).add(1.0)": ["v", "0"],
    "te.at({}).set(1.0)": ["np.zeros(3)", "0"],
    "te.checkpoint": ["np.sin"],
    "te.convolution": ["np.ones((1, 1, 3, 3))", "np.ones((1, 1, 2, 2))", "1", "0"],
    "te.elementwise_grad": ["np.sin", "0"],
    "te.grad": ["np.sin", "0"],
    "te.gradients": ["v.sum()", "[v]"],
    "te.hessian": ["np.sin", "0"],
    "te.hvp": ["lambda x: te.sigmoid(x).sum()", "x", "x"],
    "te.jacobian": ["np.sin", "0"],
    "te.jvp": ["te.sigmoid", "(1.0,)", "(1.0,)"],
    "te.load": ["model", "'/nowhere/m'"],
    "te.log_softmax": ["v", "axis=0"],
    "te.logsumexp": ["v", "axis=0", "keepdims=False"],
    "te.max_pool": ["np.ones((1, 1, 4, 4))", "(2, 2)", "stride=(2, 2)"],
    "te.mean_pool": ["np.ones((1, 1, 4, 4))", "(2, 2)", "stride=(2, 2)"],
    "te.relu": ["v"],
    "te.save": ["model", "'/nowhere/m'"],
    "te.sigmoid": ["v"],
    "te.softmax": ["v", "axis=0"],
    "te.softplus": ["v"],
    "te.stop_gradient": ["v"],
    "te.value_and_grad": ["np.sin", "0"],
    "te.vjp": ["te.sigmoid", "1.0"],
    "v.backward": ["np.ones(3)"],
    "v.reshape": ["(3, 1)"],
    "v.sum": ["axis=0", "keepdims=True"],
    "v.take": ["[0, 1]", "axis=0"],
    "testing.check_gradients": [
        "np.sin", "x", "order=1", "modes=('reverse',)", "wrt=(0,)", "method='auto'", "rtol=None", "seed=0",
        "distance=np.inf", "raises=False",
    ],
    "testing.check_module": ["lambda: nn.Linear(3, 1, rng=0)", "x", "order=1", "seed=0", "raises=False"],
    "testing.check_op": ["np.tanh", "order=1", "repeats=1", "seed=0", "rtol=None", "raises=False"],
    "testing.check_taylor": ["np.sin", "x", "directions=1", "wrt=(0,)", "seed=0", "distance=np.inf", "raises=False"],
    "testing.compare": ["np.sin", "x", "with_=('numeric',)", "rtol=1e-6", "seed=0"],
    "testing.detect_kink": ["np.abs", "0.0"],
    "testing.gradient_test": ["lambda x: x * x", "{'x': strategies.tensors()}", "order=1"],
    "testing.hint": ["np.ones(3)", "np.ones(3)", "1"],
    "testing.numeric_gradient": ["np.sum", "x", "method='auto'", "step=None", "distance=np.inf"],
    "strategies.broadcastable": ["2", "domain=None"],
    "strategies.cotangents": ["(2,)", "float"],
    "strategies.indices": ["(2,)"],
    "strategies.networks": ["2"],
    "strategies.scalars": ["(0.0, 1.0)", "kinks=()", "singular=()", "dtype=float"],
    "strategies.shapes": ["0", "2", "1", "3"],
    "strategies.shapes_for": ["'(n),(n)->()'", "longest=3"],
    "strategies.tensors": ["(2,)", "(0.0, 1.0)", "kinks=()", "singular=()", "dtype=float", "layout='C'"],
    "strategies.training_steps": ["2"],
    "viz.boundary": ["lambda x: x[:, :1]", "x[:, :2]", "y", "level=0.5"],
    "viz.bundle": ["v"],
    "viz.diff": ["viz.trace(v.sum())", "viz.trace(v.sum())"],
    "viz.draw": ["v.sum()", "v", "mode='forward'", "names={}", "level='tensor'", "dark=False"],
    "viz.explain": ["v", "v.sum()", "names={}"],
    "viz.line_of": ["v"],
    "viz.steps": ["v.sum()", "names={}"],
    "viz.trace": ["v.sum()", "names={}", "lr=0.1"],
    "with viz.watch({}):\n    pass": ["model", "predict=None"],
    "viz.why": ["v", "v.sum()", "names={}"],
    "data.house_prices": ["2", "0"],
    "data.minibatches": ["x", "y", "batch_size=2", "shuffle=True", "drop_last=False", "rng=0"],
    "data.moons": ["4", "0.1", "0"],
    "data.train_test_split": ["x", "y", "0.2", "0"],
    "optim.Adagrad": ["[v]", "0.1", "0.1", "0.1", "0.1", "1e-8"],
    "optim.AdamW": ["[v]", "0.1", "(0.9, 0.99)", "1e-8", "0.1"],
    "optim.Lion": ["[v]", "0.1", "(0.9, 0.99)", "0.1"],
    "optim.RMSprop": ["[v]", "0.1", "0.9", "1e-8", "0.1", "0.9"],
    "optim.SGD": ["[{'params': [v], 'lr': 0.2}]", "0.1"],
    "optim.clip_grad_norm": ["[v]", "1.0"],
    "optim.cosine": ["0.1", "10", "low=0.0"],
    "optim.exponential": ["0.1", "0.9"],
    "optim.minimize": ["lambda x: x", "Value(2.0)", "method='BFGS'"],
    "optim.one_cycle": ["0.1", "10", "0.3"],
    "optim.reduce_on_plateau": ["0.1", "factor=0.1", "patience=1", "threshold=0.1"],
    "optim.step_decay": ["0.1", "10", "0.5"],
    "optim.warmup": ["optim.cosine(0.1, 5)", "10"],
    "optim.SGD({})": ["[v]", "0.1", "0.9", "True", "0.1"],
    "optim.Adam": ["[v]", "0.1", "(0.9, 0.99)", "1e-8"],
    "optim.Optimizer": ["[v]", "0.1", "optim.sgd()"],
    "optim.adam": ["0.9", "0.99", "1e-8"],
    "optim.sgd": ["0.9", "True", "0.1"],
    "train.evaluate": ["model", "nn.mse_loss", "(x, y)", "{}", "batch_size=2"],
    "train.fit": [
        "model", "nn.mse_loss", "optim.SGD(model.parameters(), lr=0.1)", "(x, y)", "epochs=1", "batch_size=5",
        "validation=None", "metrics={}", "schedule=None", "clip=None", "patience=None", "checkpoint=None",
        "resume=False", "progress=False", "rng=0", "after_step=()",
    ],
    "nn.Linear": ["3", "1", "True", "dtype=float", "init=nn.init.zeros", "bias_init=nn.init.zeros", "rng=0"],
    "nn.Sequential": ["nn.Linear(3, 1)", "np.tanh"],
    "nn.accuracy": ["np.eye(2)", "[0, 1]"],
    "nn.binary_cross_entropy": ["v", "[0.0, 1.0, 1.0]"],
    "nn.cross_entropy": ["np.eye(2)", "[0, 1]"],
    "nn.init.glorot_normal": ["(3, 4)", "np.random.default_rng(0)"],
    "nn.init.glorot_uniform": ["(3, 4)", "np.random.default_rng(0)"],
    "nn.init.he_normal": ["(3, 4)", "np.random.default_rng(0)"],
    "nn.init.he_uniform": ["(3, 4)", "np.random.default_rng(0)"],
    "nn.init.normal": ["(3, 4)", "np.random.default_rng(0)"],
    "nn.init.uniform": ["(3, 4)", "np.random.default_rng(0)"],
    "nn.init.zeros": ["(3, 4)", "None"],
    "nn.mse_loss": ["v", "[0.0, 1.0, 1.0]"],
    "model": ["x"],
    "model.load_state_dict": ["model.state_dict()"],
    "model.astype": ["np.float32"],
    "model.train": ["True"],
}  # fmt: skip

KINDS = [
    "None", "3", "-1", "0", "2.5", "np.nan", "True", "1j", "'text'", "b'text'", "[]", "[1.0, 2.0]", "['a']", "()",
    "{}", "{'a': 1}", "{1}", "object()", "lambda x: x", "int", "len", "np", "np.zeros(3)", "np.zeros((2, 2, 2))",
    "np.zeros(0)", "np.arange(3)", "np.array(['a'])", "np.array([None])", "v", "[v]", "model", "model.forward", "te",
    "iter([1.0])", "Value", "v.sum", "np.float32(1.5)", "slice(2)", "...",
]  # fmt: skip


FUNCTIONS = [
    "lambda x: x",
    "int",
    "len",
    "model",
    "model.forward",
    "Value",
    "v.sum",
    "lambda: nn.Linear(3, 1, rng=0)",
]


def call_of(function, arguments):
    """The code of a call: the name of a function, or code with a place for the arguments."""
    return (function if "{}" in function else f"{function}({{}})").format(", ".join(arguments))


def replaced(argument, kind):
    """An argument's code with a value of another kind in its place."""
    name, equals, _ = argument.partition("=")
    return f"{name}={kind}" if equals and name.isidentifier() else kind


def fault(code, found):
    """What a call says that neither works nor names the user's line."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            exec(compile(code, "snippet.py", "exec"), dict(found))
        except Exception as error:
            told = str(error).rstrip()
            ours = error.__traceback__.tb_next.tb_next is not None  # else Python itself refused the user's line
            if ours and not told.endswith("(snippet.py:1)") and not noted(error, code):
                return f"{code}: {type(error).__name__}: {told[:150]}"
    return None


def noted(error, code):
    """Whether an error is of the user's function or of the system, which may say it in their words, with a note."""
    notes = getattr(error, "__notes__", [""])
    theirs = isinstance(error, OSError) or any(f"({f}," in code for f in FUNCTIONS)
    return theirs and notes[0].endswith("(snippet.py:1)")


@pytest.mark.parametrize("function", CALLS)
def test_an_argument_of_any_kind_works_or_is_refused_at_the_users_line(function, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    found = names() | {"strategies": strategies}
    arguments = CALLS[function]
    assert fault(call_of(function, arguments), found) is None
    faults = []
    for i, argument in enumerate(arguments):
        for kind in KINDS:
            call = [*arguments[:i], replaced(argument, kind), *arguments[i + 1 :]]
            faults.append(fault(call_of(function, call), found))
    assert not any(faults), "\n".join(filter(None, faults))
