"""Ghosts are ended in GitLab, as a person calls for it: once each, and noted."""

import json
import signal
import subprocess
import sys
from http import HTTPStatus
from pathlib import Path

import pytest

from executor.commands.fleet.command import run
from tests.gitlab import moods, registry
from tests.gitlab.jobs import Job
from tests.gitlab.registry import RunnerRow
from tests.gitlab.samples import payload
from tests.gitlab.server import GitLab
from tests.web import Answer, Request

OLD = "2020-01-01T00:00:00Z"
STEPS = ("cancel", "force-cancel", "retry")


@pytest.fixture(name="gitlab")
def _gitlab(gitlab: GitLab) -> GitLab:
    gitlab.registry.rows.clear()
    return gitlab


@pytest.fixture(name="row")
def _row(gitlab: GitLab) -> RunnerRow:
    row = gitlab.registry.add({})
    now = gitlab.registry.now().isoformat()
    for number, (name, at) in enumerate((("s_gone", OLD), ("s_2", now), ("s_3", now))):
        row.managers[name] = registry.Manager(number, name, {}, at)
    return row


@pytest.fixture(name="ghost")
def _ghost(gitlab: GitLab, row: RunnerRow) -> Job:
    job = gitlab.enqueue(payload(gitlab.url))
    gitlab.take(job, next(iter(row.managers)))
    job.started_at = OLD
    return job


@pytest.fixture(name="args")
def _args(gitlab: GitLab, tmp_path: Path) -> list[str]:
    token = tmp_path / "token"
    token.write_text(gitlab.registry.add_user({"api"}))
    token.chmod(0o600)
    files = ["--token-file", str(token), "--audit-log", str(tmp_path / "log")]
    return ["reconcile", "--url", gitlab.url, *files, "--second-look", "0", "--yes"]


def noted(tmp_path: Path) -> list[tuple[str, str]]:
    """Return what is in the log, in pairs of what and its state."""
    path = tmp_path / "log"
    lines = map(json.loads, path.read_text().splitlines()) if path.exists() else ()
    return [(each["action"], each["state"]) for each in lines]


def counting(gitlab: GitLab) -> list[str]:
    """Note what GitLab is told from now on."""
    seen: list[str] = []

    def note(request: Request) -> None:
        if request.method == "POST":
            seen.append(request.path.rpartition("/")[2])

    gitlab.mood = note
    return seen


def test_ended(
    gitlab: GitLab, ghost: Job, args: list[str], tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    """GitLab waits for the host after a cancel, so it is made by force; again there is nothing to do."""
    seen = counting(gitlab)

    assert run(args, {}) == 0

    assert ghost.state == "canceled"
    assert seen == ["cancel", "cancel"]
    told = json.loads(capfd.readouterr().out)
    assert (told["job"], told["state"]) == (ghost.id, "ended")
    steps = [("cancel", "begun"), ("cancel", "done")]
    steps += [("force-cancel", "begun"), ("force-cancel", "done")]
    assert noted(tmp_path) == steps
    assert run(args, {}) == 0
    assert (len(seen), len(gitlab.jobs())) == (2, 1)


def test_retried(
    gitlab: GitLab, ghost: Job, args: list[str], capfd: pytest.CaptureFixture[str]
) -> None:
    """Another job is there for another host, once."""
    assert run([*args, "--retry"], {}) == 0
    told = json.loads(capfd.readouterr().out)
    assert run([*args, "--retry"], {}) == 0

    (again,) = (each for each in gitlab.jobs() if each is not ghost)
    assert ghost.again is again
    assert (told["state"], told["again"]) == ("retried", again.id)
    assert again.state == "pending"


@pytest.mark.parametrize("is_made", [True, False])
@pytest.mark.parametrize("step", STEPS)
def test_killed_in_the_middle(
    gitlab: GitLab, ghost: Job, args: list[str], tmp_path: Path, step: str, *, is_made: bool
) -> None:
    """The next call takes up each step: none is made twice, and each is in the log with its end."""
    made: list[str] = []

    def name(request: Request) -> str:
        is_forced = b"force" in request.body
        return f"{'force-' if is_forced else ''}{request.path.rpartition('/')[2]}"

    def killing(request: Request) -> Answer | None:
        if request.method != "POST":
            return None
        if name(request) != step:
            made.append(name(request))
            return None
        if is_made:
            made.append(step)
            gitlab.mood = lambda _: None
            gitlab.answer(request)
        killed.kill()
        killed.wait()
        raise ConnectionResetError

    def noting(request: Request) -> None:
        if request.method == "POST":
            made.append(name(request))

    gitlab.mood = killing
    killed = subprocess.Popen([sys.executable, "-m", "executor", "fleet", *args, "--retry"])
    assert killed.wait() == -signal.SIGKILL
    gitlab.mood = noting

    assert run([*args, "--retry"], {}) == 0

    assert made == list(STEPS)
    assert ghost.state == "canceled"
    assert len(gitlab.jobs()) == 2
    log = noted(tmp_path)
    for each in STEPS:
        cut = [(each, "begun"), (each, "failed")] if each == step and not is_made else []
        assert [pair for pair in log if pair[0] == each] == [*cut, (each, "begun"), (each, "done")]


def test_a_retry_that_was_refused_for_now(gitlab: GitLab, ghost: Job, args: list[str]) -> None:
    """GitLab limits how often it is asked: the next call makes it, unless somebody else has."""
    gitlab.mood = moods.only_for("POST", "/retry", moods.busy)
    assert run([*args, "--retry"], {}) == 3
    seen = counting(gitlab)

    assert run(args, {}) == 0
    assert seen == []
    assert run([*args, "--retry"], {}) == 0
    assert seen == ["retry"]
    assert ghost.again is not None


def test_what_somebody_else_has_retried(gitlab: GitLab, ghost: Job, args: list[str]) -> None:
    """The pipeline shows another job in its place: it is not made a third one."""
    gitlab.mood = moods.only_for("POST", "/retry", moods.busy)
    assert run([*args, "--retry"], {}) == 3
    assert ghost.retried_by_hand(gitlab.next_id())
    seen = counting(gitlab)

    assert run([*args, "--retry"], {}) == 0
    assert seen == []


def test_a_host_that_calls_before_the_second_look(
    gitlab: GitLab, row: RunnerRow, ghost: Job, args: list[str], capfd: pytest.CaptureFixture[str]
) -> None:
    """Its job is spared."""
    looks = 0

    def calling(request: Request) -> None:
        nonlocal looks
        looks += request.path.endswith(f"/jobs/{ghost.id}")
        if looks == 2:
            row.managers["s_gone"].contacted_at = "2020-01-02T00:00:00Z"

    gitlab.mood = calling

    assert run(args, {}) == 0

    assert ghost.state == "running"
    assert ghost.status == "running"
    assert json.loads(capfd.readouterr().out)["state"] == "spared"


@pytest.mark.parametrize("mood", [moods.login_page, moods.broken(HTTPStatus.BAD_GATEWAY)])
def test_an_answer_that_says_nothing(
    gitlab: GitLab, ghost: Job, args: list[str], tmp_path: Path, mood: moods.Mood
) -> None:
    """A page in GitLab's place has cancelled nothing, or it has: the next call looks."""
    gitlab.mood = moods.only_for("POST", "/cancel", mood)

    assert run(args, {}) == 3

    assert ghost.status == "running"
    assert noted(tmp_path) == [("cancel", "begun"), ("cancel", "unknown")]
    gitlab.mood = lambda _: None
    assert run(args, {}) == 0
    assert ghost.state == "canceled"
    assert noted(tmp_path)[2] == ("cancel", "failed")


def test_a_limit_ends_it(gitlab: GitLab, ghost: Job, args: list[str]) -> None:
    """The other jobs are left to another call, and named."""
    other = gitlab.enqueue(payload(gitlab.url, id=18))
    gitlab.take(other, "s_gone")
    other.started_at = OLD
    seen = counting(gitlab)
    noting = gitlab.mood

    def limited(request: Request) -> Answer | None:
        noting(request)
        return moods.only_for("POST", "/cancel", moods.busy)(request)

    gitlab.mood = limited

    assert run(args, {}) == 3

    assert seen == ["cancel"]
    assert (ghost.status, other.status) == ("running", "running")


@pytest.mark.parametrize(("scopes", "is_maintainer"), [({"read_api"}, True), ({"api"}, False)])
def test_what_the_token_lacks(
    gitlab: GitLab,
    ghost: Job,
    args: list[str],
    capfd: pytest.CaptureFixture[str],
    scopes: set[str],
    *,
    is_maintainer: bool,
) -> None:
    """Reading is not enough, and only a Maintainer cancels by force."""
    token = gitlab.registry.add_user(scopes, is_maintainer=is_maintainer)
    where = args.index("--token-file")
    del args[where : where + 2]

    assert run(args, {"GITLAB_TOKEN": token}) == 3

    assert ghost.state == "running"
    assert "needs the scope `api`, and its user needs the role Maintainer" in capfd.readouterr().out


def test_a_large_share_is_refused(
    gitlab: GitLab, row: RunnerRow, ghost: Job, args: list[str], capfd: pytest.CaptureFixture[str]
) -> None:
    """Where most hosts are silent with jobs, a network is; nothing is told to GitLab."""
    for name in ("s_2", "s_3"):
        row.managers[name].contacted_at = OLD
    seen = counting(gitlab)

    assert run(args, {}) == 1

    assert "1 of 1 hosts are silent with jobs" in capfd.readouterr().err
    assert seen == []
    assert run([*args, "--max-share", "100%"], {}) == 0
    assert ghost.state == "canceled"
