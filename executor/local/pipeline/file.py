"""Reads a pipeline file: YAML → Pipeline, with every unknown keyword named."""

from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from executor.local.errors import LocalError
from executor.local.pipeline.artifact_keywords import artifacts_at
from executor.local.pipeline.extends import extended
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
    rules_at,
    script_at,
    services_at,
    strings_at,
    text_at,
    variables_at,
)
from executor.local.pipeline.links import check_links
from executor.local.pipeline.model import (
    DEFAULT_STAGES,
    FIRST_STAGE,
    LAST_STAGE,
    JobDefinition,
    Pipeline,
    Retry,
    YamlVariable,
)
from executor.local.pipeline.yaml_text import load_yaml

T = TypeVar("T")
D = TypeVar("D")

_DEFAULTS = (
    *("image", "services", "before_script", "after_script", "artifacts", "tags"),
    *("cache", "retry", "timeout"),
)
_JOB_ONLY = (
    *("stage", "script", "variables", "rules", "environment", "allow_failure"),
    *("needs", "dependencies"),
)
_JOB_KEYWORDS = (*_JOB_ONLY, *_DEFAULTS)
# These may stand at the top level instead of under `default:`; GitLab calls it deprecated.
_OLD_DEFAULTS = ("image", "services", "before_script", "after_script", "cache")
_TOP_LEVEL = ("default", "stages", "variables", *_OLD_DEFAULTS)
# A job without `script` would be refused with a sentence that misses the point.
_NOT_JOBS = ("include", "workflow", "spec", "pages:deploy")
_DEFAULT_STAGE = "test"


def load_pipeline(path: Path) -> Pipeline:
    """Read and check a pipeline file."""
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        message = f"{path}: no such pipeline file; name another one with --file"
        raise LocalError(message) from None
    except (OSError, UnicodeDecodeError) as error:
        message = f"{path}: cannot be read ({error}); name another file with --file"
        raise LocalError(message) from None
    return parse_pipeline(text, str(path))


def parse_pipeline(text: str, source: str) -> Pipeline:
    """Return the pipeline that a file's text describes."""
    top = mapping_at(load_yaml(text, source), Place(source, "the file"))
    place = Place(source)
    stages = _stages(top.get("stages", list(DEFAULT_STAGES)), place.of("stages"))
    defaults = _defaults(top, place)
    variables = variables_at(top.get("variables", {}), place.of("variables"), described=True)
    jobs = []
    entries = {name: value for name, value in top.items() if name not in _TOP_LEVEL}
    for name in entries:
        if name.startswith("."):
            continue
        if name in _NOT_JOBS:
            sentence = (
                "this keyword is not supported by the embedded runner; "
                "remove it or run this pipeline in GitLab"
            )
            raise place.of(name).error(sentence)
        own = extended(name, entries, place)
        jobs.append(_job(name, own, place=place.job(name), defaults=defaults, stages=stages))
    if not jobs:
        raise Place(source, "the file").error("it has no job; add one with a script")
    check_links(tuple(jobs), stages, source)
    return Pipeline(source, stages, tuple(jobs), variables)


def _stages(value: object, place: Place) -> tuple[str, ...]:
    named = [name for name in strings_at(value, place) if name not in (FIRST_STAGE, LAST_STAGE)]
    return (FIRST_STAGE, *dict.fromkeys(named), LAST_STAGE)


def _defaults(top: dict[str, object], place: Place) -> dict[str, object]:
    """Return what jobs inherit, from `default:` and from the top level."""
    defaults = mapping_at(top.get("default", {}), place.of("default"))
    place.of("default").check_keys(defaults, _DEFAULTS)
    for keyword in _OLD_DEFAULTS:
        if keyword in top and keyword in defaults:
            sentence = "this keyword is also under default:; keep only the one there"
            raise place.of(keyword).error(sentence)
        if keyword in top:
            defaults[keyword] = top[keyword]
    return defaults


def _job(
    name: str,
    own: dict[str, object],
    *,
    place: Place,
    defaults: dict[str, object],
    stages: tuple[str, ...],
) -> JobDefinition:
    place.check_keys(own, _JOB_KEYWORDS)
    fields = {**defaults, **own}

    def read(keyword: str, reader: Callable[[object, Place], T], otherwise: D) -> T | D:
        return reader(fields[keyword], place.of(keyword)) if keyword in fields else otherwise

    script = read("script", script_at, ())
    if not any(command.strip() for command in script):
        raise place.error('"script" is missing or empty; a job needs at least one command')
    ci_stage = read("stage", text_at, _DEFAULT_STAGE)
    if ci_stage not in stages:
        sentence = f'stage "{ci_stage}" does not exist; the stages are {", ".join(stages)}'
        raise place.error(sentence)
    read("tags", strings_at, ())
    may_fail, exit_codes = read("allow_failure", allow_failure_at, (False, ()))
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
    )


def _job_variables(value: object, place: Place) -> tuple[YamlVariable, ...]:
    return variables_at(value, place, described=False)
