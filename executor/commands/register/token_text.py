"""Another token of a runner in config.toml, as text; pure.

Only the lines of the token change, as in `config_text`.
"""

import datetime as dt
import re
from collections.abc import Iterator, Mapping

from executor.bounds import toml_table
from executor.commands.register.config_text import Table, Unchangeable, runners_of, says
from executor.notation.toml import value_text

_RUNNERS = "runners"
OBTAINED, EXPIRES = "token_obtained_at", "token_expires_at"
_NEVER = dt.datetime(1, 1, 1, tzinfo=dt.UTC)
"""As gitlab-runner writes that a token does not expire."""
_LINE = r"(\s*(?i:{key})\s*=\s*)(?:{value})(\s*(?:#.*)?)\Z"


def with_token(
    text: str, old: str, new: str, obtained: dt.datetime, expires: dt.datetime | None
) -> str:
    """Return the text with another token in the place of one, for each runner that has it.

    When it was obtained and when it expires changes where that is written.  Raises InvalidToml for a
    text that is none, and Unchangeable.
    """
    document = toml_table(text)
    tables = document.get(_RUNNERS)
    has_it = any(each.get("token") == old for each in runners_of(document))
    if not isinstance(tables, list) or not has_it:
        raise Unchangeable("it has not the token any more")
    times = {OBTAINED: obtained, EXPIRES: expires or _NEVER}
    changed = "\n".join(_changed(text.split("\n"), old, new, times))
    wanted = {**document, _RUNNERS: [_wanted(each, old, new, times) for each in tables]}
    if says(changed, wanted):
        return changed
    raise Unchangeable("its token is written in a way that only people can change")


def _wanted(
    table: Table, old: str, new: str, times: Mapping[str, dt.datetime]
) -> dict[str, object]:
    """Return what a runner is to say."""
    if not any(key.lower() == "token" and value == old for key, value in table.items()):
        return dict(table)
    changes: dict[str, object] = {"token": new, **times}
    return {key: changes.get(key.lower(), value) for key, value in table.items()}


def _changed(
    lines: list[str], old: str, new: str, times: Mapping[str, dt.datetime]
) -> Iterator[str]:
    """Yield the lines, changed in each part between two headers that has the token."""
    quoted = f"\"{re.escape(old)}\"|'{re.escape(old)}'"
    token = re.compile(_LINE.format(key="token", value=quoted))
    start = 0
    for at in (*range(1, len(lines)), len(lines)):
        if at < len(lines) and not lines[at].lstrip().startswith("["):
            continue
        part = lines[start:at]
        start = at
        if not any(token.match(line) for line in part):
            yield from part
            continue
        for line in part:
            if found := token.match(line):
                yield f"{found[1]}{value_text(new)}{found[2]}"
            else:
                yield _with_time(line, times)


def _with_time(line: str, times: Mapping[str, dt.datetime]) -> str:
    for key, value in times.items():
        if found := re.match(_LINE.format(key=key, value=r"[0-9][0-9TtZz:.+ -]*?"), line):
            stamp = value.isoformat().removesuffix("+00:00")
            return f"{found[1]}{stamp}Z{found[2]}"
    return line
