"""Reading what decides whether a job runs: rules, when, only, except.

Pure.
"""

from collections.abc import Mapping

from executor.excerpts import excerpt
from executor.local.pipeline.keywords import (
    Place,
    described,
    flag_at,
    mapping_at,
    one_of,
    strings_at,
    text_at,
    variables_at,
)
from executor.local.pipeline.model import Refs
from executor.local.pipeline.rules import Rule, RuleSyntaxError, evaluate

_WHEN = ("on_success", "on_failure", "always", "manual", "delayed", "never")
_RULE = ("if", "when", "changes", "exists", "variables", "allow_failure")
# GitLab may cancel jobs by these, or shows them; how a job runs does not depend on them.
_IGNORED = ("start_in", "interruptible", "auto_cancel")


def when_at(value: object, place: Place) -> str:
    """Return when a job runs."""
    return one_of(_WHEN, value, place)


def rules_at(value: object, place: Place) -> tuple[Rule, ...]:
    """Return the rules of a job, each expression tried once so that mistakes show at once.

    A list in the list, which is what a !reference to rules comes to, is flattened.
    """
    if not isinstance(value, list):
        raise place.error(f"a list of rules is expected, not {described(value)}")
    rules: list[Rule] = []
    for index, item in enumerate(value):
        inner = place.of(index)
        rules += rules_at(item, inner) if isinstance(item, list) else (_rule(item, inner),)
    return tuple(rules)


def _rule(value: object, place: Place) -> Rule:
    fields = mapping_at(value, place)
    place.check_keys(fields, (*_RULE, *_IGNORED))
    changes, compare_to = _changes(fields, place.of("changes"))
    may_fail = fields.get("allow_failure")
    variables = variables_at(fields.get("variables", {}), place.of("variables"), described=False)
    return Rule(
        _expression(fields["if"], place.of("if")) if "if" in fields else "",
        when_at(fields["when"], place.of("when")) if "when" in fields else "",
        changes=changes,
        compare_to=compare_to,
        exists=_patterns(fields, "exists", place),
        variables=tuple((variable.key, variable.value) for variable in variables),
        allow_failure=None if may_fail is None else flag_at(may_fail, place.of("allow_failure")),
    )


def _changes(fields: Mapping[str, object], place: Place) -> tuple[tuple[str, ...] | None, str]:
    value = fields.get("changes")
    if not isinstance(value, dict):
        return None if value is None else _texts(value, place), ""
    inner = mapping_at(value, place)
    place.check_keys(inner, ("paths", "compare_to"))
    compare_to = inner.get("compare_to", "")
    return (
        _texts(inner.get("paths"), place.of("paths")),
        text_at(compare_to, place.of("compare_to")) if "compare_to" in inner else "",
    )


def _patterns(fields: Mapping[str, object], key: str, place: Place) -> tuple[str, ...] | None:
    value = fields.get(key)
    if isinstance(value, dict):
        place.of(key).check_keys(value, ("paths",))
        value = value.get("paths")
    return None if value is None else _texts(value, place.of(key))


def _texts(value: object, place: Place) -> tuple[str, ...]:
    return (value,) if isinstance(value, str) else strings_at(value, place)


def _expression(value: object, place: Place) -> str:
    expression = text_at(value, place)
    try:
        evaluate(expression, {})
    except RuleSyntaxError as error:
        raise place.error(f"{excerpt(expression)} is not an expression: {error}") from None
    return expression


def refs_at(value: object, place: Place) -> Refs:
    """Return what `only:` or `except:` lists: references alone, or sections."""
    if not isinstance(value, dict):
        return Refs(_texts(value, place))
    fields = mapping_at(value, place)
    place.check_keys(fields, ("refs", "variables", "changes"))
    expressions = _patterns(fields, "variables", place)
    for expression in expressions or ():
        _expression(expression, place.of("variables"))
    return Refs(_patterns(fields, "refs", place), expressions, _patterns(fields, "changes", place))


def inherited_at(value: object, place: Place, known: tuple[str, ...]) -> tuple[str, ...]:
    """Return which of the known keywords or variables a job takes over."""
    if isinstance(value, bool):
        return known if value else ()
    return strings_at(value, place)
