"""What jobs have left on the engine."""

from collections.abc import Iterable

import docker

from executor.names import LABEL, job_key
from tests.gitlab.jobs import Job


def of_jobs(host: str, jobs: Iterable[Job]) -> list[str]:
    """Return containers, networks and volumes that carry one of the jobs' labels."""
    keys = {key_of(job) for job in jobs}
    client = docker.APIClient(base_url=host, version="auto")
    try:
        wanted = {"label": LABEL}
        found = [
            *(
                (f"container {entry['Names'][0]}", entry)
                for entry in client.containers(all=True, filters=wanted)
            ),
            *((f"network {entry['Name']}", entry) for entry in client.networks(filters=wanted)),
            *(
                (f"volume {entry['Name']}", entry)
                for entry in client.volumes(filters=wanted)["Volumes"] or ()
            ),
        ]
    finally:
        client.close()
    return [name for name, entry in found if entry["Labels"][LABEL] in keys]


def remove_of_jobs(host: str, jobs: Iterable[Job]) -> None:
    """Remove what jobs have left that nobody cleaned up after."""
    client = docker.APIClient(base_url=host, version="auto")
    try:
        for left in of_jobs(host, jobs):
            kind, name = left.split()
            match kind:
                case "container":
                    client.remove_container(name, force=True, v=True)
                case "network":
                    client.remove_network(name)
                case _:
                    client.remove_volume(name)
    finally:
        client.close()


def remove_lasting(host: str, runner_token: str) -> None:
    """Remove the caches and sources that a runner has kept for its projects' next jobs."""
    short = runner_token.removeprefix("glrt-")[:9]
    client = docker.APIClient(base_url=host, version="auto")
    try:
        wanted = {"label": [f"com.gitlab.gitlab-runner.runner.id={short}"]}
        for entry in client.volumes(filters=wanted)["Volumes"] or ():
            client.remove_volume(entry["Name"])
    finally:
        client.close()


def key_of(job: Job) -> str:
    """Return what tells a job from those of other GitLabs, which have the same ids."""
    git_info = job.payload["git_info"]
    assert isinstance(git_info, dict)
    return job_key(job.id, job.token, str(git_info["repo_url"]))
