"""The volumes of a job."""

from executor.budgets.records import Records
from executor.engine.docker import Engine
from executor.names import LABEL
from executor.spec import VolumeSpec
from executor.stages.prepare.steps import Steps


def make_volumes(
    engine: Engine, volumes: tuple[VolumeSpec, ...], steps: Steps, records: Records
) -> None:
    """Create the volumes that are not there; note that those that last are used."""

    def make() -> None:
        for spec in volumes:
            engine.ensure_volume(spec)

    records.volumes_used(each.name for each in volumes if LABEL not in each.labels)
    steps.do("volumes created", make)
