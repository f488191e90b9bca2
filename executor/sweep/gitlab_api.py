"""Requests to GitLab's API with a job's token, bounded in time and size.

Loaded only where a dead gitlab-runner has left a payload.  No error says what a server said, or
where it wanted to send us: it may repeat the token.
"""

import os
import socket
import time
from collections.abc import Mapping
from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import urljoin, urlsplit

from executor.sweep.proxy import Proxy, UnknownProxy, proxy_for

if TYPE_CHECKING:
    import http.client
    import ssl

CERTIFICATES = "/etc/gitlab-runner/certs"
"""Where gitlab-runner looks for `<host>.crt`, and for its own certificate to show."""

_NO_SERVER = "it does not answer as a web server does, or breaks off"
_TOO_LATE = "it does not answer in time"
_MOST_BYTES = 1 << 20
_MOST_REDIRECTS = 2
_REDIRECTS = (301, 302, 307, 308)
_PORTS = {"http": 80, "https": 443}


class Unreachable(Exception):
    """GitLab cannot be asked; the text says why."""


class Answer(NamedTuple):
    """What GitLab said."""

    status: int
    content_type: str
    job_status: str
    stream_range: str
    location: str
    body: bytes


class GitLabApi:
    """GitLab at one address, asked for one job until a deadline."""

    def __init__(
        self,
        url: str,
        token: str,
        deadline: float,
        *,
        authorities: str = "",
        certificates: str = CERTIFICATES,
        environ: Mapping[str, str],
    ) -> None:
        """Take GitLab's base URL, and the moment of `time.monotonic` after which nothing is sent.

        `authorities` are certificates in PEM, `certificates` is the directory with others,
        `environ` names the proxies.
        """
        self._url, self._token, self._deadline = url, token, deadline
        self._authorities, self._certificates = authorities, certificates
        self._environ = environ
        self._socket: socket.socket | None = None
        self._is_given_up = False

    def get(self, path: str) -> Answer:
        """Return the answer to a GET, also from where GitLab moved to on the same host."""
        for _ in range(_MOST_REDIRECTS):
            answer = self.send("GET", path)
            if answer.status not in _REDIRECTS:
                return answer
            self._follow(answer.location, path)
        return self.send("GET", path)

    def send(
        self, method: str, path: str, body: bytes = b"", headers: Mapping[str, str] | None = None
    ) -> Answer:
        """Return the answer to a request; raises Unreachable."""
        import http.client

        connection = None
        try:
            parts = urlsplit(self._url)
            host, port = parts.hostname or "", parts.port or _PORTS[parts.scheme]
            proxy = proxy_for(parts.scheme, host, port, self._environ)
            connection = self._connection(parts.scheme, host, port, proxy)
            sent = {"JOB-TOKEN": self._token, "User-Agent": "dind-executor", **(headers or {})}
            target = f"{parts.path}/api/v4{path}"
            if proxy and parts.scheme == "http":
                target = f"http://{parts.netloc}{target}"
                sent |= _credentials(proxy)
            self._left()
            connection.request(method, target, body or None, sent)
            with connection.getresponse() as response:
                answer = _read(response)
            self._left()
        except UnknownProxy:
            raise Unreachable("the proxy of the environment is of an unknown kind") from None
        except TimeoutError:
            raise Unreachable(_TOO_LATE) from None
        except (OSError, ValueError, http.client.HTTPException) as error:
            raise Unreachable(_TOO_LATE if self._is_given_up else _why(error)) from None
        else:
            return answer
        finally:
            if connection is not None:
                connection.close()

    def give_up(self) -> None:
        """End a request that is under way, from another thread; nothing more is sent."""
        self._is_given_up = True
        if self._socket is not None:
            try:
                # Of TLS too: its own method would take from the other thread what it works with.
                socket.socket.shutdown(self._socket, socket.SHUT_RDWR)
            except OSError:
                return  # it has ended

    def _left(self) -> float:
        """Return how many seconds there are left; raises TimeoutError where there are none."""
        left = self._deadline - time.monotonic()
        if left <= 0 or self._is_given_up:
            raise TimeoutError
        return left

    def _connection(
        self, scheme: str, host: str, port: int, proxy: Proxy | None
    ) -> "http.client.HTTPConnection":
        """Return an open connection; raises OSError or HTTPException."""
        import http.client

        place = (proxy.host, proxy.port) if proxy else (host, port)
        connection: http.client.HTTPConnection
        if scheme == "https":
            connection = http.client.HTTPSConnection(
                *place,
                timeout=self._left(),
                context=tls_context(host, self._authorities, self._certificates),
            )
        else:
            connection = http.client.HTTPConnection(*place, timeout=self._left())
        if proxy and scheme == "https":
            connection.set_tunnel(host, port, _credentials(proxy))
        connection.connect()
        self._socket = connection.sock
        connection.sock.settimeout(self._left())
        return connection

    def _follow(self, location: str, path: str) -> None:
        """Go where GitLab says that it is, on the same host; raises Unreachable for another one."""
        suffix = f"/api/v4{path}"
        try:
            old = urlsplit(self._url)
            new = urlsplit(urljoin(f"{self._url}{suffix}", location))
            old_port, new_port = old.port, new.port
        except ValueError:
            raise Unreachable("it redirects to no address") from None
        is_same = (old.scheme, old_port) == (new.scheme, new_port)
        is_safer = (old.scheme, new.scheme) == ("http", "https") and new_port is None
        if old.hostname != new.hostname or not (is_same or is_safer):
            raise Unreachable("it redirects to another host, which does not get the job's token")
        if new.query or new.fragment or not new.path.endswith(suffix):
            raise Unreachable("it redirects to a page")
        self._url = f"{new.scheme}://{new.netloc.rpartition('@')[2]}{new.path.removesuffix(suffix)}"


def tls_context(host: str, authorities: str, certificates: str = CERTIFICATES) -> "ssl.SSLContext":
    """Return what certificates are checked with; raises OSError, as SSLError is one."""
    import ssl

    context = ssl.create_default_context()
    # gitlab-runner's own chain may stop at an authority that is not its own one.
    context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
    if authorities:
        # Any other character would be an error of a third kind.
        known = authorities.encode("ascii", "ignore").decode()
        context.load_verify_locations(cadata=known)
    base = f"{certificates}/{host}"
    if os.access(f"{base}.crt", os.R_OK):
        context.load_verify_locations(cafile=f"{base}.crt")
    if all(os.access(f"{base}.auth.{each}", os.R_OK) for each in ("crt", "key")):
        context.load_cert_chain(f"{base}.auth.crt", f"{base}.auth.key")
    return context


def _read(response: "http.client.HTTPResponse") -> Answer:
    body = response.read(_MOST_BYTES + 1)
    if len(body) > _MOST_BYTES:
        raise Unreachable("its answer is too long")
    if response.length:
        raise Unreachable(_NO_SERVER)
    return Answer(
        response.status,
        response.headers.get("Content-Type", ""),
        response.headers.get("Job-Status", ""),
        response.headers.get("Range", ""),
        response.headers.get("Location", ""),
        body,
    )


def _credentials(proxy: Proxy) -> dict[str, str]:
    if not proxy.login:
        return {}
    import base64  # noqa: PLC0415 (few proxies ask for a password)

    return {"Proxy-Authorization": f"Basic {base64.b64encode(proxy.login.encode()).decode()}"}


def _why(error: Exception) -> str:
    """Return why a request failed, without a word of the server's."""
    import ssl

    if isinstance(error, ssl.SSLCertVerificationError):
        return "its certificate is signed by an authority that is not known here, or is for another"
    if isinstance(error, ssl.SSLError):
        return "no TLS connection to it comes about"
    if isinstance(error, socket.gaierror):
        return "its name has no address"
    if isinstance(error, OSError) and error.errno is not None:
        return f"it cannot be reached: {os.strerror(error.errno)}"
    return _NO_SERVER
