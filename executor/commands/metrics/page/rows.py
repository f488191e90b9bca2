"""What is said of jobs: pure."""

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from executor.commands.metrics.page.history import Told
from executor.engine.wire import as_table
from executor.names import JOB_ID_LABEL, LABEL, LABEL_PREFIX, PROJECT_LABEL
from executor.plan.labels import PREFIX
from executor.record.stage import short_image
from executor.record.values import number

Table = Mapping[str, object]

PREPARES, FETCHES, RUNS, FINISHES, WAITS, UNKNOWN = (
    "preparing",
    "fetching sources",
    "running scripts",
    "saving results",
    "waiting for another try",
    "running",
)
_AFTER = {
    "prepare_script": FETCHES,
    "get_sources": RUNS,
    "clear_worktree": FETCHES,
    "restore_cache": RUNS,
    "download_artifacts": RUNS,
    "build_script": FINISHES,
    "step_script": FINISHES,
    "after_script": FINISHES,
    "archive_cache": FINISHES,
    "archive_cache_on_failure": FINISHES,
    "upload_artifacts_on_success": FINISHES,
    "upload_artifacts_on_failure": FINISHES,
    "cleanup_file_variables": "cleaning up",
}
"""What comes after a step, as far as one can know."""
_HEARD_SECONDS = 900.0
"""A job without containers of which nothing is heard for longer does not run."""
_LONGEST_PULL_SECONDS = 3600.0
_NEWS_SECONDS = 86400.0
"""For so long it is said that nobody ended a job."""


class Now(NamedTuple):
    """A job that runs."""

    key: str
    job: str
    project: str
    phase: str
    since: float | None
    """When the phase began, in seconds since 1970; None where nobody knows."""
    began: float | None
    sidecar: str
    """Its image and how long it is up; "" without one."""
    url: str
    """The job's page in GitLab; "" where that is not known."""
    is_told: bool = True
    """Whether records tell of it."""


class Past(NamedTuple):
    """A job that is over."""

    key: str
    job: str
    project: str
    result: str
    reason: str
    fault: str
    ended: float
    seconds: float
    bars: tuple[tuple[str, str, float, float], ...]
    """Of each call its kind, its name, and from when to when, as parts of the whole."""


def now_rows(
    going: Sequence[Told], containers: Iterable[Table] | None, now: float
) -> tuple[list[Now], int]:
    """Return the jobs that run, the latest first, and how many nobody ended lately.

    `containers` are those of jobs on the engine; None where it does not answer.
    """
    there = _by_key(containers or ())
    rows, silent = [], 0
    for told in going:
        quiet = now - told.state.at
        longest = _HEARD_SECONDS if told.state.prepared else _LONGEST_PULL_SECONDS
        if told.key in there or quiet < longest or containers is None:
            rows.append(_now(told, there.pop(told.key, {})))
        else:
            silent += quiet < _NEWS_SECONDS
    strangers = [_stranger(key, its) for key, its in there.items()]
    return [*rows, *strangers], silent


def past_rows(ended: Iterable[Told]) -> list[Past]:
    """Return the jobs that are over, in the same order."""
    return [_past(each) for each in ended]


def _by_key(containers: Iterable[Table]) -> dict[str, dict[str, Table]]:
    """Return the containers of each job by their kinds."""
    found: dict[str, dict[str, Table]] = {}
    for each in containers:
        labels = as_table(each.get("Labels"))
        kind = str(labels.get(f"{LABEL_PREFIX}type", ""))
        found.setdefault(str(labels.get(LABEL, "")), {})[kind] = each
    return found


def _now(told: Told, containers: Mapping[str, Table]) -> Now:
    first, last = told.records[0] if told.records else {}, told.state
    labels = _labels(containers)
    return Now(
        told.key,
        _name(first.get("job"), labels.get(JOB_ID_LABEL)),
        _name(first.get("project"), labels.get(PROJECT_LABEL)),
        _phase(told),
        last.at,
        number(first, "at") or None,
        _sidecar(containers),
        _url(labels),
    )


def _stranger(key: str, containers: Mapping[str, Table]) -> Now:
    """Return a job of which no record tells, such as one of before an upgrade."""
    labels = _labels(containers)
    job, project = str(labels.get(JOB_ID_LABEL, "")), str(labels.get(PROJECT_LABEL, ""))
    created = [number(each, "Created") for each in containers.values()]
    began = min(created, default=0.0) or None
    return Now(
        key,
        job,
        project,
        UNKNOWN,
        None,
        began,
        _sidecar(containers),
        _url(labels),
        is_told=False,
    )


def _phase(told: Told) -> str:
    if told.state.cleaned:
        return WAITS
    last = told.records[-1] if told.records else {}
    if last.get("stage") == "run":
        return _AFTER.get(str(last.get("step")), RUNS)
    return FETCHES if told.state.prepared else PREPARES


def _labels(containers: Mapping[str, Table]) -> Table:
    return next((as_table(each.get("Labels")) for each in containers.values()), {})


def _sidecar(containers: Mapping[str, Table]) -> str:
    dind = containers.get("dind")
    if dind is None:
        return ""
    labels = as_table(dind.get("Labels"))
    # The container itself names its image by what was pulled: a digest.
    name, version = (str(labels.get(f"{PREFIX}.service{each}", "")) for each in ("", ".version"))
    image = short_image(f"{name}:{version}" if version else name) or "dind"
    return f"{image}, {str(dind.get('Status', '')).lower()}"


def _url(labels: Table) -> str:
    """Return an address that a browser may follow; the job's payload has chosen it."""
    url = str(labels.get(f"{PREFIX}.job.url", ""))
    return url if url.startswith(("https://", "http://")) else ""


def _name(*values: object) -> str:
    return next((str(each) for each in values if each), "")


def _past(told: Told) -> Past:
    ended = told.ended
    first = told.records[0] if told.records else {}
    bars = _bars(told.records)
    begin = min((bar[2] for bar in bars), default=0.0)
    seconds = max((bar[3] for bar in bars), default=0.0) - begin
    whole = seconds or 1.0
    last = told.records[-1] if told.records else {}
    return Past(
        told.key,
        _name(first.get("job")),
        _name(first.get("project")),
        ended.result if ended else "",
        ended.reason if ended else "",
        ended.fault if ended else "",
        number(last, "at") + number(last, "seconds"),
        seconds,
        tuple((kind, name, (a - begin) / whole, (b - begin) / whole) for kind, name, a, b in bars),
    )


def _bars(records: Iterable[Table]) -> list[tuple[str, str, float, float]]:
    """Return what each call is and from when to when it ran, by the monotonic clock."""
    found = []
    for each in records:
        stage, step = str(each.get("stage")), str(each.get("step", ""))
        kind = ("script" if _is_script(step) else "step") if stage == "run" else stage
        begin = number(each, "clock") - max(number(each, "start"), 0.0)
        end = number(each, "clock") + max(number(each, "seconds"), 0.0)
        found.append((kind, step or stage, begin, end))
    return found


def _is_script(step: str) -> bool:
    return step.startswith("step_") or step in {"build_script", "after_script", "other"}
