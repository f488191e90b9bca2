"""The volumes of a job."""

from executor.engine.docker import Engine
from executor.spec import VolumeSpec
from executor.stages.prepare.steps import Steps


def make_volumes(engine: Engine, volumes: tuple[VolumeSpec, ...], steps: Steps) -> None:
    """Create the volumes that are not there."""

    def make() -> None:
        for spec in volumes:
            engine.ensure_volume(spec)

    steps.do("volumes created", make)
