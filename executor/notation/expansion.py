"""Variables of a job, expanded as gitlab-runner does it (Go's `os.Expand`).

Pure: no I/O.
"""

from collections.abc import Callable

_NAME = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_0123456789")
_SPECIAL = frozenset("*#$@!?-0123456789")


def expand(text: str, lookup: Callable[[str], str]) -> str:
    """Replace `$X` and `${X}` by what `lookup` says, in one pass; `$$` stands for `$`.

    Shell specials (`$1`, `$@` and the like) become empty, as gitlab-runner makes them.
    """
    if "$" not in text:
        return text
    out: list[str] = []
    at = 0
    while (dollar := text.find("$", at)) >= 0:
        out.append(text[at:dollar])
        name, at = _name(text, dollar + 1)
        if name is None or name == "$":
            out.append("$")
        elif name and name not in _SPECIAL:
            out.append(lookup(name))
    out.append(text[at:])
    return "".join(out)


def _name(text: str, at: int) -> tuple[str | None, int]:
    """Return the name that starts at `at` and where the text goes on; None without a name."""
    if at >= len(text):
        return None, at
    if text[at] == "{":
        end = text.find("}", at)
        if end < 0:
            return "", at + 1
        return text[at + 1 : end], end + 1
    if text[at] in _SPECIAL:
        return text[at], at + 1
    end = at
    while end < len(text) and text[end] in _NAME:
        end += 1
    return (text[at:end], end) if end > at else (None, at)
