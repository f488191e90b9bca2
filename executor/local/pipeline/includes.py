"""`include: local`: other files of the project, over which the file itself is merged.

Pure: the files come in through a function.
"""

from collections.abc import Callable, Mapping

from executor.local.pipeline.extends import merged
from executor.local.pipeline.keywords import Place, mapping_at, text_at
from executor.local.pipeline.yaml_text import read_yaml

_DEEPEST = 10
# From a pattern below the project's root to the names and texts of the files that fit it.
Finder = Callable[[str], tuple[tuple[str, str], ...]]


def with_includes(text: str, source: str, find: Finder, depth: int = 0) -> dict[str, object]:
    """Return what a file and those it includes say; the file's own words win."""
    top = mapping_at(read_yaml(text, source), Place(source, "the file"))
    place = Place(source, "include")
    if depth > _DEEPEST:
        raise place.error("files include each other more than ten levels deep")
    named = top.pop("include", [])
    result: dict[str, object] = {}
    for entry in named if isinstance(named, list) else [named]:
        pattern = _local(entry, place)
        found = find(pattern.lstrip("/"))
        if not found:
            raise place.error(f'there is no file "{pattern}" in the project')
        for name, content in found:
            result = merged(result, with_includes(content, name, find, depth + 1))
    return merged(result, top)


def _local(entry: object, place: Place) -> str:
    if isinstance(entry, str):
        if "://" in entry:
            raise place.unsupported("remote", ("local",))
        return text_at(entry, place)
    fields: Mapping[str, object] = mapping_at(entry, place)
    place.check_keys(fields, ("local",))
    return text_at(fields.get("local"), place.of("local"))
