"""Which jobs of this host run, and which versions they and their stages use.

A job runs from its config call, which leaves notes in its temporary directory, until gitlab-runner
removes that directory after cleanup.  Directories of gitlab-runners that are gone are of no job.
"""

import os
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

from executor.commands.reap.places import parents, users
from executor.host.owner import boot_id, lives
from executor.names import JOB_ID_LABEL, OWNER_LABEL, PROJECT_LABEL
from executor.notation.owner import parse_owner
from executor.runner import notes
from executor.sweep.descriptors import open_directory, read_file
from executor.sweep.files import LeftDirectory, find_left, opened

_LONGEST_NOTE = 4096


class RunningJob(NamedTuple):
    """A job that runs, as far as can be told."""

    job_id: str
    project_id: str
    directory: str
    version: str
    """The directory of the version that its config call found; empty where it left no word of it."""

    def __str__(self) -> str:
        """Name it, as in "job 1 of project 2"."""
        return f"job {self.job_id or '?'} of project {self.project_id or '?'} ({self.directory})"


def running_jobs(state_dir: str, root: Path = Path("/")) -> list[RunningJob]:
    """Return the jobs of this host's gitlab-runners: those of this user and of the state's owner."""
    uids = users(state_dir)
    proc = str(root / "proc")
    found: list[RunningJob] = []
    for parent in parents(uids, root):
        for left in find_left(parent, "", uids):
            if left.is_signed and _may_live(left, proc):
                facts = left.facts
                found.append(
                    RunningJob(
                        facts.get(JOB_ID_LABEL, ""),
                        facts.get(PROJECT_LABEL, ""),
                        left.path,
                        _version_noted(left),
                    )
                )
    return found


def of_prefix(jobs: list[RunningJob], prefix: Path) -> list[RunningJob]:
    """Return the jobs that use a version below a prefix, and those of which nobody knows."""
    return [each for each in jobs if not each.version or _name_below(each.version, prefix)]


def versions_used(jobs: list[RunningJob], prefix: Path, proc: Path = Path("/proc")) -> set[str]:
    """Return the names of versions that jobs have noted, or that a process was started with."""
    paths = (*(each.version for each in jobs), *_programs(proc))
    return {name for path in paths if (name := _name_below(path, prefix))}


def _may_live(left: LeftDirectory, proc: str) -> bool:
    """Tell whether nothing proves that a job's gitlab-runner is gone."""
    owner = parse_owner(left.facts.get(OWNER_LABEL, ""))
    if owner is None:
        return True
    return owner.boot == boot_id(proc) and lives(owner.pid, owner.started, proc) is not False


def _version_noted(left: LeftDirectory) -> str:
    with suppress(OSError), opened(left.parent) as place:
        directory = open_directory(left.name, place, (left.uid,))
        try:
            content = read_file(notes.VERSION, directory, _LONGEST_NOTE)
        finally:
            os.close(directory)
        return os.fsdecode(content).rstrip("\n")
    return ""


def _programs(proc: Path) -> Iterator[str]:
    """Yield the paths with which processes were started."""
    for each in proc.glob("[0-9]*/cmdline"):
        with suppress(OSError):
            yield os.fsdecode(each.read_bytes().partition(b"\0")[0])


def _name_below(path: str, prefix: Path) -> str:
    """Return the first name of a path below a prefix, or ""."""
    plain = os.path.normpath(path) if path else ""
    head, _, rest = plain.partition(f"{prefix}/")
    return rest.partition("/")[0] if not head and rest else ""
