"""Whether a token may change more than what it is used for needs."""

from collections.abc import Iterable, Mapping

from executor.commands.fleet.options import Options
from executor.commands.gitlab.client import Client, GitLabFailed, Need

_NEED = Need("read_api")
_READS = "read_"
_ALL = "api"
"""It has all that the other scopes of the API have."""
_OTHERS_THAN_API = frozenset(("sudo", "admin_mode", "write_repository", "write_registry"))


def advice(client: Client, options: Options) -> str:
    """Return a sentence on scopes that are not needed, "" where there are none or nobody says so."""
    try:
        told = client.get("/personal_access_tokens/self", _NEED)
    except GitLabFailed:
        return ""
    scopes = told.get("scopes") if isinstance(told, Mapping) else None
    more = unneeded(filter(None, map(_word, scopes)), options) if isinstance(scopes, list) else []
    if not more:
        return ""
    named = ", ".join(f"`{each}`" for each in more)
    return (
        f"The token has more scopes than `fleet {options.action}` needs ({named}): {options.scope}"
        " is enough. Whoever gets hold of it may do all that they allow."
    )


def unneeded(scopes: Iterable[str], options: Options) -> list[str]:
    """Return the scopes with which something can be changed and that are not needed.  Pure."""
    needed = set(options.scopes)
    return sorted(
        each
        for each in scopes
        if each not in needed
        and not each.startswith(_READS)
        and (_ALL not in needed or each in _OTHERS_THAN_API)
    )


def _word(scope: object) -> str:
    is_word = isinstance(scope, str) and scope.isascii() and scope.replace("_", "").isalnum()
    return str(scope) if is_word else ""
