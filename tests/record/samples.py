"""Stages as the record has them: what they noted, and records that a test changes in one thing."""

import json
from pathlib import Path

from executor.log import AdministratorLog

KEY = "4711-0123456789"


def a_stage(stage: str = "prepare", spool: Path | str = "", **facts: object) -> AdministratorLog:
    """Return what a stage of the sample job has noted: nothing yet, and that it began at 100 s."""
    log = AdministratorLog(stage)
    log.started = 100.0
    log.open("none:", 4711, 42)
    log.record_in(str(spool), key=KEY, **facts)
    return log


def note(log: AdministratorLog, at: float, event: str, **facts: object) -> None:
    """Note an event `at` some seconds after the stage's beginning."""
    log.noted.append((100.0 + at, {"event": event, "timestamp": 0.0, **facts}))


def left(spool: Path) -> list[dict[str, object]]:
    """Return what stands in a spool's file, each line decoded."""
    return [json.loads(each) for each in (spool / "events.jsonl").read_text().splitlines()]
