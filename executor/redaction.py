"""Takes secrets out of a text.

Pure: no I/O, and cheap to import, as every `run` call does.
"""

from _collections_abc import Iterable

MASK = "[MASKED]"
_TOKEN_PREFIXES = (
    "glcbt-",
    "glpat-",
    "glrt-",
    "glrtr-",
    "gldt-",
    "glptt-",
    "glsoat-",
    "glft-",
    "glimt-",
)
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
    parts = [text]
    for secret in secrets:
        if secret and secret in text:
            parts = [piece for part in parts for piece in part.split(secret)]
    return MASK.join(parts)


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
