"""A job that nobody runs any more ends in GitLab, by its own token."""

import threading
import time
from dataclasses import replace
from http import HTTPStatus

import pytest
from pytest_mock import MockerFixture

from executor.sweep.answers import Ghost, GhostOutcome, last_line
from executor.sweep.ghost import end_ghost
from tests.gitlab import moods, trace
from tests.gitlab.jobs import Job
from tests.gitlab.moods import Mood
from tests.gitlab.server import GitLab
from tests.rig.authority import Certificates
from tests.sweep.conftest import taken
from tests.sweep.samples import TOKEN, left_payload
from tests.web import Request

LINE = last_line("build-7")


def end(url: str, seconds: float = 30.0, authorities: str = "") -> GhostOutcome:
    payload = left_payload(url, authorities)
    return end_ghost(payload, LINE, time.monotonic() + seconds, environ={})


def test_a_ghost_ends_and_is_given_out_again(gitlab: GitLab, ghost: Job) -> None:
    """It fails as the runner's fault, its log says so at the end, and `retry` has it run again."""
    assert end(gitlab.url) == GhostOutcome(Ghost.ENDED)

    assert (ghost.state, ghost.failure_reason) == ("failed", "runner_system_failure")
    assert trace.lines(ghost.trace)[0] == "Running with gitlab-runner"
    assert "gitlab-runner on build-7 ended before the job did" in trace.lines(ghost.trace)[-1]
    again = ghost.wait_for_again()
    assert (again.state, again.payload["git_info"] == ghost.payload["git_info"]) == (
        "pending",
        False,
    )
    assert TOKEN not in str(again.payload)


def test_a_ghost_without_a_log_gets_one(gitlab: GitLab) -> None:
    """A gitlab-runner may die before it has sent a byte."""
    job = taken(gitlab)
    job.clear()

    assert end(gitlab.url).ghost is Ghost.ENDED
    assert len(trace.lines(job.trace)) == 1


def test_a_ghost_that_is_being_cancelled_ends_too(gitlab: GitLab, ghost: Job) -> None:
    """GitLab waits for its runner as well."""
    ghost.cancel()

    assert end(gitlab.url).ghost is Ghost.ENDED
    assert ghost.state == "failed"


def test_a_job_that_is_over_stays_as_it_is(gitlab: GitLab, ghost: Job) -> None:
    """A second sweep, or one that comes late, changes nothing."""
    assert end(gitlab.url).ghost is Ghost.ENDED
    log = ghost.trace

    assert end(gitlab.url) == GhostOutcome(Ghost.OVER)
    assert ghost.trace == log


def test_a_job_that_was_cancelled_for_good_is_over(gitlab: GitLab, ghost: Job) -> None:
    """GitLab no longer knows its token."""
    ghost.force_cancel()

    assert end(gitlab.url) == GhostOutcome(Ghost.OVER)
    assert ghost.state == "running"


def test_a_job_of_another_token_is_not_touched(gitlab: GitLab, ghost: Job) -> None:
    """The token of no job is as good as none."""
    other = gitlab.enqueue({**ghost.payload, "id": 18, "token": "glcbt-another"})
    gitlab.take(other, "s_other")

    assert end(gitlab.url).ghost is Ghost.ENDED
    assert other.state == "running"


def test_a_job_that_runs_elsewhere_is_not_ended(gitlab: GitLab, ghost: Job) -> None:
    """The gitlab-runner that has it now has another id than the dead one."""
    payload = replace(left_payload(gitlab.url), system_id="s_another")

    outcome = end_ghost(payload, LINE, time.monotonic() + 30, environ={})

    assert outcome == GhostOutcome(Ghost.OVER)
    assert ghost.state == "running"
    assert LINE not in ghost.trace


def test_an_error_that_nobody_expects_keeps_the_payload(
    gitlab: GitLab, ghost: Job, mocker: MockerFixture
) -> None:
    """It is named by its kind alone: a text may hold the token."""
    mocker.patch("executor.sweep.ghost.judge_job", side_effect=TypeError(TOKEN))

    outcome = end(gitlab.url)

    assert outcome == GhostOutcome(Ghost.UNANSWERED, "unexpected TypeError, please report it")
    assert ghost.state == "running"


def test_gitlab_over_tls(certificates: Certificates, tls_gitlab: GitLab) -> None:
    """With the authority that gitlab-runner knew, HTTPS works as HTTP does."""
    job = taken(tls_gitlab)

    assert end(tls_gitlab.url).ghost is Ghost.UNANSWERED
    assert end(tls_gitlab.url, authorities=certificates.ca.read_text()).ghost is Ghost.ENDED
    assert job.state == "failed"


@pytest.mark.parametrize(
    "mood",
    [
        moods.login_page,
        moods.busy,
        moods.broken(HTTPStatus.BAD_GATEWAY),
        moods.broken(HTTPStatus.SERVICE_UNAVAILABLE),
        moods.redirecting("https://login.invalid/"),
        moods.redirecting("/users/sign_in"),
        moods.refusing,
    ],
)
@pytest.mark.parametrize(
    ("method", "path"), [("GET", "/job"), ("PATCH", "/trace"), ("PUT", "/jobs/17")]
)
def test_a_gitlab_with_a_fault_is_asked_again_later(
    gitlab: GitLab, ghost: Job, mood: Mood, method: str, path: str
) -> None:
    """Wherever the fault comes, the job is as it was, and the next sweep ends it."""
    gitlab.mood = moods.only_for(method, path, mood)

    outcome = end(gitlab.url)

    assert outcome.ghost is Ghost.UNANSWERED
    assert outcome.reason
    assert TOKEN not in outcome.reason
    assert ghost.state == "running"
    gitlab.mood = lambda _: None
    assert end(gitlab.url).ghost is Ghost.ENDED
    assert ghost.state == "failed"


def test_a_log_that_takes_no_line_does_not_keep_the_job(gitlab: GitLab, ghost: Job) -> None:
    """A log at its limit refuses the line; the job ends without it."""
    gitlab.mood = moods.only_for(
        "PATCH", "/trace", moods.broken(HTTPStatus.REQUEST_ENTITY_TOO_LARGE)
    )

    assert end(gitlab.url).ghost is Ghost.ENDED
    assert ghost.state == "failed"
    assert LINE not in ghost.trace


def test_a_success_that_changes_nothing_is_no_end(gitlab: GitLab, ghost: Job) -> None:
    """A page with status 200 to the request for the end is found out by asking again."""
    gitlab.mood = moods.only_for("PUT", "/jobs/17", moods.login_page)

    outcome = end(gitlab.url)

    assert outcome.ghost is Ghost.UNANSWERED
    assert "goes on" in outcome.reason
    assert ghost.state == "running"


def test_a_log_that_grows_meanwhile_gets_the_line_at_its_end(gitlab: GitLab, ghost: Job) -> None:
    """The line is tried again where the log ends by then."""
    grown = threading.Event()

    def grow(request: Request) -> None:
        if (
            request.method == "PATCH"
            and not grown.is_set()
            and "27-" in request.headers["content-range"]
        ):
            grown.set()
            ghost.append(len(ghost.trace), b"and more\n")

    gitlab.mood = grow

    assert end(gitlab.url).ghost is Ghost.ENDED
    assert grown.is_set()
    assert b"and more\n" + LINE in ghost.trace


def test_silence_ends_at_the_deadline(gitlab: GitLab, ghost: Job) -> None:
    """However slow GitLab is, the answer comes in time; nothing else is sent later."""
    released = threading.Event()
    asked: list[str] = []

    def slow(request: Request) -> None:
        asked.append(request.method)
        moods.slow(released)(request)

    gitlab.mood = slow
    outcome = end(gitlab.url, seconds=0.2)
    released.set()

    assert outcome == GhostOutcome(Ghost.UNANSWERED, "it does not answer in time")
    assert set(asked) <= {"GET"}
    assert ghost.state == "running"


def test_a_deadline_that_has_passed_sends_nothing(gitlab: GitLab, ghost: Job) -> None:
    """Without time, GitLab is not asked at all."""
    asked: list[Request] = []
    gitlab.mood = asked.append

    assert end(gitlab.url, seconds=-1).ghost is Ghost.UNANSWERED
    assert ghost.state == "running"
    assert asked == []
