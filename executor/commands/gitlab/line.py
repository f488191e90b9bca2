"""One exchange with GitLab's API: one request, and what came back, bounded in time and size.

No redirect is followed: it could take the token to another host.  Nobody else's password is sent: .netrc
is not read.  No error says what a server said.
"""

from collections.abc import Mapping
from io import BytesIO
from typing import TYPE_CHECKING, Any, NamedTuple, cast
from urllib.parse import urlsplit

from executor.bounds import whole_number
from executor.sweep.gitlab_api import CERTIFICATES, tls_context

if TYPE_CHECKING:
    from gitlab import Gitlab
    from requests import PreparedRequest, Response, Session

_CONNECT_SECONDS, _READ_SECONDS = 5.0, 30.0
_ANSWER_SECONDS = 60.0
"""How long a whole answer may take, also one that comes byte by byte."""
_MOST_BYTES = 1 << 20
_DAY = 24 * 3600


class Reply(NamedTuple):
    """What came back; a status of 0 stands for nothing, and `reason` says why."""

    status: int
    headers: Mapping[str, str]
    """By name in lower case."""
    body: bytes = b""
    reason: str = ""

    @property
    def content_type(self) -> str:
        """Return the kind of the body, without its parameters."""
        return self.headers.get("content-type", "").partition(";")[0].strip().lower()


class Line:
    """A connection to one GitLab with one token of either kind; for one thread."""

    def __init__(
        self,
        url: str,
        *,
        token: str = "",
        job_token: str = "",
        authorities: str = "",
        most_bytes: int = _MOST_BYTES,
    ) -> None:
        """Take the address and a token; nothing is sent yet.

        `authorities` are certificates in PEM besides the host's and gitlab-runner's.
        """
        self._url = url
        self._token, self._job_token = token, job_token
        self._authorities = authorities
        self._most_bytes = most_bytes
        self._open: Session | None = None
        self._came: list[Reply] = []

    def exchange(
        self,
        verb: str,
        path: str,
        query: Mapping[str, object] | None = None,
        data: Mapping[str, object] | None = None,
    ) -> Reply:
        """Send one request; return what comes in time."""
        import threading

        replies: list[Reply] = []

        def ask() -> None:
            replies.append(self._asked(verb, path, query, data))

        asking = threading.Thread(target=ask, daemon=True)
        asking.start()
        asking.join(_ANSWER_SECONDS)
        if replies:
            return replies[0]
        # What is under way goes on with the old connection, and ends with the command.
        self._open, self._came = None, []
        return self._silent("does not answer in time")

    def _asked(
        self,
        verb: str,
        path: str,
        query: Mapping[str, object] | None,
        data: Mapping[str, object] | None,
    ) -> Reply:
        import gitlab
        import requests

        came = self._came
        came.clear()
        try:
            client = self._client(self._session(came))
            client.http_request(
                verb,
                path,
                query_data=dict(query or {}),
                post_data=None if data is None else dict(data),
                streamed=True,
                obey_rate_limit=False,
                max_retries=0,
            )
        except requests.TooManyRedirects:
            return self._silent("sends elsewhere, such as to a login page")
        except requests.exceptions.SSLError:
            return self._silent(
                "has a certificate that is not trusted: put its authority into"
                f" {CERTIFICATES}/<host>.crt"
            )
        except gitlab.GitlabError:
            pass  # whatever it is, the reply says more
        except (requests.RequestException, OSError, ValueError):
            return self._silent("does not answer")
        return came[-1] if came else self._silent("does not answer")

    def _session(self, came: list[Reply]) -> "Session":
        """Return the connection; raises OSError where there is a certificate that cannot be read."""
        import requests

        if self._open is not None:
            return self._open

        def take(response: "Response", **_: object) -> None:
            """Keep what came, and have an answer end where it is longer than any that counts."""
            body = response.raw.read(self._most_bytes, decode_content=True)
            if response.raw.read(1):
                response.raw.close()  # what is left would be read as the next answer
            response.raw = BytesIO(body)
            headers = {name.lower(): value for name, value in response.headers.items()}
            came.append(Reply(response.status_code, headers, body))

        session = requests.Session()
        session.max_redirects = 0
        # Without a token, requests would send the user and the password of a .netrc.
        session.auth = _as_it_is
        session.hooks["response"].append(take)
        self._trust(session)
        self._open = session
        return session

    def _trust(self, session: "Session") -> None:
        """Trust the authorities that gitlab-runner trusts for this GitLab, and the system's."""
        from requests.adapters import HTTPAdapter

        if not self._url.startswith("https://"):
            return
        context = tls_context(urlsplit(self._url).hostname or "", self._authorities)

        class Trusting(HTTPAdapter):
            def init_poolmanager(self, *args: Any, **more: Any) -> None:  # noqa: ANN401
                super().init_poolmanager(*args, **more, ssl_context=context)

            def proxy_manager_for(self, *args: Any, **more: Any) -> Any:  # noqa: ANN401
                return super().proxy_manager_for(*args, **more, ssl_context=context)

        session.mount("https://", Trusting())

    def _client(self, session: "Session") -> "Gitlab":
        import gitlab

        return gitlab.Gitlab(
            self._url,
            private_token=self._token or None,
            job_token=self._job_token or None,
            user_agent="dind-executor",
            # requests takes two: until there is a connection, and between two pieces of an answer.
            timeout=cast("float", (_CONNECT_SECONDS, _READ_SECONDS)),
            session=session,
        )

    def _silent(self, what: str) -> Reply:
        return Reply(0, {}, reason=f"GitLab at {self._url} {what}")


def _as_it_is(request: "PreparedRequest") -> "PreparedRequest":
    return request


def retry_after(reply: Reply, now: float) -> float | None:
    """Return after how many seconds GitLab wants to be asked again, None where it does not say.

    The header is a number of seconds or a date.
    """
    text = reply.headers.get("retry-after", "").strip()
    seconds = whole_number(text, _DAY)
    if seconds is not None:
        return float(seconds)
    at = moment(text)
    return None if at is None else min(max(at - now, 0.0), float(_DAY))


def moment(text: str) -> float | None:
    """Return seconds since the epoch of a date as headers have it, None for something else."""
    if not text[:1].isalpha():
        return None
    from email.utils import parsedate_to_datetime  # noqa: PLC0415 (only commands about GitLab)

    try:
        return parsedate_to_datetime(text).timestamp()
    except (ValueError, OverflowError):
        return None
