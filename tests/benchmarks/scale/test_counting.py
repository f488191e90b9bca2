"""Counting what a registry and a GitLab are asked for."""

from http import HTTPStatus
from pathlib import Path

from benchmarks.scale.counting import CountingGitLab, CountingRegistry
from tests.gitlab.server import GitLab
from tests.web import Request

_LOG = """\
10.0.0.1 - - [29/Nov/2026:13:28:34 +0000] "GET /v2/ HTTP/1.1" 200 2 "" "docker/20.10.24+dfsg1 go/go1.19.8"
10.0.0.1 - - [29/Nov/2026:13:28:34 +0000] "HEAD /v2/library/a/manifests/1 HTTP/1.1" 200 740 "" "docker/20.10.24 go"
time="2026-11-29" level=info msg="response completed" http.request.method=HEAD
10.0.0.1 - - [29/Nov/2026:13:28:35 +0000] "GET /v2/library/a/blobs/sha256:0 HTTP/1.1" 200 1000 "" "buildkit/v0.12"
10.0.0.1 - - [29/Nov/2026:13:28:35 +0000] "GET /v2/library/a/manifests/1 HTTP/1.1" 404 90 "" "buildkit/v0.12"
"""


def test_requests_are_counted_by_program_and_kind(tmp_path: Path) -> None:
    """What was in the log before counts for nothing, and what a HEAD or an error writes is no download."""
    log = tmp_path / "log"
    log.write_text(_LOG, encoding="utf-8")
    registry = CountingRegistry("registry:5000", log)
    with log.open("a", encoding="utf-8") as file:
        file.write(_LOG)

    assert registry.take() == {
        "buildkit v0.12": {"GET blob": 1, "bytes": 1000, "GET manifest": 1},
        "docker 20.10": {"GET ping": 1, "bytes": 2, "HEAD manifest": 1},
    }
    assert registry.take() == {}


def test_a_request_without_a_job_is_idle(tmp_path: Path) -> None:
    """It is answered at once, or as late as long polling does, and never reaches the queue."""
    counting = CountingGitLab(GitLab("localhost", 1, tmp_path), poll_seconds=0, trace_seconds=3)

    answer = counting.answer(Request("POST", "/api/v4/jobs/request", body=b"{}"))

    assert answer.status is HTTPStatus.NO_CONTENT
    assert counting.counts == {"idle": 1}
    assert counting.sent == {"idle": 2}
