"""The runners' half of GitLab's API, with scopes and both kinds of pages: no I/O."""

import re
import secrets
from collections.abc import Callable, Mapping, Sequence
from http import HTTPStatus
from urllib.parse import parse_qs, unquote, urlencode

from tests.gitlab.answers import answer_json, listed, message, user_of
from tests.gitlab.jobs import Job
from tests.gitlab.registry import Registry, RunnerRow, User
from tests.web import Answer, Request

_VERSION = "19.3.0"
_WRITABLE = ("paused", "description", "maintenance_note", "tag_list", "run_untagged", "locked")
# What group 7 is called; the stand-in has no other.
_GROUP = (7, "platform/builders")

_Handler = Callable[[Request, re.Match[str]], Answer]


class RunnersApi:
    """What users and runners may ask about runners."""

    def __init__(
        self, registry: Registry, jobs: Mapping[int, Job], address: Callable[[], str]
    ) -> None:
        self._registry = registry
        self._jobs = jobs
        self._address = address

    def answer(self, request: Request) -> Answer | None:
        """Return the answer to a request that is one about runners."""
        for method, pattern, handler in self._routes():
            match = re.fullmatch(rf"/api/v4/{pattern}", request.path)
            if match and method == request.method:
                return handler(request, match)
        return None

    def _routes(self) -> tuple[tuple[str, str, _Handler], ...]:
        return (
            ("POST", r"runners/verify", self._verify),
            ("DELETE", r"runners", self._delete_own),
            ("DELETE", r"runners/managers", self._delete_manager),
            ("POST", r"user/runners", self._create),
            ("GET", r"personal_access_tokens/self", self._tell_token),
            ("GET", r"version", self._tell_version),
            ("GET", r"groups/([^/]+)", self._tell_group),
            ("GET", r"(?:runners(?:/all)?|(?:groups|projects)/[^/]+/runners)", self._list),
            ("GET", r"runners/(\d+)", self._tell),
            ("PUT", r"runners/(\d+)", self._change),
            ("DELETE", r"runners/(\d+)", self._delete),
            ("GET", r"runners/(\d+)/managers", self._list_managers),
            ("GET", r"runners/(\d+)/jobs", self._list_jobs),
            ("POST", r"runners/(\d+)/reset_authentication_token", self._reset),
        )

    # --- what a runner's own token may do ---------------------------------------------------------

    def _verify(self, request: Request, _: re.Match[str]) -> Answer:
        said = request.json()
        row = self._registry.of_token(said.get("token"))
        if row is None:
            return message(HTTPStatus.FORBIDDEN, "403 Forbidden")
        self._registry.contact(row, said)
        return answer_json(
            {"id": row.id, "token": row.token, "token_expires_at": row.token_expires_at}
        )

    def _delete_own(self, request: Request, _: re.Match[str]) -> Answer:
        row = self._registry.of_token(request.json().get("token"))
        if row is None:
            return message(HTTPStatus.FORBIDDEN, "403 Forbidden")
        del self._registry.rows[row.id]
        return Answer(HTTPStatus.NO_CONTENT)

    def _delete_manager(self, request: Request, _: re.Match[str]) -> Answer:
        said = request.json()
        row = self._registry.of_token(said.get("token"))
        if row is None:
            return message(HTTPStatus.FORBIDDEN, "403 Forbidden")
        if row.managers.pop(str(said.get("system_id")), None) is None:
            return message(HTTPStatus.NOT_FOUND, "404 Not found")
        return Answer(HTTPStatus.NO_CONTENT)

    # --- what a user's token may do ---------------------------------------------------------------

    def _user(self, request: Request, *scopes: str) -> User | Answer:
        return user_of(self._registry, request, *scopes)

    def _create(self, request: Request, _: re.Match[str]) -> Answer:
        user = self._user(request, "create_runner")
        if isinstance(user, Answer):
            return user
        asked = request.json()
        kind = asked.get("runner_type")
        place = {"group_type": "group_id", "project_type": "project_id"}.get(str(kind))
        if kind not in ("instance_type", "group_type", "project_type"):
            return answer_json({"error": "runner_type is missing"}, HTTPStatus.BAD_REQUEST)
        if place and place not in asked:
            return answer_json({"error": f"{place} is missing"}, HTTPStatus.BAD_REQUEST)
        if not (asked.get("tag_list") or asked.get("run_untagged", True)):
            wrong = {
                "tags_list": ["can not be empty when runner is not allowed to pick untagged jobs"]
            }
            return answer_json({"message": wrong}, HTTPStatus.BAD_REQUEST)
        allowed = user.is_admin or (place == "group_id" and asked["group_id"] in user.groups)
        if not allowed:
            return message(HTTPStatus.FORBIDDEN, "403 Forbidden")
        tags = asked.get("tag_list", ())
        values = {name: asked[name] for name in _WRITABLE if name in asked}
        values |= {"runner_type": kind, "tag_list": tuple(tags if isinstance(tags, list) else ())}
        if place:
            values[place] = asked[place]
        row = self._registry.add(values)
        told = {"id": row.id, "token": row.token, "token_expires_at": row.token_expires_at}
        return answer_json(told, HTTPStatus.CREATED)

    def _tell_token(self, request: Request, _: re.Match[str]) -> Answer:
        user = self._user(request)
        if isinstance(user, Answer):
            return user
        told = {"id": 1, "name": "tests", "active": True, "revoked": False, "expires_at": None}
        return answer_json({**told, "scopes": sorted(user.scopes)})

    def _tell_version(self, request: Request, _: re.Match[str]) -> Answer:
        user = self._user(request, "read_user", "read_api")
        if isinstance(user, Answer):
            return user
        return answer_json({"version": _VERSION, "revision": "0123abc"})

    def _tell_group(self, request: Request, match: re.Match[str]) -> Answer:
        user = self._user(request, "read_api")
        if isinstance(user, Answer):
            return user
        if unquote(match[1]) not in map(str, _GROUP):
            return message(HTTPStatus.NOT_FOUND, "404 Group Not Found")
        return answer_json({"id": _GROUP[0], "full_path": _GROUP[1]})

    def _list(self, request: Request, _: re.Match[str]) -> Answer:
        user = self._user(request, "read_api")
        if isinstance(user, Answer):
            return user
        asked = _query(request)
        rows = [each for each in tuple(self._registry.rows.values()) if _is_meant(each, asked)]
        return self._page(request, [row.listed() for row in rows])

    def _tell(self, request: Request, match: re.Match[str]) -> Answer:
        row = self._row(request, match, "read_api", "manage_runner")
        return row if isinstance(row, Answer) else answer_json(row.described())

    def _change(self, request: Request, match: re.Match[str]) -> Answer:
        row = self._row(request, match, "manage_runner")
        if isinstance(row, Answer):
            return row
        for name, value in request.json().items():
            if name in _WRITABLE:
                setattr(row, name, value)
        return answer_json(row.described())

    def _delete(self, request: Request, match: re.Match[str]) -> Answer:
        row = self._row(request, match, "manage_runner")
        if isinstance(row, Answer):
            return row
        del self._registry.rows[row.id]
        return Answer(HTTPStatus.NO_CONTENT)

    def _reset(self, request: Request, match: re.Match[str]) -> Answer:
        row = self._row(request, match, "manage_runner")
        if isinstance(row, Answer):
            return row
        row.token = f"glrt-{secrets.token_hex(10)}"
        return answer_json(
            {"token": row.token, "token_expires_at": row.token_expires_at}, HTTPStatus.CREATED
        )

    def _list_managers(self, request: Request, match: re.Match[str]) -> Answer:
        row = self._row(request, match, "read_api", "manage_runner")
        if isinstance(row, Answer):
            return row
        return answer_json([each.described() for each in row.managers.values()])

    def _list_jobs(self, request: Request, match: re.Match[str]) -> Answer:
        row = self._row(request, match, "read_api", "manage_runner")
        if isinstance(row, Answer):
            return row
        asked = _query(request)
        # As GitLab has them in lists: without the host that a job runs on.
        found = [
            listed(job, self._address())
            for job in sorted(self._jobs.values(), key=lambda each: -each.id)
            if job.runner_id in (0, row.id)
            and job.runner_manager
            and asked.get("system_id", job.runner_manager) == job.runner_manager
            and asked.get("status", job.status) == job.status
        ]
        return self._page(request, found)

    def _row(self, request: Request, match: re.Match[str], *scopes: str) -> RunnerRow | Answer:
        user = self._user(request, *scopes)
        if isinstance(user, Answer):
            return user
        row = self._registry.rows.get(int(match[1]))
        return message(HTTPStatus.NOT_FOUND, "404 Not found") if row is None else row

    def _page(self, request: Request, things: Sequence[Mapping[str, object]]) -> Answer:
        """Return a part of a list: by numbers of pages, or behind a cursor where that is asked."""
        asked = _query(request)
        size = int(asked.get("per_page", "20"))
        if asked.get("pagination") == "keyset":
            before = int(asked.get("cursor", str(2**62)))
            left = [each for each in things if int(str(each["id"])) < before]
            following = {"cursor": str(left[size - 1]["id"])} if len(left) > size else {}
            shown, headers = left[:size], {}
        else:
            page = int(asked.get("page", "1"))
            shown = list(things[(page - 1) * size : page * size])
            following = {"page": str(page + 1)} if page * size < len(things) else {}
            headers = {"X-Next-Page": following.get("page", ""), "X-Total": str(len(things))}
        if following:
            query = urlencode({**asked, **following})
            headers["Link"] = f'<{self._address()}{request.path}?{query}>; rel="next"'
        return answer_json(shown, headers=headers)


def _is_meant(row: RunnerRow, asked: Mapping[str, str]) -> bool:
    tags = asked.get("tag_list", "")
    return (
        asked.get("type", row.runner_type) == row.runner_type
        and asked.get("paused", str(row.paused).lower()) == str(row.paused).lower()
        and set(filter(None, tags.split(","))) <= set(row.tag_list)
    )


def _query(request: Request) -> dict[str, str]:
    return {name: values[-1] for name, values in parse_qs(request.query).items()}
