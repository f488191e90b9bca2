"""What a job is told of its environment: the variables CI_ENVIRONMENT_*.

Pure.
"""

import hashlib
import re

from executor.local.pipeline.model import Environment
from executor.local.project.variables import Variable, last_of_each, resolved_by_server

_LONGEST_SLUG = 24
_SUFFIX_DIGITS = 6
_DIGITS = "0123456789abcdefghijklmnopqrstuvwxyz"
# GitLab guesses the tier by these parts of a name; the first line that fits counts.
_TIER_WORDS = {
    "development": ("dev", "review", "trunk"),
    "testing": ("test", "tst", "int", "accept", "acpt", "qa", "qc", "control", "quality"),
    "staging": ("stag", "stg", "model", "modl", "pre", "demo", "non"),
    "production": ("prod", "prd", "live"),
}


def environment_variables(
    environment: Environment | None, others: tuple[Variable, ...]
) -> tuple[Variable, ...]:
    """Return the variables about an environment, whose name may refer to other variables."""
    if environment is None:
        return ()
    key = "CI_ENVIRONMENT_NAME"
    named = resolved_by_server((*others, Variable(key, environment.name)))
    name = last_of_each(named)[key].value
    values = {
        key: name,
        "CI_ENVIRONMENT_SLUG": environment_slug(name),
        "CI_ENVIRONMENT_ACTION": environment.action,
        "CI_ENVIRONMENT_TIER": environment.tier or _guessed_tier(name),
    }
    if environment.url:
        values["CI_ENVIRONMENT_URL"] = environment.url
    return tuple(Variable(key, value) for key, value in values.items())


def environment_slug(name: str) -> str:
    """Return the name as GitLab makes it fit for host names, with a digest where that changes it."""
    text = re.sub(r"[^a-z0-9]", "-", name.lower())
    text = re.sub(r"-+", "-", text if text[:1].isalpha() else f"env-{text}")
    if text == name and len(text) <= _LONGEST_SLUG:
        return text.removesuffix("-")
    start = text[: _LONGEST_SLUG - 1 - _SUFFIX_DIGITS].removesuffix("-")
    return f"{start}-{_suffix(name)}"


def _suffix(name: str) -> str:
    number = int(hashlib.sha256(name.encode()).hexdigest(), 16)
    digits = ""
    for _ in range(_SUFFIX_DIGITS):
        number, digit = divmod(number, len(_DIGITS))
        digits = _DIGITS[digit] + digits
    return digits


def _guessed_tier(name: str) -> str:
    for tier, words in _TIER_WORDS.items():
        if any(word in name.lower() for word in words):
            return tier
    return "other"
