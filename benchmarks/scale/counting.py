"""What a GitLab and a registry are asked for, counted while real jobs run."""

import contextlib
import re
import threading
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from http import HTTPStatus
from pathlib import Path

import docker

from tests.gitlab.server import GitLab
from tests.rig import authority, registries
from tests.rig.paths import CERTS_D, HUB_STORAGE, LOGS
from tests.rig.registries import RegistrySpec
from tests.rig.state import Rig
from tests.web import Answer, Request, Server

_INTERVAL = "X-GitLab-Trace-Update-Interval"
_NAME, _PORT = "scale", 5099
_LINE = re.compile(r'"(GET|HEAD|POST|PUT|PATCH) (\S+) HTTP/[\d.]+" (\d+) (\d+) "[^"]*" "([^"]*)"')
_KINDS = (
    (re.compile(r"/v2/"), "ping"),
    (re.compile(r"/v2/.+/manifests/.+"), "manifest"),
    (re.compile(r"/v2/.+/blobs/.+"), "blob"),
)


class CountingGitLab:
    """A GitLab that counts requests, and answers those for jobs as it is told to."""

    def __init__(self, gitlab: GitLab, poll_seconds: float, trace_seconds: int) -> None:
        """Have an idle request wait so long, and tell runners how often to send a job log."""
        self.gitlab = gitlab
        self.counts: Counter[str] = Counter()
        self.sent: Counter[str] = Counter()
        """Bytes that GitLab got and gave, by the same kinds."""
        self._poll_seconds, self._trace_seconds = poll_seconds, trace_seconds
        self._lock = threading.Lock()

    def answer(self, request: Request) -> Answer:
        """Pass a request on, and count it."""
        if request.path == "/api/v4/jobs/request" and not self._waits_a_job():
            self._count("idle", request, b"")
            time.sleep(self._poll_seconds)
            headers = {"X-GitLab-Last-Update": f"{time.time_ns():x}"}
            return Answer(HTTPStatus.NO_CONTENT, headers=headers)
        answer = self.gitlab.answer(request)
        self._count(_kind(request, answer), request, answer.body)
        if _INTERVAL not in answer.headers:
            return answer
        return replace(answer, headers={**answer.headers, _INTERVAL: str(self._trace_seconds)})

    def _waits_a_job(self) -> bool:
        return any(job.state == "pending" for job in self.gitlab.jobs())

    def _count(self, kind: str, request: Request, body: bytes) -> None:
        with self._lock:
            self.counts[kind] += 1
            self.sent[kind] += len(request.body) + len(body)


def _kind(request: Request, answer: Answer) -> str:
    if not request.path.startswith("/api/"):
        return "git"
    if request.path.endswith("/jobs/request"):
        return "job" if answer.status is HTTPStatus.CREATED else "idle"
    if request.path.endswith("/trace"):
        return "trace"
    return "update" if request.method == "PUT" else "other"


def _nobody(_: Request) -> Answer:
    """Answer before there is a GitLab."""
    return Answer(HTTPStatus.SERVICE_UNAVAILABLE)


@contextlib.contextmanager
def counting_gitlab(
    repositories: Path, address: str, poll_seconds: float, trace_seconds: int
) -> Iterator[CountingGitLab]:
    """Serve a GitLab that counts, until the end of the block."""
    server = Server((address, 0), _nobody)
    gitlab = GitLab(address, server.server_port, repositories)
    counting = CountingGitLab(gitlab, poll_seconds, trace_seconds)
    server.answer = counting.answer
    with server.serving():
        yield counting


class CountingRegistry:
    """The images of the rig's hub, at a registry that nobody else asks."""

    def __init__(self, host: str, log: Path) -> None:
        self.host = host
        self._log, self._read = log, log.stat().st_size

    def take(self) -> dict[str, dict[str, int]]:
        """Return by program (engine, builder) what was asked for, and bytes, since the last call."""
        with self._log.open("rb") as file:
            file.seek(self._read)
            text = file.read().decode(errors="replace")
        self._read += len(text.encode())
        found: dict[str, Counter[str]] = {}
        for method, path, status, length, program in _LINE.findall(text):
            kind = next((kind for pattern, kind in _KINDS if pattern.fullmatch(path)), "other")
            who = found.setdefault(_program(program), Counter())
            who[f"{method} {kind}"] += 1
            if method == "GET" and status == "200":
                who["bytes"] += int(length)
        return {who: dict(counts) for who, counts in sorted(found.items())}


def _program(user_agent: str) -> str:
    """Return `docker 26.1` of `docker/26.1.5 go/...`."""
    name, _, rest = user_agent.partition("/")
    return f"{name} {'.'.join(rest.split()[0].split('.')[:2])}" if rest else user_agent


@contextlib.contextmanager
def counting_registry(rig: Rig) -> Iterator[CountingRegistry]:
    """Serve the images of the rig's hub under another address, until the end of the block."""
    certificates = authority.ensure(rig.address)
    spec = RegistrySpec(_NAME, f"{rig.address}:{_PORT}", HUB_STORAGE, certificates)
    registries.start(spec)
    try:
        yield CountingRegistry(spec.host, LOGS / f"registry-{_NAME}.log")
    finally:
        _forget(rig, spec.host)
        registries.stop(_NAME)
        for file in (CERTS_D / spec.host).iterdir():
            file.unlink()
        (CERTS_D / spec.host).rmdir()


def _forget(rig: Rig, host: str) -> None:
    """Remove the names that images have got from a registry; the images have others."""
    with contextlib.closing(docker.APIClient(base_url=rig.engine_host, version="auto")) as client:
        for image in client.images():
            for name in image["RepoTags"] or ():
                if name.startswith(f"{host}/"):
                    client.remove_image(name)
