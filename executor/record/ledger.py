"""From the records of stages to jobs and how they ended: pure.

gitlab-runner calls prepare up to three times, and cleanup after each that failed: a job is over after
the last one.  A job that nobody ends (its gitlab-runner was killed) is over when nothing has been
heard of it for a long time, or when the host has started again since.
"""

from collections.abc import Iterator, Mapping
from typing import NamedTuple, Self

from executor.record import words
from executor.record.endings import (
    CANCELED,
    GONE,
    NONE,
    REASONS,
    SCRIPT_FAILURE,
    SYSTEM_FAILURE,
    TIMEOUT,
    UNKNOWN,
    Ended,
)
from executor.record.values import number

Record = Mapping[str, object]

_ATTEMPTS = 3
"""How often gitlab-runner tries prepare (PreparationRetries)."""
_AGAIN_SECONDS = 60.0
"""Within so many seconds after cleanup the next try has begun: gitlab-runner waits for three."""
_SILENT_SECONDS = 7 * 86400.0
"""A job of which nothing is heard for so long is over."""
_LONGEST_KEY = 200
_MOST = 1000
"""Of jobs that are not over."""

_RETRIED = frozenset(("get_sources", "restore_cache", "download_artifacts"))
"""Steps that gitlab-runner tries again; the last try counts."""
_IGNORED = frozenset(
    (
        "after_script",
        "clear_worktree",
        "archive_cache_on_failure",
        "upload_artifacts_on_failure",
        "cleanup_file_variables",
    )
)
"""Steps that change nothing about how a job ends."""
_HELPERS = _RETRIED | {
    "prepare_script",
    "archive_cache",
    "upload_artifacts_on_success",
}
_FINAL = frozenset(("build_failure", words.CANCELLED))
"""Outcomes of prepare after which gitlab-runner does not try again."""


class Open(NamedTuple):
    """A job that is not over, as far as its stages have told."""

    at: float
    """When its last stage ended, in seconds since 1970."""
    clock: float
    """The same by the host's monotonic clock."""
    attempts: int = 0
    prepared: bool = False
    cleaned: bool = False
    scripted: bool = False
    """Whether a script of the job author's has ended well."""
    outcome: str = words.SUCCESS
    """Of the first stage that failed and counts, in the last attempt."""
    reason: str = NONE
    step: str = ""


class Ledger:
    """The jobs that are not over."""

    def __init__(self, jobs: Mapping[str, Open] | None = None) -> None:
        """Begin with jobs by their keys."""
        self.jobs = dict(jobs or {})

    def note(self, record: Record) -> Iterator[Ended]:
        """Take the record of a stage; yield a job that is over with it."""
        key, stage = str(record.get("key", "")), record.get("stage")
        known = self.jobs.get(key)
        if not 0 < len(key) <= _LONGEST_KEY or stage not in ("config", "prepare", "run", "cleanup"):
            return
        if stage == "cleanup":
            # One without anything before is no job: somebody has called cleanup again.
            if known is not None:
                yield from self._cleaned(key, _heard(known, record), record)
            return
        job = known or Open(0.0, 0.0)
        if stage != "run":
            job = _attempted(job, record)
        elif not job.cleaned:
            job = _ran(job, record)
        self.jobs[key] = _heard(job, record)
        if len(self.jobs) > _MOST:
            oldest = min(self.jobs, key=lambda each: self.jobs[each].at)
            yield self._end(oldest, SYSTEM_FAILURE, GONE)

    def settle(self, clock: float) -> Iterator[Ended]:
        """Yield the jobs that are over by now, by the host's monotonic clock."""
        for key, job in tuple(self.jobs.items()):
            silent = clock - job.clock  # below 0 where the host has started again
            if job.cleaned and not 0 <= silent < _AGAIN_SECONDS:
                yield self._end(key, *_result(job, ""))
            elif not job.cleaned and not 0 <= silent < _SILENT_SECONDS:
                yield self._end(key, SYSTEM_FAILURE, GONE)

    def as_json(self) -> dict[str, list[object]]:
        """Return what `from_json` takes."""
        return {key: list(job) for key, job in self.jobs.items()}

    @classmethod
    def from_json(cls, said: object) -> Self:
        """Return what `as_json` told; raises ValueError or TypeError where it is something else."""
        jobs: dict[str, Open] = {}
        if not isinstance(said, dict):
            raise TypeError("jobs")
        for key, values in said.items():
            at, clock, attempts, prepared, cleaned, scripted, outcome, reason, step = values
            jobs[str(key)] = Open(
                float(at),
                float(clock),
                int(attempts),
                bool(prepared),
                bool(cleaned),
                bool(scripted),
                str(outcome),
                str(reason),
                str(step),
            )
        return cls(jobs)

    def _cleaned(self, key: str, job: Open, record: Record) -> Iterator[Ended]:
        self.jobs[key] = job = job._replace(cleaned=True)
        if job.prepared or job.outcome in _FINAL or job.attempts >= _ATTEMPTS:
            yield self._end(key, *_result(job, str(record.get("result", ""))))

    def _end(self, key: str, result: str, reason: str) -> Ended:
        del self.jobs[key]
        return Ended(key, result, reason)


def _attempted(job: Open, record: Record) -> Open:
    """Return a job after config or prepare: the first of the two begins an attempt."""
    if not job.attempts or job.cleaned:
        job = Open(job.at, job.clock, job.attempts + 1)
    job = _failed(job, record)
    is_prepare = record.get("stage") == "prepare"
    return job._replace(prepared=is_prepare and record.get("outcome") == words.SUCCESS)


def _ran(job: Open, record: Record) -> Open:
    step, outcome = str(record.get("step", "")), record.get("outcome")
    job = job._replace(attempts=max(job.attempts, 1), prepared=True)
    if step in _IGNORED and outcome != words.CANCELLED:
        return _noticed(job, step, is_success=outcome == words.SUCCESS)
    if outcome == words.SUCCESS:
        if step not in _HELPERS:
            job = job._replace(scripted=True)
        if step in _RETRIED and job.step == step:
            job = job._replace(outcome=words.SUCCESS, reason=NONE, step="")
    return _failed(job, record)


def _noticed(job: Open, step: str, *, is_success: bool) -> Open:
    """Return a job after a step that changes nothing, but may tell that something did.

    An after_script that fails counts if the job wants that (AFTER_SCRIPT_IGNORE_ERRORS), which is seen
    where gitlab-runner goes on as after a failure.
    """
    if job.outcome != words.SUCCESS:
        return job
    if step == "after_script" and not is_success:
        return job._replace(step=step)
    if not step.endswith("_on_failure"):
        return job
    if job.step == "after_script":
        return job._replace(outcome=words.SCRIPT_FAILURE, reason="script")
    return job._replace(outcome=words.ERROR, reason=UNKNOWN)


def _failed(job: Open, record: Record) -> Open:
    """Return a job with what a stage says of a failure; the first one counts."""
    outcome, reason = str(record.get("outcome")), str(record.get("reason", UNKNOWN))
    if outcome == words.SUCCESS or job.outcome != words.SUCCESS:
        return job
    known = reason if reason in REASONS else UNKNOWN
    return job._replace(outcome=outcome, reason=known, step=str(record.get("step", "")))


def _result(job: Open, told: str) -> tuple[str, str]:
    """Return how a job has ended, and why; `told` is gitlab-runner's word where it has one."""
    if told == "timedout":
        return TIMEOUT, job.reason if job.reason != NONE else words.CANCELLED
    if told == CANCELED or job.outcome == words.CANCELLED:
        return CANCELED, job.reason if job.reason != NONE else words.CANCELLED
    if job.outcome in (words.SCRIPT_FAILURE, "build_failure"):
        return SCRIPT_FAILURE, job.reason
    if job.outcome != words.SUCCESS:
        return SYSTEM_FAILURE, job.reason
    if told == "failed":
        # A stage was killed, and has left no record.
        return SYSTEM_FAILURE, UNKNOWN
    return (words.SUCCESS, NONE) if job.scripted else (CANCELED, UNKNOWN)


def _heard(job: Open, record: Record) -> Open:
    """Return a job of which this record is the last that was heard."""
    seconds = number(record, "seconds")
    return job._replace(at=number(record, "at") + seconds, clock=number(record, "clock") + seconds)
