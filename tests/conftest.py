"""How much hypothesis tries, pictures without a screen, what counts for coverage, and a table left as it was."""

import gc
import os
from pathlib import Path

import pytest
from hypothesis import settings

os.environ["MPLBACKEND"] = "Agg"

settings.register_profile("dev", max_examples=25, deadline=None)
settings.register_profile("ci", max_examples=200, deadline=None, derandomize=True)
settings.register_profile("nightly", max_examples=2_000, deadline=None)
settings.register_profile("thorough", max_examples=20_000, deadline=None)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "ci" if os.environ.get("CI") else "dev"))


@pytest.hookimpl(tryfirst=True)
def pytest_sessionstart(session):
    """End what pytest-cov measures in a worker before it measures again: `no_cover` pauses only the latter."""
    plugin = session.config.pluginmanager.getplugin("_cov")
    if hasattr(session.config, "workerinput") and plugin and plugin.cov_controller:
        plugin.cov_controller.pause()


@pytest.hookimpl(wrapper=True)
def pytest_collection():
    """Import the tests without searching what they are made of, which stays: that is a third of the time."""
    gc.disable()
    try:
        return (yield)
    finally:
        gc.enable()


def pytest_sessionfinish():
    gc.unfreeze()  # pytest then looks for files that nobody closed


def pytest_collection_modifyitems(items):
    """Properties run the same lines 200 times, in twice the time if traced: other tests have to cover those lines.

    Only what draws for hypothesis has no other tests.
    """
    drawing = Path(__file__).parent / "testing"
    for item in items:
        if getattr(getattr(item, "obj", None), "is_hypothesis_test", False) and drawing not in item.path.parents:
            item.add_marker("no_cover")


@pytest.fixture(autouse=True, scope="module")
def aside():
    """Collect what the file before left, with its warnings, and set aside the rest, half a million objects that stay.

    The collector would search all of them every few seconds.
    """
    gc.collect()
    gc.freeze()


@pytest.fixture
def table():
    """The table of operations, as it was before the test."""
    from tinygrad_edu.table import OPERATIONS, PRIMITIVES

    before = dict(OPERATIONS), dict(PRIMITIVES)
    yield
    for now, then in zip((OPERATIONS, PRIMITIVES), before, strict=True):
        now.clear()
        now.update(then)
