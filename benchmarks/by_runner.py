"""Measures jobs through a real gitlab-runner: one GitLab and one runner for each executor."""

import contextlib
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import docker

from benchmarks.jobs import MeasuredJob, script_seconds, settings_without_dind
from executor.local.project.checkout import Checkout
from tests.gitlab import runner, server, sources, trace
from tests.gitlab.pipelines import Pushed, project_variables
from tests.gitlab.server import GitLab
from tests.rig.state import Rig


@contextlib.contextmanager
def measures(
    rig: Rig, job: MeasuredJob, directory: Path
) -> Iterator[Mapping[str, Callable[[], float]]]:
    """Have all runners work; each measure runs the job once and returns its seconds."""
    checkout = sources.commit(rig.project, directory / "project")
    with contextlib.ExitStack() as stack:
        found: dict[str, Callable[[], float]] = {}
        for name, table in _runners(rig, job, directory).items():
            place = directory / str(len(found))
            gitlab = stack.enter_context(server.serving(place / "repositories", rig.address))
            stack.enter_context(runner.working(gitlab, table, place, concurrent=1))
            stack.callback(_remove_volumes, rig, gitlab)
            found[name] = _measure(gitlab, rig, job, checkout)
        yield found


def _runners(rig: Rig, job: MeasuredJob, directory: Path) -> dict[str, runner.Table]:
    """Return the runners by name; what the others relate to comes first."""
    docker_executor = runner.docker(
        rig.engine_host,
        image="docker:20.10.16",
        helper_image=rig.helper_image,
        # A runner for Docker-in-Docker pays for it with every job; one without is measured bare.
        runtime=rig.runtime if job.has_dind else None,
        privileged=job.has_dind,
    )
    if job.has_dind:
        return {"Docker executor": docker_executor, "ours": runner.custom(rig.settings)}
    return {
        "Docker executor": docker_executor,
        "ours, no dind": runner.custom(settings_without_dind(rig, directory)),
        "ours, dind always": runner.custom(rig.settings),
        "shell executor": runner.shell(directory / "shell"),
    }


def _measure(gitlab: GitLab, rig: Rig, job: MeasuredJob, checkout: Checkout) -> Callable[[], float]:
    pushed = Pushed(gitlab, checkout, project_variables(rig.variables()))
    pipeline = job.pipeline(rig)

    def seconds() -> float:
        ended = pushed.start_only(pipeline).wait()
        log = trace.plain(ended.trace)
        if ended.state != "success":
            raise SystemExit(f"benchmarks/job_time.py: the job has failed:\n{log}")
        return ended.seconds - script_seconds(log)

    return seconds


def _remove_volumes(rig: Rig, gitlab: GitLab) -> None:
    """Remove the volumes that the Docker executor keeps for the next job."""
    short = gitlab.runner_token.removeprefix("glrt-")[:9].lower()
    client = docker.APIClient(base_url=rig.engine_host, version="auto")
    for volume in client.volumes()["Volumes"] or ():
        if volume["Name"].startswith(f"runner-{short}"):
            client.remove_volume(volume["Name"])
    client.close()
