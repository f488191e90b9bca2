"""Sweeps, prepares and cleanups on one engine at the same time, and gitlab-runners that die."""

import subprocess
import sys
from pathlib import Path

TIMES = 5


def test_the_dead_go_and_the_living_stay() -> None:
    """Jobs keep what they have until their cleanup, and nothing is left of those that were killed."""
    done = subprocess.run(
        [sys.executable, "-m", "tests.load.sweeps", "--times", str(TIMES)],
        cwd=Path(__file__).parents[2],
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )
    print(done.stdout)
    assert done.returncode == 0, done.stdout + done.stderr
    assert f"{TIMES} jobs and" in done.stdout
    assert "1 killed" in done.stdout
