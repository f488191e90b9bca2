"""GitLab's answers, and what they mean for a job that nobody runs any more."""

import json

import pytest

from executor.sweep.answers import (
    Ghost,
    GhostOutcome,
    TraceAnswer,
    end_request,
    judge_again,
    judge_end,
    judge_job,
    judge_trace,
    last_line,
)
from tests.gitlab import trace

JSON = "application/json"
RUNS = json.dumps({"id": 17, "status": "running", "runner_manager": {"system_id": "s_1"}})
REFUSED = '{"message": "401 Unauthorized"}'


@pytest.mark.parametrize(
    ("status", "content_type", "body"),
    [
        (200, JSON, RUNS),
        (200, "application/json; charset=utf-8", RUNS),
        (200, "Application/JSON", '{"id": 17, "status": "canceling"}'),
    ],
)
def test_a_job_that_needs_its_runner_can_be_ended(
    status: int, content_type: str, body: str
) -> None:
    """A job that runs or is being cancelled, by its id, is a ghost."""
    assert judge_job(status, content_type, body.encode(), 17) is None


@pytest.mark.parametrize(
    ("system_id", "manager", "is_ours"),
    [
        ("s_1", {"system_id": "s_1"}, True),
        ("s_1", {"system_id": "s_2"}, False),
        ("", {"system_id": "s_2"}, True),
        ("s_1", {"system_id": ""}, True),
        ("s_1", {"system_id": 1}, True),
        ("s_1", {}, True),
        ("s_1", None, True),
        ("s_1", "s_2", True),
    ],
)
def test_a_job_that_another_runner_has_is_left_alone(
    system_id: str, manager: object, *, is_ours: bool
) -> None:
    """GitLab gives a job out again, with its token, whose start it did not hear of."""
    body = json.dumps({"id": 17, "status": "running", "runner_manager": manager}).encode()

    outcome = judge_job(200, JSON, body, 17, system_id)

    assert outcome == (None if is_ours else GhostOutcome(Ghost.OVER))


@pytest.mark.parametrize("system_id", ["", "s_1"])
def test_a_job_of_an_unsigned_payload(system_id: str) -> None:
    """Where nothing says which gitlab-runner had the job, another id is no proof of anything."""
    body = RUNS.replace("s_1", "s_2").encode()

    outcome = judge_job(200, JSON, body, 17, system_id, is_signed=False)

    assert outcome
    assert outcome.ghost is Ghost.UNANSWERED
    assert judge_job(200, JSON, body, 17, "s_2", is_signed=False) is None
    assert judge_job(200, JSON, b'{"id": 17, "status": "running"}', 17, is_signed=False) is None


def test_a_token_of_no_running_job_says_that_the_job_is_over() -> None:
    """GitLab knows a job's token as long as the job runs."""
    assert judge_job(401, JSON, REFUSED.encode(), 17) == GhostOutcome(Ghost.OVER)


@pytest.mark.parametrize(
    ("status", "content_type", "body", "why"),
    [
        (200, "text/html", "<html>Sign in</html>", "login page"),
        (200, "text/html", RUNS, "login page"),
        (401, "text/html", "<html>Sign in</html>", "login page"),
        (401, "", REFUSED, "login page"),
        (200, JSON, "<html>", "login page"),
        (200, JSON, "[" * 100_000, "login page"),
        (200, JSON, f'{{"id": {"9" * 5000}}}', "login page"),
        (200, JSON, "[17]", "login page"),
        (200, JSON, "", "login page"),
        (200, JSON, '{"id": 18, "status": "running"}', "another job"),
        (200, JSON, '{"id": "17", "status": "running"}', "another job"),
        (200, JSON, '{"id": true, "status": "running"}', "another job"),
        (200, JSON, '{"status": "running"}', "another job"),
        (200, JSON, '{"id": 17, "status": "pending"}', "not started"),
        (200, JSON, '{"id": 17, "status": ["running"]}', "not started"),
        (200, JSON, '{"id": 17}', "not started"),
        (201, JSON, RUNS, "201"),
        (302, JSON, REFUSED, "302"),
        (403, JSON, REFUSED, "403"),
        (404, JSON, REFUSED, "404"),
        (429, JSON, REFUSED, "429"),
        (500, JSON, REFUSED, "500"),
        (502, "text/html", "<html>", "502"),
        (503, JSON, REFUSED, "503"),
    ],
)
def test_every_other_answer_says_nothing(
    status: int, content_type: str, body: str, why: str
) -> None:
    """What is no plain word of GitLab's API about this job keeps the payload, and says why."""
    outcome = judge_job(status, content_type, body.encode(), 17)

    assert outcome is not None
    assert outcome.ghost is Ghost.UNANSWERED
    assert why in outcome.reason


def test_true_is_no_id_of_the_first_job() -> None:
    """JSON's true equals 1 in Python, and is no job's id."""
    outcome = judge_job(200, JSON, b'{"id": true, "status": "running"}', 1)

    assert outcome is not None
    assert outcome.ghost is Ghost.UNANSWERED


def test_no_reason_quotes_the_answer() -> None:
    """A server may repeat the token that it was sent."""
    body = b'{"id": 18, "status": "glcbt-secret", "message": "glcbt-secret"}'
    for status in (200, 401, 403, 500):
        outcome = judge_job(status, JSON, body, 17)
        assert outcome is not None
        assert "secret" not in outcome.reason


# --- the job log -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("status", "stream_range", "judged"),
    [
        (202, "0-120", TraceAnswer()),
        (416, "0-4711", TraceAnswer(offset=4711)),
        (416, "0-0", TraceAnswer(offset=0)),
        (416, "", TraceAnswer()),
        (416, "0-", TraceAnswer()),
        (416, "0-x", TraceAnswer()),
        (416, "0-²", TraceAnswer()),
        (416, f"0-{'9' * 5000}", TraceAnswer()),
        (400, "", TraceAnswer()),
        (403, "", TraceAnswer()),
        (413, "", TraceAnswer()),
    ],
)
def test_a_job_log_that_takes_no_line_stands_in_nobodys_way(
    status: int, stream_range: str, judged: TraceAnswer
) -> None:
    """Only where the log really ends can the line be added; without it the job still ends."""
    assert judge_trace(status, stream_range) == judged


@pytest.mark.parametrize("status", [200, 302, 401, 408, 429, 500, 502, 503])
def test_a_gitlab_that_cannot_take_a_line_now_is_asked_later(status: int) -> None:
    """Neither line nor end is sent to a GitLab with a fault: the next sweep sends both."""
    outcome = judge_trace(status, "").outcome

    assert outcome is not None
    assert outcome.ghost is Ghost.UNANSWERED
    assert str(status) in outcome.reason


# --- the end -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("status", "job_status", "outcome"),
    [
        (200, "failed", GhostOutcome(Ghost.ENDED)),
        (200, "canceled", GhostOutcome(Ghost.ENDED)),
        (200, "", None),
        (200, "running", None),
        (403, "success", GhostOutcome(Ghost.OVER)),
        (403, "failed", GhostOutcome(Ghost.OVER)),
    ],
)
def test_the_answer_to_the_end(status: int, job_status: str, outcome: GhostOutcome | None) -> None:
    """A success without a final status of the job is no proof: GitLab is asked again."""
    assert judge_end(status, job_status) == outcome


@pytest.mark.parametrize(
    ("status", "job_status"),
    [(202, ""), (400, ""), (403, ""), (403, "running"), (404, ""), (412, ""), (429, ""), (502, "")],
)
def test_an_end_that_was_not_taken_is_tried_by_the_next_sweep(status: int, job_status: str) -> None:
    """The payload stays where the job may go on."""
    outcome = judge_end(status, job_status)

    assert outcome is not None
    assert outcome.ghost is Ghost.UNANSWERED


def test_after_the_end_a_job_over_is_a_job_ended() -> None:
    """Who has ended a job and then hears that it is over has ended it."""
    assert judge_again(GhostOutcome(Ghost.OVER)) == GhostOutcome(Ghost.ENDED)
    assert judge_again(None).ghost is Ghost.UNANSWERED
    unsure = GhostOutcome(Ghost.UNANSWERED, "why")
    assert judge_again(unsure) == unsure


def test_the_request_has_no_checksum() -> None:
    """With one, GitLab would wait for a job log that nobody sends."""
    assert json.loads(end_request("t0ken")) == {
        "token": "t0ken",
        "state": "failed",
        "failure_reason": "runner_system_failure",
    }


def test_the_last_line_says_who_did_what() -> None:
    """It names the host and dind-executor, and stands on a line of its own."""
    text = trace.plain(b"the script's last words" + last_line("build-7.example"))

    said, line = text.splitlines()
    assert said == "the script's last words"
    assert line == (
        "ERROR: Job failed (system failure): gitlab-runner on build-7.example ended before the job"
        " did. dind-executor found that out and has ended the job. `retry: when:"
        " runner_system_failure` runs such a job again."
    )


@pytest.mark.parametrize("name", ["", "\x1b[2J", "a" * 5000, "two\nlines"])
def test_a_strange_name_of_a_host_does_no_harm(name: str) -> None:
    """The line stays one line of bounded length, whatever the host is called."""
    line = last_line(name)

    assert line.count(b"\n") == 2
    assert len(line) < 600
    assert line.count(b"\x1b") == 3
