"""Which ghosts may be ended at all."""

import pytest

from executor.commands.fleet.ending import checked
from executor.commands.fleet.ghosts import Ghost
from executor.commands.fleet.rows import Fleet, Manager, Runner
from executor.commands.fleet.stale import TooMany


def test_only_hosts_with_jobs_are_a_share() -> None:
    """Hosts that are gone without jobs are no sign of anything."""
    gone, idle, calling = (Manager(str(at), contacted=at) for at in (10.0, 20.0, 1000.0))
    runner = Runner(1, managers=(gone, idle, calling), seen=1010.0)
    ghost = Ghost(5, 3, "", runner, gone, 1000.0)

    checked([ghost, ghost._replace(job=6)], Fleet((runner,)), 900.0, 0.5)
    with pytest.raises(TooMany, match="1 of 2 hosts"):
        checked([ghost], Fleet((runner,)), 900.0, 0.4)
