"""What a plain job comes to, and waiting for one."""

import time
from pathlib import Path

from tests.patience import LONGEST_SECONDS

PLAIN = 'job:\n  script: ["echo hello"]\n'

CALLS = [
    "config",
    "prepare",
    "prepare_script",
    "get_sources",
    "build_script",
    "cleanup_file_variables",
    "cleanup",
]


def wait_for(path: Path) -> None:
    """Return when a job has made a file."""
    deadline = time.monotonic() + LONGEST_SECONDS
    while not path.exists():
        assert time.monotonic() < deadline, f"{path} never came"
        time.sleep(0.01)
