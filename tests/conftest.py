"""What several tests need: the rig, which must be up for those that use it, and a stub engine."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.engine.stub import StubEngine, stub_engine
from tests.hooks import Runner
from tests.rig.state import Rig, load


@pytest.fixture(scope="session")
def rig() -> Rig:
    """Return the rig; a test that needs it fails without it, and says how to bring it up."""
    return load()


@pytest.fixture
def stub(tmp_path: Path) -> Iterator[StubEngine]:
    """Return an engine that answers what the test tells it to."""
    with stub_engine(tmp_path) as engine:
        yield engine


@pytest.fixture
def runner(tmp_path: Path) -> Runner:
    """Return gitlab-runner with one job, which calls the hooks."""
    return Runner(tmp_path)
