"""A stage's log that is open, and its events once it is closed."""

import json
from pathlib import Path

from executor.log import AdministratorLog

STAGES = ("config", "prepare", "run", "cleanup")


def lines(path: Path) -> list[dict[str, object]]:
    """Return the events of a log."""
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def a_log(path: Path, stage: str = "prepare") -> AdministratorLog:
    """Return a log that is open."""
    log = AdministratorLog(stage)
    log.open(f"file:{path}", 4711, 42)
    return log
