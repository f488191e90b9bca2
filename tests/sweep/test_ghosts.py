"""From a temporary directory that somebody left to a job that has ended in GitLab."""

import json
import os
import shutil
import subprocess
import sys
import time
from contextlib import ExitStack
from pathlib import Path

import pytest
from pytest_mock import MockerFixture

from executor.log import AdministratorLog
from executor.names import JOB_ID_LABEL, LABEL
from executor.notation.owner import Belonging
from executor.runner import notes
from executor.sweep.answers import Ghost
from executor.sweep.files import PAYLOAD, LeftDirectory, claimed, find_left
from executor.sweep.ghosts import end_left
from tests.gitlab import moods, trace
from tests.gitlab.jobs import Job
from tests.gitlab.server import GitLab
from tests.sweep.samples import TOKEN, leave, payload


@pytest.fixture
def left(tmp_path: Path, gitlab: GitLab) -> LeftDirectory:
    """What the ghost's gitlab-runner has left."""
    leave(tmp_path, content=payload(gitlab.url))
    (found,) = find_left(str(tmp_path), "", (os.getuid(),))
    return found


def written(log: AdministratorLog, path: Path) -> dict[str, object]:
    """Return the log's only event besides the stage's end."""
    log.open(f"file:{path}", 18, 3)
    log.close("success")
    text = path.read_text()
    assert TOKEN not in text
    first, _ = text.splitlines()
    found = json.loads(first)
    assert isinstance(found, dict)
    return found


def test_what_is_left_is_enough_to_end_the_job(
    left: LeftDirectory, ghost: Job, tmp_path: Path
) -> None:
    """The payload has all that it takes, and the administrator's log says which job it was."""
    log = AdministratorLog("prepare")

    assert end_left(left, environ={}, log=log).ghost is Ghost.ENDED

    assert (ghost.state, ghost.failure_reason) == ("failed", "runner_system_failure")
    assert f"gitlab-runner on {os.uname().nodename} ended" in trace.lines(ghost.trace)[-1]
    event = written(log, tmp_path / "log")
    assert (event["event"], event["ghost"]) == ("ghost ended", "ended")
    assert (event["job"], event["ghost_id"]) == (left.facts[LABEL], left.facts[JOB_ID_LABEL])


def test_a_gitlab_with_a_fault_keeps_what_is_left(
    left: LeftDirectory, ghost: Job, gitlab: GitLab, tmp_path: Path
) -> None:
    """The administrator's log says which GitLab it was, and why."""
    gitlab.mood = moods.busy
    log = AdministratorLog("prepare")

    assert end_left(left, environ={}, log=log).ghost is Ghost.UNANSWERED

    assert ghost.state == "running"
    event = written(log, tmp_path / "log")
    assert event["event"] == "ghost not ended"
    assert f"GitLab at {gitlab.url} did not end the job" in str(event["error"])
    assert "429" in str(event["error"])


def test_a_payload_that_says_nothing_is_no_ghost(
    left: LeftDirectory, ghost: Job, tmp_path: Path
) -> None:
    """Nothing can be sent with it, now or later, and the administrator's log says why."""
    Path(left.path, "response.json").write_text("{")
    log = AdministratorLog("prepare")

    assert end_left(left, environ={}, log=log).ghost is Ghost.UNUSABLE

    assert ghost.state == "running"
    assert left.path in str(written(log, tmp_path / "log")["error"])


def test_two_sweeps_do_not_end_it_twice(left: LeftDirectory, ghost: Job) -> None:
    """While another sweep asks, nothing is asked."""
    with claimed(left):
        outcome = end_left(left, environ={}, log=AdministratorLog("prepare"))

    assert outcome.ghost is Ghost.UNANSWERED
    assert ghost.state == "running"


def test_a_sweep_with_patience_waits_for_another_one(
    left: LeftDirectory, ghost: Job, mocker: MockerFixture
) -> None:
    """What that one has ended and removed is no matter of this one any more."""
    other = ExitStack()
    other.enter_context(claimed(left))

    def go_on(_seconds: float) -> None:
        shutil.rmtree(left.path)
        other.close()

    waited = mocker.patch("time.sleep", side_effect=go_on)
    outcome = end_left(left, environ={}, log=AdministratorLog("reap"), patience_seconds=60.0)

    waited.assert_called_once()
    assert outcome.ghost is Ghost.OVER
    assert ghost.state == "running"  # asked by nobody here


def test_a_deadline_counts_where_it_is_nearer(left: LeftDirectory, ghost: Job) -> None:
    """A sweep that has no time left asks nothing."""
    past = time.monotonic() - 1

    outcome = end_left(left, environ={}, log=AdministratorLog("prepare"), deadline=past)

    assert outcome.ghost is Ghost.UNANSWERED
    assert ghost.state == "running"


def test_what_speaks_to_gitlab_is_loaded_late(tmp_path: Path) -> None:
    """A sweep that finds directories of living jobs only loads no HTTP and no TLS."""
    leave(tmp_path)
    program = (
        "import sys\n"
        "from executor.sweep.files import find_left\n"
        f"assert find_left({str(tmp_path)!r}, '', ({os.getuid()},))\n"
        "print([each for each in ('http', 'ssl', 'socket', 'email', 'executor.sweep.ghost')"
        " if each in sys.modules])\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=60
    )

    assert done.stdout.strip() == "[]"


def test_an_unsigned_payload_ends_the_job_of_this_host(
    ghost: Job, gitlab: GitLab, tmp_path: Path
) -> None:
    """What the job that sweeps knows of the same GitLab tells that the job was this host's."""
    own = tmp_path / "custom-executor1"
    own.mkdir(mode=0o700)
    said = Belonging("18-0123456789", "18", "3", None, gitlab=gitlab.url)
    notes.leave(str(own), notes.OWNER, said.note())
    dead = tmp_path / "custom-executor2"
    dead.mkdir(mode=0o700)
    (dead / PAYLOAD).write_text(json.dumps(payload(gitlab.url)))
    (left,) = find_left(str(tmp_path), str(own), (os.getuid(),))
    log = AdministratorLog("prepare")

    notes.leave(str(own), notes.SYSTEM_ID, b"s_living_elsewhere")
    assert end_left(left, environ={}, log=log, own=str(own)).ghost is Ghost.UNANSWERED
    assert (ghost.state, trace.lines(ghost.trace)) == ("running", ["Running with gitlab-runner"])

    notes.leave(str(own), notes.SYSTEM_ID, b"s_dead")
    assert end_left(left, environ={}, log=log, own=str(own)).ghost is Ghost.ENDED
    assert (ghost.state, ghost.failure_reason) == ("failed", "runner_system_failure")
