"""Three gitlab-runners with one token: one is drained, and one dies."""

from pathlib import Path

from tests.load import fleet
from tests.rig.state import Rig


def test_a_host_is_drained_and_another_one_dies(rig: Rig, tmp_path: Path) -> None:
    """No job of the drained host fails, and those of the dead one run elsewhere; nothing is left."""
    with fleet.working(rig, tmp_path, slots=1, has_dind=False) as three:
        print(fleet.drain_one_that_is_full(three))
        print(fleet.kill_one(three))
