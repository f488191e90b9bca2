"""What a job's variables say about tries and time limits of its sub-stages.

Pure.
"""

from executor.bounds import LARGEST, whole_number
from executor.excerpts import excerpt
from executor.local.runner.job_variables import JobVariables
from executor.local.runner.outcome import SystemFailure
from executor.notation.durations import go_seconds

_ATTEMPTS = {
    "get_sources": "GET_SOURCES_ATTEMPTS",
    "restore_cache": "RESTORE_CACHE_ATTEMPTS",
    "download_artifacts": "ARTIFACT_DOWNLOAD_ATTEMPTS",
}
_MOST_ATTEMPTS = 10
_FALSE = ("false", "0", "f")


def attempts(sub_stage: str, variables: JobVariables) -> int:
    """Return how often a sub-stage is tried at most."""
    number = whole_number(variables.get(_ATTEMPTS[sub_stage]).removeprefix("+"), smallest=-LARGEST)
    if number is None:
        return 1
    if not 1 <= number <= _MOST_ATTEMPTS:
        message = f"number of attempts out of the range [1, 10] for stage: {sub_stage}"
        raise SystemFailure(message)
    return number


def stage_timeout(key: str, variables: JobVariables, otherwise: float) -> tuple[float, str]:
    """Return the seconds that a variable allows (0: no limit), and what is wrong with it."""
    text = variables.get(key)
    if not text.strip():
        return otherwise, ""
    seconds = go_seconds(text)
    if seconds is None:
        return otherwise, f"Ignoring malformed {key} timeout: {excerpt(text)}"
    if seconds < 0:
        return otherwise, f"Ignoring relative {key} timeout: {excerpt(text)}"
    return seconds or otherwise, ""


def ignores_after_script(variables: JobVariables) -> bool:
    """Tell whether a failed after_script fails nothing, as is the default."""
    return variables.get("AFTER_SCRIPT_IGNORE_ERRORS").lower() not in _FALSE
