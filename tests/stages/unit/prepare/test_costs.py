"""What prepare notes for the job's summary."""

import json
from pathlib import Path

from executor.log import AdministratorLog
from executor.names import JobNames
from executor.runner import notes
from executor.stages.prepare.costs import leave_costs

NAMES = JobNames("1-ab")


def test_pulls_and_the_start_of_the_sidecar_are_noted(tmp_path: Path) -> None:
    """Of all that the stage has done."""
    log = AdministratorLog("prepare")
    log.hide(["hunter2-hunter2"])
    log.event("image pulled", image="a:hunter2-hunter2", seconds=1.5, bytes=7)
    log.event("image pulled", image="b", seconds=0.5)
    log.event("image not pulled", image="c", seconds=0.5)
    log.event("container started", container=NAMES.build, seconds=0.1)
    log.event("container started", container=NAMES.dind, seconds=0.2)

    leave_costs(str(tmp_path), NAMES, log)

    assert json.loads(notes.read(str(tmp_path), notes.COSTS) or b"") == {
        "pulls": [["a:[MASKED]", 1.5, 7], ["b", 0.5, None]],
        "dind_started": 0.2,
    }


def test_a_disk_that_is_full_does_not_matter(tmp_path: Path) -> None:
    """The job has no summary then."""
    leave_costs(str(tmp_path / "nowhere"), NAMES, AdministratorLog("prepare"))
