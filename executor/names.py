"""Names and labels of everything that belongs to one job.  They are the only state between stages.

Pure: no I/O.  Every name follows from the job payload, so a stage finds what an earlier one made,
and a second prepare attempt meets what the first one left.
"""

from _collections_abc import Mapping

LABEL = "dind-executor.job"
"""The ownership label: its value is `JobNames.key`; cleanup removes what carries it."""

KEEP_LABEL = "dind-executor.volume-keep"
"""On every container: whether its volumes without a name stay when cleanup removes it.

It is there even where they do not: an image's label of this name would count else.
"""

LABEL_PREFIX = "dind-executor."
"""What every label of the executor's own starts with."""

TRANSPORT_LABEL = "dind-executor.transport"
"""On the sidecar: `tls` or `tcp`, the way on which it answers."""

JOB_ID_LABEL = "dind-executor.job-id"
PROJECT_LABEL = "dind-executor.project-id"

OWNER_LABEL = "dind-executor.owner"
"""The gitlab-runner process that the job belongs to (see `notation.owner`)."""

OWNER_CONTAINER_LABEL = "dind-executor.owner-container"
"""The container of this engine that gitlab-runner runs in, as `id@StartedAt`; empty elsewhere."""

TEMP_DIR_LABEL = "dind-executor.temp-dir"
"""The job's temporary directory as gitlab-runner sees it; each attempt of prepare has its own."""

DEADLINE_LABEL = "dind-executor.deadline"
"""When the job is over in any case, in seconds since 1970."""

GITLAB_LABEL = "dind-executor.gitlab"
"""The address of the job's GitLab, without credentials; empty where the job names none."""

TCP_PORT, TLS_PORT = 2375, 2376
"""Where dockerd in the sidecar listens without TLS and with it."""

NO_PROXY = ("NO_PROXY", "no_proxy")

DIRECT_NAMES = "DIND_EXECUTOR_NO_PROXY"
"""Variable of the build container: the names that belong into NO_PROXY; unset without a proxy."""

_PREFIX = "dind-executor"


class JobNames:
    """Deterministic names of one job's containers, network and volumes."""

    __slots__ = ("key",)

    def __init__(self, key: str) -> None:
        """Take the job's key, as `job_key` makes it."""
        self.key = key

    @property
    def network(self) -> str:
        """Return the job's network; it carries the bare prefix."""
        return f"{_PREFIX}-{self.key}"

    @property
    def build(self) -> str:
        """Return the build container."""
        return f"{self.network}-build"

    @property
    def helper(self) -> str:
        """Return the helper container."""
        return f"{self.network}-helper"

    @property
    def dind(self) -> str:
        """Return the dind sidecar."""
        return f"{self.network}-dind"

    def service(self, index: int) -> str:
        """Return the service at a place in the job's list."""
        return f"{self.network}-service-{index}"

    @property
    def builds_volume(self) -> str:
        """Return the volume at the builds directory."""
        return f"{self.network}-builds"

    @property
    def docker_volume(self) -> str:
        """Return the volume that holds dind's images and containers."""
        return f"{self.network}-docker"

    @property
    def socket_volume(self) -> str:
        """Return the volume with the sidecar's socket, which the build container mounts too."""
        return f"{self.network}-socket"

    @property
    def owner(self) -> str:
        """Return the label that marks an object as this job's, as `key=value`."""
        return f"{LABEL}={self.key}"


def helper_beside(build: str) -> str:
    """Return the helper container that belongs to a build container."""
    return f"{build.removesuffix('build')}helper"


def removal_query(labels: Mapping[str, object]) -> str:
    """Return how the engine is asked to remove a container with these labels, and its volumes."""
    return f"force=1&v={0 if labels.get(KEEP_LABEL) == 'true' else 1}"


def job_key(job_id: int, token: str, origin: str) -> str:
    """Return what tells this job from every other one on the engine, also of another GitLab.

    The job token is unique to one run of one job; a one-way digest of it gives nothing away.
    `origin` is the repository's URL, whose credentials are part of the digest only.  A job without
    one, which gitlab-runner makes by itself, has the same id and token on every host: there it is
    what names the gitlab-runner process.
    """
    from executor.digests import sha256  # noqa: PLC0415 (not for every call)

    digest = sha256(f"{job_id}\n{token}\n{origin}".encode()).hexdigest()
    return f"{job_id}-{digest[:10]}"
