"""The volumes of a job."""

from collections.abc import Callable

from executor.budgets.records import Records
from executor.engine.docker import Engine
from executor.names import LABEL
from executor.spec import VolumeSpec
from executor.stages.prepare.steps import Steps


def make_volumes(
    engine: Engine,
    volumes: tuple[VolumeSpec, ...],
    steps: Steps,
    records: Records,
    claimed: Callable[[], object],
) -> None:
    """Create the volumes that are not there; note that those that last are used.

    `claimed` waits until everybody sees what the job uses: every container waits for its volumes.
    Pulls do not wait for that: an engine that deletes a volume makes none meanwhile.
    """

    def make() -> None:
        for spec in volumes:
            engine.ensure_volume(spec)

    records.volumes_used(each.name for each in volumes if LABEL not in each.labels)
    claimed()
    steps.do("volumes created", make)
