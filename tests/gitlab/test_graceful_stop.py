"""SIGQUIT: gitlab-runner sees its jobs through and ends, and systemd sends it to the stages too."""

import random
from pathlib import Path

from tests.load.account import UNPROTECTED_MS, Account
from tests.load.graceful_stop import moments
from tests.rig.state import Rig

SIGNALS = 12


def test_a_graceful_stop_lets_each_job_end_as_it_would_have(rig: Rig, tmp_path: Path) -> None:
    """Signals at random moments reach stages, and no stage that has begun dies of them."""
    seed = random.randrange(1 << 32)
    print(f"seed {seed}")
    chance = random.Random(seed)
    total = Account()
    for number in range(SIGNALS):
        if len(total.moments) >= SIGNALS:
            break
        total.add(moments(rig, tmp_path / str(number), chance, signals=4))
    print(*total.told(), sep="\n")
    # On a busy machine a hook comes late to its first line; none has passed it and dies.
    slowest_ms = max(UNPROTECTED_MS, *total.starts_ms)
    assert total.faults(slowest_ms, of_hooks_only=True) == []
    assert len(total.moments) >= SIGNALS
    assert all(moment.ages for moment in total.moments)
    assert any(age < 50 for moment in total.moments for age in moment.ages)
