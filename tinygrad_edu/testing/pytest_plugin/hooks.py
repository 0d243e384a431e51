"""The pytest plugin: every operation of the modules in `grad_modules` is a test, and what was checked is a table.

Only hooks stand here; what they do is imported when there is something to do. An installed package offers this file
under a name of its own, `pytest_tinygrad_edu`: pytest loads it in every run, and `import tinygrad_edu.testing` would
cost each of them the time that NumPy takes, and would hide the package from a measurement of coverage.

Source: pytest's reference of hooks, and `_hypothesis_pytestplugin` for the file outside the package.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from tinygrad_edu.testing import GradientReport

PREFIX = "grad::"  # of the names of operations as tests
NAME = "tinygrad_edu-checks"  # of what a test's report carries


def pytest_addoption(parser: pytest.Parser) -> None:
    """The ini option and the command line's."""
    parser.addini("grad_modules", "modules whose operations are checked by tinygrad_edu", type="linelist", default=[])
    group = parser.getgroup("tinygrad_edu", "checks of gradients")
    text = "plant faults in the rules of every operation whose check passed: each has to be noticed"
    group.addoption("--grad-mutate", action="store_true", help=text)


def pytest_configure(config: pytest.Config) -> None:
    """Watch the run."""
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
        """The modules to collect: those named in the arguments, and all if a folder is to be tested."""
        config = self.config
        named = [name.split("::")[1] for name in self.requested]
        whole = config.args_source is not pytest.Config.ArgsSource.ARGS
        folders = any((config.invocation_params.dir / arg).is_dir() for arg in config.args)
        ini = [name for line in config.getini("grad_modules") for name in line.split()]
        return list(dict.fromkeys([name for name in named if name] + ini * (whole or folders or "" in named)))

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
