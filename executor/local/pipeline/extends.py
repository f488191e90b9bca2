"""`extends`: jobs that take what other jobs, or hidden ones, say.

Pure. Mappings are merged, at any depth; anything else is replaced. An entry without a value
takes away what the parent says.
"""

from collections.abc import Mapping

from executor.excerpts import excerpt
from executor.local.pipeline.keywords import Place, mapping_at, strings_at, text_at
from executor.local.pipeline.yaml_text import Budget

_DEEPEST = 11


def extended(
    name: str, entries: Mapping[str, object], place: Place, budget: Budget
) -> dict[str, object]:
    """Return a job with what it extends merged in, parents first, itself last.

    Raises PipelineError, also where all jobs together have spent the budget.
    """
    return _extended(name, entries, place.job(name), (), budget)


def _extended(
    name: str,
    entries: Mapping[str, object],
    place: Place,
    below: tuple[str, ...],
    budget: Budget,
) -> dict[str, object]:
    if name in below:
        raise place.error(f"the job extends itself: {' > '.join((*below, name))}")
    if len(below) >= _DEEPEST:
        raise place.error(f"the job extends more than {_DEEPEST} levels deep: {' > '.join(below)}")
    own = mapping_at(entries[name], Place(place.source, f'job "{name}"'))
    parents = own.pop("extends", ())
    result: dict[str, object] = {}
    for parent in _names(parents, place.of("extends")):
        if parent not in entries:
            raise place.of("extends").error(f'there is no "{excerpt(parent)}" to extend')
        result = merged(result, _extended(parent, entries, place, (*below, name), budget))
    found = {key: value for key, value in merged(result, own).items() if value is not None}
    inner = (len(each) for each in found.values() if isinstance(each, dict | list))
    budget.spend(1 + len(found) + sum(inner), place.source)
    return found


def _names(value: object, place: Place) -> tuple[str, ...]:
    if isinstance(value, str):
        return (text_at(value, place),)
    return strings_at(list(value) if isinstance(value, tuple) else value, place)


def merged(parent: Mapping[str, object], child: Mapping[str, object]) -> dict[str, object]:
    """Return the child's mapping over the parent's, at any depth."""
    result = dict(parent)
    for key, value in child.items():
        before = result.get(key)
        if isinstance(before, dict) and isinstance(value, dict):
            inner = merged(before, value)
            result[key] = {name: item for name, item in inner.items() if item is not None}
        else:
            result[key] = value
    return result
