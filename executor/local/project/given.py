"""What the command line gives: variables, a project, a time."""

import re
from pathlib import Path

from executor.local.errors import LocalError
from executor.local.project.variables import ALWAYS_SECRET, Variable

_KEY = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_DURATION = re.compile(r"(?:(\d+)h)?(?:(\d+)m)?(?:(\d+)s?)?")
_SHORTEST_MASKED = 8


def plain_variable(text: str) -> Variable:
    """Return the variable of a --variable; GitLab's own secrets stay secrets here too."""
    key, value = _assignment("--variable", text)
    is_secret = key in ALWAYS_SECRET
    return Variable(key, value, public=not is_secret, masked=is_secret, raw=is_secret)


def secret_variable(text: str) -> Variable:
    """Return the masked variable of a --secret-variable; @FILE keeps it off the command line."""
    key, value = _assignment("--secret-variable", text)
    if value.startswith("@"):
        value = _content("--secret-variable", key, value[1:]).rstrip("\n")
    if "\n" in value:
        raise LocalError(
            f"--secret-variable {key}: it has several lines and cannot be masked; "
            f"give it as a file with --file-variable"
        )
    return Variable(key, value, public=False, masked=True, raw=True)


def file_variable(text: str) -> Variable:
    """Return the file-type variable of a --file-variable; masked if a line can be."""
    key, path = _assignment("--file-variable", text)
    content = _content("--file-variable", key, path.removeprefix("@"))
    can_be_masked = "\n" not in content and len(content) >= _SHORTEST_MASKED
    return Variable(key, content, public=False, file=True, masked=can_be_masked, raw=True)


def project_path(text: str) -> str:
    """Return a project path of at least a group and a name."""
    if not re.fullmatch(r"[\w.-]+(?:/[\w.-]+)+", text):
        raise LocalError(f'--project-path "{text}": write it as GROUP/PROJECT')
    return text


def duration_seconds(text: str) -> int:
    """Return the seconds of 90, 90s, 10m or 1h30m."""
    match = _DURATION.fullmatch(text)
    hours, minutes, seconds = (int(part or 0) for part in match.groups()) if match else (0, 0, 0)
    total = (hours * 60 + minutes) * 60 + seconds
    if not total:
        raise LocalError(f'--timeout "{text}": write it as 90s, 10m or 1h30m')
    return total


def _assignment(option: str, text: str) -> tuple[str, str]:
    key, equals, value = text.partition("=")
    if not equals or not _KEY.fullmatch(key):
        # The text may be a secret whose key was forgotten, so it is not repeated.
        raise LocalError(f"{option}: a value has no KEY= of letters, digits and _ before it")
    return key, value


def _content(option: str, key: str, path: str) -> str:
    try:
        return Path(path).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise LocalError(f"{option} {key}: {path} cannot be read ({error})") from None
