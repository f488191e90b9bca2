"""The pipeline as frozen data, and which of its jobs run.

Pure: no I/O. The file is read by `pipeline_file`.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from executor.local.errors import PipelineError
from executor.local.rules import Rule, applies

FIRST_STAGE = ".pre"
LAST_STAGE = ".post"
DEFAULT_STAGES = ("build", "test", "deploy")


@dataclass(frozen=True, slots=True)
class YamlVariable:
    """A variable of the file; raw means that its own `$` are not expanded."""

    key: str
    value: str
    raw: bool = False


@dataclass(frozen=True, slots=True)
class Image:
    """An `image:` or an entry of `services:`, nothing expanded."""

    name: str
    alias: str = ""
    entrypoint: tuple[str, ...] | None = None
    command: tuple[str, ...] | None = None
    variables: tuple[YamlVariable, ...] = ()
    pull_policy: tuple[str, ...] = ()
    user: str = ""
    platform: str = ""


@dataclass(frozen=True, slots=True)
class Artifacts:
    """What a job hands to the jobs of later stages."""

    paths: tuple[str, ...]
    exclude: tuple[str, ...] = ()
    name: str = ""
    when: str = "on_success"
    expire_in: str = ""
    untracked: bool = False


@dataclass(frozen=True, slots=True)
class JobDefinition:
    """One job of the file, with `default:` and the global variables already merged in."""

    name: str
    ci_stage: str
    script: tuple[str, ...]
    before_script: tuple[str, ...] = ()
    after_script: tuple[str, ...] = ()
    image: Image | None = None
    services: tuple[Image, ...] = ()
    variables: tuple[YamlVariable, ...] = ()
    rules: tuple[Rule, ...] | None = None
    artifacts: Artifacts | None = None
    allow_failure: bool = False
    environment: str = ""


@dataclass(frozen=True, slots=True)
class Pipeline:
    """A checked pipeline file."""

    source: str
    stages: tuple[str, ...]
    jobs: tuple[JobDefinition, ...]
    variables: tuple[YamlVariable, ...] = ()


def select_jobs(
    pipeline: Pipeline,
    *,
    predefined: Mapping[str, str],
    given: Mapping[str, str],
    names: tuple[str, ...] = (),
) -> tuple[tuple[JobDefinition, ...], ...]:
    """Return the jobs to run, one tuple per stage that has any, in the order of the stages.

    Without names these are all jobs that their rules admit. A named job that its rules exclude
    is an error: in GitLab the pipeline would not have it. Given variables beat the file's, and
    the file's beat the predefined ones.
    """
    known = {job.name: job for job in pipeline.jobs}
    shared = {**predefined, **_values(pipeline.variables)}
    for name in names:
        if name not in known:
            message = (
                f'{pipeline.source}: there is no job "{name}"; '
                f"the jobs are {', '.join(known) or 'none'}"
            )
            raise PipelineError(message)
    admitted = {
        job.name: job.rules is None
        or applies(job.rules, {**shared, **_values(job.variables), **given})
        for job in pipeline.jobs
        if not names or job.name in names
    }
    for name in names:
        if not admitted[name]:
            branch = shared.get("CI_COMMIT_BRANCH", "")
            message = (
                f'{pipeline.source}: job "{name}" is excluded by its rules on branch "{branch}"; '
                f"choose another branch with --branch or set a variable with --variable"
            )
            raise PipelineError(message)
    chosen = [job for job in pipeline.jobs if admitted.get(job.name)]
    by_stage = (
        tuple(job for job in chosen if job.ci_stage == ci_stage) for ci_stage in pipeline.stages
    )
    return tuple(jobs for jobs in by_stage if jobs)


def _values(variables: tuple[YamlVariable, ...]) -> dict[str, str]:
    return {variable.key: variable.value for variable in variables}
