"""SIGQUIT: gitlab-runner sees its jobs through and ends, and systemd sends it to the stages too."""

import random
from pathlib import Path

import pytest

from tests.load.account import UNPROTECTED_MS, Account
from tests.load.graceful_stop import STAGES, in_stages, moments
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


@pytest.mark.parametrize("alone", [False, True], ids=["all processes", "gitlab-runner alone"])
def test_a_graceful_stop_in_each_stage_of_a_job(rig: Rig, tmp_path: Path, *, alone: bool) -> None:
    """A job goes on through signals in prepare, get_sources, both scripts and cleanup.

    systemd sends them to all processes of the unit, or with `KillMode=mixed` to gitlab-runner.
    """
    # A stage that a busy machine lets end before the signal is met in another job.
    wanted = list(STAGES)
    for number in range(3):
        account, met = in_stages(rig, tmp_path / str(number), wanted, alone=alone)
        assert account.faults(float("inf")) == []
        assert account.dead() == []
        wanted = [stage for stage in wanted if stage not in met]
        if not wanted:
            break
    assert wanted == []
