"""The plugin in runs of its own: what is collected, what is shown, what it costs those who do not use it."""

import os
import re
import subprocess
import sys
import tomllib
from importlib.util import find_spec
from pathlib import Path

import pytest

from tinygrad_edu.testing import check_gradients
from tinygrad_edu.testing.pytest_plugin import hooks, items, summary

pytest_plugins = "pytester"
ROOT = Path(__file__).parents[2]
OTHERS = ("hypothesispytest", "pytest_cov", "xdist", "xdist.looponfail")
SHAPES = """
import numpy as np
import tinygrad_edu as te

@te.custom((lambda g, out, x: g * 3 * x**2,), domain=te.REALS, cases=[te.case((2,)), te.case(())])
def cube(x):
    return x * x * x

bent = te.primitive(lambda x: np.maximum(x, 0.5) * 1.0, lambda g, out, x: g * np.heaviside(x - 0.5, 0.0),
                    name="bent", domain=te.REALS, kinks=(0.5,), cases=[te.case((2,))])
"""
WRONG = """
import tinygrad_edu as te

fourth = te.primitive(lambda x: x**4, lambda g, out, x: g * 2 * x**3,
                      name="fourth", domain=te.REALS, cases=[te.case((2,))])
"""
USES = """
def test_square(gradcheck):
    for x in (1.0, 2.0):
        gradcheck(square, x)

def square(x):
    return x * x
"""
DOUBTFUL = """
import numpy as np
import tinygrad_edu as te

def rough(x):
    return x * x + 1e-3 * te.stop_gradient(np.sin(1e16 * x))

def test_rough(gradcheck):
    assert gradcheck(rough, 1.0, raises=False).verdict == "INCONCLUSIVE"
"""
pytestmark = pytest.mark.usefixtures("table")


@pytest.fixture
def run(pytester, monkeypatch):
    """Runs pytest on files, in this process, with this plugin only; warnings are errors."""
    monkeypatch.syspath_prepend(pytester.path)

    def runs(*args, modules="shapes", **files):
        pytester.makepyfile(**files) if files else None
        pytester.makeini(f"[pytest]\ngrad_modules =\n    {modules}\n")
        blocked = (f"-pno:{name}" for name in ("tinygrad_edu", *OTHERS))
        return pytester.runpytest_inprocess("-Werror", *blocked, *args, plugins=[hooks])

    return runs


@pytest.fixture
def apart(pytester):
    """Runs pytest in another process, where `pytest_tinygrad_edu` is installed as a wheel would install it."""
    site = pytester.mkdir("site")
    info = site / "tinygrad_edu_installed-1.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: tinygrad_edu_installed\nVersion: 1\n")
    points = "\n".join(f"{name} = {module}" for name, module in project()["entry-points"]["pytest11"].items())
    (info / "entry_points.txt").write_text(f"[pytest11]\n{points}\n")
    (site / "pytest_tinygrad_edu.py").write_text(Path(hooks.__file__).read_text(encoding="utf-8"))
    path = os.pathsep.join(map(str, (site, pytester.path, ROOT)))

    def runs(*args, python=("-Werror",)):
        return subprocess.run(
            [sys.executable, *python, "-m", "pytest", "-pno:hypothesispytest", "-pno:pytest_cov", *args],
            cwd=pytester.path, env=os.environ | {"PYTHONPATH": path}, capture_output=True, text=True, timeout=120,
        )  # fmt: skip

    return runs


def project():
    return tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]


def rows(result):
    """The table's rows by operation."""
    lines = result.outlines if hasattr(result, "outlines") else result.stdout.splitlines()
    start = next(i for i, line in enumerate(lines) if line.startswith("operation "))
    assert lines[start].split() == ["operation", "checks", "worst", "error", *summary.HEAD[3:]]
    return {line.split()[0]: line.split()[1:] for line in lines[start + 1 :] if len(line.split()) == 7}


def test_every_operation_is_a_test_without_any_test_file(run, monkeypatch):
    monkeypatch.setattr(items, "outcomes", None)  # nothing is mutated without the option
    result = run("-v", shapes=SHAPES)
    result.stdout.fnmatch_lines(["grad::shapes::cube PASSED*", "grad::shapes::bent PASSED*", "*= gradients =*"])
    result.assert_outcomes(passed=2)
    assert result.ret == 0
    table = rows(result)
    assert set(table) == {"cube", "bent"}
    assert int(table["cube"][0]) > 60
    assert table["cube"][2:] == ["0", "0", "-", "shapes"]
    assert 0 < float(table["cube"][1]) < 1e-5


def test_a_failure_prints_the_report_and_no_frame(run):
    result = run(shapes=SHAPES, wrong=WRONG, modules="shapes\n    wrong")
    result.assert_outcomes(passed=2, failed=1)
    result.stdout.fnmatch_lines(["*___ wrong.fourth ___*", "fourth: * PASS, * FAIL*", "FAIL *", "*ratio 0.5*"])
    result.stdout.fnmatch_lines(["again: check_op(fourth*", "FAILED grad::wrong::fourth*"])
    assert "Traceback" not in result.stdout.str()
    assert "operation.py" not in result.stdout.str()
    assert result.ret == pytest.ExitCode.TESTS_FAILED


@pytest.mark.parametrize(
    ("args", "names"),
    [
        ((), "cube bent test_ok"),
        ((".",), "cube bent test_ok"),
        (("test_ok.py",), "test_ok"),
        (("test_ok.py::test_ok",), "test_ok"),
        (("grad::",), "cube bent"),
        (("grad::shapes",), "cube bent"),
        (("grad::shapes::bent",), "bent"),
        (("grad::shapes::bent", "test_ok.py"), "bent test_ok"),
        (("-k", "cube or ok"), "cube test_ok"),
        (("--deselect", "grad::shapes::cube"), "bent test_ok"),
        (("-m", "not gradients"), "test_ok"),
        (("-m", "gradients"), "cube bent"),
        (("part",), "test_part"),
        (("part/..",), "cube bent test_ok test_part"),
        (("./",), "cube bent test_ok test_part"),
    ],
)
def test_what_the_arguments_choose(run, args, names):
    ok, part = ({f"test_{name}": f"def test_{name}():\n    pass"} for name in ("ok", "part"))
    if "part" in names or "part" in args:
        Path("part").mkdir()
        Path("part/test_part.py").write_text(part["test_part"])
    result = run("--strict-markers", "--collect-only", "-q", *args, shapes=SHAPES, **ok)
    found = [line.rpartition("::")[2] for line in result.outlines if "::" in line]
    assert sorted(found) == sorted(names.split())


@pytest.mark.parametrize(
    ("testpaths", "start", "args", "whole"),
    [
        ("", ".", (), True),
        ("", "part", (), False),
        ("", "part", ("..",), True),
        ("part", ".", (), True),
        ("part", ".", ("part",), True),
        ("part", "part", (), True),
        ("part more", ".", ("part",), False),
        ("part more", ".", (".",), True),
    ],
)
def test_the_operations_belong_to_the_whole_project_and_to_no_part_of_it(
    pytester, run, monkeypatch, testpaths, start, args, whole
):
    for name in ("part", "more"):
        Path(name).mkdir()
        Path(name, f"test_{name}.py").write_text("def test_it():\n    pass")
    pytester.makepyfile(shapes=SHAPES)
    pytester.makeini(f"[pytest]\ntestpaths = {testpaths}\ngrad_modules = shapes\n")
    monkeypatch.chdir(start)
    blocked = [f"-pno:{name}" for name in ("tinygrad_edu", *OTHERS)]
    result = pytester.runpytest_inprocess("--collect-only", "-q", *blocked, *args, plugins=[hooks])
    assert ("grad::shapes::cube" in result.outlines) == whole
    assert any("::test_it" in line for line in result.outlines)


@pytest.mark.parametrize("modules", ["", "shapes"])
def test_a_test_may_have_a_name_that_no_file_could_have(run, modules):
    name = f"test_{'a' * 300}"
    result = run(f"test_long.py::{name}", test_long=f"def {name}():\n    pass", shapes=SHAPES, modules=modules)
    result.assert_outcomes(passed=1)


HIDDEN = """
import numpy as np
import pytest
import tinygrad_edu as te
from tinygrad_edu.testing import check_gradients, check_op, check_taylor

@pytest.mark.parametrize("check", [check_gradients, check_taylor])
def test_wrong(check):
    check(lambda x: te.stop_gradient(x) * x, 3.0)

def test_wrong_in_the_fixture(gradcheck):
    gradcheck(lambda x: te.stop_gradient(x) * x, 3.0)

def test_wrong_rule():
    op = te.primitive(lambda x: x**4, lambda g, out, x: g * 2 * x**3, name="fourth", domain=te.REALS)
    check_op(op)

def test_shapes():
    check_gradients(lambda x, w: x @ w, np.ones(3), np.ones(4))

def test_refused():
    np.tanh(te.Value([1.0, 2.0])).backward()

def test_their_own_mistake():
    check_gradients(lambda x: {}[x.shape], 3.0)

def test_numpys_complaint():
    check_gradients(lambda x: np.linalg.inv(np.ones((2, 3))) * x, 3.0)
"""


def test_a_failure_shows_lines_of_the_users_files_only(run):
    result = run(test_hidden=HIDDEN, modules="")
    result.assert_outcomes(failed=8)
    shown = {Path(found[1]).name for line in result.outlines if (found := re.match(r"(\S+\.py):\d+: ", line))}
    assert shown == {"test_hidden.py", "_linalg.py"}
    assert "_linalg.py" not in "".join(result.outlines).partition("test_numpys_complaint ")[0]
    whole = run("--full-trace", modules="")
    assert "function.py" in whole.stdout.str()


def test_a_fault_of_the_package_itself_shows_where_it_is(run, monkeypatch):
    from tinygrad_edu.testing import function

    monkeypatch.setattr(function, "weighted", None)
    text = "import tinygrad_edu.testing as t\ndef test_x():\n    t.check_gradients(abs, 3.0)"
    result = run(test_x=text, modules="")
    assert "function.py" in result.stdout.str()


def test_a_chapter_of_our_own_needs_no_ini(run):
    result = run("grad::tinygrad_edu.rules.elementwise::tanh", "grad::tinygrad_edu.rules.linear", modules="")
    assert {"tanh", "matmul", "einsum"} <= set(rows(result))
    assert "sum" not in rows(result)
    assert result.ret == 0


@pytest.mark.parametrize(
    ("modules", "words"),
    [
        ("shapse", "*grad_modules: no module named 'shapse': did you mean shapes?*"),
        ("tinygrad_edu.rules.elementwize", "*no module named 'tinygrad_edu.rules.elementwize': did you mean *wise?*"),
        ("raises", "*importing raises failed at raises.py:1: ZeroDivisionError: division by zero"),
        ("empty", "*grad_modules: empty declares no operation: te.custom and te.differentiable make one.*"),
    ],
)
def test_a_module_that_is_wrong_is_a_test_that_fails_and_all_others_run(run, modules, words):
    files = {"shapes": SHAPES, "raises": "1 / 0", "empty": "x = 1", "test_ok": "def test_ok():\n    pass"}
    result = run(**files, modules=f"shapes\n    {modules}")
    result.stdout.fnmatch_lines([f"*___ grad::{modules}::import ___*", words, f"FAILED grad::{modules}::import*"])
    assert "importlib" not in result.stdout.str()
    result.assert_outcomes(passed=3, failed=1)
    run(f"grad::{modules}", modules="shapes").assert_outcomes(failed=1)
    run(f"grad::{modules}::anything", modules="shapes").assert_outcomes(failed=1)


def test_a_wrong_custom_is_a_test_that_fails(run):
    text = SHAPES.replace("g * 3 *", "g * 2 *")
    result = run(shapes=text, honest=SHAPES, modules="shapes\n    honest")
    result.assert_outcomes(passed=2, failed=1)
    result.stdout.fnmatch_lines(["*importing shapes failed at shapes.py:4: *cube is not registered*", "*ratio 0.66*"])


def test_an_operation_that_is_not_there_is_named(run):
    result = run("grad::shapes::cubed", shapes=SHAPES)
    result.stderr.fnmatch_lines(["ERROR: not found: grad::shapes::cubed; there are grad::shapes::cube, *bent"])
    assert result.ret == pytest.ExitCode.USAGE_ERROR


def test_last_failed_runs_the_operation_again(run):
    run(shapes=SHAPES, wrong=WRONG, modules="shapes\n    wrong").assert_outcomes(passed=2, failed=1)
    run("--lf", modules="shapes\n    wrong").assert_outcomes(failed=1)


def test_the_fixture_checks_and_its_findings_are_in_the_table(run):
    result = run(test_uses=USES, modules="")
    result.assert_outcomes(passed=1)
    once = check_gradients(lambda x: x * x, 1.0).checks
    assert rows(result)["square"][0] == str(2 * once)
    assert rows(result)["square"][-1] == "test_uses.py"


def test_the_fixture_raises_without_frames_of_its_own(run):
    wrong = "te.primitive(square, lambda g, out, x: g * x, domain=te.REALS)"
    text = f"import tinygrad_edu as te\n{USES}\ndef test_wrong(gradcheck):\n    gradcheck({wrong}, 3.0)\n"
    result = run(test_uses=text, modules="")
    result.assert_outcomes(passed=1, failed=1)
    result.stdout.fnmatch_lines(["*GradientError: square: *", "E * ratio 0.5*", "test_uses.py:*: GradientError"])
    assert "summary.py" not in result.stdout.str()


def test_the_fixture_takes_hypothesis(run):
    text = (
        "from hypothesis import given, strategies as st\n"
        "@given(x=st.floats(1, 2))\ndef test_any(gradcheck, x):\n    gradcheck(square, x)\n"
    )
    result = run(test_uses=USES + text, modules="")
    result.assert_outcomes(passed=2)
    assert int(rows(result)["square"][0]) > 20


@pytest.mark.parametrize("options", [(), ("-p", "no:terminal")])
def test_too_much_that_cannot_be_judged_fails_the_run(run, options, monkeypatch):
    result = run(*options, test_doubt=DOUBTFUL, modules="")
    assert result.ret == pytest.ExitCode.TESTS_FAILED
    if not options:
        result.assert_outcomes(passed=1)
        result.stdout.fnmatch_lines(["FAILED rough: 1 of 11 checks are inconclusive, more than 1 %: keep *"])


def test_without_a_terminal_a_wrong_rule_still_fails(run):
    assert run("-p", "no:terminal", wrong=WRONG, modules="wrong").ret == pytest.ExitCode.TESTS_FAILED
    assert run("-p", "no:terminal", shapes=SHAPES).ret == 0


def test_mutants_are_counted_and_survivors_named(run, monkeypatch):
    weak = {f"scale {k}": "killed" if k > 5 else "survived" for k in range(9)}
    strong = dict.fromkeys(weak, "killed") | {"identity": "equivalent"}
    monkeypatch.setattr(items, "outcomes", lambda op: weak if op.name == "bent" else strong)
    result = run("--grad-mutate", shapes=SHAPES)
    result.assert_outcomes(passed=1, failed=1)
    assert {name: row[4] for name, row in rows(result).items()} == {"cube": "9/9", "bent": "3/9"}
    lines = ["bent: 6 of 9 planted faults are not noticed", "  scale 0", "  ... and 1 more", "a rule that is wrong *"]
    result.stdout.fnmatch_lines(lines)


def test_every_mutant_of_a_right_rule_is_noticed(run):
    result = run("--grad-mutate", "grad::shapes::cube", shapes=SHAPES)
    result.assert_outcomes(passed=1)
    killed, mutants = map(int, rows(result)["cube"][4].split("/"))
    assert killed == mutants >= 5


def test_a_wrong_rule_is_not_mutated(run, monkeypatch):
    monkeypatch.setattr(items, "outcomes", None)
    result = run("--grad-mutate", wrong=WRONG, modules="wrong")
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["*ratio 0.5*"])
    assert rows(result)["fourth"][4] == "-"


def test_a_rule_that_cannot_be_run_shows_its_line(run):
    text = WRONG.replace("2 * x**3", "missing")
    result = run("--tb=long", wrong=text, modules="wrong")
    result.assert_outcomes(failed=1)
    lines = ["*___ wrong.fourth ___*", "wrong.py:3: in <lambda>", "*NameError: name 'missing' is not defined"]
    result.stdout.fnmatch_lines(lines)
    assert not any(name in result.stdout.str() for name in ("operation.py", "items.py", "pluggy/"))


def test_a_rule_for_first_order_only_has_to_say_so(run):
    text = WRONG.replace("2 * x**3", "4 * te.stop_gradient(x) ** 3")
    honest = text.replace("fourth", "power") + "power.order = 1"
    result = run(wrong=text, honest=honest, modules="wrong\n    honest")
    result.assert_outcomes(passed=1, failed=1)
    result.stdout.fnmatch_lines(["FAILED grad::wrong::fourth*"])


def test_the_findings_of_workers_reach_the_table(pytester, apart):
    """Here every test passes, and the run fails for what is in the table."""
    pytest.importorskip("xdist")
    pytester.makepyfile(shapes=SHAPES, test_uses=USES, test_doubt=DOUBTFUL)
    pytester.makeini("[pytest]\ngrad_modules = shapes\n")
    done = apart("-n2")
    assert set(rows(done)) == {"cube", "bent", "square", "rough"}, done.stdout + done.stderr
    assert "4 passed" in done.stdout
    assert done.stdout.count("operation  ") == 1
    assert "\nFAILED rough: 1 of 11 checks are inconclusive" in done.stdout
    assert done.returncode == pytest.ExitCode.TESTS_FAILED


def test_it_can_be_switched_off_and_costs_nothing_unused(pytester, apart):
    pytester.makepyfile("import sys\ndef test_ok():\n    assert not {'numpy', 'tinygrad_edu'} & set(sys.modules)")
    done = apart("--strict-config")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "plugins: " in done.stdout
    assert "tinygrad_edu" in done.stdout.partition("plugins: ")[2].splitlines()[0]
    assert "gradients" not in done.stdout  # there is no table of nothing
    off = apart("-p", "no:tinygrad_edu", "--grad-mutate")
    assert "unrecognized arguments: --grad-mutate" in off.stderr


def test_the_entry_point_is_the_file_that_the_wheel_offers():
    (module,) = project()["entry-points"]["pytest11"].values()
    wheel = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["hatch"]["build"]["targets"]
    source = {Path(to).stem: path for path, to in wheel["wheel"]["force-include"].items()}[module]
    assert (ROOT / source).samefile(hooks.__file__)
    assert hooks.NAME == summary.NAME


def test_the_installed_file_is_this_one():
    if (found := find_spec("pytest_tinygrad_edu")) is None:
        pytest.skip("the package is not installed with its plugin: install it again")
    installed = Path(found.origin).read_text(encoding="utf-8")
    assert installed == Path(hooks.__file__).read_text(encoding="utf-8"), "pip install -e . copies it once: again"
