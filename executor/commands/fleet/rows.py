"""What GitLab knows of runners and of the hosts that work for them.  Pure."""

import datetime as dt
from collections.abc import Mapping
from typing import NamedTuple

LEGACY = "<legacy>"
"""GitLab's manager for whoever calls without naming a system."""


class Manager(NamedTuple):
    """A host that works for a runner: GitLab calls it a runner manager."""

    system_id: str
    version: str = ""
    address: str = ""
    contacted: float | None = None
    """Seconds since the epoch; None where GitLab does not say."""
    is_busy: bool = False
    """GitLab believes that it runs a job."""


class Runner(NamedTuple):
    """A runner, which one or more hosts work for with one token."""

    id: int
    description: str = ""
    kind: str = ""
    """GitLab's word: instance_type, group_type or project_type."""
    paused: bool = False
    tags: tuple[str, ...] = ()
    untagged: bool = False
    protected: bool = False
    created: float | None = None
    expires: float | None = None
    """When its token does; None where it does not."""
    contacted: float | None = None
    managers: tuple[Manager, ...] = ()
    seen: float | None = None
    """What the time was for GitLab when it told this; None where it did not say."""

    @property
    def last_contact(self) -> float | None:
        """Return when any of its hosts has called last, None where none ever has."""
        times = [self.contacted, *(each.contacted for each in self.managers)]
        return max((each for each in times if each is not None), default=None)


class Fleet(NamedTuple):
    """What could be read, and what could not."""

    runners: tuple[Runner, ...]
    gitlab: str = ""
    """The version of GitLab; "" where it does not say."""
    failures: tuple[str, ...] = ()
    """A sentence for each runner that could not be read."""


def read_runner(
    details: Mapping[str, object], managers: object, seen: float | None = None
) -> Runner | None:
    """Return a runner as the API tells it, None for something that is not a runner."""
    number = details.get("id")
    if not isinstance(number, int) or isinstance(number, bool):
        return None
    tags = details.get("tag_list")
    listed = managers if isinstance(managers, list) else ()
    return Runner(
        id=number,
        description=_text(details.get("description")),
        kind=_text(details.get("runner_type")),
        paused=details.get("paused") is True,
        tags=tuple(sorted(map(_text, tags))) if isinstance(tags, list) else (),
        untagged=details.get("run_untagged") is True,
        protected=details.get("access_level") == "ref_protected",
        created=moment(details.get("created_at")),
        expires=moment(details.get("token_expires_at")),
        contacted=moment(details.get("contacted_at")),
        seen=seen,
        managers=tuple(_manager(each) for each in listed if isinstance(each, Mapping)),
    )


def version_of(text: str) -> tuple[int, int] | None:
    """Return the major and the minor version, None for something else."""
    major, _, rest = text.removeprefix("v").partition(".")
    minor = rest.partition(".")[0]
    if not (_is_number(major) and _is_number(minor)):
        return None
    return int(major), int(minor)


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) <= 4  # noqa: PLR2004 (no version has more)


def _manager(told: Mapping[str, object]) -> Manager:
    return Manager(
        system_id=_text(told.get("system_id")),
        version=_text(told.get("version")),
        address=_text(told.get("ip_address")),
        contacted=moment(told.get("contacted_at")),
        is_busy=told.get("job_execution_status") == "active",
    )


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""


def moment(value: object) -> float | None:
    """Return seconds since the epoch of a time as the API writes it."""
    if not isinstance(value, str):
        return None
    try:
        at = dt.datetime.fromisoformat(value)
        return (at if at.tzinfo else at.replace(tzinfo=dt.UTC)).timestamp()
    except (ValueError, OverflowError):
        return None
