"""What several tests of services need: a job whose sidecar has answered."""

from pathlib import Path

import pytest

from executor.runner import notes
from tests.engine.stub import StubEngine, chunked, frame
from tests.services.sidecars import STARTED


@pytest.fixture
def answered(stub: StubEngine, tmp_path: Path) -> str:
    """Return the temporary directory of a job whose sidecar has answered, and then printed this."""
    words = frame(2, b"API listen on [::]:2376\n")
    stub.on("GET", "/containers/job-dind/logs", chunked(words))
    notes.leave(str(tmp_path), notes.ANSWERED, STARTED.encode())
    return str(tmp_path)
