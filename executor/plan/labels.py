"""The labels that gitlab-runner's Docker executor puts on what it makes, for tools on the host.

`clear-docker-cache`, dashboards and log collectors go by them; dind-executor never does: its own
label (`executor.names`) alone says what is whose.  Pure.
"""

from collections.abc import Mapping

from executor.notation.durations import go_text
from executor.runner.payload import Job

PREFIX = "com.gitlab.gitlab-runner"

_TYPES = {
    "build": "build",
    "helper": "predefined",
    "service": "service",
    "dind": "service",
    "cache": "cache",
}
"""What the Docker executor calls our kinds of containers and volumes."""


def kind_labels(kind: str) -> dict[str, str]:
    """Return the labels that say whose object this is and of which kind; nothing of the job."""
    labels = {f"{PREFIX}.managed": "true"}
    return labels | ({f"{PREFIX}.type": _TYPES[kind]} if kind in _TYPES else {})


def settings_labels(given: Mapping[str, str], kind: str) -> dict[str, str]:
    """Return the administrator's labels of a kind of object: containers alone have them.

    As with the Docker executor, services have them a second time, named as gitlab-runner's.
    """
    if kind not in _TYPES:
        return {}
    again = given if _TYPES[kind] == "service" else {}
    return {**{f"{PREFIX}.{name}": value for name, value in again.items()}, **given}


def job_labels(job: Job, values: Mapping[str, str]) -> dict[str, str]:
    """Return the labels that name the job; `values` are its variables.

    `runner.system_id` is missing: gitlab-runner does not tell it to a custom executor.  What only
    the runner knows is empty where a variable of the job's hides it: nobody's objects shall pass
    for another runner's.
    """
    hidden = {each.key for each in job.variables}.union(job.secret_keys)

    def runners(key: str) -> str:
        return "" if key in hidden else values.get(key, "")

    labels = {
        "job.id": str(job.id),
        "job.url": job_url(job),
        "job.sha": job.sha,
        "job.before_sha": job.before_sha,
        "job.ref": job.ref,
        "job.timeout": go_text(job.timeout_seconds),
        "project.id": str(job.project_id),
        "project.runner_id": runners("CI_CONCURRENT_PROJECT_ID"),
        "pipeline.id": str(job.pipeline_id or values.get("CI_PIPELINE_ID", "")),
        "runner.id": runners("CI_RUNNER_SHORT_TOKEN"),
        "runner.local_id": runners("CI_CONCURRENT_ID"),
    }
    return {f"{PREFIX}.{key}": value for key, value in labels.items()}


def service_labels(service: str, version: str) -> dict[str, str]:
    """Return what a service's container carries besides."""
    return {f"{PREFIX}.service": service, f"{PREFIX}.service.version": version}


def volume_labels(destination: str, *, protected: bool, reusable: bool) -> dict[str, str]:
    """Return what a cache volume or one for the builds carries besides."""
    return {
        f"{PREFIX}.destination": destination,
        f"{PREFIX}.protected": str(protected).lower(),
        f"{PREFIX}.reusable": str(reusable).lower(),
    }


def slot_labels(job: Job, values: Mapping[str, str]) -> dict[str, str]:
    """Return what tells whose a volume is that lasts: no job's, but a project's in a slot."""
    labels = job_labels(job, values)
    kept = ("project.id", "project.runner_id", "runner.id")
    return {f"{PREFIX}.{key}": labels[f"{PREFIX}.{key}"] for key in kept}


def job_url(job: Job) -> str:
    """Return the job's page; empty where the job has no repository."""
    page = job.project_url
    return f"{page}/-/jobs/{job.id}" if page else ""
