"""What is found of jobs, put together by job.

Pure: no I/O.  Of an object, its labels say whose it is; of a temporary directory, the note in it that
has the same words.
"""

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, NamedTuple

from executor.names import JobNames
from executor.notation.claims import CLAIM_PREFIX
from executor.notation.owner import Belonging, Owner, parse_belonging

if TYPE_CHECKING:
    from executor.sweep.files import LeftDirectory


_LABELS = tuple(Belonging("", "", "", None).labels())


class Thing(NamedTuple):
    """An object of the engine."""

    kind: str
    """`container`, `network` or `volume`."""
    id: str
    name: str
    created: object = None
    """When it was made, in the engine's own notation."""

    @property
    def is_claim(self) -> bool:
        """Tell whether it is a claim (see `notation.claims`)."""
        return self.kind == "volume" and self.name.startswith(CLAIM_PREFIX)


class Found(NamedTuple):
    """All that was found of one job."""

    key: str
    """See `names.job_key`."""
    belongings: tuple[Belonging, ...]
    """What the objects and directories say of it, each once; a second attempt may say other things."""
    things: tuple[Thing, ...] = ()
    directories: "tuple[LeftDirectory, ...]" = ()
    unsigned: tuple[Belonging, ...] = ()
    """What is said of it in directories without a note that names an owner."""

    @property
    def said(self) -> tuple[Belonging, ...]:
        """Return all that is said of it."""
        return (*self.belongings, *self.unsigned)

    @property
    def owners(self) -> tuple[tuple[Owner | None, str], ...]:
        """Return each owner that is named, with its container; None is one that cannot be read."""
        return tuple(dict.fromkeys((each.owner, each.container) for each in self.belongings))

    @property
    def temp_dirs(self) -> tuple[str, ...]:
        """Return the temporary directories that are named."""
        return tuple(dict.fromkeys(each.temp_dir for each in self.said if each.temp_dir))

    @property
    def job_id(self) -> str:
        """Return GitLab's number of the job, "" where nothing says it."""
        return next((each.job_id for each in self.said if each.job_id), "")

    @property
    def project_id(self) -> str:
        """Return GitLab's number of the project, "" where nothing says it."""
        return next((each.project_id for each in self.said if each.project_id), "")

    @property
    def gitlab(self) -> str:
        """Return the address of the job's GitLab, "" where nothing says it."""
        return next((each.gitlab for each in self.said if each.gitlab), "")

    @property
    def deadline(self) -> int | None:
        """Return the last moment that is named, in seconds since 1970; None where one is missing."""
        named = [each.deadline for each in self.said if each.deadline is not None]
        return max(named) if named and len(named) == len(self.said) else None

    @property
    def created(self) -> float | None:
        """Return when the oldest object was made, in seconds since 1970, as far as the engine tells."""
        moments = (_moment(each.created) for each in self.things)
        return min((each for each in moments if each is not None), default=None)

    @property
    def stranger(self) -> str:
        """Return the name of an object that is not named as this job's are, "" if all are.

        Labels travel: an image that was made of a container has them, and so have its containers.
        """
        own = JobNames(self.key).network
        # Claims are named after what is claimed.
        names = (each.name for each in self.things if not each.is_claim)
        return next((each for each in names if each != own and not each.startswith(f"{own}-")), "")

    def count(self, kind: str) -> int:
        """Return how many objects of a kind there are."""
        return sum(each.kind == kind for each in self.things)


def put_together(
    listed: Iterable[tuple[str, Mapping[str, object]]],
    directories: "Iterable[LeftDirectory]" = (),
) -> tuple[Found, ...]:
    """Return by job what the engine lists, each object with its kind, and what lies in directories.

    What names no job is left out.
    """
    things: dict[str, list[Thing]] = {}
    left: dict[str, list[LeftDirectory]] = {}
    said: dict[str, dict[Belonging, None]] = {}
    unsigned: dict[str, list[Belonging]] = {}
    # Objects of one job say the same, and a host may have hundreds of them.
    read: dict[tuple[str, ...], Belonging | None] = {}
    for kind, each in listed:
        labels = each.get("Labels")
        if not isinstance(labels, dict):
            continue
        words = tuple(_text(labels.get(name)) for name in _LABELS)
        if words not in read:
            read[words] = parse_belonging(dict(zip(_LABELS, words, strict=True)))
        if belonging := read[words]:
            said.setdefault(belonging.key, {})[belonging] = None
            things.setdefault(belonging.key, []).append(_thing(kind, each))
    for directory in directories:
        if belonging := parse_belonging(directory.facts):
            words_of_job = said.setdefault(belonging.key, {})
            if directory.is_signed:
                words_of_job[belonging] = None
            else:
                unsigned.setdefault(belonging.key, []).append(belonging)
            left.setdefault(belonging.key, []).append(directory)
    return tuple(
        Found(
            key,
            tuple(words),
            tuple(things.get(key, ())),
            tuple(left.get(key, ())),
            tuple(unsigned.get(key, ())),
        )
        for key, words in said.items()
    )


def _thing(kind: str, listed: Mapping[str, object]) -> Thing:
    """Return an object; the engine lists containers with a slash before their name."""
    names = listed.get("Names")
    # One that is linked with another has a second name below that one's.
    own = [each for each in names if str(each).count("/") == 1] if isinstance(names, list) else []
    name = str(own[0])[1:] if own else str(listed.get("Name") or "")
    created = listed.get("Created", listed.get("CreatedAt"))
    return Thing(kind, str(listed.get("Id") or name), name, created)


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""


def _moment(created: object) -> float | None:
    from datetime import datetime  # noqa: PLC0415 (only for people)

    try:
        if isinstance(created, int):
            return float(created)
        return datetime.fromisoformat(str(created)).timestamp()
    except (ValueError, OverflowError):
        return None
