"""Which jobs of a pipeline run. Pure."""

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import replace

from executor.local.errors import PipelineError
from executor.local.pipeline.model import Cache, JobDefinition, Pipeline, YamlVariable
from executor.local.pipeline.rules import applies

# The jobs to run, a tuple per stage that has any, in the order of the stages.
Stages = tuple[tuple[JobDefinition, ...], ...]


def select_jobs(
    pipeline: Pipeline,
    *,
    predefined: Mapping[str, str],
    given: Mapping[str, str],
    names: tuple[str, ...] = (),
) -> Stages:
    """Return the jobs to run, one tuple per stage that has any, in the order of the stages.

    Without names these are all jobs that their rules admit. A named job that its rules exclude
    is an error: in GitLab the pipeline would not have it. So is a job that needs an excluded one.
    Given variables beat the file's, and the file's beat the predefined ones.
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
    }
    for name in names:
        if not admitted[name]:
            branch = shared.get("CI_COMMIT_BRANCH", "")
            message = (
                f'{pipeline.source}: job "{name}" is excluded by its rules on branch "{branch}"; '
                f"choose another branch with --branch or set a variable with --variable"
            )
            raise PipelineError(message)
    chosen = [
        job for job in pipeline.jobs if admitted[job.name] and (not names or job.name in names)
    ]
    for job in chosen:
        _check_needs(job, admitted, pipeline.source)
    by_stage = (
        tuple(job for job in chosen if job.ci_stage == ci_stage) for ci_stage in pipeline.stages
    )
    return tuple(jobs for jobs in by_stage if jobs)


def with_cache_keys(
    stages: Stages,
    last_commits: Callable[[tuple[str, ...]], tuple[str, ...]],
) -> Stages:
    """Return the jobs, cache keys of files made from the commits that last changed those."""

    def keyed(cache: Cache) -> Cache:
        if not cache.key_files:
            return cache
        commits = "-".join(last_commits(cache.key_files))
        # The digest is GitLab's own way to name a set of commits.
        digest = hashlib.sha1(commits.encode(), usedforsecurity=False).hexdigest()
        parts = (cache.key, digest if commits else "default")
        return replace(cache, key="-".join(part for part in parts if part), key_files=())

    return tuple(
        tuple(replace(job, caches=tuple(map(keyed, job.caches))) for job in jobs) for jobs in stages
    )


def _check_needs(job: JobDefinition, admitted: Mapping[str, bool], source: str) -> None:
    for need in job.needs or ():
        if not need.optional and not admitted.get(need.job):
            message = (
                f'{source}: job "{job.name}" needs "{need.job}", but the rules of that job'
                " exclude it; make the need optional or give both jobs the same rules"
            )
            raise PipelineError(message)


def _values(variables: tuple[YamlVariable, ...]) -> dict[str, str]:
    return {variable.key: variable.value for variable in variables}
