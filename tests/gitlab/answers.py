"""What the answers of both halves of GitLab's API are made of: no I/O."""

import json
from collections.abc import Mapping
from http import HTTPStatus

from tests.gitlab.jobs import Job
from tests.gitlab.registry import Registry, User
from tests.web import Answer, Request


def user_of(registry: Registry, request: Request, *scopes: str) -> User | Answer:
    """Return whose token it is, or the refusal of one that may not ask this."""
    user = registry.users.get(request.headers.get("private-token", ""))
    if user is None:
        return message(HTTPStatus.UNAUTHORIZED, "401 Unauthorized")
    if scopes and not user.may(*scopes):
        refusal = {
            "error": "insufficient_scope",
            "error_description": "The request requires higher privileges than provided.",
            "scope": " ".join(("api", *scopes)),
        }
        return answer_json(refusal, HTTPStatus.FORBIDDEN)
    return user


def listed(job: Job, address: str) -> dict[str, object]:
    """Return a job as lists have it, in part."""
    info = job.payload["job_info"]
    assert isinstance(info, dict)
    project = int(info.get("project_id", 3))
    return {
        "id": job.id,
        "status": job.status,
        "name": info.get("name"),
        "stage": info.get("stage"),
        "started_at": job.started_at,
        "web_url": f"{address}/-/jobs/{job.id}",
        "pipeline": {"id": pipeline_of(job), "project_id": project},
        "project": {"id": project, "path_with_namespace": "group/project"},
    }


def pipeline_of(job: Job) -> int:
    """Return the number of a job's pipeline."""
    variables = job.payload.get("variables")
    known = (
        {each["key"]: each["value"] for each in variables} if isinstance(variables, list) else {}
    )
    return int(known.get("CI_PIPELINE_ID", "1"))


def answer_json(
    value: object,
    status: HTTPStatus = HTTPStatus.OK,
    headers: Mapping[str, str] | None = None,
) -> Answer:
    """Return an answer as GitLab's API gives it."""
    body = json.dumps(value).encode()
    return Answer(status, body, {"Content-Type": "application/json", **(headers or {})})


def message(status: HTTPStatus, text: str) -> Answer:
    """Return an answer that says no more than its status."""
    return answer_json({"message": text}, status)
