"""Two failures are the same whatever the jobs are called."""

import pytest

from executor.commands.replay.compare import is_same, now, plain, told
from executor.local.runner.outcome import Outcome, Result

SCRIPT = {"sub_stage": "build_script", "script_exit_code": 7, "is_build_failure": True}
PREPARE = {
    "stage": "prepare",
    "script_exit_code": None,
    "is_build_failure": True,
    "sentence": "The container dind-executor-12-0123456789-build has no shell after 3.5 s.",
}


def ended(result: Result, exit_code: int = 0) -> Outcome:
    return Outcome("job", result, exit_code=exit_code)


@pytest.mark.parametrize(
    ("outcome", "same"),
    [
        (ended(Result.FAILED, 7), True),
        (ended(Result.FAILED, 8), False),
        (ended(Result.SYSTEM_FAILURE, 7), False),
        (ended(Result.SUCCESS), False),
    ],
)
def test_the_exit_code_of_a_script(outcome: Outcome, *, same: bool) -> None:
    """It must be the same, and the script's."""
    assert is_same(SCRIPT, outcome, "") == same


def test_the_sentence_of_prepare() -> None:
    """Names and numbers may differ; words and whose failure it is may not."""
    log = "ERROR: The container dind-executor-99-9876543210-build has no shell\nafter 0.1 s.\n"

    assert is_same(PREPARE, ended(Result.FAILED, 1), log)
    assert not is_same(PREPARE, ended(Result.SYSTEM_FAILURE), log)
    assert not is_same(PREPARE, ended(Result.FAILED, 1), "ERROR: another sentence")


def test_a_long_sentence_is_compared_by_its_beginning() -> None:
    """The job log has not more of it."""
    long = {**PREPARE, "sentence": "word " * 1000}

    assert is_same(long, ended(Result.FAILED, 1), "word " * 30)


def test_words() -> None:
    """What is said of then and now."""
    assert told(SCRIPT) == "build_script ended with exit code 7"
    assert told(PREPARE).startswith("prepare failed, for the job author to correct: The container")
    assert now(ended(Result.FAILED, 3)) == "failed with exit code 3"
    assert now(ended(Result.SUCCESS)) == "success"
    assert plain("a  b\n sha 0123456789ab") == "a b sha 0"
