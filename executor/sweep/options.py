"""How a sweep goes, and where it leaves what it saw."""

from collections.abc import Mapping
from typing import NamedTuple

from executor.log import AdministratorLog


class Options(NamedTuple):
    """How a sweep goes."""

    log: AdministratorLog
    address: str
    """The engine's, such as `unix:///var/run/docker.sock`: each engine has its own memory."""
    by: str
    """Who sweeps: `prepare` or `reap`."""
    state_dir: str = ""
    """Where the memory lies; without it, whatever takes two looks stays undecided."""
    end_ghosts: bool = True
    """Whether jobs whose gitlab-runner is dead are ended in GitLab."""
    environ: Mapping[str, str] = {}
    """The sweeping process's: it may name proxies on the way to GitLab."""
    parents: tuple[str, ...] = ()
    """Directories in which gitlab-runner makes temporary directories of jobs."""
    uids: frozenset[int] = frozenset()
    """Whose directories there are looked at."""
    own_temp_dir: str = ""
    """The temporary directory of the job that sweeps; it is never touched."""
    own_key: str = ""
    """The key of the job that sweeps: GitLab may have given it out before, to a dead gitlab-runner."""
    quiet_seconds: float = 0.0
    """How long nothing of a removed job may have appeared."""
    patience_seconds: float = 0.0
    """How long to try again what the engine does not remove."""
    again_seconds: float = 0.0
    """What could not be removed is left alone for so long."""
    jobs_at_once: int = 8
