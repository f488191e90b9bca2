"""Several gitlab-runners on one engine, deployed in every way: no sweep touches what lives elsewhere.

The deployments are those in which a sweep that guesses kills jobs: the same boot in another PID
namespace, another boot on another host, and directories that cannot be seen from here.
"""

import shutil
from pathlib import Path

import pytest

from tests.gitlab.deployments import EVERY
from tests.load.deployments import run
from tests.rig.state import Rig


@pytest.mark.skipif(not shutil.which("unshare"), reason="there is no unshare")
def test_sweeps_take_what_is_proved_dead_and_touch_nothing_else(rig: Rig, tmp_path: Path) -> None:
    """Every runner sweeps while a job of every other one lives, and others have just been killed."""
    account = run(rig, tmp_path, len(EVERY))

    assert account.faults == []
    assert len(account.sweeps) == len(EVERY)
