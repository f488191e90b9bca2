"""GitLab's API for commands: asked again where that is safe, in pages, refusals as sentences.

A GET is asked again after a fault or a limit, as long as the budget of the client lasts.  Whatever
changes something is sent once: only its caller knows whether it may be sent twice.
"""

import json
import random
import time
from collections.abc import Callable, Iterator, Mapping
from typing import NamedTuple
from urllib.parse import parse_qsl, urlsplit

from executor.commands.gitlab.line import Line, Reply, moment, retry_after
from executor.excerpts import excerpt
from executor.redaction import redact

BUDGET_SECONDS = 120.0
"""How long a client may wait between tries, in all."""
_LONGEST_WAIT_SECONDS = 60.0
_FIRST_WAIT_SECONDS = 0.5
_MOST_TRIES = 6
_MOST_BYTES = 8 << 20
_MOST_PAGES = 10_000
_PER_PAGE = 100

_REFUSED, _FORBIDDEN, _NOT_FOUND, _TOO_MANY = 401, 403, 404, 429
_TRANSIENT = frozenset((408, 429, 500, 502, 503, 504))


class GitLabFailed(Exception):
    """GitLab did not do what it was asked; the text is a sentence, without what is secret."""

    def __init__(self, sentence: str, status: int = 0, *, is_gitlabs: bool = True) -> None:
        """Take the sentence, the status, 0 where nothing came that counts, and who has said so."""
        super().__init__(sentence)
        self.status = status
        self.is_gitlabs = is_gitlabs
        """Whether it is GitLab's own word, and not that of a proxy in its place."""

    @property
    def may_be_done(self) -> bool:
        """Tell whether what was asked for may have been done although nothing said so."""
        return self.status == 0 or self.status >= 500  # noqa: PLR2004 (the servers' own faults)


class Need(NamedTuple):
    """What a call takes at least."""

    scope: str
    role: str = ""
    """Of the token's user, and where: "the role Owner in the group 7"."""

    @property
    def text(self) -> str:
        """Return it as words behind "it needs"."""
        role = f", and its user {self.role}" if self.role else ""
        return f"the scope `{self.scope}`{role}"


class Client:
    """One GitLab, asked with one token; for one thread."""

    def __init__(
        self,
        url: str,
        token: str,
        named: str = "the token",
        *,
        budget_seconds: float = BUDGET_SECONDS,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        """Take the address and a token of a user; `named` is what sentences call it."""
        self.url = url.rstrip("/")
        self.now: float | None = None
        """What the time was for GitLab when it answered last; None where it has not said."""
        self._named = named
        self._secrets = [token]
        self._left = budget_seconds
        self._sleep = sleep
        self._line = Line(self.url, token=token, most_bytes=_MOST_BYTES)

    def get(self, path: str, need: Need, **query: object) -> object:
        """Return what a GET tells; raises GitLabFailed."""
        return self._told(self._asked(path, need, query))

    def pages(self, path: str, need: Need, **query: object) -> Iterator[object]:
        """Yield each thing of a list, page by page, whichever kind of pages GitLab has for it.

        Raises GitLabFailed, also in the middle: a list that is not whole is never passed off as one.
        """
        query = {"per_page": _PER_PAGE, **query}
        for _ in range(_MOST_PAGES):
            reply = self._asked(path, need, query)
            things = self._told(reply)
            if not isinstance(things, list):
                raise GitLabFailed(f"GitLab at {self.url} answers {path} with no list.")
            yield from things
            following = _next_query(reply)
            if following is None:
                return
            if following == query:
                break
            query = following
        raise GitLabFailed(f"GitLab at {self.url} has pages without end for {path}.")

    def post(self, path: str, need: Need, data: Mapping[str, object]) -> object:
        """Return what a POST tells; it is sent once.  Raises GitLabFailed."""
        return self._told(self._sent("post", path, need, data))

    def put(self, path: str, need: Need, data: Mapping[str, object]) -> object:
        """Return what a PUT tells; it is sent once.  Raises GitLabFailed."""
        return self._told(self._sent("put", path, need, data))

    def delete(self, path: str, need: Need, data: Mapping[str, object] | None = None) -> None:
        """Delete a thing, in one request; what is not there any more is deleted.

        What identifies it otherwise than by the path is in the body: URLs are logged.
        Raises GitLabFailed.
        """
        try:
            self._sent("delete", path, need, data)
        except GitLabFailed as error:
            if error.status != _NOT_FOUND:
                raise

    def _sent(self, verb: str, path: str, need: Need, data: Mapping[str, object] | None) -> Reply:
        if data and "token" in data:
            self._secrets.append(str(data["token"]))
        reply = self._line.exchange(verb, path, data=data)
        self._check(reply, path, need)
        return reply

    def _asked(self, path: str, need: Need, query: Mapping[str, object]) -> Reply:
        """Return the reply to a GET, asked as often as it takes within the budget."""
        wait = _FIRST_WAIT_SECONDS
        reply = self._line.exchange("get", path, query)
        for _ in range(_MOST_TRIES - 1):
            if reply.status and reply.status not in _TRANSIENT:
                break
            seconds = retry_after(reply, time.time())
            if seconds is None:
                seconds = wait * random.uniform(0.5, 1.0)  # noqa: S311 (no secret)
            # Waiting for less than GitLab asks for would be one more refusal.
            if seconds > min(self._left, _LONGEST_WAIT_SECONDS):
                break
            self._left -= seconds
            self._sleep(seconds)
            wait *= 2
            reply = self._line.exchange("get", path, query)
        self._check(reply, path, need)
        return reply

    def _check(self, reply: Reply, path: str, need: Need) -> None:
        """Raise GitLabFailed where a reply is no success."""
        status = reply.status
        if not status:
            raise GitLabFailed(f"{reply.reason}.")
        if 200 <= status < 300:  # noqa: PLR2004 (the statuses of success)
            self.now = moment(reply.headers.get("date", ""))
            return
        is_gitlabs = _object(reply) is not None
        raise GitLabFailed(f"{self._refusal(reply, path, need)}.", status, is_gitlabs=is_gitlabs)

    def _refusal(self, reply: Reply, path: str, need: Need) -> str:
        status, where = reply.status, f"GitLab at {self.url}"
        if status == _TOO_MANY:
            seconds = retry_after(reply, time.time())
            when = "in some minutes" if seconds is None else f"in {seconds:.0f} seconds"
            return f"{where} limits how often it is asked (429): try again {when}"
        said = _object(reply)
        if said is None:
            return (
                f"{where} answers {path} with HTTP {status} and something that is not GitLab's API,"
                " such as the page of a proxy: check the address"
            )
        if status == _REFUSED:
            return f"{where} does not know {self._named}: check that it has not expired"
        if status == _FORBIDDEN:
            return f"{where} refuses {self._named}: it needs {need.text}"
        if status == _NOT_FOUND:
            return (
                f"{where} shows no {path} to {self._named}: check that it exists; the token needs"
                f" {need.text}"
            )
        words = self._words(said)
        return f"{where} answers {path} with HTTP {status}{f': {words}' if words else ''}"

    def _words(self, said: Mapping[str, object]) -> str:
        """Return what GitLab says is wrong, as far as a sentence may quote it."""
        words = said.get("message") or said.get("error") or ""
        text = words if isinstance(words, str) else json.dumps(words, ensure_ascii=False)
        text = "".join(c if c.isprintable() else " " for c in text)
        return excerpt(redact(text, self._secrets)).strip(". ")

    def _told(self, reply: Reply) -> object:
        """Return what the body says, None for one without; raises GitLabFailed for a page."""
        if not reply.body:
            return None
        if reply.content_type == "application/json":
            try:
                told: object = json.loads(reply.body)
            except (ValueError, RecursionError):
                pass
            else:
                return told
        raise GitLabFailed(
            f"GitLab at {self.url} answers {reply.status} with something that is not GitLab's API,"
            " such as a login page: check the address."
        )


def _object(reply: Reply) -> Mapping[str, object] | None:
    if reply.content_type != "application/json":
        return None
    try:
        said = json.loads(reply.body)
    except (ValueError, RecursionError):
        return None
    return said if isinstance(said, dict) else None


def _next_query(reply: Reply) -> dict[str, object] | None:
    """Return what asks for the next page, None after the last one.

    GitLab names it by an address of its own, which may be another than the one that it is reached by:
    only what is asked there counts.
    """
    from requests.utils import parse_header_links

    for link in parse_header_links(reply.headers.get("link", "")):
        if link.get("rel") == "next":
            return dict(parse_qsl(urlsplit(str(link.get("url", ""))).query))
    return None
