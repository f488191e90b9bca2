"""Which images a list of patterns admits, however their names are spelled."""

from collections.abc import Iterable, Sequence

from executor.notation.image_names import (
    DEFAULT_TAG,
    HUB,
    HUB_HOSTS,
    ImageReference,
    InvalidImage,
    is_bare_id,
    names_a_host,
)
from executor.notation.patterns import MalformedPattern, alternatives, match


def is_allowed(image: str, patterns: Sequence[str], internal: Iterable[str] = ()) -> bool:
    """Tell whether a list of patterns admits an image.

    A pattern that starts with `!` excludes what it matches, whatever else admits it, and sees
    through the other spellings of the same image. A list without an admitting pattern admits
    what it does not exclude. `internal` images are the administrator's own: only an exclusion
    keeps them out. An image's id has no name to exclude it by, so any exclusion does.
    """
    if is_bare_id(image) and image not in internal:
        if any(pattern.startswith("!") for pattern in patterns):
            return False
    elif any(pattern.startswith("!") and _excludes(pattern[1:], image) for pattern in patterns):
        return False
    admissions = [pattern for pattern in patterns if not pattern.startswith("!")]
    return (
        not admissions or image in internal or any(match(pattern, image) for pattern in admissions)
    )


def _excludes(pattern: str, image: str) -> bool:
    """Tell whether an exclusion covers an image, however its author and the administrator spell it.

    The registry is the same in any case and with its default port, Docker Hub has several
    names, and a missing tag means `latest`.
    """
    patterns = (pattern, *_plain_patterns(pattern))
    try:
        reference = ImageReference.parse(image)
    except InvalidImage:
        return match(pattern, image)
    domain = _plain_domain(reference.domain)
    names = {reference.name}
    if domain in HUB_HOSTS:
        short = reference.path.removeprefix("library/")
        names.add(short)
        # Longer names only where the pattern speaks of them: `!*/*` must not exclude `ruby`
        # because that is `library/ruby` in full.
        official = "" if "/" in short else "library/"
        if any("library" in each for each in patterns):
            names.add(official + short)
        if any(HUB in each for each in patterns):
            names |= {f"{host}/{part}{short}" for host in HUB_HOSTS for part in ("", official)}
    else:
        names.add(f"{domain}/{reference.path}")
    endings = {f":{reference.tag}"} if reference.tag else {"", f":{DEFAULT_TAG}"}
    if reference.tag == DEFAULT_TAG:
        endings.add("")
    if reference.digest:
        endings |= {f"{ending}@{reference.digest}" for ending in ("", *endings)}
    spelled = [name + ending for name in names for ending in endings]
    return any(match(each, name) for each in patterns for name in spelled)


def _plain_patterns(pattern: str) -> list[str]:
    """Return an exclusion with the registry that it names spelled as `_plain_domain` does it."""
    try:
        parts = [each.partition("/") for each in alternatives(pattern)]
    except MalformedPattern:
        return []
    return [
        f"{_plain_domain(first)}/{path}"
        for first, has_slash, path in parts
        if has_slash and names_a_host(first)
    ]


def _plain_domain(domain: str) -> str:
    """Return a registry without its default port; others are numbers, so zeros before do not count."""
    host, colon, port = domain.lower().rpartition(":")
    if not colon or not port.isdecimal():
        return domain.lower()
    plain = port.lstrip("0")
    return host if plain == "443" else f"{host}:{plain}"
