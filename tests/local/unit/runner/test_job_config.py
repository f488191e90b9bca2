"""What the config hook answers."""

import pytest

from executor.local.runner.job_config import JobConfig, configured
from executor.local.runner.outcome import SystemFailure

REGISTERED = JobConfig("/builds", "/cache", "bash")


@pytest.mark.parametrize("answer", [b"", b"{}", b'{"unknown": 1, "shell": null}\n'])
def test_what_an_answer_leaves_out_stays(answer: bytes) -> None:
    """An answer with less, or none at all, leaves the registration's values."""
    assert configured(REGISTERED, answer) == REGISTERED


def test_an_answer_beats_the_registration() -> None:
    """Each key of the answer replaces the registration's value for this job."""
    answer = b"""{"builds_dir": "/b", "cache_dir": "/c", "builds_dir_is_shared": true,
    "hostname": "h", "shell": "sh", "job_env": {"A": "1"},
    "driver": {"name": "n", "version": "v"}}"""
    expected = JobConfig(
        "/b",
        "/c",
        "sh",
        builds_dir_is_shared=True,
        hostname="h",
        job_env={"A": "1"},
        name="n",
        version="v",
    )
    assert expected == configured(REGISTERED, answer)


@pytest.mark.parametrize(
    "answer",
    [
        b"\n",
        b"{} {}",
        b"[]",
        b'{"builds_dir": 1}',
        b'{"builds_dir_is_shared": "yes"}',
        b'{"job_env": {"A": 1}}',
        b'{"job_env": []}',
        b'{"driver": "name"}',
        b'{"driver": {"version": 1}}',
    ],
)
def test_an_answer_of_another_kind_is_a_failure(answer: bytes) -> None:
    """The failure says that the answer cannot be parsed, as gitlab-runner's does."""
    with pytest.raises(SystemFailure, match="error while parsing JSON output"):
        configured(REGISTERED, answer)


@pytest.mark.parametrize(
    ("said", "record"),
    [
        ('{"spool": "/x/spool", "key": "1-ab", "host": "y"}', ("/x/spool", "1-ab")),
        ('{"key": "1-ab"}', ("", "")),
        ("[]", ("", "")),
        ("5", ("", "")),
        ("", ("", "")),
        ("[" * 100_000, ("", "")),
    ],
)
def test_where_the_record_of_a_job_is(said: str, record: tuple[str, str]) -> None:
    """dind-executor's hooks say it to each other; an older version, or another executor, does not."""
    config = JobConfig("/b", "/c", "sh", job_env={"DIND_EXECUTOR_RUN_CONTEXT": said})

    assert config.record == record
    assert REGISTERED.record == ("", "")
