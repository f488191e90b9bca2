"""The job API of GitLab 17.9 to 19.4, as much of it as a runner and its helper use.

No I/O: a request comes in as data, and the answer goes out as data.
"""

import email
import email.policy
import re
import threading
import time
from collections.abc import Callable, Mapping
from http import HTTPStatus
from urllib.parse import parse_qs

from tests.gitlab.answers import answer_json, message
from tests.gitlab.jobs import Job
from tests.gitlab.jobs_api import JobsApi, described
from tests.gitlab.registry import Registry
from tests.gitlab.runners_api import RunnersApi
from tests.web import Answer, Request

# How often the runner sends the trace and so hears of a cancel. Its own choice would be 3 s.
_UPDATE_INTERVAL_SECONDS = 1
# A runner that asks waits this long for a job, as behind GitLab's own long polling.
_POLL_SECONDS = 1.0
# The states in which a job's token opens anything.
EXECUTING = ("running", "canceling")


class JobApi:
    """The queue of jobs, and what runners are told about them."""

    def __init__(self, next_id: Callable[[], int], address: Callable[[], str]) -> None:
        self.jobs: dict[int, Job] = {}
        self._next_id = next_id
        # What the last runner said about itself: version, executor, features.
        self.runner_info: Mapping[str, object] = {}
        # Runners and users' tokens; the first runner is the one that tests begin with.
        self.registry = Registry()
        self.first = self.registry.add({"description": "tests"})
        self._runners = RunnersApi(self.registry, self.jobs, address)
        self._of_users = JobsApi(self, next_id, address)
        self._queue: list[Job] = []
        self.asking = 0  # requests for a job that wait for their answer
        self._arrived = threading.Condition()

    def enqueue(self, job: Job) -> Job:
        """Put a job into the queue."""
        with self._arrived:
            self.jobs[job.id] = job
            self._queue.append(job)
            self._arrived.notify_all()
        return job

    def take(self, job: Job, runner_manager: str) -> None:
        """Have a runner take a job, as the answer to its request for one does."""
        with self._arrived:
            self._queue.remove(job)
        job.hand_out(runner_manager, self.registry.now().isoformat())

    def forget(self, job: Job) -> None:
        """Give a job to nobody who has not got it."""
        with self._arrived:
            if job in self._queue:
                self._queue.remove(job)

    def job_of_token(self, token: str) -> Job | None:
        """Return the job that a job token belongs to."""
        return next((job for job in self.jobs.values() if job.token == token), None)

    def answer(self, request: Request) -> Answer:
        """Return the answer to a request."""
        if (told := self._runners.answer(request)) is not None:
            return told
        if (told := self._of_users.answer(request)) is not None:
            return told
        for method, pattern, handler in self._routes():
            match = re.fullmatch(rf"/api/v4/{pattern}", request.path)
            if match and method == request.method:
                return handler(request, match)
        return message(HTTPStatus.NOT_FOUND, f"{request.method} {request.path} is not here")

    def _routes(
        self,
    ) -> tuple[tuple[str, str, Callable[[Request, re.Match[str]], Answer]], ...]:
        return (
            ("POST", r"jobs/request", self._request_job),
            ("GET", r"job", self._tell_own_job),
            ("PUT", r"jobs/(\d+)", self._update),
            ("PATCH", r"jobs/(\d+)/trace", self._append_trace),
            ("POST", r"jobs/(\d+)/artifacts", self._upload),
            ("GET", r"jobs/(\d+)/artifacts", self._download),
        )

    def _request_job(self, request: Request, _: re.Match[str]) -> Answer:
        asked = request.json()
        runner = self.registry.of_token(asked.get("token"))
        if runner is None:
            return message(HTTPStatus.FORBIDDEN, "403 Forbidden")
        self.registry.contact(runner, asked)
        info = asked.get("info")
        if isinstance(info, dict):
            self.runner_info = info
        headers = {"X-GitLab-Last-Update": f"{time.time_ns():x}"}
        with self._arrived:
            self.asking += 1
            self._arrived.wait_for(lambda: self._queue, _POLL_SECONDS)
            self.asking -= 1
            # A runner that died while it waited has hung up, or has a token that counts no longer.
            is_gone = (
                request.is_given_up or self.registry.of_token(asked.get("token")) is not runner
            )
            if not self._queue or is_gone:
                return Answer(HTTPStatus.NO_CONTENT, headers=headers)
            job = self._queue.pop(0)
        job.hand_out(str(asked.get("system_id", "")), self.registry.now().isoformat(), runner.id)
        return answer_json(job.payload, HTTPStatus.CREATED, headers)

    def _tell_own_job(self, request: Request, _: re.Match[str]) -> Answer:
        """Answer what a job's token may ask as long as its job runs, also while it is cancelled."""
        job = self.job_of_token(request.headers.get("job-token", ""))
        if job is None or job.status not in EXECUTING:
            return message(HTTPStatus.UNAUTHORIZED, "401 Unauthorized")
        return answer_json(described(job))

    def _update(self, request: Request, match: re.Match[str]) -> Answer:
        said = request.json()
        job = self._job(match, str(said.get("token", "")))
        if job is None:
            return message(HTTPStatus.FORBIDDEN, "403 Forbidden")
        if not job.is_executing:
            return _not_running(job)
        self.registry.hear(job.runner_id, job.runner_manager)
        output = said.get("output")
        is_taken = job.update(
            state=str(said.get("state", "")),
            failure_reason=str(said.get("failure_reason") or ""),
            exit_code=int(str(said.get("exit_code") or 0)),
            checksum=str(output.get("checksum", "")) if isinstance(output, dict) else "",
        )
        if not is_taken:
            return message(HTTPStatus.PRECONDITION_FAILED, "the trace is not complete")
        self._give_out_again(job)
        return Answer(HTTPStatus.OK, b"200", _status_headers(job))

    def _append_trace(self, request: Request, match: re.Match[str]) -> Answer:
        job = self._job(match, request.headers.get("job-token", ""))
        if job is None:
            return message(HTTPStatus.FORBIDDEN, "403 Forbidden")
        if not job.is_executing:
            return _not_running(job)
        self.registry.hear(job.runner_id, job.runner_manager)
        start = int(request.headers.get("content-range", "0-0").partition("-")[0])
        is_taken = job.append(start, request.body)
        status = HTTPStatus.ACCEPTED if is_taken else HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE
        headers = {"Range": f"0-{len(job.trace)}", **_status_headers(job)}
        return Answer(status, b"", headers)

    def _give_out_again(self, job: Job) -> None:
        """Put a job that failed into the queue again where its `retry` says so."""
        if again := job.retried(self._next_id()):
            self.enqueue(again)

    def _upload(self, request: Request, match: re.Match[str]) -> Answer:
        job = self._job(match, request.headers.get("job-token", ""))
        if job is None:
            return message(HTTPStatus.FORBIDDEN, "403 Forbidden")
        (kind,) = parse_qs(request.query).get("artifact_type", ["archive"])
        if kind == "archive":
            job.artifacts = _file_in_form(request)
        else:
            job.reports[kind] = _file_in_form(request)
        return message(HTTPStatus.CREATED, "201 Created")

    def _download(self, request: Request, match: re.Match[str]) -> Answer:
        # The token is that of the dependency or of the job that depends on it.
        if self.job_of_token(request.headers.get("job-token", "")) is None:
            return message(HTTPStatus.FORBIDDEN, "403 Forbidden")
        job = self.jobs.get(int(match[1]))
        if job is None or job.artifacts is None:
            return message(HTTPStatus.NOT_FOUND, "404 Not found")
        return Answer(HTTPStatus.OK, job.artifacts, {"Content-Type": "application/octet-stream"})

    def _job(self, match: re.Match[str], token: str) -> Job | None:
        job = self.jobs.get(int(match[1]))
        return job if job is not None and job.token == token else None


def _not_running(job: Job) -> Answer:
    headers = {"Job-Status": job.status}
    return answer_json(
        {"message": "403 Forbidden  - Job is not running"}, HTTPStatus.FORBIDDEN, headers
    )


def _status_headers(job: Job) -> dict[str, str]:
    return {
        "Job-Status": job.remote_status,
        "X-GitLab-Trace-Update-Interval": str(_UPDATE_INTERVAL_SECONDS),
    }


def _file_in_form(request: Request) -> bytes:
    """Return the first file of a multipart form."""
    head = f"Content-Type: {request.headers['content-type']}\r\n\r\n".encode()
    form = email.message_from_bytes(head + request.body, policy=email.policy.HTTP)
    for part in form.iter_parts():
        if part.get_filename() is not None:
            content = part.get_payload(decode=True)
            return content if isinstance(content, bytes) else b""
    raise ValueError(f"{request.path}: no file in the form")
