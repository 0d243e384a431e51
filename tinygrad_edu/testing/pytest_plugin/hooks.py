"""The pytest plugin: every operation of the modules in `grad_modules` is a test, and what was checked is a table.

Only hooks stand here; what they do is imported when there is something to do. An installed package offers this file
under a name of its own, `pytest_tinygrad_edu`: pytest loads it in every run, and `import tinygrad_edu.testing` would
cost each of them the time that NumPy takes, and would hide the package from a measurement of coverage.

Source: pytest's reference of hooks, and `_hypothesis_pytestplugin` for the file outside the package.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from tinygrad_edu.testing import GradientReport

PREFIX = "grad::"  # of the names of operations as tests
NAME = "tinygrad_edu-checks"  # of what a test's report carries
PACKAGE = "tinygrad_edu"
MARKER = "gradients: checks of the operations of `grad_modules`, by tinygrad_edu"


def pytest_addoption(parser: pytest.Parser) -> None:
    """The ini option and the command line's."""
    parser.addini("grad_modules", "modules whose operations are checked by tinygrad_edu", type="linelist", default=[])
    group = parser.getgroup("tinygrad_edu", "checks of gradients")
    text = "plant faults in the rules of every operation whose check passed: each has to be noticed"
    group.addoption("--grad-mutate", action="store_true", help=text)


def pytest_configure(config: pytest.Config) -> None:
    """Watch the run."""
    config.addinivalue_line("markers", MARKER)
    config.pluginmanager.register(Checks(config), NAME)


@pytest.fixture(scope="session")
def gradcheck(request: pytest.FixtureRequest) -> Callable[..., GradientReport]:
    """`tinygrad_edu.testing.check_gradients`, whose findings are shown in the table at the end of the run."""
    from tinygrad_edu.testing.pytest_plugin.summary import recording

    checks: Any = request.config.pluginmanager.get_plugin(NAME)
    return recording(lambda: checks.item)


class Checks:
    """What is requested of one run, and what its checks found."""

    def __init__(self, config: pytest.Config) -> None:
        self.config = config
        self.requested: list[str] = []
        self.item: pytest.Item | None = None
        self.rows: dict[Any, Any] = {}

    def modules(self) -> list[str]:
        """The modules to collect: those named in the arguments, and all if the whole project is to be tested."""
        named = [name.split("::")[1] for name in self.requested]
        ini = [name for line in self.config.getini("grad_modules") for name in line.split()]
        every = ini if ini and ("" in named or self.whole()) else []
        return list(dict.fromkeys([name for name in named if name] + every))

    def whole(self) -> bool:
        """Whether an argument is a folder that holds the project, or all of its `testpaths`; paths are only compared.

        Where pytest is given none, its arguments are those of `testpaths`, or the folder in which it was started.
        """
        config = self.config
        if config.args_source is pytest.Config.ArgsSource.TESTPATHS:
            return True
        tests = [absolute(config.rootpath, path) for path in config.getini("testpaths")] or [str(config.rootpath)]
        folders = [absolute(config.invocation_params.dir, arg) for arg in config.args]
        return any(all(f"{test}{os.sep}".startswith(f"{folder}{os.sep}") for test in tests) for folder in folders)

    @pytest.hookimpl(tryfirst=True)
    def pytest_collection(self, session: pytest.Session) -> None:
        """Take the names of operations out of the arguments: pytest would look for files."""
        args = self.config.args
        self.requested = [arg for arg in args if arg.startswith(PREFIX)]
        args[:] = [arg for arg in args if not arg.startswith(PREFIX)]

    @pytest.hookimpl(tryfirst=True)
    def pytest_collection_modifyitems(self, session: pytest.Session, items: list[pytest.Item]) -> None:
        """Add a test for every operation."""
        if modules := self.modules():
            from tinygrad_edu.testing.pytest_plugin.items import collected

            items += collected(session, modules, self.requested)

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_setup(self, item: pytest.Item) -> None:
        """Remember whose findings come next."""
        self.item = item

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_makereport(self, call: pytest.CallInfo[Any]) -> None:
        """Hide this package's frames where a test fails for another reason than they: `--full-trace` shows them."""
        if call.excinfo is not None:
            for name in [name for name in sys.modules if name.partition(".")[0] == PACKAGE]:
                vars(sys.modules[name])["__tracebackhide__"] = told

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Enter what a test has found; a worker's reports arrive here too."""
        if report.when == "teardown" and any(name == NAME for name, _ in report.user_properties):
            from tinygrad_edu.testing.pytest_plugin.summary import enter

            enter(self.rows, report.user_properties)

    @pytest.hookimpl(tryfirst=True)
    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        """Fail the run if too much could not be judged."""
        if self.rows and not hasattr(self.config, "workerinput") and session.exitstatus == pytest.ExitCode.OK:
            from tinygrad_edu.testing.pytest_plugin.summary import unsettled

            if unsettled(self.rows):
                session.exitstatus = pytest.ExitCode.TESTS_FAILED

    def pytest_terminal_summary(self, terminalreporter: Any) -> None:
        """The table of what was checked."""
        if self.rows:
            from tinygrad_edu.testing.pytest_plugin.summary import table

            terminalreporter.write_sep("=", "gradients")
            for line in table(self.rows):
                terminalreporter.write_line(line)


def absolute(folder: Path, path: str) -> str:
    """A path from a folder, without `..` and a separator at the end; it may be none at all, such as a test's name."""
    return os.path.abspath(folder / path).rstrip(os.sep)


def told(excinfo: pytest.ExceptionInfo[BaseException]) -> bool:
    """Whether an error needs none of this package's frames: a finding, a refusal, or one of the user's own code."""
    inside = [entry.frame.f_globals.get("__name__", "").partition(".")[0] for entry in excinfo.traceback]
    innermost = [name for name in inside if name != "numpy"][-1:]
    finding = isinstance(excinfo.value, AssertionError) or hasattr(excinfo.value, "without_line")
    return finding or innermost != [PACKAGE]
