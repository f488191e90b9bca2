"""Variables of a job: what they are, and what GitLab makes of the references between them.

Pure. There are two expansions: GitLab resolves references between variables before it hands a job
out, and gitlab-runner expands once more, by other rules (`notation.expansion`).
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass, field, replace

from executor.local.pipeline.model import YamlVariable

# Their values are secrets wherever they come from, because GitLab makes them from the job token.
ALWAYS_SECRET = ("CI_REGISTRY_PASSWORD", "CI_DEPENDENCY_PROXY_PASSWORD", "CI_JOB_TOKEN")

_SERVER_REFERENCE = re.compile(r"\$\$|\$(?:\{(\w+)\}|(\w+))")


@dataclass(frozen=True, slots=True)
class Variable:
    """One variable as the job payload carries it."""

    key: str
    value: str = field(repr=False)
    public: bool = True
    file: bool = False
    masked: bool = False
    raw: bool = False


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
