"""Which images are whose by their names: the administrator's settings, and the names that jobs pulled.

Pure: no I/O.
"""

import re
from collections.abc import Iterable, Mapping

from executor.budgets.records import ImageRecord
from executor.notation.expansion import expand
from executor.notation.image_names import one_spelling
from executor.settings.file import Settings

HELPER_KEY = "[docker] helper_image"
"""As `Pull.chosen_by` has it: gitlab-runner's own helper image, where the setting is empty."""

_ANY = "\0"
"""Stands for a job's variable."""


class Named:
    """The images that the settings name; what variables stand for in them may be anything."""

    def __init__(self, settings: Settings, known: Mapping[str, ImageRecord]) -> None:
        """Take the settings, and by their ids the images that jobs pulled."""
        docker = settings.docker
        texts = (
            docker.images.image,
            docker.images.helper_image,
            settings.dind.image,
            *(each.name for each in docker.services.services),
        )
        self._plain = frozenset(one_spelling(each) for each in texts if each and "$" not in each)
        self._patterns = tuple(_pattern(each) for each in texts if "$" in each)
        helpers = {
            image: each.used for image, each in known.items() if each.chosen_by == HELPER_KEY
        }
        is_default = bool(helpers) and not docker.images.helper_image
        self._helper = max(helpers, key=lambda each: helpers[each]) if is_default else ""

    def has(self, image: str, names: Iterable[str]) -> bool:
        """Tell whether the settings name an image, by its id and all its names."""
        return image == self._helper or any(
            one_spelling(each) in self._plain or any(one.fullmatch(each) for one in self._patterns)
            for each in names
        )


def has_other_name(listed: Mapping[str, object], pulled: Iterable[str]) -> bool:
    """Tell whether a listed image has a name by which no job pulled it: the administrator's."""
    known = frozenset(map(one_spelling, pulled))
    repositories = frozenset(map(_repository, known))
    if any(one_spelling(each) not in known for each in tags_of(listed)):
        return True
    return any(
        _repository(one_spelling(each)) not in repositories
        for each in _names(listed, "RepoDigests")
    )


def tags_of(listed: Mapping[str, object]) -> tuple[str, ...]:
    """Return the names of a listed image, those with digests left out."""
    return tuple(_names(listed, "RepoTags"))


def image_name(listed: Mapping[str, object]) -> str:
    """Return what people know a listed image by: its first name, or its id."""
    return next(iter(names_of(listed)), str(listed.get("Id")))


def names_of(listed: Mapping[str, object]) -> tuple[str, ...]:
    """Return all names of a listed image, those with digests last."""
    return (*tags_of(listed), *_names(listed, "RepoDigests"))


def _names(listed: Mapping[str, object], key: str) -> list[str]:
    names = listed.get(key)
    known = [str(each) for each in names] if isinstance(names, list) else []
    return [each for each in known if not each.startswith("<none>")]


def _repository(plain: str) -> str:
    head, slash, last = plain.partition("@")[0].rpartition("/")
    return f"{head}{slash}{last.partition(':')[0]}"


def _pattern(text: str) -> "re.Pattern[str]":
    parts = expand(text, lambda _name: _ANY).split(_ANY)
    return re.compile(f"{'.*'.join(map(re.escape, parts))}(?::latest)?", re.DOTALL)
