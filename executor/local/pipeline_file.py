"""Reads a pipeline file: YAML → Pipeline, with every unknown keyword named."""

from pathlib import Path

import yaml

from executor.local.errors import LocalError, PipelineError
from executor.local.keywords import (
    Place,
    artifacts_at,
    environment_at,
    flag_at,
    image_at,
    mapping_at,
    rules_at,
    script_at,
    services_at,
    strings_at,
    text_at,
    variables_at,
)
from executor.local.pipeline import (
    DEFAULT_STAGES,
    FIRST_STAGE,
    LAST_STAGE,
    JobDefinition,
    Pipeline,
    YamlVariable,
)

_DEFAULTS = ("image", "services", "before_script", "after_script", "artifacts", "tags")
_JOB_ONLY = ("stage", "script", "variables", "rules", "environment", "allow_failure")
_JOB_KEYWORDS = (*_JOB_ONLY, *_DEFAULTS)
# These may stand at the top level instead of under `default:`; GitLab calls it deprecated.
_OLD_DEFAULTS = ("image", "services", "before_script", "after_script")
_TOP_LEVEL = ("default", "stages", "variables", *_OLD_DEFAULTS)
# A job without `script` would be refused with a sentence that misses the point.
_NOT_JOBS = ("include", "workflow", "spec", "cache", "pages:deploy")
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
    top = mapping_at(_yaml(text, source), Place(source, "the file"))
    place = Place(source)
    stages = _stages(top.get("stages", list(DEFAULT_STAGES)), place.of("stages"))
    defaults = _defaults(top, place)
    variables = variables_at(top.get("variables", {}), place.of("variables"), described=True)
    jobs = []
    for name, value in top.items():
        if name in _TOP_LEVEL or name.startswith("."):
            continue
        if name in _NOT_JOBS:
            sentence = (
                "this keyword is not supported by the embedded runner; "
                "take it out or run this pipeline in GitLab"
            )
            raise place.of(name).error(sentence)
        jobs.append(_job(name, value, place=place.job(name), defaults=defaults, stages=stages))
    if not jobs:
        raise Place(source, "the file").error("it has no job; add one with a script")
    return Pipeline(source, stages, tuple(jobs), variables)


def _yaml(text: str, source: str) -> object:
    try:
        value: object = yaml.safe_load(text)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark
        where = f"line {mark.line + 1}, column {mark.column + 1}" if mark else "the file"
        tag = "; tags such as !reference are not supported" if "tag" in str(error.problem) else ""
        message = f"{source}: {where}: it is not YAML that can be read: {error.problem}{tag}"
        raise PipelineError(message) from None
    except yaml.YAMLError as error:
        message = f"{source}: it is not YAML that can be read: {error}"
        raise PipelineError(message) from None
    return value


def _stages(value: object, place: Place) -> tuple[str, ...]:
    named = [name for name in strings_at(value, place) if name not in (FIRST_STAGE, LAST_STAGE)]
    return (FIRST_STAGE, *dict.fromkeys(named), LAST_STAGE)


def _defaults(top: dict[str, object], place: Place) -> dict[str, object]:
    """Return what jobs inherit, from `default:` and from the top level."""
    defaults = mapping_at(top.get("default", {}), place.of("default"))
    place.of("default").check_keys(defaults, _DEFAULTS)
    for keyword in _OLD_DEFAULTS:
        if keyword in top and keyword in defaults:
            sentence = "it stands here and under default: too; keep the one under default:"
            raise place.of(keyword).error(sentence)
        if keyword in top:
            defaults[keyword] = top[keyword]
    return defaults


def _job(
    name: str, value: object, *, place: Place, defaults: dict[str, object], stages: tuple[str, ...]
) -> JobDefinition:
    own = mapping_at(value, place)
    place.check_keys(own, _JOB_KEYWORDS)
    fields = {**defaults, **own}
    script = script_at(fields.get("script", []), place.of("script"))
    if not any(command.strip() for command in script):
        raise place.error('"script" is missing or empty; a job needs at least one command')
    ci_stage = text_at(fields.get("stage", _DEFAULT_STAGE), place.of("stage"))
    if ci_stage not in stages:
        sentence = f'stage "{ci_stage}" does not exist; the stages are {", ".join(stages)}'
        raise place.error(sentence)
    if "tags" in fields:
        strings_at(fields["tags"], place.of("tags"))
    return JobDefinition(
        name=name,
        ci_stage=ci_stage,
        script=script,
        before_script=script_at(fields.get("before_script", []), place.of("before_script")),
        after_script=script_at(fields.get("after_script", []), place.of("after_script")),
        image=image_at(fields["image"], place.of("image")) if "image" in fields else None,
        services=services_at(fields.get("services", []), place.of("services")),
        variables=_job_variables(fields, place),
        rules=rules_at(fields["rules"], place.of("rules")) if "rules" in fields else None,
        artifacts=(
            artifacts_at(fields["artifacts"], place.of("artifacts"))
            if "artifacts" in fields
            else None
        ),
        allow_failure=flag_at(fields.get("allow_failure", False), place.of("allow_failure")),
        environment=(
            environment_at(fields["environment"], place.of("environment"))
            if "environment" in fields
            else ""
        ),
    )


def _job_variables(fields: dict[str, object], place: Place) -> tuple[YamlVariable, ...]:
    return variables_at(fields.get("variables", {}), place.of("variables"), described=False)
