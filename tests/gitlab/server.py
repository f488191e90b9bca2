"""GitLab, as a test holds it: jobs go in, and come out with a state and a trace."""

import contextlib
import secrets
import threading
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

from tests import git, planning
from tests.gitlab.api import JobApi
from tests.gitlab.jobs import Job
from tests.gitlab.registry import Registry
from tests.rig.authority import Certificates
from tests.web import Answer, Request, Server, login_needed


class GitLab:
    """A GitLab with one runner token, one queue, and bare repositories of its projects."""

    def __init__(self, host: str, port: int, repositories: Path, scheme: str = "http") -> None:
        self.scheme, self.host, self.port = scheme, host, port
        self.repositories = repositories
        self.last_id = 1000
        self._lock = threading.Lock()
        self._api = JobApi(self.next_id, lambda: self.url)
        self.administrators_token = self.registry.add_user({"read_api"})
        # Which counts the connections that it is asked over.
        self.connections: Server | None = None
        # What answers in GitLab's place, where it answers at all: see `moods`.
        self.mood: Callable[[Request], Answer | None] = _none

    @property
    def url(self) -> str:
        """The address that a runner is registered with."""
        return f"{self.scheme}://{self.host}:{self.port}"

    @property
    def runner_token(self) -> str:
        """The token that a runner is registered with."""
        return self._api.first.token

    @property
    def registry(self) -> Registry:
        """All runners with the hosts that work for them, and the tokens of users."""
        return self._api.registry

    def renew_runner_token(self) -> None:
        """Have another token count: no request of an earlier runner gets a job any more."""
        self._api.first.token = f"glrt-{secrets.token_hex(10)}"

    @property
    def is_asked(self) -> bool:
        """Whether a request for a job waits for its answer, also one of a runner that has ended."""
        return self._api.asking > 0

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
            self.last_id += 1
            return self.last_id

    def enqueue(self, payload: Mapping[str, object], retry_on: tuple[str, ...] = ()) -> Job:
        """Put a job into the queue, which is given out again after failures for these reasons."""
        return self._api.enqueue(Job(payload, retry_on))

    def take(self, job: Job, runner_manager: str) -> None:
        """Have a runner that is no process take a job from the queue."""
        self._api.take(job, runner_manager)

    def answer(self, request: Request) -> Answer:
        """Return the answer to a request: the mood's, the job API's, or git's to a job."""
        if (instead := self.mood(request)) is not None:
            return instead
        if request.path.startswith("/api/"):
            return self._api.answer(request)
        _, password = request.login
        if self._api.job_of_token(password) is None:
            return login_needed("GitLab")
        return git.answer(request, self.repositories)


def _none(_: Request) -> None:
    """Leave every request to GitLab itself."""


@contextlib.contextmanager
def serving(
    repositories: Path, address: str = "127.0.0.1", certificates: Certificates | None = None
) -> Iterator[GitLab]:
    """Run a GitLab on an address of this machine, on a port of its own; with certificates, TLS."""

    def answer(request: Request) -> Answer:
        return gitlab.answer(request)

    server = Server((address, 0), answer, certificates)
    scheme = "https" if certificates else "http"
    gitlab = GitLab(address, server.server_port, repositories, scheme)
    gitlab.connections = server
    server.clock = lambda: gitlab.registry.now().timestamp()
    with server.serving():
        yield gitlab
    planning.miss_none(gitlab.jobs())
