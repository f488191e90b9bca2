"""Which slot of the runner a job takes, and where its sources and caches are for that.

Pure.
"""

import posixpath
from dataclasses import dataclass

from executor.local.project.assignment import Assignment


@dataclass(frozen=True, slots=True)
class Slot:
    """One of the numbers by which a runner tells a project's concurrent jobs apart."""

    runner_token: str
    number: int
    runner_version: str


@dataclass(frozen=True, slots=True)
class Directories:
    """The directories of a job; empty until the config hook has answered."""

    builds: str = ""
    cache: str = ""
    project: str = ""

    @property
    def temporary(self) -> str:
        """Where the file variables and GITLAB_ENV live, beside the project."""
        return f"{self.project}.tmp"


def directories(
    assignment: Assignment,
    slot: Slot,
    *,
    builds_dir: str,
    cache_dir: str,
    is_shared: bool,
    empty_strategy: bool = False,
) -> Directories:
    """Return where a job's sources and caches are."""
    parts = [assignment.facts.project.path]
    if is_shared:
        parts = [slot.runner_token, str(slot.number), *parts]
    project = posixpath.join(builds_dir, *parts)
    return Directories(
        builds=builds_dir,
        cache=posixpath.join(cache_dir, assignment.facts.project.path),
        project=f"{project}-empty" if empty_strategy else project,
    )


def network_name(assignment: Assignment, slot: Slot) -> str:
    """Return the runner's short unique name of a job."""
    return f"runner-{slot.runner_token}-{assignment.facts.project.id}-{slot.number}-{assignment.id}"
