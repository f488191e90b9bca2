"""Variables of a job, expanded as gitlab-runner does it (Go's `os.Expand`).

Pure: no I/O.
"""

from collections.abc import Callable

from executor.errors import UnsupportedJobOption
from executor.excerpts import excerpt

LONGEST = 128 * 1024
"""The most that a program gets as one variable or argument, from the kernel, in bytes."""

_NAME = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_0123456789")
_SPECIAL = frozenset("*#$@!?-0123456789")


def expand(text: str, lookup: Callable[[str], str], most: int = LONGEST) -> str:
    """Replace `$X` and `${X}` by what `lookup` says, in one pass; `$$` stands for `$`.

    Shell specials (`$1`, `$@` and the like) become empty, as gitlab-runner makes them.  Raises
    UnsupportedJobOption as soon as there are more than `most` characters; the sentence shows the
    text as it is written, without the values, which may be secret.
    """
    if "$" not in text:
        return _checked(text, text, len(text), most)
    out: list[str] = []
    at = length = 0
    last_brace = text.rfind("}")
    while (dollar := text.find("$", at)) >= 0:
        out.append(text[at:dollar])
        name, at = _name(text, dollar + 1, last_brace)
        if name is None or name == "$":
            out.append("$")
        elif name and name not in _SPECIAL:
            out.append(lookup(name))
            length += len(out[-1])
            _checked(text, "", length, most)
    out.append(text[at:])
    whole = "".join(out)
    return _checked(text, whole, len(whole), most)


def _checked(text: str, result: str, length: int, most: int) -> str:
    if length <= most:
        return result
    raise UnsupportedJobOption(
        f'"{excerpt(text)}" has more than {most} characters with its variables expanded, and may'
        " not have more. Correct it, or the job's variables in it."
    )


def _name(text: str, at: int, last_brace: int) -> tuple[str | None, int]:
    """Return the name that starts at `at` and where the text goes on; None without a name."""
    if at >= len(text):
        return None, at
    if text[at] == "{":
        if at > last_brace:
            return "", at + 1
        end = text.find("}", at)
        return text[at + 1 : end], end + 1
    if text[at] in _SPECIAL:
        return text[at], at + 1
    end = at
    while end < len(text) and text[end] in _NAME:
        end += 1
    return (text[at:end], end) if end > at else (None, at)
