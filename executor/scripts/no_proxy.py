"""NO_PROXY in gitlab-runner's scripts.

A script begins with the job's variables, so it sets NO_PROXY again, whatever the container has.
The container's own names are put in front of what it is set to: `NO_PROXY=${names},` and then the
value as gitlab-runner wrote it, which needs no reading.  `run` loads this for jobs that have such
a variable only.
"""

from collections.abc import Iterable

from executor.names import DIRECT_NAMES, NO_PROXY

_NAMES = b"${%s:+$%s,}" % (DIRECT_NAMES.encode(), DIRECT_NAMES.encode())
_BREAKS = (b"\\n", b"\n")
"""Ends of lines inside of the script's `eval`: in ANSI-C quotes, and in POSIX ones."""


def with_direct_names(script: bytes, keys: Iterable[str] = NO_PROXY) -> bytes:
    """Return the script with the container's names in front of each NO_PROXY that it exports.

    Only among the variables at its beginning: the author's own commands, which follow after a
    change of directory, are left as they are.
    """
    for end_of_line in _BREAKS:
        end = _find(script, end_of_line + b"cd ", 0)
        if end < 0:
            continue
        variables, rest = script[:end], script[end:]
        for key in keys:
            variables = _prefixed(variables, end_of_line + b"export %s=" % key.encode())
        script = variables + rest
    return script


def _prefixed(text: bytes, statement: bytes) -> bytes:
    at = _find(text, statement, 0)
    while at >= 0:
        value = at + len(statement)
        text = text[:value] + _NAMES + text[value:]
        at = _find(text, statement, value)
    return text


def _find(text: bytes, statement: bytes, at: int) -> int:
    """Return where a statement begins; an end of line inside of a value has a backslash before."""
    at = text.find(statement, at)
    while at > 0 and text[at - 1 : at] == b"\\":
        at = text.find(statement, at + 1)
    return at
