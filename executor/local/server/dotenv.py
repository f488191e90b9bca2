"""A dotenv report: the variables that a job leaves for later ones.

Pure.
"""

import re

_LINE = re.compile(r"(?:export\s+)?([A-Za-z_][A-Za-z0-9_]*)\s*=(.*)")


def variables_in(text: str) -> tuple[tuple[str, str], ...]:
    """Return the variables of a report; raise ValueError with the line that is none."""
    found = []
    for number, line in enumerate(text.splitlines(), 1):
        stripped = line.strip()
        if not stripped or stripped.startswith("#"):
            continue
        match = _LINE.fullmatch(stripped)
        if match is None:
            message = f"line {number} is not KEY=VALUE"
            raise ValueError(message)
        if "\0" in stripped:
            message = f"line {number} holds a NUL"
            raise ValueError(message)
        found.append((match[1], _unquoted(match[2].strip())))
    return tuple(found)


def _unquoted(value: str) -> str:
    quotes = ('"', "'")
    if len(value) > 1 and value[0] in quotes and value[0] == value[-1]:
        return value[1:-1]
    return value
