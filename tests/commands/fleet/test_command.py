"""The command, as a person or a program calls it."""

import datetime as dt
import json
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from executor.commands.fleet.command import run
from tests.gitlab import moods, server
from tests.gitlab.registry import Manager
from tests.gitlab.samples import payload
from tests.gitlab.server import GitLab
from tests.web import Answer, Request


@pytest.fixture(name="gitlab")
def _gitlab(tmp_path: Path) -> Iterator[GitLab]:
    with server.serving(tmp_path) as gitlab:
        gitlab.registry.rows.clear()
        now = dt.datetime.now(dt.UTC).isoformat()
        row = gitlab.registry.add({"run_untagged": False, "tag_list": ("docker",)})
        row.managers["s_1"] = Manager(1, "s_1", {"version": "19.3.0"}, now)
        yield gitlab


def audit(gitlab: GitLab, *args: str, token: str = "") -> int:
    """Run it with a token in the environment."""
    environ = {"GITLAB_TOKEN": token or gitlab.administrators_token}
    return run(["audit", "--url", gitlab.url, *args], environ)


def test_a_good_fleet(gitlab: GitLab, capfd: pytest.CaptureFixture[str]) -> None:
    """One object says so, and the exit code too."""
    assert audit(gitlab) == 0

    out, err = capfd.readouterr()
    assert json.loads(out)["findings"] == 0
    assert err == ""


def test_a_fault_is_an_exit_code(gitlab: GitLab, capfd: pytest.CaptureFixture[str]) -> None:
    """And a line with the rule and the runner."""
    row = gitlab.registry.add({"token_expires_at": "2020-01-01T00:00:00Z"})
    row.run_untagged = False

    assert audit(gitlab) == 1

    lines = [json.loads(each) for each in capfd.readouterr().out.splitlines()]
    assert [(each.get("rule"), each.get("runner")) for each in lines] == [
        ("token-expires", row.id),
        (None, None),
    ]


@pytest.mark.parametrize("days", [-40, 40])
def test_a_clock_that_is_wrong_here(gitlab: GitLab, tmp_path: Path, days: int) -> None:
    """For how long a host is silent, GitLab's clock says."""
    gitlab.registry.clock_offset = days * 86400.0
    (row,) = gitlab.registry.rows.values()
    row.created_at = "2020-01-01T00:00:00Z"
    token = gitlab.registry.add_user({"read_api", "manage_runner"})
    stale = ["stale", "--url", gitlab.url, "--max-share", "100%", "--yes"]
    stale += ["--audit-log", str(tmp_path / "log")]

    def silent_for(days: int) -> None:
        at = gitlab.registry.now() - dt.timedelta(days=days)
        row.managers["s_1"].contacted_at = at.isoformat()

    silent_for(0)
    assert audit(gitlab) == 0
    silent_for(1)
    assert audit(gitlab) == 1
    assert run(stale, {"GITLAB_TOKEN": token}) == 0
    assert list(gitlab.registry.rows) == [row.id]
    silent_for(31)
    assert run(stale, {"GITLAB_TOKEN": token}) == 0
    assert list(gitlab.registry.rows) == []


def test_a_refusal_is_a_sentence(gitlab: GitLab, capfd: pytest.CaptureFixture[str]) -> None:
    """It names the least scope; nothing is called well."""
    token = gitlab.registry.add_user({"create_runner"})

    assert audit(gitlab, token=token) == 3

    out, err = capfd.readouterr()
    assert out == ""
    assert "it needs the scope `read_api`" in err
    assert token not in err


def test_a_login_page_is_no_empty_fleet(gitlab: GitLab, capfd: pytest.CaptureFixture[str]) -> None:
    """A proxy that answers 200 has said nothing about runners."""
    gitlab.mood = moods.login_page

    assert audit(gitlab) == 3

    assert "not GitLab's API" in capfd.readouterr().err


def test_too_much_of_a_token_is_said(gitlab: GitLab, capfd: pytest.CaptureFixture[str]) -> None:
    """Behind what was asked for, and for people: what programs read stays as it is."""
    assert audit(gitlab, token=gitlab.registry.add_user({"api"})) == 0

    out, err = capfd.readouterr()
    assert json.loads(out)["findings"] == 0
    assert "`read_api` is enough" in err


def test_wrong_use(gitlab: GitLab, capfd: pytest.CaptureFixture[str]) -> None:
    """It ends with 2 before GitLab is asked anything."""
    assert audit(gitlab, "--jobs", "many") == 2

    assert capfd.readouterr().err.startswith("dind-executor fleet: Argument --jobs")


def test_a_change_that_cannot_be_noted_is_not_made(
    gitlab: GitLab, capfd: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    """It ends with 1, and the runner is as it was."""
    (row,) = gitlab.registry.rows.values()
    token = gitlab.registry.add_user({"read_api", "manage_runner"})
    log = str(tmp_path / "none" / "log")
    args = ["drain", "--url", gitlab.url, "--runner", str(row.id), "--yes", "--audit-log", log]

    assert run(args, {"GITLAB_TOKEN": token}) == 1

    assert "cannot be written" in capfd.readouterr().err
    assert not row.paused


def test_stale_runners(gitlab: GitLab, capfd: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    """Shown with 1, deleted with 0; a share that is too large is refused."""
    good = set(gitlab.registry.rows)
    old = gitlab.registry.add({"created_at": "2020-01-01T00:00:00Z"})
    token = gitlab.registry.add_user({"read_api", "manage_runner"})
    log = ("--audit-log", str(tmp_path / "log"))

    def call(*args: str) -> int:
        return run(["stale", "--url", gitlab.url, *log, *args], {"GITLAB_TOKEN": token})

    assert call("--yes") == 1
    assert "1 of 2 runners are silent" in capfd.readouterr().err
    assert call("--max-share", "50%") == 1
    assert set(gitlab.registry.rows) == {*good, old.id}
    assert call("--max-share", "50%", "--yes") == 0
    assert set(gitlab.registry.rows) == good
    states = [json.loads(each)["state"] for each in capfd.readouterr().out.splitlines()]
    assert states == ["would-delete", "deleted"]


def test_ghosts(gitlab: GitLab, capfd: pytest.CaptureFixture[str]) -> None:
    """The job of a host that is gone, and not that of one that calls."""
    (row,) = gitlab.registry.rows.values()
    row.managers["s_gone"] = Manager(2, "s_gone", {}, "2020-01-01T00:00:00Z")
    ghost, _ = (gitlab.enqueue(payload(gitlab.url, id=number)) for number in (1, 2))
    for job, host in zip(gitlab.jobs(), ("s_gone", "s_1"), strict=True):
        gitlab.take(job, host)
    ghost.started_at = "2020-01-01T00:00:00Z"
    args = ["reconcile", "--url", gitlab.url]

    assert run(args, {"GITLAB_TOKEN": gitlab.administrators_token}) == 1

    (line,) = capfd.readouterr().out.splitlines()
    told = json.loads(line)
    assert (told["job"], told["system_id"]) == (ghost.id, "s_gone")
    row.managers.pop("s_gone")
    assert run(args, {"GITLAB_TOKEN": gitlab.administrators_token}) == 0


@pytest.mark.parametrize("is_made", [True, False])
@pytest.mark.parametrize(
    ("action", "method"), [("drain", "PUT"), ("undrain", "PUT"), ("stale", "DELETE")]
)
def test_a_command_that_is_killed_in_the_middle_of_a_change(
    gitlab: GitLab, tmp_path: Path, action: str, method: str, *, is_made: bool
) -> None:
    """The next call finds the change made, or makes it: once, and each is in the log with its end."""
    row = gitlab.registry.add({"created_at": "2020-01-01T00:00:00Z"})
    token = tmp_path / "token"
    token.write_text(gitlab.registry.add_user({"read_api", "manage_runner"}))
    token.chmod(0o600)
    log = tmp_path / "log"
    chosen = ["--max-share", "50%"] if action == "stale" else ["--runner", str(row.id)]
    files = ["--token-file", str(token), "--audit-log", str(log)]
    args = ["--url", gitlab.url, *chosen, *files, "--yes"]
    earlier = 0
    if action == "undrain":
        assert run(["drain", *args], {}) == 0
        earlier = len(log.read_text().splitlines())
    made = 0

    def killing(request: Request) -> Answer | None:
        nonlocal made
        if request.method != method:
            return None
        if is_made:
            made += 1
            gitlab.mood = lambda _: None
            gitlab.answer(request)
        killed.kill()
        killed.wait()
        raise ConnectionResetError

    def counting(request: Request) -> None:
        nonlocal made
        made += request.method == method

    gitlab.mood = killing
    killed = subprocess.Popen([sys.executable, "-m", "executor", "fleet", action, *args])
    assert killed.wait() == -signal.SIGKILL
    gitlab.mood = counting

    assert run([action, *args], {}) == 0

    assert made == 1
    assert row.paused is (action == "drain")
    assert (row.id in gitlab.registry.rows) is (action != "stale")
    lines = [json.loads(each) for each in log.read_text().splitlines()[earlier:]]
    states = ["begun", "done"] if is_made else ["begun", "failed", "begun", "done"]
    assert [each["state"] for each in lines] == states
