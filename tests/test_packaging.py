"""What pyproject.toml, CITATION.cff and the workflows declare is what the package and its tests do."""

import ast
import re
import sys
import tomllib
from pathlib import Path

import tinygrad_edu

ROOT = Path(__file__).parents[1]
DECLARED = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
PROJECT = DECLARED["project"]
MODULES = {"pillow": "PIL"}  # distributions whose module has another name
# Used only where the user's program uses them already, or where they are named: never a reason to install them.
BROUGHT = {"scipy"}


def names(requirements):
    """The modules of a list of requirements, of this project's other extras too."""
    for requirement in requirements:
        name = re.match(r"[\w-]+", requirement)[0]
        if name == "tinygrad_edu":
            for extra in re.search(r"\[(.*?)\]", requirement)[1].split(","):
                yield from names(PROJECT["optional-dependencies"][extra])
        else:
            yield MODULES.get(name, name)


def imported():
    """The modules outside the standard library that the package imports anywhere."""
    found = set()
    for path in (ROOT / "tinygrad_edu").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Import):
                found |= {alias.name.partition(".")[0] for alias in node.names}
            elif isinstance(node, ast.ImportFrom):
                found.add(node.module.partition(".")[0])
    return found - sys.stdlib_module_names - {"tinygrad_edu"}


def test_everything_that_is_imported_is_declared_and_everything_required_is_used():
    extras = set(names(["tinygrad_edu[dask,viz,testing,save]"]))
    required = set(names(PROJECT["dependencies"]))
    assert imported() - required - extras == BROUGHT
    assert required <= imported()


def test_the_readme_names_what_is_required():
    readme = (ROOT / "README.md").read_text(encoding="utf-8").lower()
    assert [name for name in names(PROJECT["dependencies"]) if name not in readme] == []


def test_the_versions_of_python_that_are_declared_are_those_of_ci():
    matrix = re.search(r"python: \[(.*)\]", (ROOT / ".github/workflows/ci.yml").read_text(encoding="utf-8"))[1]
    tested = re.findall(r"3\.\d+", matrix)
    declared = [c.rpartition(" ")[2] for c in PROJECT["classifiers"] if re.search(r":: 3\.\d+$", c)]
    assert declared == tested
    assert PROJECT["requires-python"] == f">={tested[0]}"


def test_the_citation_is_of_this_version():
    citation = (ROOT / "CITATION.cff").read_text(encoding="utf-8")
    assert f"\nversion: {tinygrad_edu.__version__}\n" in citation


def test_the_nightly_workflow_runs_the_nightly_profile_with_other_libraries_as_oracles():
    workflow = (ROOT / ".github/workflows/nightly.yml").read_text(encoding="utf-8")
    for text in ("HYPOTHESIS_PROFILE: nightly", "schedule:", "jax", "torch", "autograd", "benchmarks/trust.py"):
        assert text in workflow
    folders = re.findall(r"tests/\w+", workflow)
    assert [folder for folder in folders if not (ROOT / folder).exists()] == []
