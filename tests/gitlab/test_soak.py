"""Jobs in a row, some of which lose their gitlab-runner: nothing that they leave adds up."""

from pathlib import Path

from tests.load import soak
from tests.rig.state import Rig

# dockerd closes some of its own sockets when it likes.
COUNTED = {"containers", "networks", "volumes", "temporary", "mounts", "rules", "bridges"}


def test_jobs_in_a_row(rig: Rig, tmp_path: Path) -> None:
    """After some rest the engine, and the runner's own disk, are as at the beginning."""
    account = soak.soak(rig, tmp_path, jobs=6, kills=[soak.RUNNER_AND_STAGES], seed=1)

    print(*account.told(), sep="\n")
    assert account.wrong == []
    assert [each for each in account.grown() if each.partition(":")[0] in COUNTED] == []
    assert account.kills == [soak.RUNNER_AND_STAGES]
