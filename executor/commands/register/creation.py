"""The runner in GitLab: created once for a host, and deleted again where the rest fails."""

import hashlib
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple
from urllib.parse import quote

from executor.bounds import whole_number
from executor.commands.gitlab.client import Client, GitLabFailed, Need
from executor.commands.gitlab.tokens import runners_mistake

SCOPE = "create_runner"
_READING = ("api", "read_api")
_MARK = "Made by `dind-executor register` on the host"


class Wanted(NamedTuple):
    """The runner to create."""

    name: str
    kind: str
    """GitLab's word: instance_type, group_type or project_type."""
    place: str = ""
    """The number or the path of the group or project."""
    tags: tuple[str, ...] = ()
    untagged: bool = False
    protected: bool = False


class Created(NamedTuple):
    """The runner that was created."""

    id: int
    token: str

    def __repr__(self) -> str:
        """Name the runner without its token."""
        return f"Created({self.id})"


class Creation:
    """Creates a runner in one GitLab, with the token of a user."""

    def __init__(self, client: Client, wanted: Wanted, machine: str) -> None:
        """Take what is wanted, and what tells this host from others."""
        self._client, self._wanted = client, wanted
        self._note = f"{_MARK} {machine}."
        self._place: int | None = None

    def check(self) -> None:
        """See that the token may create it, and that it was not created before.

        Raises GitLabFailed.
        """
        scopes = self._scopes()
        if scopes is not None and not {"api", SCOPE} & set(scopes):
            raise GitLabFailed(
                f"The token for GitLab has the scopes {', '.join(scopes) or 'of nothing'}: creating"
                f" a runner needs `{SCOPE}`."
            )
        self._place = self._number()
        if scopes is None or set(_READING) & set(scopes):
            self._find()

    def create(self) -> Created:
        """Create it; raises GitLabFailed, whose sentence says what may stand."""
        wanted, kind = self._wanted, self._wanted.kind
        data: dict[str, object] = {
            "runner_type": kind,
            "description": wanted.name,
            "maintenance_note": self._note,
            "run_untagged": wanted.untagged or not wanted.tags,
            "access_level": "ref_protected" if wanted.protected else "not_protected",
        }
        if wanted.tags:
            data["tag_list"] = list(wanted.tags)
        place = self._number() if self._place is None else self._place
        if place is not None:
            data["group_id" if kind == "group_type" else "project_id"] = place
        try:
            told = self._client.post("/user/runners", self._need(), data)
        except GitLabFailed as error:
            if not error.may_be_done:
                raise
            raise GitLabFailed(
                f"{error} Perhaps the runner {wanted.name!r} was created nevertheless: look into"
                " GitLab, and delete it there before you try again.",
                error.status,
            ) from None
        number = told.get("id") if isinstance(told, Mapping) else None
        token = told.get("token") if isinstance(told, Mapping) else None
        if not isinstance(number, int) or not isinstance(token, str) or runners_mistake(token):
            raise GitLabFailed("GitLab answers the creation of a runner without its token.")
        return Created(number, token)

    def _scopes(self) -> list[str] | None:
        """Return the scopes of the token, None where this GitLab does not tell them."""
        try:
            told = self._client.get("/personal_access_tokens/self", Need(SCOPE))
        except GitLabFailed as error:
            if error.status in (403, 404):
                return None
            raise
        scopes = told.get("scopes") if isinstance(told, Mapping) else None
        return [str(each) for each in scopes] if isinstance(scopes, list) else None

    def _number(self) -> int | None:
        """Return the number of the group or project."""
        wanted = self._wanted
        if wanted.kind == "instance_type":
            return None
        number = whole_number(wanted.place)
        if number is not None:
            return number
        what = "group" if wanted.kind == "group_type" else "project"
        need = Need("read_api", f"needs to see the {what}. Or give the {what}'s number, which"
                                " needs no more than `create_runner`")  # fmt: skip
        told = self._client.get(f"/{what}s/{quote(wanted.place, safe='')}", need)
        number = told.get("id") if isinstance(told, Mapping) else None
        if not isinstance(number, int):
            raise GitLabFailed(f"GitLab tells no number of the {what} {wanted.place}.")
        return number

    def _find(self) -> None:
        """Raise GitLabFailed where the runner is there already, as a call that was killed left it.

        Its token is shown once only, so there is no use for it.
        """
        paths = {
            "instance_type": "/runners/all",
            "group_type": f"/groups/{self._place}/runners",
            "project_type": f"/projects/{self._place}/runners",
        }
        need = Need("read_api")
        with suppress(_NotSeen):
            for each in self._seen(paths[self._wanted.kind], need):
                if not isinstance(each, Mapping) or each.get("description") != self._wanted.name:
                    continue
                told = self._client.get(f"/runners/{each.get('id')}", need)
                if isinstance(told, Mapping) and told.get("maintenance_note") == self._note:
                    raise GitLabFailed(
                        f"GitLab has the runner {self._wanted.name!r} of this host already (number"
                        f" {each.get('id')}), and shows its token to nobody. If config.toml has it"
                        " not, delete it in GitLab and try again; or choose another --name."
                    )

    def _seen(self, path: str, need: Need) -> list[object]:
        """Return the runners of the place; raises _NotSeen where the token's user may not list them."""
        try:
            return list(self._client.pages(path, need, type=self._wanted.kind))
        except GitLabFailed as error:
            if error.status in (401, 403, 404):
                raise _NotSeen from None
            raise

    def _need(self) -> Need:
        place = self._wanted.place
        roles = {
            "instance_type": "must be an administrator of GitLab",
            "group_type": f"needs the role Owner in the group {place}",
            "project_type": f"needs the role Maintainer or Owner in the project {place}",
        }
        return Need(SCOPE, roles[self._wanted.kind])


class _NotSeen(Exception):
    """Nobody can say whether the runner is there: it is created then."""


def delete(url: str, token: str) -> str:
    """Delete a runner by its own token; return what went wrong, or ""."""
    try:
        Client(url, "", "the new runner's token").delete("/runners", Need(SCOPE), {"token": token})
    except GitLabFailed as error:
        return str(error)
    return ""


def this_machine(root: Path = Path("/")) -> str:
    """Return what tells this host from others, and tells nothing else."""
    try:
        text = (root / "etc/machine-id").read_text(encoding="ascii").strip()
    except (OSError, UnicodeDecodeError):
        return "without a machine id"
    return hashlib.sha256(f"dind-executor register {text}".encode()).hexdigest()[:16]
