"""Every metric with its labels and what it tells.  docs/metrics.md has the same table; a test compares."""

from typing import NamedTuple

PREFIX = "dind_executor_"

COUNTER, GAUGE, HISTOGRAM = "counter", "gauge", "histogram"

_STAGE_SECONDS = (0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 300.0, 900.0, 3600.0)
_PHASE_SECONDS = (0.01, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 300.0)
_WAIT_SECONDS = (0.01, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0)


class Metric(NamedTuple):
    """One metric."""

    name: str
    """Without the prefix, and of a counter without `_total`."""
    kind: str
    labels: tuple[str, ...]
    help: str
    buckets: tuple[float, ...] = ()
    """The upper bounds of a histogram, without infinity."""

    @property
    def full_name(self) -> str:
        """Return the name as an expression has it; of a histogram, without `_bucket`."""
        return f"{PREFIX}{self.name}{'_total' if self.kind == COUNTER else ''}"


JOBS = Metric(
    "jobs",
    COUNTER,
    ("result", "reason"),
    "Jobs that are over, by how they ended and why.",
)
STAGES = Metric(
    "stage_duration_seconds",
    HISTOGRAM,
    ("stage", "sub_stage", "outcome"),
    "How long a call of gitlab-runner took, from the start of its process.",
    _STAGE_SECONDS,
)
PHASES = Metric(
    "prepare_phase_duration_seconds",
    HISTOGRAM,
    ("phase",),
    "How long prepare was at something; several pulls at the same time count once.",
    _PHASE_SECONDS,
)
DIND_WAITS = Metric(
    "dind_wait_seconds",
    HISTOGRAM,
    (),
    "How long a script of the job author waited for the Docker daemon, or prepare before it.",
    _WAIT_SECONDS,
)
DIND_FAILURES = Metric(
    "dind_failures",
    COUNTER,
    ("effect",),
    "Sidecars that did not start or ended: the job failed, or went on without.",
)
PULLS = Metric(
    "image_pulls",
    COUNTER,
    ("result", "policy"),
    "Pulls by prepare: success, the reason of a failure, or that the image of the host was used.",
)
PULL_BYTES = Metric(
    "image_pull_bytes", COUNTER, (), "Bytes that pulls moved, as far as the Docker Engine says it."
)
CANCELS = Metric(
    "cancel_seconds",
    HISTOGRAM,
    (),
    "How long it took to remove what a cancelled script left.",
    _WAIT_SECONDS,
)
LOST = Metric(
    "containers_lost",
    COUNTER,
    ("container",),
    "Containers that were gone or ended while a job needed them.",
)
DISK_FILLED = Metric(
    "jobs_ended_for_disk", COUNTER, (), "Jobs that were ended because they filled the disk."
)
REAPED = Metric(
    "reaped",
    COUNTER,
    ("reason",),
    "Jobs of dead gitlab-runners whose objects were removed.",
)
GHOSTS = Metric(
    "ghosts_reported", COUNTER, (), "Jobs of dead gitlab-runners that were ended in GitLab."
)
BAD_LINES = Metric(
    "spool_bad_lines", COUNTER, (), "Lines of the spool that are no records of this version."
)
GAPS = Metric(
    "spool_gaps",
    COUNTER,
    (),
    "How often records were gone before they were counted: this command was away for too long.",
)

COUNTED = (
    JOBS,
    STAGES,
    PHASES,
    DIND_WAITS,
    DIND_FAILURES,
    PULLS,
    PULL_BYTES,
    CANCELS,
    LOST,
    DISK_FILLED,
    REAPED,
    GHOSTS,
    BAD_LINES,
    GAPS,
)
"""What is counted from the records of stages."""


def _gauge(name: str, text: str, *labels: str) -> Metric:
    return Metric(name, GAUGE, labels, text)


BUILD_INFO = _gauge("build_info", "Always 1.", "version", "python", "engine")
ENGINE_UP = _gauge("engine_up", "Whether the Docker Engine answers in time: 1 or 0.")
JOBS_PRESENT = _gauge("jobs_present", "Jobs that have containers on the Docker Engine.")
NETWORKS_USED = _gauge(
    "networks_used", "Places for a job's network that are taken, also by others."
)
NETWORKS_CAPACITY = _gauge(
    "networks_capacity", "Places for a job's network in the addresses that may be used."
)
DISK_FREE_BYTES = _gauge(
    "disk_free_bytes", "What is free where the Docker Engine keeps its files.", "mount"
)
DISK_FREE_INODES = _gauge("disk_free_inodes", "The same, inodes.", "mount")
DISK_WANTED_BYTES = _gauge("disk_wanted_bytes", "What a job needs to be free to begin.")
LEFTOVERS = _gauge(
    "leftovers", "Jobs on the Docker Engine by the verdict of the last sweep.", "verdict"
)
SWEEP_SUCCESS = _gauge(
    "reap_last_success_timestamp_seconds", "When a sweep or reap last ended without an error."
)
KEPT_BYTES = _gauge("kept_bytes", "What is kept between jobs, as `prune` last measured it.", "kind")
BUDGET_BYTES = _gauge("budget_bytes", "What may be kept; missing where there is no limit.", "kind")
MEASURED = _gauge("measured_timestamp_seconds", "When `prune` last measured.")
DOCTOR_CHECKS = _gauge(
    "doctor_checks", "What `dind-executor doctor` last found, by level.", "level"
)
DOCTOR_RUN = _gauge("doctor_timestamp_seconds", "When `dind-executor doctor` last ran.")
SPOOL_LAG = _gauge(
    "spool_lag_seconds", "How long ago the spool was last read to its end without an error."
)

LIVE = (
    BUILD_INFO,
    ENGINE_UP,
    JOBS_PRESENT,
    NETWORKS_USED,
    NETWORKS_CAPACITY,
    DISK_FREE_BYTES,
    DISK_FREE_INODES,
    DISK_WANTED_BYTES,
    LEFTOVERS,
    SWEEP_SUCCESS,
    KEPT_BYTES,
    BUDGET_BYTES,
    MEASURED,
    DOCTOR_CHECKS,
    DOCTOR_RUN,
    SPOOL_LAG,
)
"""What is looked at when it is asked for; what cannot be seen is left out."""
