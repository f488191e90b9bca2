"""Everything that one call of gitlab-runner leaves for a later one, besides names and labels.

A note is a file in the job's temporary directory, which gitlab-runner makes before prepare and
removes after cleanup: private, as the job's payload with all its secrets lies there too.  A note is
written as a whole or not at all, and a later version of dind-executor reads what an earlier one
left: the names below, and what is in them, stay as they are.

| note | left by | says | read by |
|---|---|---|---|
| `OWNER` | config, prepare | who the job belongs to, as its objects' labels do (`notation.owner`) | config, prepare, a sweep |
| `VERSION` | config (its hook) | the directory of the version of dind-executor that all its stages are of | the hooks of the others |
| `AUTHORITIES` | config | the certificates by which gitlab-runner knows GitLab | a sweep |
| `TRACES` | config | the job logs that gitlab-runner has open, its owner's like the payload | a sweep |
| `SYSTEM_ID` | config | by what GitLab tells gitlab-runner from others of its token | a sweep |
| `MADE` | prepare | there may be something to remove | cleanup |
| `UNFINISHED` | prepare, run | something is being made, or may still appear | cleanup |
| `OVER` | cleanup | nothing may be made any more | run |
| `CLIENT` | prepare | dind-executor's own client certificate for dind | run |
| `request_of(container)` | prepare | what it takes to make a container again | run |
| `OPTIONAL_DIND` | prepare | no service is listed for the sidecar: the job may do without it | run |
| `SERVICE_LOGS` | prepare, run | how much of the services' logs is printed | run |
| `DIND_STARTED` | prepare | when the sidecar was started (`time.monotonic`): a script may begin before it answers | run |
| `LISTENED` | run | when the sidecar had started that listened as a script began | run |
| `ANSWERED` | run | when the sidecar had started that has answered | run |
| `WITHOUT_DIND` | run | why the sidecar did not come up, without which the job goes on | run |
| `OWNED` | run | the project's files have their owner | run |
| `RESTART` | run | the build container starts again before the next script | run |
| `OUT_OF_REACH` | prepare | the engine's socket is here and its containers' addresses are not: gitlab-runner is in a container | run |
| `SOURCES` | prepare | into which kept sources the job fetches | run, cleanup |
| `DOUBTFUL_SOURCES` | prepare | fetching into them has failed before, or they are begun anew | run, cleanup |
| `CANCELLED` | run | the build container is made anew before the next script | run |
| `NETWORK` | prepare | the network (its id) that the slot keeps, where the job is on that | run |
| `COSTS` | prepare | what was pulled and what the sidecar's start took, for the job's summary | run |
| `DISK` | prepare | which disks are watched while a script runs (`disk.watch`) | run |
| `OVERRUN` | run | the job was ended because it filled the disk, and why | run |

`run` imports this module, so it imports little.  The file with a script's exit code is none of these:
gitlab-runner names it, and reads it itself (`stages/run`).
"""

import os

from executor.log import write_through

OWNER = "dind-executor-owner"
VERSION = "dind-executor-version"
AUTHORITIES = "dind-executor-authorities"
TRACES = "dind-executor-traces"
SYSTEM_ID = "dind-executor-system-id"
MADE = "dind-executor-made"
UNFINISHED = "dind-executor-preparing"
OVER = "dind-executor-over"
CLIENT = "dind-executor-client"
"""A directory with `ca.pem`, `cert.pem` and `key.pem`: Python's ssl reads a key from a file only."""
SERVICE_LOGS = "dind-executor-service-logs"
OPTIONAL_DIND = "dind-executor-optional-dind"
DIND_STARTED = "dind-executor-dind-started"
LISTENED = "dind-executor-listened"
ANSWERED = "dind-executor-answered"
WITHOUT_DIND = "dind-executor-without-dind"
OWNED = "dind-executor-owned"
RESTART = "dind-executor-restart"
CANCELLED = "dind-executor-cancelled"
OUT_OF_REACH = "dind-executor-out-of-reach"
SOURCES = "dind-executor-sources"
DOUBTFUL_SOURCES = "dind-executor-doubtful-sources"
NETWORK = "dind-executor-network"
COSTS = "dind-executor-costs"
DISK = "dind-executor-disk"
OVERRUN = "dind-executor-overrun"


def request_of(container: str) -> str:
    """Return the name of the note with which a build or helper container is made again."""
    return f"{container}.container.json"


def leave(temp_dir: str, name: str, content: bytes = b"") -> None:
    """Leave a note, in place of an earlier one of this name.  Raises OSError."""
    path = f"{temp_dir}/{name}"
    # Only its owner may read it, and nobody ever sees a part: this process may be killed.
    descriptor = os.open(f"{path}.new", os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
    try:
        write_through(descriptor, content)
    finally:
        os.close(descriptor)
    os.rename(f"{path}.new", path)  # noqa: PTH104 (pathlib costs 9 ms a call)


def leave_all(temp_dir: str, directory: str, files: dict[str, bytes]) -> None:
    """Leave several notes in a directory of their own.  Raises OSError."""
    os.makedirs(f"{temp_dir}/{directory}", mode=0o700, exist_ok=True)  # noqa: PTH103
    for name, content in files.items():
        leave(temp_dir, f"{directory}/{name}", content)


def read(temp_dir: str, name: str) -> bytes | None:
    """Return what a note says; None where nobody left it."""
    try:
        with open(f"{temp_dir}/{name}", "rb") as file:  # noqa: PTH123
            return file.read()
    except OSError:
        return None


def is_left(temp_dir: str, name: str) -> bool:
    """Tell whether somebody left a note."""
    return os.path.exists(f"{temp_dir}/{name}")  # noqa: PTH110


def forget(temp_dir: str, name: str) -> None:
    """Remove a note, where it is there."""
    try:  # noqa: SIM105 (contextlib is slow to import)
        os.unlink(f"{temp_dir}/{name}")  # noqa: PTH108
    except OSError:
        pass  # nobody left it, or its directory went with the job
