"""Two jobs that claim one thing, and claimants that die, on a real engine."""

from tests.load.claims import run
from tests.rig.state import Rig

TIMES = 20


def test_one_wins_each_time_and_the_dead_hold_nobody_up(rig: Rig) -> None:
    """Whoever loses hears who has it; a killed claimant's thing is the next one's at once."""
    tally = run(rig.engine_host, TIMES)

    assert tally.wrong == []
    assert (tally.claims, tally.killed) == (TIMES, TIMES // 4)
