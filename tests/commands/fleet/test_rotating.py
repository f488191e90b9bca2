"""A runner's token is rotated as a person calls for it, and taken up after a kill at any step."""

import json
import signal
import subprocess
import sys
import tomllib
from http import HTTPStatus
from pathlib import Path

import pytest

from executor.commands.fleet.command import run
from tests.gitlab import moods
from tests.gitlab.registry import Manager, RunnerRow
from tests.gitlab.server import GitLab
from tests.web import Answer, Request

OLD_CALL = "2020-01-01T00:00:00Z"
INFO = {"version": "17.9.0"}
"""What gitlab-runner says of itself when it calls."""
# What is done in place of a step: nothing more.
KILL = "import os, signal; from executor.commands.{module} import {name}"
KILL += "; {name}.{step} = lambda *_, **__: os.kill(os.getpid(), signal.SIGKILL)"
MAIN = "; from executor.__main__ import main; import sys; sys.exit(main())"


@pytest.fixture(name="gitlab")
def _gitlab(gitlab: GitLab) -> GitLab:
    gitlab.registry.rows.clear()
    return gitlab


@pytest.fixture(name="row")
def _row(gitlab: GitLab) -> RunnerRow:
    row = gitlab.registry.add({})
    row.managers["s_1"] = Manager(1, "s_1", INFO, OLD_CALL)
    return row


@pytest.fixture(name="config")
def _config(gitlab: GitLab, row: RunnerRow, tmp_path: Path) -> Path:
    path = tmp_path / "etc" / "config.toml"
    path.parent.mkdir()
    path.write_text(
        f'concurrent = 4 # ours\n[[runners]]\n  name = "one"\n  url = "{gitlab.url}"\n'
        f'  token = "{row.token}"\n'
    )
    path.chmod(0o600)
    path.with_name(".runner_system_id").write_text("s_1")
    return path


@pytest.fixture(name="args")
def _args(gitlab: GitLab, config: Path, tmp_path: Path) -> list[str]:
    token = tmp_path / "token"
    token.write_text(gitlab.registry.add_user({"manage_runner"}))
    token.chmod(0o600)
    files = ["--token-file", str(token), "--audit-log", str(tmp_path / "log")]
    return ["rotate", *files, "--config", str(config), "--timeout", "0", "--yes"]


def tokens(config: Path) -> list[str]:
    """Return the tokens that config.toml has."""
    return [each["token"] for each in tomllib.loads(config.read_text())["runners"]]


def states(tmp_path: Path) -> list[str]:
    """Return the states in the log."""
    return [json.loads(each)["state"] for each in (tmp_path / "log").read_text().splitlines()]


def resets(gitlab: GitLab) -> list[str]:
    """Note each token that GitLab is asked for from now on."""
    seen: list[str] = []

    def noting(request: Request) -> None:
        if request.path.endswith("/reset_authentication_token"):
            seen.append(request.path)

    gitlab.mood = noting
    return seen


def test_rotated(
    row: RunnerRow,
    config: Path,
    args: list[str],
    tmp_path: Path,
    capfd: pytest.CaptureFixture[str],
) -> None:
    """config.toml has the new token and all else; nothing that is said or noted has either of them."""
    old, before = row.token, config.read_text()

    assert run(args, {}) == 0

    assert tokens(config) == [row.token] != [old]
    assert config.read_text() == before.replace(old, row.token)
    (backup,) = config.parent.glob("config.toml.before-rotate-*")
    assert (backup.read_text(), backup.stat().st_mode & 0o777) == (before, 0o600)
    assert config.stat().st_mode & 0o777 == 0o600
    assert states(tmp_path) == ["begun", "done"]
    said = "".join(capfd.readouterr()) + (tmp_path / "log").read_text()
    assert old not in said
    assert row.token not in said


def test_a_dry_run(gitlab: GitLab, config: Path, args: list[str]) -> None:
    """Neither GitLab nor the file is changed."""
    before, seen = config.read_text(), resets(gitlab)

    assert run([each for each in args if each != "--yes"], {}) == 0

    assert (config.read_text(), seen) == (before, [])


def test_other_hosts_of_the_token(
    row: RunnerRow, config: Path, args: list[str], capfd: pytest.CaptureFixture[str]
) -> None:
    """Those that call would take no jobs: it is refused, or wanted. One that is gone does not count."""
    old = row.token
    row.managers["s_gone"] = Manager(2, "s_gone", {}, OLD_CALL)
    row.managers["s_2"] = Manager(3, "s_2\x1b[2J", {}, "2999-01-01T00:00:00Z")

    assert run(args, {}) == 1
    told = capfd.readouterr().err
    assert "Other hosts call with the token of runner" in told
    assert "s_2?[2J." in told  # each host calls itself what it likes
    assert row.token == old
    assert run([*args, "--shared"], {}) == 0
    assert tokens(config) == [row.token] != [old]
    assert json.loads(capfd.readouterr().out)["hosts"] == ["s_2?[2J"]


@pytest.mark.parametrize("is_known", [True, False])
def test_a_host_whose_gitlab_runner_has_not_called(
    gitlab: GitLab,
    row: RunnerRow,
    config: Path,
    args: list[str],
    capfd: pytest.CaptureFixture[str],
    *,
    is_known: bool,
) -> None:
    """The question whose the token is makes GitLab know the host, and nothing of its gitlab-runner."""
    before, seen = config.read_text(), resets(gitlab)
    row.managers = {"s_1": Manager(1, "s_1", {}, OLD_CALL)} if is_known else {}

    for _ in range(2):
        assert run(args, {}) == 1
        assert "has never called" in capfd.readouterr().err

    assert (config.read_text(), seen) == (before, [])


def test_the_other_host_gets_it(
    row: RunnerRow, config: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    """From a file, without a user's token, once the old one is dead; never a token of nobody."""
    new = tmp_path / "new"
    new.write_text("glrt-0123456789abcdefghij")
    new.chmod(0o600)
    args = ["rotate", "--config", str(config), "--audit-log", str(tmp_path / "log"), "--yes"]
    args += ["--new-token-file", str(new)]
    old = row.token

    assert run(args, {}) == 1
    assert "nothing to replace" in capfd.readouterr().err
    row.token = "glrt-abcdefghijklmnopqrst"
    assert run(args, {}) == 1
    assert "not that of this runner" in capfd.readouterr().err
    assert tokens(config) == [old]
    new.write_text(row.token)
    assert run(args, {}) == 0
    assert tokens(config) == [row.token]
    assert run(args, {}) == 0
    assert states(tmp_path) == ["begun", "done"]
    new.chmod(0o644)
    assert run(args, {}) == 2


@pytest.mark.parametrize(
    ("module", "name", "step"),
    [
        ("fleet.rotation", "ConfigFile", "try_out"),
        ("fleet.journal", "Journal", "_note"),
        ("register.config_file", "ConfigFile", "commit"),
        ("fleet.journal", "Journal", "settle"),
    ],
)
def test_killed_at_a_step_on_the_host(
    gitlab: GitLab, row: RunnerRow, config: Path, args: list[str], module: str, name: str, step: str
) -> None:
    """Before GitLab is asked, and after it: the next call has the token, and none is made twice."""
    old, seen = row.token, resets(gitlab)
    kill = KILL.format(module=module, name=name, step=step) + MAIN
    killed = subprocess.run([sys.executable, "-c", kill, "fleet", *args], check=False)
    assert killed.returncode == -signal.SIGKILL
    assert len(seen) == (step in ("commit", "settle"))

    assert run(args, {}) == 0

    assert tokens(config) == [row.token] != [old]
    assert len(seen) == 1
    assert not config.with_name(".config.toml.dind-executor").exists()


def test_the_same_call_at_once(
    gitlab: GitLab, row: RunnerRow, config: Path, args: list[str], tmp_path: Path
) -> None:
    """It may have been killed before its last word: another token is made after ten minutes alone."""
    seen = resets(gitlab)
    assert run(args, {}) == 0
    assert run(args, {}) == 0
    assert len(seen) == 1
    log = tmp_path / "log"
    first = json.loads(log.read_text().partition("\n")[0])["id"]
    log.write_text(
        log.read_text().replace(first, f"{int(first.partition('-')[0]) - 601 * 10**9}-1")
    )

    assert run(args, {}) == 0

    assert len(seen) == 2
    assert tokens(config) == [row.token]


@pytest.mark.parametrize("is_made", [True, False])
def test_killed_while_gitlab_answers(
    gitlab: GitLab, row: RunnerRow, config: Path, args: list[str], tmp_path: Path, *, is_made: bool
) -> None:
    """Where GitLab has made a token that nobody has heard of, another one is made in its place."""
    old = row.token

    def killing(request: Request) -> Answer | None:
        if not request.path.endswith("/reset_authentication_token"):
            return None
        gitlab.mood = lambda _: None
        if is_made:
            gitlab.answer(request)
        killed.kill()
        killed.wait()
        raise ConnectionResetError

    gitlab.mood = killing
    killed = subprocess.Popen([sys.executable, "-m", "executor", "fleet", *args])
    assert killed.wait() == -signal.SIGKILL
    assert (row.token != old) == is_made
    seen = resets(gitlab)

    assert run(args, {}) == 0

    assert tokens(config) == [row.token] != [old]
    assert len(seen) == 1
    assert states(tmp_path) == ["begun", "done" if is_made else "failed", "begun", "done"]


def test_a_token_that_gitlab_does_not_know(
    row: RunnerRow, config: Path, args: list[str], capfd: pytest.CaptureFixture[str]
) -> None:
    """Nobody knows whose it was, unless its number is named; and that must be this host's."""
    shown = [each for each in args if each != "--yes"]
    for each in (args, shown):
        assert run([*each, "--runner", "99"], {}) == 1
        assert f"is that of runner {row.id}" in capfd.readouterr().err
    row.token = "glrt-abcdefghijklmnopqrst"

    for each in (args, shown):
        assert run(each, {}) == 1
        assert "does not know the token of 'one' any more" in capfd.readouterr().err
    assert run([*shown, "--runner", str(row.id)], {}) == 0
    assert "would get another token" in capfd.readouterr().out
    managers, row.managers = row.managers, {}
    assert run([*args, "--runner", str(row.id)], {}) == 1
    assert "has never called" in capfd.readouterr().err
    row.managers = managers
    assert run([*args, "--runner", str(row.id)], {}) == 0
    assert tokens(config) == [row.token] != ["glrt-abcdefghijklmnopqrst"]


def test_another_runner_of_the_host(
    gitlab: GitLab, row: RunnerRow, config: Path, args: list[str], capfd: pytest.CaptureFixture[str]
) -> None:
    """Neither its number nor its token is taken for those of one whose token is dead."""
    two = gitlab.registry.add({})
    two.managers["s_1"] = Manager(2, "s_1", INFO, OLD_CALL)
    entry = f'[[runners]]\n  name = "two"\n  url = "{gitlab.url}"\n  token = "{two.token}"\n'
    config.write_text(config.read_text() + entry)
    before, seen = config.read_text(), resets(gitlab)
    row.token = "glrt-abcdefghijklmnopqrst"
    new = config.with_name("new")
    new.write_text(two.token)
    new.chmod(0o600)

    assert run([*args, "--name", "one", "--runner", str(two.id)], {}) == 1
    assert f"Runner {two.id} is 'two' in" in capfd.readouterr().err
    where = args.index("--token-file")
    del args[where : where + 2]
    assert run([*args, "--name", "one", "--new-token-file", str(new)], {}) == 1
    assert f"Runner {two.id} is 'two' in" in capfd.readouterr().err
    assert (config.read_text(), seen) == (before, [])


def test_a_file_that_cannot_be_changed(
    gitlab: GitLab, row: RunnerRow, config: Path, args: list[str], capfd: pytest.CaptureFixture[str]
) -> None:
    """It is found out before GitLab ends the old token."""
    seen = resets(gitlab)
    one = f'name = "one", url = "{gitlab.url}", token = "{row.token}"'
    config.write_text(f"runners = [{{{one}}}]\n")

    assert run(args, {}) == 1

    assert "only people can change" in capfd.readouterr().err
    assert seen == []


def test_a_file_that_cannot_be_changed_any_more(
    gitlab: GitLab, row: RunnerRow, config: Path, args: list[str], capfd: pytest.CaptureFixture[str]
) -> None:
    """What has become of the token is said, and what is in the way; the same call gets another one."""
    new = config.with_name(".config.toml.dind-executor")

    def blocking(request: Request) -> None:
        if request.path.endswith("/reset_authentication_token"):
            new.mkdir()

    gitlab.mood = blocking
    assert run(args, {}) == 1
    gitlab.mood = lambda _: None
    new.rmdir()

    told = capfd.readouterr().err
    assert f"old token of runner {row.id} counts no more" in told
    assert f"{new}: Is a directory." in told
    assert "as root" not in told
    assert run(args, {}) == 0
    assert tokens(config) == [row.token]


@pytest.mark.parametrize("mood", [moods.login_page, moods.broken(HTTPStatus.FORBIDDEN), moods.busy])
def test_a_gitlab_that_says_nothing(
    gitlab: GitLab, row: RunnerRow, config: Path, args: list[str], mood: moods.Mood
) -> None:
    """A proxy has not said that the token is dead: nothing is changed."""
    old = row.token
    gitlab.mood = moods.only_for("POST", "/verify", mood)

    assert run(args, {}) == 3

    assert tokens(config) == [row.token] == [old]


def test_whether_gitlab_runner_calls_with_it(
    gitlab: GitLab,
    row: RunnerRow,
    args: list[str],
    tmp_path: Path,
    capfd: pytest.CaptureFixture[str],
) -> None:
    """It does, by GitLab's clock; or it does not, which the exit code says."""
    gitlab.registry.clock_offset = 7200
    waiting = ["1" if each == "0" else each for each in args]

    assert run(waiting, {}) == 1
    said = [json.loads(each)["state"] for each in capfd.readouterr().out.splitlines()]
    assert said == ["rotated", "silent"]
    (tmp_path / "log").unlink()

    def calling(request: Request) -> None:
        if request.path.endswith("/reset_authentication_token"):
            row.managers["s_1"].contacted_at = "2999-01-01T00:00:00Z"

    gitlab.mood = calling
    assert run(waiting, {}) == 0
    said = [json.loads(each)["state"] for each in capfd.readouterr().out.splitlines()]
    assert said == ["rotated", "called"]


def test_an_old_token_that_lives_on(
    gitlab: GitLab, row: RunnerRow, args: list[str], capfd: pytest.CaptureFixture[str]
) -> None:
    """It is said, and is no success."""
    body = json.dumps({"id": row.id}).encode()
    answer = Answer(HTTPStatus.OK, body, {"Content-Type": "application/json"})
    gitlab.mood = moods.only_for("POST", "/verify", lambda _: answer)

    assert run(args, {}) == 3

    assert '"alive"' in capfd.readouterr().out
