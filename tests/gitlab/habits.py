"""What people bring from elsewhere: jobs, the administrator's settings for them, and how they end.

The inputs are data, `tests/data/habits`, a file for each kind.  Each has a sentence that says what
it is, and the right end of its job: state, lines of the job log, what must not be in it.  Where the
Docker executor ends otherwise, `docker` says how.  Where dind-executor may, `ours` does, and names
the exception.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import yaml

from tests.gitlab import trace
from tests.gitlab.jobs import Job

DIRECTORY = Path(__file__).parents[1] / "data" / "habits"
DOCKER, OURS = "docker", "ours"

# Where dind-executor may do less than the Docker executor: the words of docs/parity.md about it.
_EXCEPTIONS = "exceptions.yml"

Document = dict[str, Any]


@dataclass(frozen=True, slots=True)
class End:
    """How a job, or a command, must end; what is empty is not looked at."""

    state: str = "success"
    code: int | None = None
    says: Sequence[str] = ()
    never: Sequence[str] = ()
    # How often prepare may be tried.
    tries: int = 1
    # What `migrate` must say, and must not.
    migrate: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class Administrator:
    """What differs from the usual settings; `docker` and `runner` are for both executors."""

    runner: Mapping[str, Any] = field(default_factory=dict)
    docker: Mapping[str, Any] = field(default_factory=dict)
    dind: Mapping[str, Any] = field(default_factory=dict)
    # Ours are written by `dind-executor migrate`, without these variables of `environment`.
    migrated: bool = False
    dropped: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class Habit:
    """One input."""

    name: str
    kind: str
    what: str
    further: bool
    pipeline: Mapping[str, Any]
    right: End
    by_docker: End | None = None
    by_ours: End | None = None
    exception: str = ""
    administrator: Administrator = field(default_factory=Administrator)
    variables: Mapping[str, str] = field(default_factory=dict)
    masked: Mapping[str, str] = field(default_factory=dict)
    # Whether GitLab sends the logins of its registry along.
    logins: bool = False
    # Files of the host, below @HOST@; nothing of them may change.
    host: Mapping[str, str] = field(default_factory=dict)
    # But for these, which gitlab-runner's own script writes.
    written: Sequence[str] = ()
    # Images on the host: the text of a Dockerfile by their name.
    images: Mapping[str, str] = field(default_factory=dict)
    # Files of the project, and jobs that `dind-executor local` is to run.
    project: Mapping[str, str] = field(default_factory=dict)
    local: Sequence[str] | None = None
    fast: bool = False

    def end(self, side: str) -> End:
        """Return how it must end on a side: as is right, or as it is admitted."""
        return (self.by_docker if side == DOCKER else self.by_ours) or self.right


@dataclass(frozen=True, slots=True)
class Ended:
    """How it ended."""

    state: str
    code: int
    log: str
    seconds: float = 0.0
    reason: str = ""
    tries: int = 1
    # What it changed on the host, and what it left on the engine.
    remains: Sequence[str] = ()
    migrate: str | None = None

    @classmethod
    def of(cls, job: Job) -> "Ended":
        """Return the end of a job."""
        log = trace.plain(job.trace)
        tries = max(1, log.count("ERROR: Preparation failed"))
        return cls(job.state, job.exit_code, log, job.seconds, job.failure_reason, tries)


def faults(ended: Ended, wanted: End) -> list[str]:
    """Return what is not as it must be."""
    said = [line for line in ended.log.splitlines() if not line.startswith("$ ")]
    found = [] if ended.state == wanted.state else [f"the job: {ended.state} {ended.reason}"]
    if wanted.code is not None and ended.code != wanted.code:
        found.append(f"exit code {ended.code}")
    found += [
        f"not said: {text}" for text in wanted.says if not any(_says(line, text) for line in said)
    ]
    found += [f"said: {text}" for text in wanted.never if text in ended.log]
    if ended.migrate is not None:
        silent = [text for text in wanted.migrate if text not in ended.migrate]
        found += [f"migrate does not say: {text}" for text in silent]
    if ended.tries > wanted.tries:
        found.append(f"{ended.tries} tries")
    return [*found, *ended.remains]


def _says(line: str, text: str) -> bool:
    """Tell whether a line has a text; ` … ` in it stands for anything."""
    return re.search(".*".join(map(re.escape, text.split(" … "))), line) is not None


def exceptions() -> Mapping[str, str]:
    """Return by the name of each exception the words by which docs/parity.md names it."""
    found: dict[str, str] = yaml.safe_load((DIRECTORY / _EXCEPTIONS).read_text(encoding="utf-8"))
    return found


def read(directory: Path = DIRECTORY) -> list[Habit]:
    """Return every input, kind by kind."""
    files = sorted(path for path in directory.glob("*.yml") if path.name != _EXCEPTIONS)
    documents = [(path.stem, yaml.safe_load(path.read_text(encoding="utf-8"))) for path in files]
    return [
        _habit(kind, name, entry)
        for kind, document in documents
        for name, entry in document["inputs"].items()
    ]


def _habit(kind: str, name: str, entry: Document) -> Habit:
    given = dict(entry)
    job = given.pop("job", None)
    pipeline = {**given.pop("top", {}), **({"job": job} if job is not None else {})}
    right, by_docker, by_ours = (given.pop(key, None) for key in ("right", DOCKER, OURS))
    end = End(**(right or {}))
    return Habit(
        name=name,
        kind=kind,
        what=given.pop("what"),
        further=given.pop("further", False),
        pipeline=pipeline,
        right=end,
        by_docker=_otherwise(end, by_docker),
        by_ours=_otherwise(end, by_ours),
        administrator=Administrator(**given.pop("administrator", {})),
        **given,
    )


def _otherwise(right: End, given: Document | None) -> End | None:
    """Return an end of which only some is given; what is said on one side is not the other's."""
    if given is None:
        return None
    return replace(right, **{"says": (), "never": (), "migrate": (), **given})
