"""What jobs need of a GitLab server: the sources over git's smart HTTP, artifacts and caches.

Every request carries a running job's token: other containers on the host see the address too.
"""

import base64
import gzip
import io
import os
import re
import shutil
import tempfile
import threading
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import BinaryIO, Self
from urllib.parse import SplitResult, parse_qs, unquote, urlsplit

from executor.local.errors import LocalError
from executor.local.project.predefined import JOB_TOKEN_USER, Site
from executor.local.server.artifact_store import ArtifactStore
from executor.local.server.bodies import body_of
from executor.local.server.cache_store import CacheStore
from executor.local.server.dotenv import variables_in
from executor.local.server.form import find_file
from executor.local.server.git_backend import GitQuestion, ask_git

_ARTIFACTS = re.compile(r"/api/v4/jobs/(\d{1,18})/artifacts")
_CACHE = re.compile(r"/cache/([^/]+)")
_GIT = re.compile(r"/[^?]+\.git/(?:info/refs|git-upload-pack)")
_BOUNDARY = re.compile(r'boundary="?([^";]+)"?')
_LARGEST_REPORT = 1024 * 1024
"""GitLab takes 5 KiB by default."""


class Server:
    """The server in this process, from `with` to its end."""

    def __init__(
        self,
        host: str,
        port: int,
        *,
        repositories: Path,
        store: ArtifactStore,
        caches: CacheStore | None = None,
    ) -> None:
        served = {"repositories": repositories, "store": store, "caches": caches}
        handler = type("Handler", (_Handler,), served)
        try:
            self._server = ThreadingHTTPServer((host, port), handler)
        except OSError as error:
            where = f"{host}:{port}" if port else host
            message = f"cannot listen on {where} ({error.strerror}); give another --listen"
            raise LocalError(message) from None
        self._server.daemon_threads = True
        self.site = Site(host, self._server.server_address[1])

    def __enter__(self) -> Self:
        threading.Thread(
            target=self._server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True
        ).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()


class _Handler(BaseHTTPRequestHandler):
    """One connection of a job."""

    protocol_version = "HTTP/1.1"
    repositories: Path
    store: ArtifactStore
    caches: CacheStore | None

    def do_GET(self) -> None:
        """Answer a read: git's references or an archive."""
        address = urlsplit(self.path)
        if match := _ARTIFACTS.fullmatch(address.path):
            self._send_artifacts(int(match[1]))
        elif match := _CACHE.fullmatch(address.path):
            self._send_cache(unquote(match[1]), address)
        elif _GIT.fullmatch(address.path):
            self._answer_with_git()
        else:
            self._refuse(HTTPStatus.NOT_FOUND)

    def do_POST(self) -> None:
        """Answer a write: git's negotiation or an upload."""
        address = urlsplit(self.path)
        if match := _ARTIFACTS.fullmatch(address.path):
            self._take_artifacts(int(match[1]), _in_query(address, "artifact_type") or "archive")
        elif _GIT.fullmatch(address.path):
            self._answer_with_git()
        else:
            self._refuse(HTTPStatus.NOT_FOUND)

    def do_PUT(self) -> None:
        """Answer a write of a cache."""
        address = urlsplit(self.path)
        match = _CACHE.fullmatch(address.path)
        if match is None or self.caches is None:
            self._refuse(HTTPStatus.NOT_FOUND)
        elif not self.store.knows(_in_query(address, "token")):
            self._refuse(HTTPStatus.FORBIDDEN)
        else:
            with self._body() as body:
                self.caches.keep(unquote(match[1]), body)
            self._answer(HTTPStatus.CREATED, b'{"message":"201 Created"}')

    def log_message(self, *_: object) -> None:
        """Say nothing: the job log tells what the jobs do."""

    def _answer_with_git(self) -> None:
        address = urlsplit(self.path)
        if not self.store.knows(self._password()):
            self._refuse(HTTPStatus.UNAUTHORIZED, ("WWW-Authenticate", 'Basic realm="GitLab"'))
            return
        with self._body() as body:
            answer = ask_git(
                GitQuestion(
                    root=self.repositories,
                    method=self.command,
                    path=unquote(address.path),
                    query=address.query,
                    headers=dict(self.headers.items()),
                    body=body,
                )
            )
        self.send_response(answer.status)
        for name, value in answer.headers:
            self.send_header(name, value)
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        for chunk in answer.content:
            self.wfile.write(b"%x\r\n%s\r\n" % (len(chunk), chunk))
        self.wfile.write(b"0\r\n\r\n")

    def _password(self) -> str:
        scheme, _, encoded = self.headers.get("Authorization", "").partition(" ")
        if scheme.lower() != "basic":
            return ""
        try:
            user, _, password = base64.b64decode(encoded).decode().partition(":")
        except ValueError:
            return ""
        return password if user == JOB_TOKEN_USER else ""

    def _send_artifacts(self, job_id: int) -> None:
        if not self.store.knows(self.headers.get("JOB-TOKEN", "")):
            self._refuse(HTTPStatus.FORBIDDEN)
            return
        stored = self.store.of(job_id)
        self._send_file(stored.path if stored else None)

    def _send_cache(self, key: str, address: SplitResult) -> None:
        if not self.store.knows(_in_query(address, "token")):
            self._refuse(HTTPStatus.FORBIDDEN)
            return
        self._send_file(self.caches.path(key) if self.caches else None)

    def _send_file(self, path: Path | None) -> None:
        try:
            file = path.open("rb") if path else None
        except FileNotFoundError:
            file = None
        if file is None:
            self._refuse(HTTPStatus.NOT_FOUND)
            return
        with file:
            status = os.fstat(file.fileno())
            self.send_response(HTTPStatus.OK)
            self.send_header("Content-Type", "application/zip")
            self.send_header("Content-Length", str(status.st_size))
            self.send_header("Last-Modified", self.date_time_string(int(status.st_mtime)))
            self.end_headers()
            shutil.copyfileobj(file, self.wfile)

    def _take_artifacts(self, job_id: int, kind: str) -> None:
        if not self.store.owns(self.headers.get("JOB-TOKEN", ""), job_id):
            self._refuse(HTTPStatus.FORBIDDEN)
            return
        boundary = _BOUNDARY.search(self.headers.get("Content-Type", ""))
        with self._body() as body:
            size = find_file(body, boundary[1].encode()) if boundary else -1
            if size < 0:
                self._refuse(HTTPStatus.BAD_REQUEST)
                return
            # Other reports are for GitLab to show; no job gets them.
            if kind == "archive":
                self.store.keep(job_id, body, size)
            elif kind == "dotenv" and not self._take_report(
                job_id, body.read(min(size, _LARGEST_REPORT))
            ):
                self._refuse(HTTPStatus.BAD_REQUEST)
                return
        self._answer(HTTPStatus.CREATED, b'{"message":"201 Created"}')

    def _take_report(self, job_id: int, packed: bytes) -> bool:
        """Keep the variables of a dotenv report; tell whether it is one."""
        try:
            with gzip.open(io.BytesIO(packed)) as file:
                text = file.read(_LARGEST_REPORT + 1)
            if len(text) > _LARGEST_REPORT:
                return False
            variables = variables_in(text.decode())
        except (OSError, EOFError, ValueError, zlib.error):
            return False
        self.store.keep_report(job_id, variables)
        return True

    def _refuse(self, status: HTTPStatus, *headers: tuple[str, str]) -> None:
        """Answer with a status alone; the question's body is not read, so the line closes."""
        self.close_connection = True
        self._answer(status, b'{"message":"%d"}' % status, ("Connection", "close"), *headers)

    def _answer(self, status: HTTPStatus, content: bytes, *headers: tuple[str, str]) -> None:
        self.send_response(status)
        for name, value in (("Content-Type", "application/json"), *headers):
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    @contextmanager
    def _body(self) -> Iterator[BinaryIO]:
        """Give the question's body as a file, whatever way it is sent."""
        with tempfile.TemporaryFile() as file:
            for chunk in body_of(self.headers, self.rfile):
                file.write(chunk)
            file.seek(0)
            yield file


def _in_query(address: SplitResult, name: str) -> str:
    return parse_qs(address.query).get(name, [""])[0]
