"""Reads a pipeline file: YAML → Pipeline, with every mistake named."""

from itertools import islice
from pathlib import Path

from executor.excerpts import excerpt
from executor.files import read_regular
from executor.local.errors import LocalError, PipelineError
from executor.local.pipeline.extends import extended
from executor.local.pipeline.includes import MOST_FILES, Finder, with_includes
from executor.local.pipeline.job import DEFAULTS, DEFAULTS_FOR_GITLAB, Frame, jobs_at
from executor.local.pipeline.keywords import Place, mapping_at, strings_at, variables_at
from executor.local.pipeline.links import check_links
from executor.local.pipeline.model import (
    DEFAULT_STAGES,
    FIRST_STAGE,
    LAST_STAGE,
    JobDefinition,
    Pipeline,
)
from executor.local.pipeline.parallel import with_instances
from executor.local.pipeline.rule_keywords import rules_at
from executor.local.pipeline.rules import Rule
from executor.local.pipeline.yaml_text import Budget, with_references

_MOST_BYTES = 1024 * 1024
_MOST_DEEP = 2
"""How many `**` a pattern may have: each looks at all directories below each that fits before it."""
_LONGEST_NAME = 255
# These may stand at the top level instead of under `default:`; GitLab calls it deprecated.
_OLD_DEFAULTS = ("image", "services", "before_script", "after_script", "cache")
_TOP_LEVEL = ("default", "stages", "variables", "workflow", *_OLD_DEFAULTS)
# A job without `script` would be refused with a sentence that misses the point.
_NOT_JOBS = ("spec", "pages:deploy")


def load_pipeline(path: Path, root: Path | None = None) -> Pipeline:
    """Read and check a pipeline file; what it includes lies below the project's root."""
    return parse_pipeline(_text(path), str(path), _finder((root or path.parent).resolve()))


def _text(path: Path) -> str:
    try:
        return read_regular(str(path), _MOST_BYTES).decode()
    except FileNotFoundError:
        message = f"{path}: no such pipeline file; name another one with --file"
        raise LocalError(message) from None
    except (OSError, UnicodeDecodeError) as error:
        why = error.strerror if isinstance(error, OSError) else "it is not UTF-8 text"
        message = f"{path}: cannot be read ({why}); name another file with --file"
        raise LocalError(message) from None


def _finder(root: Path) -> Finder:
    def find(pattern: str) -> tuple[tuple[str, str], ...]:
        if pattern.split("/").count("**") > _MOST_DEEP:
            raise PipelineError(f'include: "{excerpt(pattern)}" has more than {_MOST_DEEP} "**"')
        try:
            # One more than may be included: then the file says too many.
            found = sorted(islice(root.glob(pattern), MOST_FILES + 1)) if pattern else []
        except (ValueError, NotImplementedError, OSError, RecursionError):
            raise PipelineError(
                f'include: "{excerpt(pattern)}" is not a pattern of files; write "**" only between'
                " slashes"
            ) from None
        inside = [path for path in found if path.is_file() and path.resolve().is_relative_to(root)]
        return tuple((str(path.relative_to(root)), _text(path)) for path in inside)

    return find


def parse_pipeline(text: str, source: str, find: Finder = lambda _: ()) -> Pipeline:
    """Return the pipeline that a file's text, and the files it includes, describe."""
    warnings: list[str] = []
    budget = Budget()
    whole = with_references(with_includes(text, source, find, warnings), source, budget)
    top = mapping_at(whole, Place(source, "the file"))
    place = Place(source)
    stages = _stages(top.get("stages", list(DEFAULT_STAGES)), place.of("stages"))
    variables = variables_at(top.get("variables", {}), place.of("variables"), described=True)
    names = tuple(variable.key for variable in variables)
    frame = Frame(stages, _defaults(top, place), names)
    jobs: list[JobDefinition] = []
    entries = {name: value for name, value in top.items() if name not in _TOP_LEVEL}
    for name in entries:
        if len(name) > _LONGEST_NAME:
            raise place.of(name).error(f"a job's name has at most {_LONGEST_NAME} characters")
        if name.startswith("."):
            continue
        if name in _NOT_JOBS:
            sentence = (
                "this keyword is not supported by the embedded runner; "
                "remove it or run this pipeline in GitLab"
            )
            raise place.of(name).error(sentence)
        jobs += jobs_at(name, extended(name, entries, place, budget), place.job(name), frame)
    if not jobs:
        raise Place(source, "the file").error("it has no job; add one with a script")
    linked = with_instances(tuple(jobs))
    check_links(linked, stages, source)
    workflow = _workflow(top, place.of("workflow"))
    return Pipeline(source, stages, linked, variables, workflow, tuple(warnings))


def _workflow(top: dict[str, object], place: Place) -> tuple[Rule, ...] | None:
    fields = mapping_at(top.get("workflow", {}), place)
    # GitLab shows the name, and cancels other pipelines.
    place.check_keys(fields, ("rules", "name", "auto_cancel"))
    return rules_at(fields["rules"], place.of("rules")) if "rules" in fields else None


def _stages(value: object, place: Place) -> tuple[str, ...]:
    named = [name for name in strings_at(value, place) if name not in (FIRST_STAGE, LAST_STAGE)]
    return (FIRST_STAGE, *dict.fromkeys(named), LAST_STAGE)


def _defaults(top: dict[str, object], place: Place) -> dict[str, object]:
    """Return what jobs inherit, from `default:` and from the top level."""
    defaults = mapping_at(top.get("default", {}), place.of("default"))
    place.of("default").check_keys(defaults, (*DEFAULTS, *DEFAULTS_FOR_GITLAB))
    for keyword in _OLD_DEFAULTS:
        if keyword in top and keyword in defaults:
            sentence = "this keyword is also under default:; keep only the one there"
            raise place.of(keyword).error(sentence)
        if keyword in top:
            defaults[keyword] = top[keyword]
    return defaults
