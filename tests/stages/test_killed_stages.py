"""Stages that die by SIGKILL at their requests to the engine leave nothing, and harm nobody."""

from pathlib import Path

from tests.load import kill_at_requests
from tests.rig.state import Rig

EVERY = 9
"""Which of the faults are tried; `tests.load.kill_at_requests` tries all."""
SIDE_BY_SIDE = 6


def test_stages_that_die_at_their_requests(rig: Rig, tmp_path: Path) -> None:
    """After cleanup there is nothing of their jobs; every so many of all requests is tried."""
    account = kill_at_requests.run(rig, tmp_path, every=EVERY, side_by_side=SIDE_BY_SIDE)
    print(*account.told(), sep="\n")
    assert account.wrong == []
    # Few of a stage's requests are questions that it repeats while it waits, now more, now less.
    assert len(account.unreached) < len(account.injected) / 4
