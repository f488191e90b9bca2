"""Tries and time limits of sub-stages, as a job's variables say."""

import pytest

from executor.local.project.variables import Variable
from executor.local.runner.job_variables import JobVariables
from executor.local.runner.outcome import SystemFailure
from executor.local.runner.sub_stage_limits import attempts, ignores_after_script, stage_timeout


def variables(**values: str) -> JobVariables:
    return JobVariables(tuple(Variable(*item) for item in values.items()), "/tmp")


@pytest.mark.parametrize(("value", "expected"), [("", 1), ("1", 1), ("10", 10), ("many", 1)])
def test_a_sub_stage_is_tried_as_often_as_its_variable_says(value: str, expected: int) -> None:
    """A sub-stage is tried once where its variable is no number."""
    assert expected == attempts("get_sources", variables(GET_SOURCES_ATTEMPTS=value))
    assert attempts("restore_cache", variables(GET_SOURCES_ATTEMPTS="5")) == 1


@pytest.mark.parametrize("value", ["0", "-1", "11"])
def test_too_many_tries_fail_the_job(value: str) -> None:
    """The failure has gitlab-runner's own words."""
    with pytest.raises(SystemFailure, match=r"out of the range \[1, 10\] for stage: restore_cache"):
        attempts("restore_cache", variables(RESTORE_CACHE_ATTEMPTS=value))


@pytest.mark.parametrize(
    ("value", "seconds", "warning"),
    [
        ("", 300, ""),
        (" ", 300, ""),
        ("1m30s", 90, ""),
        ("0s", 300, ""),
        ("5 minutes", 300, "Ignoring malformed KEY timeout: 5 minutes"),
        ("-5m", 300, "Ignoring relative KEY timeout: -5m"),
    ],
)
def test_a_time_limit_is_a_duration_of_go(value: str, seconds: float, warning: str) -> None:
    """Anything else is told and ignored."""
    assert stage_timeout("KEY", variables(KEY=value), 300) == (seconds, warning)


@pytest.mark.parametrize(("value", "expected"), [("", True), ("true", True), ("False", False)])
def test_a_failed_after_script_counts_only_if_asked(value: str, expected: object) -> None:
    """A failed after_script is ignored by default."""
    assert ignores_after_script(variables(AFTER_SCRIPT_IGNORE_ERRORS=value)) is expected
