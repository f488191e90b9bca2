"""The jobs of parity.yml through gitlab-runner's Docker executor and through ours, side by side."""

import contextlib
import tomllib
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path

import docker

from executor.local.pipeline.file import parse_pipeline
from executor.local.pipeline.model import JobDefinition, Pipeline
from executor.local.project.assignment import PipelineFacts
from executor.local.project.checkout import Checkout
from executor.local.project.variables import Variable
from tests import pipelines, toml
from tests.gitlab import leftovers, runner, server
from tests.gitlab.jobs import Job
from tests.gitlab.parity_log import TICK
from tests.gitlab.pipelines import Pushed, dependencies_on, project_variables
from tests.gitlab.runner import Runner
from tests.gitlab.server import GitLab
from tests.rig.state import Rig

PIPELINE = Path(__file__).with_name("parity.yml")
CACHED: Mapping[str, object] = {
    "cache": [
        {
            "key": "parity",
            "untracked": False,
            "policy": "pull-push",
            "paths": ["kept/"],
            "when": "on_success",
            "fallback_keys": None,
        }
    ]
}
_JOB_TIMEOUT_SECONDS = 40
WAIT_SECONDS = 120
"""For services, more than on a machine that does nothing else: who has to wait no longer says so."""


@dataclass(frozen=True, slots=True)
class Pair:
    """One job, run by both."""

    docker: Job
    ours: Job


@dataclass(frozen=True, slots=True)
class _Side:
    """One executor's pipeline."""

    runner: Runner
    pushed: Pushed
    facts: PipelineFacts
    definitions: Mapping[str, JobDefinition]

    def start(
        self,
        name: str,
        finished: Mapping[str, Job] | None = None,
        more: Mapping[str, object] | None = None,
    ) -> tuple[str, Job]:
        dependencies = dependencies_on(finished or {})
        job = self.pushed.start(self.definitions[name], self.facts, dependencies, more)
        return name, job

    def run(self) -> dict[str, Job]:
        """Run all jobs; those that pass something on come first and last."""
        first = dict([self.start("everything", more=CACHED)])
        others = [name for name in self.definitions if name not in ("everything", "user")]
        jobs = dict(self._elsewhere(name, number) for number, name in enumerate(others, 2))
        jobs["canceled"].wait_for(f"\n{TICK}")
        jobs["canceled"].cancel()
        self.runner.wait_until_left(first["everything"].wait().id)
        jobs |= first | dict([self.start("user", first, CACHED)])
        for job in jobs.values():
            job.wait()
        return jobs

    def _elsewhere(self, name: str, project_id: int) -> tuple[str, Job]:
        """Start a job as one of another project, so that it finds nobody's volumes."""
        facts = replace(self.facts, project=replace(self.facts.project, id=project_id))
        if name == "job-timeout":
            facts = replace(facts, timeout_seconds=_JOB_TIMEOUT_SECONDS)
        return replace(self, facts=facts).start(name)


def job_names() -> list[str]:
    """Return the names of the jobs."""
    return [job.name for job in _pipeline().jobs]


def _pipeline() -> Pipeline:
    return parse_pipeline(PIPELINE.read_text(encoding="utf-8"), PIPELINE.name)


def allowed_images(rig: Rig) -> list[str]:
    """Return patterns for every image of the jobs but one."""
    return ["docker:*", "busybox*", f"{rig.hub}/**", f"{rig.hub}/**/*"]


def pairs(rig: Rig, checkout: Checkout, directory: Path) -> dict[str, Pair]:
    """Run every job with both, and return the pairs by name; nothing of them is left."""
    with contextlib.ExitStack() as stack:
        sides = [
            stack.enter_context(working(rig, checkout, table, directory / name))
            for name, table in (
                ("docker", _docker(rig)),
                ("ours", runner.custom(_settings(rig, directory))),
            )
        ]
        pool = stack.enter_context(ThreadPoolExecutor(len(sides)))
        docker_jobs, our_jobs = pool.map(_Side.run, sides)
    assert leftovers.of_jobs(rig.engine_host, our_jobs.values()) == []
    return {name: Pair(job, our_jobs[name]) for name, job in docker_jobs.items()}


def _docker(rig: Rig) -> runner.Table:
    table = runner.docker(
        rig.engine_host,
        image="docker:20.10.16",
        helper_image=rig.helper_image,
        runtime=rig.runtime,
        privileged=True,
    )
    options = table["docker"]
    assert isinstance(options, dict)
    more = {"allowed_images": allowed_images(rig), "wait_for_services_timeout": WAIT_SECONDS}
    return {**table, "docker": {**options, **more}}


def _settings(rig: Rig, directory: Path) -> Path:
    tables = tomllib.loads(rig.settings.read_text(encoding="utf-8"))
    tables["docker"] |= {
        "image": "docker:20.10.16",
        "allowed_images": allowed_images(rig),
        "volumes": ["/cache"],
        "wait_for_services_timeout": WAIT_SECONDS,
    }
    tables["dind"] |= {"mode": "service"}
    settings = directory / "settings.toml"
    settings.write_text(toml.dumps(tables), encoding="utf-8")
    return settings


@contextlib.contextmanager
def working(rig: Rig, checkout: Checkout, table: runner.Table, directory: Path) -> Iterator[_Side]:
    """Have one executor's runner work for a GitLab of its own."""
    with contextlib.ExitStack() as stack:
        gitlab = stack.enter_context(server.serving(directory / "repositories", rig.address))
        stack.callback(_remove_volumes, rig, gitlab)
        started = stack.enter_context(runner.working(gitlab, table, directory, concurrent=3))
        variables = project_variables(
            {
                **pipelines.variables(rig),
                "BASE_IMAGE": f"{rig.hub}/library/alpine" if rig.images == "debian" else "alpine",
            }
        )
        letter = Variable("LETTER", "dear\nreader $CI_JOB_NAME\n", public=False, file=True)
        concealed = Variable("CONCEALED", "not-to-be-seen", public=False, masked=True)
        pushed = Pushed(gitlab, checkout, (*variables, letter, concealed))
        pipeline = _pipeline()
        facts = pushed.facts(pipeline)
        yield _Side(started, pushed, facts, pushed.jobs_of(pipeline, facts))


def _remove_volumes(rig: Rig, gitlab: GitLab) -> None:
    """Remove the volumes that are kept for the project's next job."""
    short = gitlab.runner_token.removeprefix("glrt-")[:9].lower()
    client = docker.APIClient(base_url=rig.engine_host, version="auto")
    with contextlib.closing(client):
        for volume in client.volumes()["Volumes"] or ():
            if short in volume["Name"]:
                client.remove_volume(volume["Name"])
