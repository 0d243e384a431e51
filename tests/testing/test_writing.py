"""What is written runs, passes where gradients are right, fails where they are not, and is formatted."""

import ast
import importlib.util
import os
import re
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest

from tinygrad_edu.table import OPERATIONS, PRIMITIVES
from tinygrad_edu.testing.modules import load
from tinygrad_edu.testing.trials import Unwritable
from tinygrad_edu.testing.writing import WIDTH, fresh, written

ROOT = Path(__file__).parents[2]
GOOD = '''
"""Things with gradients, and some without."""
import numpy as np
import tinygrad_edu as te
from tinygrad_edu import Value, nn
from tinygrad_edu.nn import Linear  # elsewhere: not tested here


@te.custom((lambda g, out, x: g * 3 * x**2,), domain=te.REALS)
def cube(x):
    return x * x * x


@te.custom((lambda g, out, x: g * 2.0 * x,), domain=te.REALS)
def square(x):
    return x * x


once = te.primitive(lambda x: x**2, lambda g, out, x: g * 2 * te.stop_gradient(x), name="once", domain=te.REALS)
once.order = 1


def wave(x):
    return np.sin(x) * x


def entropy(p):
    return -np.sum(p * np.log(p))


def loss(w: np.ndarray, x: np.ndarray, scale: float = 2.0):
    return scale * np.mean((x @ w) ** 2)


def an_affine_map_with_a_long_name(weights_of_it, inputs_of_it, bias_of_it):
    return inputs_of_it @ weights_of_it + bias_of_it


def inverse(A):
    return np.linalg.inv(A)


class Gate(nn.Module):
    def __init__(self, size: int, rate: float):
        self.w = Value(np.ones(size))
        self.rate = rate

    def forward(self, x):
        return x * self.w * self.rate


class HTTPGate(Gate):
    def __init__(self, size):
        super().__init__(size, 0.5)


def noisy(x):
    print("printed by the module")
    return x * np.random.default_rng().normal()


def read(path):
    raise AssertionError("called")


def pair(x):
    return x, x


def _private(x):
    return x
'''
WRONG = """
import numpy as np
import tinygrad_edu as te

def right(x):
    return x * 2.0

fourth = te.primitive(lambda x: x**4, lambda g, out, x: g * 2 * x**3, name="fourth", domain=te.REALS)

def hidden(x):
    return fourth(x) + x
"""
FEW = """
from hypothesis import Phase, settings
settings.register_profile("few", max_examples=15, deadline=None, derandomize=True, phases=[Phase.generate])
settings.load_profile("few")
"""
TESTS = {
    "cube", "square", "once", "wave", "entropy", "loss", "an_affine_map_with_a_long_name", "inverse",
    "gate", "httpgate",
}  # fmt: skip
WHY = {
    "noisy": "two calls differ: its random numbers come from inside",
    "read": "its parameter 'path' does not sound like a number, and has no annotation",
    "pair": "it returns a tuple: test a function that returns one array of it",
}


@pytest.fixture(scope="module", autouse=True)
def table():
    before = dict(OPERATIONS), dict(PRIMITIVES), set(sys.modules), list(sys.path)
    yield
    for now, then in zip((OPERATIONS, PRIMITIVES), before[:2], strict=True):
        now.clear()
        now.update(then)
    sys.path[:] = before[3]
    for name in set(sys.modules) - before[2]:
        del sys.modules[name]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """The two modules and what is written for them."""
    path = tmp_path_factory.mktemp("written")
    for name, text in (("good_thing", GOOD), ("wrong_thing", WRONG)):
        (path / f"{name}.py").write_text(text.lstrip(), encoding="utf-8")
        (path / f"test_{name}.py").write_text(written(load(str(path / f"{name}.py")))[0], encoding="utf-8")
    (path / "conftest.py").write_text(FEW, encoding="utf-8")
    return path


@pytest.fixture(scope="module")
def outcome(folder):
    """Every written test and its outcome, in a run of its own; warnings are errors."""
    done = subprocess.run(
        [sys.executable, "-Werror", "-m", "pytest", "-v", "-pno:tinygrad_edu", "-pno:cacheprovider", "-pno:xdist"],
        cwd=folder, env=os.environ | {"PYTHONPATH": str(ROOT), "PYTEST_ADDOPTS": ""},
        capture_output=True, text=True, timeout=120,
    )  # fmt: skip
    found = re.findall(r"^(test_\w+)\.py::test_(\w+) (PASSED|FAILED|ERROR)", done.stdout, flags=re.MULTILINE)
    assert found, done.stdout + done.stderr
    return {(module, name): what for module, name, what in found}


def test_everything_that_can_be_tested_is(folder):
    text, count = written(load("good_thing"))
    assert (folder / "test_good_thing.py").read_text(encoding="utf-8") == text  # the same twice
    tree = ast.parse(text)
    names = [n.name for n in tree.body if isinstance(n, ast.FunctionDef)]
    names += [n.targets[0].id for n in tree.body if isinstance(n, ast.Assign)]
    assert sorted(names) == sorted(f"test_{name}" for name in TESTS)
    assert count == len(TESTS)


def test_what_is_not_tested_is_listed_with_the_reason():
    listed = written(load("good_thing"))[0].partition("# No test is written for\n")[2]
    entries = " ".join(line.lstrip("# ") for line in listed.splitlines()).split("* ")
    assert {e.partition(": ")[0]: e.partition(": ")[2].strip() for e in entries if e} == WHY


def test_right_gradients_pass(outcome):
    assert {name: what for (module, name), what in outcome.items() if module == "test_good_thing"} == dict.fromkeys(
        TESTS, "PASSED"
    )


def test_wrong_gradients_fail(outcome):
    expected = {"fourth": "FAILED", "right": "PASSED", "hidden": "FAILED"}
    assert {name: what for (module, name), what in outcome.items() if module == "test_wrong_thing"} == expected


def test_it_is_formatted(folder):
    """Neither a line too long nor anything that a formatter would write otherwise."""
    if importlib.util.find_spec("ruff") is None:
        pytest.skip("ruff is not installed: pip install tinygrad_edu[test]")
    files = [str(path) for path in folder.glob("test_*.py")]
    for arguments in (["format", "--check", "--diff"], ["check", "--select=E,F,W,I001"]):
        done = subprocess.run(
            [sys.executable, "-m", "ruff", *arguments, "--isolated", "--no-cache", f"--line-length={WIDTH}", *files],
            capture_output=True, text=True, cwd=folder,
        )  # fmt: skip
        assert done.returncode == 0, done.stdout + done.stderr


def test_a_chapter_of_our_own_is_written_too():
    text, count = written(load("tinygrad_edu.rules.elementwise"))
    assert count > 40
    assert "check_op(np.tanh)" in text
    compile(text, "written", "exec")


START = "import numpy as np\nfrom tinygrad_edu import Value, nn\nimport tinygrad_edu as te\n"
LAYER = (
    START + "class A(nn.Module):\n    def __init__(self, {}):\n        pass\n    def forward(self, {}):\n        {}\n"
)


@pytest.mark.parametrize(
    ("code", "words"),
    [
        (LAYER.format("*, n", "x", "return x"), "A: it takes n, for which there is no default"),
        (LAYER.format("path: str", "x", "return x"), "A: its parameter path: str is not a number"),
        (LAYER.format("n", "x, *, y", "return x"), "A: its forward takes options without a default"),
        (
            LAYER.format("n", "x", "raise KeyError(3)"),
            "A: no sizes and inputs of those tried work; with .*KeyError: 3",
        ),
        (LAYER.format("n", "x", "return x * np.random.default_rng().normal()"), "A: two calls differ"),
        (START + "def f(x):\n    raise ValueError('no ' * 500)", r"f: no shape .* \.\.\.$"),
        (
            START + "te.primitive(lambda x: x, lambda g, out, x: g, name='h', domain=te.REALS)",
            "h: here has no name for",
        ),
    ],
)
def test_why_a_thing_has_no_test(code, words):
    module = ModuleType("here")
    exec(code, vars(module))
    with pytest.raises(Unwritable, match="nothing to test") as refused:
        written(module)
    assert re.search(words, " ".join(line.lstrip("# *") for line in str(refused.value).splitlines()))
    assert max(map(len, str(refused.value).splitlines())) <= 100


def test_a_layer_with_options_for_later_is_tested():
    module = ModuleType("here")
    exec(LAYER.format("n, **options", "x, y", "return x * y"), vars(module))
    text, count = written(module)
    assert count == 1
    assert text.count("rng.normal(size=(4, 3)),") == 2


def test_a_name_that_the_tests_use_is_renamed():
    module = ModuleType("tensors")
    exec("def twice(x):\n    return 2.0 * x", vars(module))
    text, _ = written(module)
    assert "import tensors as tensors_\n" in text
    assert "gradient_test(tensors_.twice, " in text


def test_names_of_tests_are_all_different():
    names = set()
    found = [fresh(name, names) for name in ("GatedUnit", "gated_unit", "f", "F", "linalg.norm", "swish-2")]
    assert found == ["test_gated_unit", "test_gated_unit_2", "test_f", "test_f_2", "test_linalg_norm", "test_swish_2"]


@pytest.mark.parametrize(
    ("code", "words"),
    [
        ("x = 1", r"^empty has nothing to test: it needs an operation, a layer or a public function of arrays$"),
        ("def read(path): ...", r"(?s)nothing to test: .*\n# \* read: its parameter 'path' does not sound"),
        ("def f(x):\n    return x.data", r"(?s)nothing to test.*\* f: its result is not a Value but ndarray"),
        ("from numpy import tanh", r"nothing to test"),
    ],
)
def test_nothing_to_test_is_an_error_with_reasons(code, words):
    module = ModuleType("empty")
    exec(code, vars(module))
    with pytest.raises(Unwritable, match=words):
        written(module)


ENDS = """
import sys
from tinygrad_edu import nn

class Ends(nn.Module):
    def forward(self, x):
        sys.exit(3)
"""


def test_a_layer_that_ends_the_program_is_listed():
    module = ModuleType("ending")
    exec(ENDS, vars(module))
    with pytest.raises(Unwritable, match=r"Ends: no sizes and inputs of those tried work; with .*:\s.*SystemExit: 3"):
        written(module)
