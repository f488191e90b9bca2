"""Variables of a job: what they are and how they expand.

Pure. There are two expansions, as in the real thing: the server resolves references between
variables before it hands a job out, and the runner expands once more, by other rules.
"""

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace

from executor.local.pipeline.model import YamlVariable

# Their values are secrets wherever they come from, because GitLab makes them from the job token.
ALWAYS_SECRET = ("CI_REGISTRY_PASSWORD", "CI_DEPENDENCY_PROXY_PASSWORD", "CI_JOB_TOKEN")

_SERVER_REFERENCE = re.compile(r"\$\$|\$(?:\{(\w+)\}|(\w+))")
# A shell's special parameters: one character, never the start of a name.
_SHELL_SPECIAL = "*#$@!?-0123456789"
_NAME_CHARACTER = re.compile(r"[A-Za-z0-9_]")


@dataclass(frozen=True, slots=True)
class Variable:
    """One variable as the job payload carries it."""

    key: str
    value: str = field(repr=False)
    public: bool = True
    file: bool = False
    masked: bool = False
    raw: bool = False


def expand(text: str, lookup: Callable[[str], str]) -> str:
    """Expand `$NAME` and `${NAME}` once, as the runner does.

    The rules are those of Go's os.Expand: a special parameter is a name of one character, what
    is not a name after `${` is eaten, and a lone `$` stays.
    """
    result = []
    position = 0
    while (dollar := text.find("$", position)) != -1:
        result.append(text[position:dollar])
        name, width = _reference(text[dollar + 1 :])
        if name:
            result.append(_shell_value(name, lookup))
        elif not width:
            result.append("$")
        position = dollar + 1 + width
    result.append(text[position:])
    return "".join(result)


def _reference(rest: str) -> tuple[str, int]:
    """Return the name that follows a `$`, and how many characters to skip."""
    if rest.startswith("{"):
        return _braced_reference(rest)
    if rest[:1] and rest[0] in _SHELL_SPECIAL:
        return rest[0], 1
    length = 0
    while length < len(rest) and _NAME_CHARACTER.match(rest[length]):
        length += 1
    return rest[:length], length


def _braced_reference(rest: str) -> tuple[str, int]:
    end = rest.find("}")
    if end == -1:
        return "", 1
    if end == 1:
        return "", 2
    return rest[1:end], end + 1


def _shell_value(name: str, lookup: Callable[[str], str]) -> str:
    if name == "$":
        return "$"
    return "" if len(name) == 1 and name in _SHELL_SPECIAL else lookup(name)


def last_of_each(variables: Iterable[Variable]) -> dict[str, Variable]:
    """Return the variables by key; the last definition of a key wins."""
    return {variable.key: variable for variable in variables}


def resolved_by_server(variables: Iterable[Variable]) -> tuple[Variable, ...]:
    """Return the variables with the references between them resolved, as GitLab hands them out.

    References to unknown, file-type and raw variables stay for the runner; so does a circle.
    """
    latest = last_of_each(variables)
    done: dict[str, str] = {}

    def value_of(variable: Variable, above: frozenset[str]) -> str:
        if variable.raw or variable.file:
            return variable.value
        if variable.key in done:
            return done[variable.key]
        inside = above | {variable.key}

        def substituted(match: re.Match[str]) -> str:
            target = latest.get(match[1] or match[2] or "")
            if target is None or target.raw or target.file or target.key in inside:
                return match[0]
            return value_of(target, inside)

        value = _SERVER_REFERENCE.sub(substituted, variable.value)
        if not above:
            done[variable.key] = value
        return value

    return tuple(
        replace(variable, value=value_of(variable, frozenset())) for variable in latest.values()
    )


def from_yaml(variables: Iterable[YamlVariable]) -> tuple[Variable, ...]:
    """Return the file's variables as the payload has them."""
    return tuple(Variable(item.key, item.value, raw=item.raw) for item in variables)
