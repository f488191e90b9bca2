"""The stub engine of each test."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.engine.stub import StubEngine, stub_engine


@pytest.fixture
def stub(tmp_path: Path) -> Iterator[StubEngine]:
    """Return an engine that answers what the test tells it to."""
    with stub_engine(tmp_path) as engine:
        yield engine
