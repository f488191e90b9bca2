"""Jobs of more projects than a small disk has room for."""

import subprocess
import sys
from pathlib import Path

JOBS = 4
SMALL = (
    f"--jobs={JOBS}",
    "--projects=4",
    "--cache=40",
    "--image=60",
    "--floor=64",
    "--headroom=120",
    "--size=700M",
)


def test_all_pass_and_the_least_recently_used_goes() -> None:
    """Free space stays above the floor, also when the records are lost, and the administrator's stays."""
    done = subprocess.run(
        [sys.executable, "-m", "tests.load.budgets", *SMALL],
        cwd=Path(__file__).parents[2],
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )
    print(done.stdout)
    assert done.returncode == 0, done.stdout + done.stderr
    assert f"{JOBS} jobs passed" in done.stdout
