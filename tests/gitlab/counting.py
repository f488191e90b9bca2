"""How jobs ended by the records of their stages, beside what gitlab-runner has told GitLab."""

import json
from collections.abc import Iterable, Mapping
from pathlib import Path

from executor.record.endings import Ended
from executor.record.jobs import job_records
from executor.record.ledger import Ledger
from tests.gitlab.jobs import Job

_ENDS: Mapping[tuple[str, str], frozenset[str]] = {
    ("success", ""): frozenset(("success",)),
    ("failed", "script_failure"): frozenset(("script_failure",)),
    ("failed", "runner_system_failure"): frozenset(("system_failure",)),
    ("failed", "job_canceled"): frozenset(("canceled",)),
    # gitlab-runner tells cleanup of a script's timeout, and not of the job's own.
    ("failed", "job_execution_timeout"): frozenset(("timeout", "canceled")),
}
"""By state and failure reason."""
_UNSEEN = "AFTER_SCRIPT_IGNORE_ERRORS"
"""A failed after_script that counts is not seen without a cache or artifacts (docs/metrics.md)."""


def differences(spool: Path, jobs: Iterable[Job]) -> list[str]:
    """Return a sentence on each job that is counted wrongly, or not once."""
    return [
        f"{job}: counted as {found}"
        for job in jobs
        if not _is_right(job, found := ends(spool, job.id))
    ]


def ends(spool: Path, job_id: int) -> list[Ended]:
    """Return how a job ended, as often as it is counted."""
    ledger = Ledger()
    records = job_records(str(spool), job_id)
    found = [ended for record in records for ended in ledger.note(record)]
    # As if long enough had passed that no other attempt comes.
    clock = max((float(str(each["clock"])) for each in records), default=0.0) + 3600
    return [*found, *ledger.settle(clock)]


def _is_right(job: Job, found: list[Ended]) -> bool:
    wanted = _ENDS.get((job.state, job.failure_reason), frozenset())
    if _UNSEEN in json.dumps(job.payload):
        wanted |= {"success"}
    return len(found) == 1 and found[0].result in wanted
