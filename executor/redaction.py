"""Takes secrets out of a text.

Pure: no I/O, and cheap to import, as every `run` call does.
"""

from collections.abc import Iterable

MASK = "[MASKED]"
_TOKEN_PREFIXES = ("glcbt-", "glpat-", "glrt-", "gldt-", "glptt-", "glsoat-", "glft-", "glimt-")
_TOKEN = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-.")


def redact(text: str, secrets: Iterable[str]) -> str:
    """Return `text` without the secrets, without tokens of GitLab and without URL passwords."""
    for secret in secrets:
        if secret in text:
            text = text.replace(secret, MASK)
    for prefix in _TOKEN_PREFIXES:
        text = _without_tokens(text, prefix)
    return _without_url_passwords(text)


def _without_tokens(text: str, prefix: str) -> str:
    at = 0
    while (start := text.find(prefix, at)) >= 0:
        end = start + len(prefix)
        while end < len(text) and text[end] in _TOKEN:
            end += 1
        text = text[:start] + MASK + text[end:]
        at = start + len(MASK)
    return text


def _without_url_passwords(text: str) -> str:
    at = 0
    while (scheme := text.find("://", at)) >= 0:
        start = at = scheme + 3
        end = start
        while end < len(text) and text[end] not in "/ \"'\n":
            end += 1
        user, found, _host = text[start:end].rpartition("@")
        if found:
            text = text[:start] + MASK + text[start + len(user) :]
            at = start + len(MASK)
    return text
