"""Variables of a job: what they are, and what GitLab makes of the references between them.

Pure. There are two expansions: GitLab resolves references between variables before it hands a job
out, and gitlab-runner expands once more, by other rules (`notation.expansion`).
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass, field, replace

from executor.excerpts import excerpt
from executor.local.errors import PipelineError
from executor.local.pipeline.model import YamlVariable
from executor.notation.expansion import LONGEST

# Their values are secrets wherever they come from, because GitLab makes them from the job token.
ALWAYS_SECRET = ("CI_REGISTRY_PASSWORD", "CI_DEPENDENCY_PROXY_PASSWORD", "CI_JOB_TOKEN")

_MOST_REFERENCES = 100_000
_DEEPEST = 100
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
    Raises PipelineError for what no hook could get, and for what would take for ever.
    """
    latest = last_of_each(variables)
    done: dict[str, str] = {}
    left = _MOST_REFERENCES

    def value_of(variable: Variable, above: frozenset[str]) -> str:
        if variable.raw or variable.file:
            return variable.value
        if variable.key in done:
            return done[variable.key]
        inside = above | {variable.key}
        length = 0

        def substituted(match: re.Match[str]) -> str:
            nonlocal left, length
            left -= 1
            if left < 0 or len(inside) > _DEEPEST:
                raise _too_long(variable.key)
            value = referred(match)
            length += len(value)
            if length > LONGEST:
                raise _too_long(variable.key)
            return value

        def referred(match: re.Match[str]) -> str:
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


def _too_long(key: str) -> PipelineError:
    return PipelineError(
        f'the variable "{excerpt(key)}" is too long with those that it refers to, or they are too many:'
        f" at most {LONGEST} characters, and {_DEEPEST} variables in each other"
    )


def from_yaml(variables: Iterable[YamlVariable]) -> tuple[Variable, ...]:
    """Return the file's variables as the payload has them."""
    return tuple(Variable(item.key, item.value, raw=item.raw) for item in variables)
