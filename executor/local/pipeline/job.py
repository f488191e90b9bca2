"""Reads one job of a pipeline file, with what it inherits.

Pure. A keyword that is not supported refuses its job alone, when that job is to run.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TypeVar

from executor.local.errors import UnsupportedError
from executor.local.pipeline.artifact_keywords import artifacts_at
from executor.local.pipeline.job_keywords import (
    allow_failure_at,
    caches_at,
    environment_at,
    needs_at,
    retry_at,
    timeout_at,
)
from executor.local.pipeline.keywords import (
    Place,
    image_at,
    mapping_at,
    script_at,
    services_at,
    strings_at,
    text_at,
    variables_at,
)
from executor.local.pipeline.model import JobDefinition, Retry, YamlVariable
from executor.local.pipeline.parallel import instances_at
from executor.local.pipeline.rule_keywords import inherited_at, refs_at, rules_at, when_at

T = TypeVar("T")
D = TypeVar("D")

DEFAULTS = (
    *("image", "services", "before_script", "after_script", "artifacts", "tags"),
    *("cache", "retry", "timeout"),
)
# GitLab cancels, queues or shows jobs by these; how a job runs does not depend on them.
_IGNORED = ("interruptible", "resource_group", "coverage", "start_in", "manual_confirmation")
# `default:` may have these, and a job that inherits them cannot run here.
DEFAULTS_FOR_GITLAB = ("interruptible", "hooks", "id_tokens", "identity")
_JOB_KEYWORDS = (
    *("stage", "script", "variables", "rules", "environment", "allow_failure"),
    *("needs", "dependencies", "when", "only", "except", "inherit", "parallel"),
    *DEFAULTS,
)
_DEFAULT_STAGE = "test"


@dataclass(frozen=True, slots=True)
class Frame:
    """What a file says of all its jobs."""

    stages: tuple[str, ...]
    defaults: dict[str, object]
    variables: tuple[str, ...]


def jobs_at(name: str, own: dict[str, object], place: Place, frame: Frame) -> list[JobDefinition]:
    """Return the jobs that an entry of the file stands for: several if they are parallel."""
    try:
        if "parallel" not in own:
            return [_job(name, own, place, frame)]
        instances = instances_at(name, own["parallel"], place.of("parallel"))
        shared = mapping_at(own.get("variables", {}), place.of("variables"))
        return [
            replace(
                _job(one, {**own, "variables": {**shared, **variables}}, place, frame),
                group=name,
                node=(index + 1, len(instances)),
            )
            for index, (one, variables) in enumerate(instances)
        ]
    except UnsupportedError as error:
        return [_refused(name, own, place, frame, str(error))]


def _refused(
    name: str, own: dict[str, object], place: Place, frame: Frame, refusal: str
) -> JobDefinition:
    """Return a job that cannot run here: what decides whether it is in the pipeline at all."""
    deciding = ("stage", "rules", "only", "except", "when", "needs", "allow_failure")
    kept: dict[str, object] = {"script": [":"], "inherit": {"default": False}}
    for keyword in (key for key in deciding if key in own):
        try:
            _job(name, {**kept, keyword: own[keyword]}, place, frame)
        except UnsupportedError:
            continue
        kept[keyword] = own[keyword]
    return replace(_job(name, kept, place, frame), refusal=refusal)


def _job(name: str, own: dict[str, object], place: Place, frame: Frame) -> JobDefinition:
    inherit = mapping_at(own.get("inherit", {}), place.of("inherit"))
    place.of("inherit").check_keys(inherit, ("default", "variables"))
    inherited = inherited_at(inherit.get("default", True), place.of("inherit"), (*frame.defaults,))
    defaults = {key: value for key, value in frame.defaults.items() if key in inherited}
    fields = {**defaults, **own}
    place.check_keys(
        {key: value for key, value in fields.items() if key not in _IGNORED}, _JOB_KEYWORDS
    )
    read = _Reader(fields, place)
    script = read("script", script_at, ())
    if not any(command.strip() for command in script):
        raise place.error('"script" is missing or empty; a job needs at least one command')
    ci_stage = read("stage", text_at, _DEFAULT_STAGE)
    if ci_stage not in frame.stages:
        sentence = f'stage "{ci_stage}" does not exist; the stages are {", ".join(frame.stages)}'
        raise place.error(sentence)
    read("tags", strings_at, ())
    when = read("when", when_at, "on_success")
    # A job that waits for a person holds nothing up.
    may_fail, exit_codes = read("allow_failure", allow_failure_at, (when == "manual", ()))
    return JobDefinition(
        name=name,
        ci_stage=ci_stage,
        script=script,
        before_script=read("before_script", script_at, ()),
        after_script=read("after_script", script_at, ()),
        image=read("image", image_at, None),
        services=read("services", services_at, ()),
        variables=read("variables", _job_variables, ()),
        rules=read("rules", rules_at, None),
        artifacts=read("artifacts", artifacts_at, None),
        allow_failure=may_fail,
        allowed_exit_codes=exit_codes,
        environment=read("environment", environment_at, None),
        caches=read("cache", caches_at, ()),
        needs=read("needs", needs_at, None),
        dependencies=read("dependencies", strings_at, None),
        timeout_seconds=read("timeout", timeout_at, 0),
        retry=read("retry", retry_at, Retry()),
        when=when,
        only=read("only", refs_at, None),
        excluded=read("except", refs_at, None),
        inherits_variables=_inherited_variables(inherit, place, frame),
    )


def _inherited_variables(
    inherit: dict[str, object], place: Place, frame: Frame
) -> tuple[str, ...] | None:
    if inherit.get("variables", True) is True:
        return None
    return inherited_at(inherit["variables"], place.of("inherit"), frame.variables)


class _Reader:
    """Reads the keywords that a job has."""

    def __init__(self, fields: dict[str, object], place: Place) -> None:
        self._fields = fields
        self._place = place

    def __call__(self, keyword: str, reader: Callable[[object, Place], T], otherwise: D) -> T | D:
        if keyword not in self._fields:
            return otherwise
        return reader(self._fields[keyword], self._place.of(keyword))


def _job_variables(value: object, place: Place) -> tuple[YamlVariable, ...]:
    return variables_at(value, place, described=False)
