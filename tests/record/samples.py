"""Stages as the record has them: what they noted, and records that a test changes in one thing."""

import json
from pathlib import Path

from executor.log import AdministratorLog

KEY = "4711-0123456789"


def a_stage(stage: str = "prepare", spool: Path | str = "", **facts: object) -> AdministratorLog:
    """Return what a stage of the sample job has noted: nothing yet, and that it began at 100 s."""
    log = AdministratorLog(stage)
    log.started = 100.0
    log.open("none:", 4711, 42, str(spool), key=KEY, **facts)
    return log


def note(log: AdministratorLog, at: float, event: str, **facts: object) -> None:
    """Note an event `at` some seconds after the stage's beginning."""
    log.noted.append((100.0 + at, {"event": event, "timestamp": 0.0, **facts}))


def left(spool: Path) -> list[dict[str, object]]:
    """Return what stands in a spool's file, each line decoded."""
    return [json.loads(each) for each in (spool / "events.jsonl").read_text().splitlines()]


def thing(what: str, begin: float, end: float, **facts: object) -> dict[str, object]:
    """Return a thing that a stage did."""
    return {"what": what, "from": begin, "to": end, **facts}


def a_record(stage: str, clock: float, seconds: float, **changes: object) -> dict[str, object]:
    """Return a stage's record."""
    return {
        "v": 1,
        "at": 1795936000.0 + clock,
        "clock": clock,
        "job": 4711,
        "project": 42,
        "key": KEY,
        "stage": stage,
        "outcome": "success",
        "seconds": seconds,
        "start": 0.0,
        "did": [],
        **changes,
    }


def a_job() -> list[dict[str, object]]:
    """Return the records of a job that fails."""
    prepare = [
        thing("read", 0.0, 0.1),
        thing("pull", 0.12, 1.5, image="docker:28", bytes=127_300_000),
        thing("pull", 0.12, 0.3, image="helper:1", bytes=0),
        thing("network", 0.15, 0.3),
        thing("create", 1.51, 1.55, container="build"),
        thing("create", 1.51, 1.54, container="dind"),
        thing("start", 1.54, 1.9, container="dind"),
        thing("start", 1.55, 1.8, container="build"),
    ]
    build = [thing("dind", 0.01, 0.4, container="dind"), thing("script", 0.4, 3.0, exit_code=3)]
    failed = {"outcome": "script_failure", "reason": "script"}
    return [
        a_record("config", 100.04, 0.06, start=0.04, gitlab="https://gitlab.example.com"),
        a_record("prepare", 100.2, 2.0, start=0.04, did=prepare),
        a_record("run", 102.25, 0.1, start=0.02, step="get_sources"),
        a_record("run", 102.4, 3.01, start=0.02, step="build_script", did=build, **failed),
        a_record("cleanup", 105.5, 0.5, start=0.04, did=[thing("remove", 0.02, 0.5)]),
    ]
