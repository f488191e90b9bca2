"""How volumes are made."""

import pytest

from executor.engine.docker import Engine
from executor.errors import (
    ResourceExhausted,
)
from executor.spec import VolumeSpec
from tests.engine.stub import (
    StubEngine,
    refusal,
)


def test_a_volume_that_cannot_be_made(stub: StubEngine) -> None:
    """A full disk is named as such."""
    stub.on("POST", "/volumes/create", refusal(500, "mkdir: no space left on device"))

    with pytest.raises(ResourceExhausted):
        Engine(stub.api()).ensure_volume(VolumeSpec("job-builds", {}))
