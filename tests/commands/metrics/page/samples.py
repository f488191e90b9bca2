"""Jobs, a host and everything that a page shows, as a test says."""

from pathlib import Path
from typing import Any

from executor.commands.metrics.page.facts import Facts
from executor.commands.metrics.page.history import Told
from executor.commands.metrics.page.rows import past_rows
from executor.disk.limits import Limits
from executor.record import spool, stage
from executor.record.endings import Ended
from executor.record.ledger import Ledger, Open
from tests.commands.metrics.samples import SEEN
from tests.record.samples import KEY, a_job

NOW = 1795936200.0
"""A minute or so after the sample job."""


def leave(directory: Path, *records: dict[str, object]) -> None:
    for each in records:
        spool.append(str(directory), stage.line(each))


def of(key: str, records: list[dict[str, object]]) -> list[dict[str, object]]:
    """Return the records of another job that did the same."""
    return [{**each, "key": key, "job": int(key.partition("-")[0])} for each in records]


def ended(result: str = "script_failure", reason: str = "script", key: str = KEY) -> Told:
    """Return a job that is over."""
    records = tuple(of(key, a_job()))
    return Told(key, records, Ended(key, result, reason), Open(0.0, 0.0))


def going(calls: int = 3, key: str = KEY) -> Told:
    """Return a job of which so many calls have ended."""
    records = tuple(of(key, a_job())[:calls])
    ledger = Ledger()
    for each in records:
        list(ledger.note(each))
    return Told(key, records, None, ledger.jobs[key])


def a_container(kind: str = "dind", key: str = KEY, **labels: str) -> dict[str, object]:
    """Return a container as the engine lists it."""
    return {
        "Id": f"{key}-{kind}",
        "Image": "sha256:0123456789abcdef",
        "Status": "Up 8 seconds",
        "Created": 1795936100,
        "Labels": {
            "dind-executor.job": key,
            "dind-executor.job-id": key.partition("-")[0],
            "dind-executor.project-id": "42",
            "dind-executor.type": kind,
            "com.gitlab.gitlab-runner.service": "docker",
            "com.gitlab.gitlab-runner.service.version": "28-dind",
            **labels,
        },
    }


def facts(**changes: Any) -> Facts:
    """Return what the page of a host without a fault shows."""
    assert SEEN.left is not None
    assert SEEN.left.sweep is not None
    sweep = SEEN.left.sweep._replace(at=NOW - 60)
    found = Facts(
        host="runner-1",
        version="0.1.0",
        at=NOW,
        seen=SEEN._replace(left=SEEN.left._replace(sweep=sweep)),
        now=(),
        silent=0,
        past=past_rows([ended("success", "none")]),
        limits=Limits(10, 10, 0),
        budgets={"images": 100},
        doctor_file="/var/lib/dind-executor/doctor.json",
        is_read=True,
    )
    return found._replace(**changes)
