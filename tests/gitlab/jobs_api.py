"""The half of GitLab's API in which users look at jobs, cancel them and retry them: no I/O."""

import re
from collections.abc import Callable
from http import HTTPStatus
from typing import Protocol

from tests.gitlab.answers import answer_json, listed, message, pipeline_of, user_of
from tests.gitlab.jobs import Job
from tests.gitlab.registry import Registry, User
from tests.web import Answer, Request

_Handler = Callable[[Request, Job], Answer]


class _Queue(Protocol):
    """All jobs, and where they wait."""

    jobs: dict[int, Job]
    registry: Registry

    def enqueue(self, job: Job) -> Job: ...

    def forget(self, job: Job) -> None: ...


class JobsApi:
    """What users may ask about jobs."""

    def __init__(
        self, queue: _Queue, next_id: Callable[[], int], address: Callable[[], str]
    ) -> None:
        self._queue, self._next_id, self._address = queue, next_id, address

    def answer(self, request: Request) -> Answer | None:
        """Return the answer to a request that is one about jobs."""
        match = re.fullmatch(r"/api/v4/projects/\d+/pipelines/(\d+)/jobs", request.path)
        if match and request.method == "GET":
            return self._list(request, int(match[1]))
        for method, pattern, scope, handler in self._routes():
            match = re.fullmatch(rf"/api/v4/projects/\d+/jobs/(\d+){pattern}", request.path)
            if match and method == request.method:
                user = user_of(self._queue.registry, request, scope)
                if isinstance(user, Answer):
                    return user
                job = self._queue.jobs.get(int(match[1]))
                if job is None:
                    return message(HTTPStatus.NOT_FOUND, "404 Not found")
                return handler(request, job)
        return None

    def _routes(self) -> tuple[tuple[str, str, str, _Handler], ...]:
        return (
            ("GET", "", "read_api", self._tell),
            ("POST", "/cancel", "api", self._cancel),
            ("POST", "/retry", "api", self._retry),
        )

    def _tell(self, _: Request, job: Job) -> Answer:
        return answer_json(described(job, self._address()))

    def _cancel(self, request: Request, job: Job) -> Answer:
        force = bool(request.body) and request.json().get("force") is True
        user = user_of(self._queue.registry, request)
        if force and isinstance(user, User) and not user.is_maintainer:
            return message(HTTPStatus.FORBIDDEN, "403 Forbidden")
        self._queue.forget(job)
        job.cancel_by_hand(force=force)
        return answer_json(described(job, self._address()), HTTPStatus.CREATED)

    def _retry(self, _: Request, job: Job) -> Answer:
        again = job.retried_by_hand(self._next_id())
        if again is None:
            return message(HTTPStatus.FORBIDDEN, "403 Forbidden - Job is not retryable")
        self._queue.enqueue(again)
        return answer_json(described(again, self._address()), HTTPStatus.CREATED)

    def _list(self, request: Request, pipeline: int) -> Answer:
        """Answer the jobs of a pipeline, without those that another has taken the place of."""
        user = user_of(self._queue.registry, request, "read_api")
        if isinstance(user, Answer):
            return user
        jobs = tuple(self._queue.jobs.values())
        found = [each for each in jobs if pipeline_of(each) == pipeline and each.again is None]
        return answer_json([described(each, self._address()) for each in found])


def described(job: Job, address: str = "") -> dict[str, object]:
    """Return a job as GitLab describes it alone, in part: with its runner and host."""
    told = listed(job, address)
    del told["project"]
    manager = {"id": 1, "system_id": job.runner_manager, "status": "online"}
    return {
        **told,
        "runner": {"id": 1, "description": "tests", "runner_type": "instance_type"},
        "runner_manager": manager if job.runner_manager else None,
    }
