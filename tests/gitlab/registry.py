"""What GitLab knows of runners, of the hosts that work for them, and of its users' tokens: no I/O."""

import datetime as dt
import secrets
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field

LEGACY = "<legacy>"
"""The manager of whoever names no system."""


@dataclass(slots=True)
class Manager:
    """A host that works for a runner."""

    id: int
    system_id: str
    info: Mapping[str, object]
    """What it said of itself: only the first contact with anything in it counts at once."""
    contacted_at: str
    address: str = "127.0.0.1"
    execution: str = "idle"
    """Whether GitLab believes that it runs a job: idle, or active."""

    def described(self) -> dict[str, object]:
        """Return it as the API has it."""
        return {
            "id": self.id,
            "system_id": self.system_id,
            "version": self.info.get("version"),
            "platform": self.info.get("platform"),
            "contacted_at": self.contacted_at,
            "ip_address": self.address,
            "status": "online",
            "job_execution_status": self.execution,
        }


@dataclass(slots=True)
class RunnerRow:
    """A runner that was created in GitLab."""

    id: int
    token: str
    runner_type: str = "instance_type"
    description: str = ""
    maintenance_note: str = ""
    tag_list: tuple[str, ...] = ()
    run_untagged: bool = True
    locked: bool = False
    paused: bool = False
    group_id: int | None = None
    project_id: int | None = None
    access_level: str = "not_protected"
    created_at: str = field(default_factory=lambda: dt.datetime.now(dt.UTC).isoformat())
    token_expires_at: str | None = None
    managers: dict[str, Manager] = field(default_factory=dict)

    def listed(self) -> dict[str, object]:
        """Return it as lists have it: without tags, versions and notes."""
        return {
            "id": self.id,
            "description": self.description,
            "runner_type": self.runner_type,
            "is_shared": self.runner_type == "instance_type",
            "paused": self.paused,
            "active": not self.paused,
            "online": bool(self.managers),
            "status": "online" if self.managers else "never_contacted",
        }

    def described(self) -> dict[str, object]:
        """Return its details."""
        contacts = [each.contacted_at for each in self.managers.values()]
        return {
            **self.listed(),
            "tag_list": list(self.tag_list),
            "run_untagged": self.run_untagged,
            "locked": self.locked,
            "maintenance_note": self.maintenance_note,
            "contacted_at": max(contacts, default=None),
            "access_level": self.access_level,
            "created_at": self.created_at,
            "token_expires_at": self.token_expires_at,
        }


@dataclass(frozen=True, slots=True)
class User:
    """Whose a personal access token is, and what it opens."""

    scopes: frozenset[str]
    groups: frozenset[int] = frozenset()
    """The groups that its user owns."""
    is_admin: bool = False
    is_maintainer: bool = True
    """Of the projects of all jobs; else a Developer."""

    def may(self, *scopes: str) -> bool:
        """Tell whether the token has one of these scopes; `api` has all."""
        return "api" in self.scopes or not self.scopes.isdisjoint(scopes)


class Registry:
    """All runners and all tokens."""

    def __init__(self) -> None:
        self.rows: dict[int, RunnerRow] = {}
        self.users: dict[str, User] = {}
        self.last_id = 0
        # By how many seconds GitLab's clock is ahead of this machine's.
        self.clock_offset = 0.0

    def now(self) -> dt.datetime:
        """Return what the time is for GitLab."""
        return dt.datetime.now(dt.UTC) + dt.timedelta(seconds=self.clock_offset)

    def next_id(self) -> int:
        """Return an id that nothing else here has."""
        self.last_id += 1
        return self.last_id

    def add(self, values: Mapping[str, object]) -> RunnerRow:
        """Create a runner."""
        row = RunnerRow(self.next_id(), f"glrt-{secrets.token_hex(10)}")
        for name, value in values.items():
            setattr(row, name, value)
        self.rows[row.id] = row
        return row

    def add_user(
        self,
        scopes: Collection[str],
        *,
        groups: Collection[int] = (),
        is_admin: bool = False,
        is_maintainer: bool = True,
    ) -> str:
        """Return a new token of these scopes."""
        token = f"glpat-{secrets.token_hex(10)}"
        self.users[token] = User(frozenset(scopes), frozenset(groups), is_admin, is_maintainer)
        return token

    def of_token(self, token: object) -> RunnerRow | None:
        """Return the runner of a token."""
        return next((row for row in tuple(self.rows.values()) if row.token == token), None)

    def contact(self, row: RunnerRow, said: Mapping[str, object]) -> None:
        """Note that a host has called for a runner."""
        system_id = str(said.get("system_id") or LEGACY)
        info = said.get("info")
        now = self.now().isoformat()
        manager = row.managers.get(system_id)
        if manager is None:
            told = info if isinstance(info, dict) else {}
            row.managers[system_id] = Manager(self.next_id(), system_id, told, now)
        else:
            # What the host says of itself by now reaches the database most of an hour later.
            manager.contacted_at = now

    def hear(self, runner_id: int, system_id: str) -> None:
        """Note that a host has called about a job of it, if it is known."""
        row = self.rows.get(runner_id)
        if row and (manager := row.managers.get(system_id)):
            manager.contacted_at = self.now().isoformat()
