"""What pyproject.toml, CITATION.cff and the workflows declare is what the package and its tests do."""

import ast
import os
import re
import shutil
import subprocess
import sys
import tarfile
import tomllib
import zipfile
from pathlib import Path

import pytest

import tinygrad_edu

ROOT = Path(__file__).parents[1]
DECLARED = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
PROJECT = DECLARED["project"]
MODULES = {"pillow": "PIL"}  # distributions whose module has another name
# Used only where the user's program uses them already, or where they are named: never a reason to install them.
BROUGHT = {"scipy"}
WORKSHOP = pytest.mark.skipif(not (ROOT / ".github").exists(), reason="the source archive has no .github")


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


@WORKSHOP
def test_the_versions_of_python_that_are_declared_are_those_of_ci():
    matrix = re.search(r"python: \[(.*)\]", (ROOT / ".github/workflows/ci.yml").read_text(encoding="utf-8"))[1]
    tested = re.findall(r"3\.\d+", matrix)
    declared = [c.rpartition(" ")[2] for c in PROJECT["classifiers"] if re.search(r":: 3\.\d+$", c)]
    assert declared == tested
    assert PROJECT["requires-python"] == f">={tested[0]}"


def test_the_citation_is_of_this_version():
    citation = (ROOT / "CITATION.cff").read_text(encoding="utf-8")
    assert f"\nversion: {tinygrad_edu.__version__}\n" in citation


@WORKSHOP
def test_the_nightly_workflow_runs_the_nightly_profile_with_other_libraries_as_oracles():
    workflow = (ROOT / ".github/workflows/nightly.yml").read_text(encoding="utf-8")
    for text in ("HYPOTHESIS_PROFILE: nightly", "schedule:", "jax", "torch", "autograd", "benchmarks/trust.py"):
        assert text in workflow
    folders = re.findall(r"tests/\w+", workflow)
    assert [folder for folder in folders if not (ROOT / folder).exists()] == []


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    """The source archive and the wheel, made of a copy of the checkout by the build system that is declared."""
    if "CI" not in os.environ:
        pytest.importorskip("hatchling.build", reason="hatchling comes with .[test]")
        pytest.importorskip("hatch_fancy_pypi_readme", reason="hatch-fancy-pypi-readme comes with .[test]")
    here, out = tmp_path_factory.mktemp("source") / "copy", tmp_path_factory.mktemp("built")
    unwanted = (".git", ".venv", "_build", "out", "gallery", "__pycache__", ".*_cache", ".hypothesis")
    shutil.copytree(ROOT, here, ignore=shutil.ignore_patterns(*unwanted))
    command = [sys.executable, "-m", "hatchling", "build", "-d", str(out)]
    done = subprocess.run(command, cwd=here, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stdout + done.stderr
    (source,), (wheel,) = out.glob("*.tar.gz"), out.glob("*.whl")
    return source, wheel


def test_the_wheel_holds_the_package_its_types_and_the_plugin(built):
    with zipfile.ZipFile(built[1]) as wheel:
        found = {name for name in wheel.namelist() if ".dist-info/" not in name}
    sources = {str(path.relative_to(ROOT)) for path in (ROOT / "tinygrad_edu").rglob("*.py")}
    sources.remove("tinygrad_edu/testing/pytest_plugin/hooks.py")  # it is `pytest_tinygrad_edu.py` there
    assert sources | {"pytest_tinygrad_edu.py", "tinygrad_edu/py.typed"} <= found
    assert {name.partition("/")[0] for name in found} == {"tinygrad_edu", "pytest_tinygrad_edu.py"}


def test_the_source_archive_has_all_that_is_tested_and_nothing_of_the_workshop(built):
    with tarfile.open(built[0]) as archive:
        tops = {name.split("/")[1] for name in archive.getnames() if "/" in name}
    assert {"tinygrad_edu", "tests", "docs", "examples", "README.md", "LICENSE", "CHANGELOG.md"} <= tops
    assert {name for name in tops if name.startswith(".")} == {".gitignore"}  # which hatchling itself reads


@WORKSHOP
def test_links_and_pictures_of_the_readme_resolve_on_an_index(built):
    """They are absolute there, under the address of the source, and lead to files that exist here."""
    with zipfile.ZipFile(built[1]) as wheel:
        (path,) = [name for name in wheel.namelist() if name.endswith(".dist-info/METADATA")]
        metadata = wheel.read(path).decode()
    links = re.findall(r"\]\(([^)]+)\)", metadata)
    assert len(links) > 30
    assert [link for link in links if not link.startswith("https://")] == []
    own = [link for link in links if link.startswith(PROJECT["urls"]["Source"])]
    assert len(own) > 25
    for link in own:
        kind, _, path = link.removeprefix(f"{PROJECT['urls']['Source']}/").partition("/main/")
        assert kind == ("raw" if path.endswith(".svg") else "blob")
        assert (ROOT / path).exists(), link
    for name in PROJECT["urls"]:
        assert f"Project-URL: {name}, " in metadata
