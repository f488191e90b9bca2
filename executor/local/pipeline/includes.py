"""`include: local`: other files of the project, over which the file itself is merged.

Pure: the files come in through a function.
"""

from collections.abc import Callable, Mapping

from executor.excerpts import excerpt
from executor.local.pipeline.extends import merged
from executor.local.pipeline.keywords import Place, mapping_at, text_at
from executor.local.pipeline.yaml_text import read_yaml

_DEEPEST = 10
MOST_FILES = 150
"""As in GitLab."""
# From a pattern below the project's root to the names and texts of the files that fit it.
Finder = Callable[[str], tuple[tuple[str, str], ...]]


def with_includes(
    text: str, source: str, find: Finder, warnings: list[str] | None = None
) -> dict[str, object]:
    """Return what a file and those it includes say; the file's own words win.

    What is odd, and no mistake, is added to the warnings.
    """
    return _Inclusion(find, [] if warnings is None else warnings).of(text, source, 0)


class _Inclusion:
    def __init__(self, find: Finder, warnings: list[str]) -> None:
        self._find = find
        self._warnings = warnings
        self._files = 0

    def of(self, text: str, source: str, depth: int) -> dict[str, object]:
        top = mapping_at(read_yaml(text, source, self._warnings), Place(source, "the file"))
        place = Place(source, "include")
        if depth > _DEEPEST:
            raise place.error("files include each other more than ten levels deep")
        named = top.pop("include", [])
        result: dict[str, object] = {}
        for entry in named if isinstance(named, list) else [named]:
            pattern = _local(entry, place)
            found = self._find(pattern.lstrip("/"))
            if not found:
                raise place.error(f'there is no file "{excerpt(pattern)}" in the project')
            for name, content in found:
                self._files += 1
                if self._files > MOST_FILES:
                    raise place.error(f"more than {MOST_FILES} files are included")
                result = merged(result, self.of(content, name, depth + 1))
        return merged(result, top)


def _local(entry: object, place: Place) -> str:
    if isinstance(entry, str):
        if "://" in entry:
            raise place.unsupported("remote", ("local",))
        return text_at(entry, place)
    fields: Mapping[str, object] = mapping_at(entry, place)
    place.check_keys(fields, ("local",))
    return text_at(fields.get("local"), place.of("local"))
