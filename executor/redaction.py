"""Takes secrets out of a text.

Pure: no I/O, and cheap to import, as every `run` call does.
"""

from collections.abc import Iterable

MASK = "[MASKED]"
CUT = " [...] "
"""What stands for the middle of a text that `excerpts` has shortened."""
_MOST_CUTS = 200
_LONGEST_HALF = 1000
_SHORTEST_HALF = 4
"""How many characters of a secret's beginning or end may stand where a text is cut."""
_TOKEN_PREFIXES = ("glcbt-", "glpat-", "glrt-", "gldt-", "glptt-", "glsoat-", "glft-", "glimt-")
_ALPHABET = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-."


def redact(text: str, secrets: Iterable[str]) -> str:
    """Return `text` without the secrets, without tokens of GitLab and without URL passwords.

    It takes time in proportion to the text, whose author may be anybody.
    """
    text = without(text, secrets)
    for prefix in _TOKEN_PREFIXES:
        if prefix in text:
            text = _without_tokens(text, prefix)
    return _without_url_passwords(text) if "://" in text else text


def without(text: str, secrets: Iterable[str]) -> str:
    """Return `text` without the secrets: each is looked for in what the ones before have left.

    None is looked for in a mask, which would grow with each one that is a part of it.
    """
    secrets = tuple(secrets)
    parts = [text]
    for secret in secrets:
        if secret and secret in text:
            parts = [piece for part in parts for piece in part.split(secret)]
    whole = MASK.join(parts)
    if CUT not in whole:
        return whole
    pieces = whole.split(CUT)
    for at in range(1, min(len(pieces), _MOST_CUTS)):
        pieces[at - 1] = _without_half(pieces[at - 1], secrets, at_end=True)
        pieces[at] = _without_half(pieces[at], secrets, at_end=False)
    return CUT.join(pieces)


def _without_half(text: str, secrets: tuple[str, ...], *, at_end: bool) -> str:
    """Return a text without the half of a secret that stands where it was cut."""
    for secret in secrets:
        for length in range(min(len(secret) - 1, len(text), _LONGEST_HALF), _SHORTEST_HALF - 1, -1):
            if at_end and text.endswith(secret[:length]):
                return text[:-length] + MASK
            if not at_end and text.startswith(secret[-length:]):
                return MASK + text[length:]
    return text


def _without_tokens(text: str, prefix: str) -> str:
    before, *tokens = text.split(prefix)
    return before + "".join(MASK + each.lstrip(_ALPHABET) for each in tokens)


def _without_url_passwords(text: str) -> str:
    before, *rest = text.split("://")
    return "://".join((before, *map(_without_login, rest)))


def _without_login(text: str) -> str:
    """Return what follows on a URL's scheme without what stands before the host's `@`."""
    authority = text
    for end in "/ \"'\n":
        authority = authority.partition(end)[0]
    login, found, _host = authority.rpartition("@")
    return MASK + text[len(login) :] if found else text
