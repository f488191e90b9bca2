"""Which jobs of a pipeline run. Pure."""

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import replace

from executor.local.errors import PipelineError
from executor.local.pipeline.admission import NO_TREE, Tree, first_match, lists_admit
from executor.local.pipeline.model import Cache, JobDefinition, Pipeline, YamlVariable

# The jobs to run, a tuple per stage that has any, in the order of the stages.
Stages = tuple[tuple[JobDefinition, ...], ...]


def select_jobs(
    pipeline: Pipeline,
    *,
    predefined: Mapping[str, str],
    given: Mapping[str, str],
    names: tuple[str, ...] = (),
    tree: Tree = NO_TREE,
) -> Stages:
    """Return the jobs to run, one tuple per stage that has any, in the order of the stages.

    Without names these are all jobs that their rules admit and that no person has to start. A
    named job that its rules exclude is an error: in GitLab the pipeline would not have it. So is a
    job that needs an excluded one, and one with a keyword that is not supported. Given variables
    beat the file's, and the file's beat the predefined ones.
    """
    _check_names(pipeline, names)
    shared = {**predefined, **_values(pipeline.variables)}
    added = _of_workflow(pipeline, {**shared, **given}, tree)
    admitted: dict[str, JobDefinition] = {}
    for job in pipeline.jobs:
        try:
            decided = _admitted(job, added, predefined, pipeline, given, tree)
        except PipelineError as error:
            if names and not any(map(job.is_called, names)):
                continue
            message = f'{pipeline.source}: job "{job.name}": {error}'
            raise PipelineError(message) from None
        if decided is not None:
            admitted[job.name] = decided
    called = [job for job in admitted.values() if any(map(job.is_called, names))]
    _check_admitted(pipeline, names, called, str(shared.get("CI_COMMIT_BRANCH", "")))
    chosen = called if names else _that_start(tuple(admitted.values()), pipeline.stages)
    for job in chosen:
        if job.refusal:
            raise PipelineError(job.refusal)
        _check_needs(job, admitted, pipeline.source)
    by_stage = (
        tuple(job for job in chosen if job.ci_stage == ci_stage) for ci_stage in pipeline.stages
    )
    return tuple(jobs for jobs in by_stage if jobs)


def _check_names(pipeline: Pipeline, names: tuple[str, ...]) -> None:
    for name in names:
        if not any(job.is_called(name) for job in pipeline.jobs):
            known = dict.fromkeys(job.group or job.name for job in pipeline.jobs)
            message = (
                f'{pipeline.source}: there is no job "{name}"; '
                f"the jobs are {', '.join(known) or 'none'}"
            )
            raise PipelineError(message)


def _check_admitted(
    pipeline: Pipeline, names: tuple[str, ...], called: list[JobDefinition], branch: str
) -> None:
    for name in names:
        if not any(job.is_called(name) for job in called):
            keyword = "its rules"
            if any(job.is_called(name) and job.rules is None for job in pipeline.jobs):
                keyword = "its only, except or when"
            message = (
                f'{pipeline.source}: job "{name}" is excluded by {keyword} on branch "{branch}"; '
                f"choose another branch with --branch or set a variable with --variable"
            )
            raise PipelineError(message)


def _of_workflow(
    pipeline: Pipeline, variables: Mapping[str, str], tree: Tree
) -> tuple[YamlVariable, ...]:
    """Return the variables that the rules of the workflow add, or say that they exclude all."""
    if pipeline.workflow is None:
        return ()
    try:
        rule = first_match(pipeline.workflow, variables, tree)
    except PipelineError as error:
        message = f"{pipeline.source}: workflow:rules: {error}"
        raise PipelineError(message) from None
    if rule is None or rule.when == "never":
        message = (
            f"{pipeline.source}: workflow:rules: they leave no pipeline on branch "
            f'"{variables.get("CI_COMMIT_BRANCH", "")}"; choose another branch with --branch or '
            "set a variable with --variable"
        )
        raise PipelineError(message)
    return tuple(YamlVariable(key, value) for key, value in rule.variables)


def _admitted(
    job: JobDefinition,
    added: tuple[YamlVariable, ...],
    predefined: Mapping[str, str],
    pipeline: Pipeline,
    given: Mapping[str, str],
    tree: Tree,
) -> JobDefinition | None:
    """Return a job as its rules make it, or nothing if it is not in the pipeline."""
    own = (*taken_over(job, added), *job.variables)
    shared = _values(taken_over(job, pipeline.variables))
    variables = {**predefined, **shared, **_values(own), **given}
    if job.rules is None:
        if job.when == "never" or not lists_admit(job, variables, tree):
            return None
        return replace(job, variables=own)
    rule = first_match(job.rules, variables, tree)
    when = (rule.when or job.when) if rule else "never"
    if rule is None or when == "never":
        return None
    return replace(
        job,
        when=when,
        allow_failure=job.allow_failure if rule.allow_failure is None else rule.allow_failure,
        variables=(*own, *(YamlVariable(key, value) for key, value in rule.variables)),
    )


def taken_over(job: JobDefinition, variables: tuple[YamlVariable, ...]) -> tuple[YamlVariable, ...]:
    """Return those of the global variables that a job inherits."""
    wanted = job.inherits_variables
    return tuple(item for item in variables if wanted is None or item.key in wanted)


def _that_start(jobs: tuple[JobDefinition, ...], stages: tuple[str, ...]) -> list[JobDefinition]:
    """Return the jobs that start without a person.

    Neither do those that need one that a person starts, nor the stages after one that may not fail.
    """
    left = {job.name: job for job in jobs if job.when == "manual"}
    open_stages = len(stages)
    for job in left.values():
        if not job.allow_failure:
            open_stages = min(open_stages, stages.index(job.ci_stage))
    while True:
        held = {
            job.name: job
            for job in jobs
            if job.name not in left
            and (
                any(need.job in left for need in job.needs)
                if job.needs is not None
                else stages.index(job.ci_stage) > open_stages
            )
        }
        if not held:
            return [job for job in jobs if job.name not in left]
        left |= held


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


def _check_needs(job: JobDefinition, admitted: Mapping[str, JobDefinition], source: str) -> None:
    for need in job.needs or ():
        if not need.optional and need.job not in admitted:
            message = (
                f'{source}: job "{job.name}" needs "{need.job}", but the rules of that job'
                " exclude it; make the need optional or give both jobs the same rules"
            )
            raise PipelineError(message)


def _values(variables: tuple[YamlVariable, ...]) -> dict[str, str]:
    return {variable.key: variable.value for variable in variables}
