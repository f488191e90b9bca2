"""A pipeline file's jobs, through the stand-in: stages in order, a stage's jobs in parallel."""

import functools
import json
import secrets
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from executor.local.pipeline.model import JobDefinition, Pipeline
from executor.local.pipeline.selection import select_jobs, with_cache_keys
from executor.local.project.assignment import Dependency, PipelineFacts, assign
from executor.local.project.checkout import Checkout, last_commits, make_snapshot
from executor.local.project.payload import payload_of
from executor.local.project.predefined import JOB_TOKEN_USER, Project, Site, pipeline_variables
from executor.local.project.variables import Variable
from tests.gitlab.jobs import Job
from tests.gitlab.server import GitLab

PROJECT_PATH = "group/project"
_SECRET = ("PASSWORD", "TOKEN", "SECRET")
# What the runner may tell; a reason that is not here becomes unknown_failure.
_FAILURE_REASONS = (
    "unknown_failure",
    "script_failure",
    "runner_system_failure",
    "job_execution_timeout",
    "job_canceled",
    "configuration_error",
    "image_pull_failure",
)


@dataclass(frozen=True, slots=True)
class Pushed:
    """A commit that was pushed, and the variables of its project's settings."""

    gitlab: GitLab
    checkout: Checkout
    variables: tuple[Variable, ...] = ()
    timeout_seconds: int = 600

    def run(self, pipeline: Pipeline, *names: str) -> dict[str, Job]:
        """Run a pipeline as GitLab does and return its jobs by name, those it came to."""
        facts = self.facts(pipeline)
        finished: dict[str, Job] = {}
        for definitions in self._selected(pipeline, facts, names):
            dependencies = dependencies_on(finished)
            started = {
                definition.name: self.start(definition, facts, dependencies)
                for definition in definitions
            }
            for name, job in started.items():
                finished[name] = job.wait(self.timeout_seconds + 60)
            if any(job.state != "success" for job in started.values()):
                break
        return finished

    def start_only(self, pipeline: Pipeline) -> Job:
        """Put the only job of a pipeline into the queue."""
        facts = self.facts(pipeline)
        ((definition,),) = self._selected(pipeline, facts, ())
        return self.start(definition, facts)

    def start(
        self,
        definition: JobDefinition,
        facts: PipelineFacts,
        dependencies: tuple[Dependency, ...] = (),
        more: Mapping[str, object] | None = None,
    ) -> Job:
        """Put one job into the queue; `more` are fields of the payload as GitLab sends them."""
        request = assign(
            definition,
            facts,
            job_id=self.gitlab.next_id(),
            token=f"glcbt-{secrets.token_hex(20)}",
            dependencies=dependencies,
        )
        retry_on = definition.retry.when if definition.retry.limit else ()
        payload = {**as_sent(payload_of(request)), **(more or {})}
        return self.gitlab.enqueue(self._at_its_address(payload), retry_on)

    def _at_its_address(self, payload: Mapping[str, object]) -> Mapping[str, object]:
        """Return a payload whose URLs are GitLab's own; as it is made, they are all of HTTP."""
        if self.gitlab.scheme == "http":
            return payload
        text = json.dumps(payload)
        for before in (f"{self.gitlab.host}:{self.gitlab.port}", f"{JOB_TOKEN_USER}:"):
            text = text.replace(f"http://{before}", f"{self.gitlab.scheme}://{before}")
        changed = json.loads(text)
        assert isinstance(changed, dict)
        return changed

    def facts(self, pipeline: Pipeline) -> PipelineFacts:
        """Return what the jobs of a new pipeline share; its commit can be fetched from now on."""
        pipeline_id = self.gitlab.next_id()
        project = Project(PROJECT_PATH, 1)
        site = Site(self.gitlab.host, self.gitlab.port)
        refs = (f"refs/heads/{self.checkout.branch}", f"refs/pipelines/{pipeline_id}")
        make_snapshot(self.checkout, self.gitlab.repositories / f"{PROJECT_PATH}.git", refs=refs)
        return PipelineFacts(
            project=project,
            site=site,
            checkout=self.checkout,
            pipeline_id=pipeline_id,
            predefined=pipeline_variables(
                checkout=self.checkout,
                project=project,
                site=site,
                pipeline_id=pipeline_id,
                config_path=pipeline.source,
            ),
            yaml=pipeline.variables,
            given=self.variables,
            timeout_seconds=self.timeout_seconds,
        )

    def jobs_of(self, pipeline: Pipeline, facts: PipelineFacts) -> dict[str, JobDefinition]:
        """Return a pipeline's jobs by name."""
        stages = self._selected(pipeline, facts, ())
        return {definition.name: definition for stage in stages for definition in stage}

    def _selected(
        self, pipeline: Pipeline, facts: PipelineFacts, names: tuple[str, ...]
    ) -> tuple[tuple[JobDefinition, ...], ...]:
        selected = select_jobs(
            pipeline,
            predefined={item.key: item.value for item in facts.predefined},
            given={item.key: item.value for item in self.variables},
            names=names,
        )
        return with_cache_keys(selected, functools.partial(last_commits, self.checkout))


def project_variables(values: Mapping[str, str]) -> tuple[Variable, ...]:
    """Return variables as a project's settings have them; what sounds secret is masked."""
    return tuple(
        Variable(key, value, public=False, masked=True, raw=True)
        if any(word in key for word in _SECRET)
        else Variable(key, value)
        for key, value in values.items()
    )


def as_sent(payload: Mapping[str, object]) -> dict[str, object]:
    """Return a payload as GitLab sends it, where the runner's own file has more in it."""
    sent = {key: value for key, value in payload.items() if key != "inputs"}
    sent["image"] = _image_as_sent(payload["image"])
    services = payload["services"]
    sent["services"] = [
        _image_as_sent(service) for service in (services if isinstance(services, list) else ())
    ]
    sent["features"] = {"trace_sections": True, "failure_reasons": list(_FAILURE_REASONS)}
    return sent


def _image_as_sent(image: object) -> dict[str, object] | None:
    """Return an image or service; options that nobody gave are not sent, nor an empty image."""
    if not isinstance(image, dict) or not image["name"]:
        return None
    docker = {key: value for key, value in image["executor_opts"]["docker"].items() if value}
    options = {"docker": docker} if docker else {}
    return {**image, "executor_opts": options}


def dependencies_on(finished: Mapping[str, Job]) -> tuple[Dependency, ...]:
    """Return the dependencies of a job on the ones that were before it and have artifacts."""
    return tuple(
        Dependency(job.id, name, "artifacts.zip", len(job.artifacts))
        for name, job in finished.items()
        if job.artifacts is not None
    )


def succeeded(jobs: Iterable[Job]) -> bool:
    """Tell whether all jobs have succeeded."""
    return all(job.state == "success" for job in jobs)
