"""GitLab, as a test holds it: jobs go in, and come out with a state and a trace."""

import base64
import binascii
import contextlib
import secrets
import ssl
import sys
import threading
from collections.abc import Iterator, Mapping
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import urlsplit

from tests.gitlab import git
from tests.gitlab.api import Answer, JobApi, Request
from tests.gitlab.jobs import Job
from tests.rig.authority import Certificates


class GitLab:
    """A GitLab with one runner token, one queue, and bare repositories of its projects."""

    def __init__(self, host: str, port: int, repositories: Path, scheme: str = "http") -> None:
        self.scheme, self.host, self.port = scheme, host, port
        self.repositories = repositories
        self.runner_token = f"glrt-{secrets.token_hex(10)}"
        self._api = JobApi(self.runner_token)
        self._last_id = 1000
        self._lock = threading.Lock()

    @property
    def url(self) -> str:
        """The address that a runner is registered with."""
        return f"{self.scheme}://{self.host}:{self.port}"

    @property
    def runner_info(self) -> Mapping[str, object]:
        """What the last runner that asked for a job said about itself."""
        return self._api.runner_info

    def jobs(self) -> tuple[Job, ...]:
        """Return all jobs that were ever put into the queue."""
        return tuple(self._api.jobs.values())

    def next_id(self) -> int:
        """Return an id that no other job or pipeline has."""
        with self._lock:
            self._last_id += 1
            return self._last_id

    def enqueue(self, payload: Mapping[str, object]) -> Job:
        """Put a job into the queue."""
        return self._api.enqueue(Job(payload))

    def answer(self, request: Request) -> Answer:
        """Return the answer to a request: the job API's, or git's to a job."""
        if request.path.startswith("/api/"):
            return self._api.answer(request)
        if self._api.job_of_token(_password(request)) is None:
            headers = {"WWW-Authenticate": 'Basic realm="GitLab"'}
            return Answer(HTTPStatus.UNAUTHORIZED, b"HTTP Basic: Access denied\n", headers)
        return git.answer(request, self.repositories)


@contextlib.contextmanager
def serving(
    repositories: Path, address: str = "127.0.0.1", certificates: Certificates | None = None
) -> Iterator[GitLab]:
    """Run a GitLab on an address of this machine, on a port of its own; with certificates, TLS."""

    class Handler(_Handler):
        """The handler of this one GitLab."""

    server = _Server((address, 0), Handler)
    scheme = "http"
    if certificates:
        scheme = "https"
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificates.certificate, certificates.key)
        # Hands are shaken by the thread of the connection, not by the one that accepts all.
        server.socket = context.wrap_socket(
            server.socket, server_side=True, do_handshake_on_connect=False
        )
    gitlab = Handler.gitlab = GitLab(address, server.server_port, repositories, scheme)
    thread = threading.Thread(target=server.serve_forever, name="gitlab", daemon=True)
    thread.start()
    try:
        yield gitlab
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request: object, client_address: object) -> None:
        """Pass over a runner that has hung up, as it does when it ends while it asks for jobs."""
        if not isinstance(sys.exception(), (ConnectionError, ssl.SSLEOFError)):
            super().handle_error(request, client_address)  # type: ignore[arg-type]


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    gitlab: GitLab

    def _serve(self) -> None:
        target = urlsplit(self.path)
        headers = {name.lower(): value for name, value in self.headers.items()}
        request = Request(self.command, target.path, target.query, headers, self._body(headers))
        answer = self.gitlab.answer(request)
        self.send_response(answer.status)
        for name, value in answer.headers.items():
            self.send_header(name, value)
        if answer.status is not HTTPStatus.NO_CONTENT:
            self.send_header("Content-Length", str(len(answer.body)))
        self.end_headers()
        self.wfile.write(answer.body)

    do_GET = do_POST = do_PUT = do_PATCH = _serve  # noqa: N815

    def _body(self, headers: Mapping[str, str]) -> bytes:
        if headers.get("transfer-encoding", "").lower() == "chunked":
            return b"".join(self._chunks())
        return self.rfile.read(int(headers.get("content-length", "0")))

    def _chunks(self) -> Iterator[bytes]:
        while size := int(self.rfile.readline().partition(b";")[0], 16):
            yield self.rfile.read(size)
            self.rfile.readline()
        while self.rfile.readline().strip():
            pass

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 (the name is given)
        """Say nothing: the runner's own log tells what it asked."""


def _password(request: Request) -> str:
    _, _, encoded = request.headers.get("authorization", "").partition(" ")
    try:
        return base64.b64decode(encoded).decode().partition(":")[2]
    except (binascii.Error, UnicodeDecodeError):
        return ""
