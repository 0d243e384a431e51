"""How much hypothesis tries, pictures without a screen, and a table that is left as it was."""

import os

import pytest
from hypothesis import settings

os.environ["MPLBACKEND"] = "Agg"

settings.register_profile("dev", max_examples=25, deadline=None)
settings.register_profile("ci", max_examples=200, deadline=None, derandomize=True)
settings.register_profile("nightly", max_examples=2_000, deadline=None)
settings.register_profile("thorough", max_examples=20_000, deadline=None)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "ci" if os.environ.get("CI") else "dev"))


@pytest.fixture
def table():
    """The table of operations, as it was before the test."""
    from tinygrad_edu.op import OPERATIONS, PRIMITIVES

    before = dict(OPERATIONS), dict(PRIMITIVES)
    yield
    for now, then in zip((OPERATIONS, PRIMITIVES), before, strict=True):
        now.clear()
        now.update(then)
