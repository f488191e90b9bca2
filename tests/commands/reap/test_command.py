"""The command as a person, a timer and a monitor call it."""

import json
import time
from collections.abc import Callable, Iterator
from http import HTTPStatus
from pathlib import Path
from typing import Any

import pytest
from pytest_mock import MockerFixture

from executor.commands.reap import command
from executor.engine import removal
from executor.notation.claims import KEPT_NETWORK_LABEL
from executor.notation.owner import Belonging
from executor.record.spool import records
from executor.settings.file import load_settings
from executor.sweep.state import held
from tests.engine.stub import StubEngine, http, refusal
from tests.sweep.belongings import Belongings
from tests.sweep.left import (
    KEY,
    OTHER,
    belonging,
    dead_owner,
    living,
    objects_of,
    options,
    owner_of,
)
from tests.sweep.machine import have_own_machine
from tests.web import Answer, Request, Server

VERSION = {"Version": "20.10.24", "ApiVersion": "1.41", "MinAPIVersion": "1.12", "Arch": "amd64"}
JSON = {"Content-Type": "application/json"}
Call = Callable[..., tuple[int, str, str]]


@pytest.fixture(autouse=True)
def no_pauses(mocker: MockerFixture) -> None:
    mocker.patch.object(removal, "_PAUSE_SECONDS", 0.0)
    mocker.patch.object(command, "_QUIET_SECONDS", 0.0)
    mocker.patch.object(command, "_PATIENCE_SECONDS", 0.0)


@pytest.fixture(name="there")
def _there(stub: StubEngine) -> Belongings:
    stub.on("GET", "/version", http(200, VERSION))
    return Belongings(stub)


@pytest.fixture(name="settings")
def _settings(tmp_path: Path, stub: StubEngine) -> Path:
    state = tmp_path / "state"
    state.mkdir()
    path = tmp_path / "settings.toml"
    path.write_text(
        f'[docker]\nhost = "{stub.host}"\n[log]\npath = "{tmp_path}/log"\n'
        f'[sweep]\nstate_dir = "{state}"\n'
    )
    return path


@pytest.fixture(name="call")
def _call(
    settings: Path, tmp_path: Path, mocker: MockerFixture, capfd: pytest.CaptureFixture[str]
) -> Call:
    """Call the command in a host whose gitlab-runners keep their directories elsewhere."""
    mocker.patch.object(command, "parents", return_value=(str(tmp_path),))

    def call(*args: str) -> tuple[int, str, str]:
        capfd.readouterr()
        code = command.main([f"--settings={settings}", *args])
        return (code, *capfd.readouterr())

    return call


@pytest.fixture(name="someone")
def _someone(tmp_path: Path) -> Iterator[Belonging]:
    """A job whose gitlab-runner lives, and has the job's directory."""
    place = tmp_path / "custom-executor2"
    place.mkdir()
    with living() as process:
        yield belonging(owner_of(process.pid), OTHER, temp_dir=str(place))


def rows(out: str) -> list[dict[str, Any]]:
    """Return the objects that were printed."""
    return [json.loads(line) for line in out.splitlines()]


# --- what it shows and does ----------------------------------------------------------------------


@pytest.mark.usefixtures("there")
@pytest.mark.parametrize("args", [(), ("--yes",), ("--expired",), ("--job", "17")])
def test_nothing_is_there(call: Call, args: tuple[str, ...]) -> None:
    """A sentence says so, and the exit code is 0."""
    assert call(*args) == (0, "No objects of jobs are there.\n", "")


def test_without_yes_it_only_shows(call: Call, there: Belongings, someone: Belonging) -> None:
    """Each job has its line, nothing is removed, and a monitor hears that something is left."""
    there.have_jobs(belonging(dead_owner()), someone)
    before = there.names()

    code, out, _ = call()

    assert code == 1
    head, dead, lives, summary = out.splitlines()
    assert head.split() == ["JOB", "OBJECTS", "VERDICT", "AGE", "WHY"]
    assert dead.startswith(f"{KEY}  1 container, 1 network, 1 volume  remove   -")
    assert lives.endswith("keep     -    its gitlab-runner works on it")
    assert summary == "1 job can be removed with --yes, 1 job is in use."
    assert there.names() == before
    assert there.deleted() == []


def test_with_yes_the_dead_go_and_the_living_stay(
    call: Call, there: Belongings, someone: Belonging
) -> None:
    """All of the one is removed and nothing of the other; a second call finds nothing to do."""
    there.have_jobs(someone)
    kept = there.names()
    there.have_jobs(belonging(dead_owner()))

    code, out, _ = call("--yes")

    assert (code, out.splitlines()[-1]) == (0, "1 job was removed, 1 job is in use.")
    assert there.names() == kept
    assert call("--yes")[0] == 0


@pytest.mark.usefixtures("there")
def test_job_logs_that_nobody_has(call: Call, tmp_path: Path, mocker: MockerFixture) -> None:
    """They go with --yes alone, and the administrator's log says so."""
    have_own_machine(mocker)
    left = tmp_path / "trace123456"
    left.touch(mode=0o600)

    for args in ((), ("--job", "17", "--yes")):
        call(*args)
        assert left.exists()

    assert call("--yes") == (0, "No objects of jobs are there.\n", "")
    assert not left.exists()
    noted = [json.loads(line) for line in (tmp_path / "log").read_text().splitlines()]
    assert [each["files"] for each in noted if each["event"] == "job logs swept"] == [1]


def test_json_for_a_monitor(call: Call, there: Belongings, someone: Belonging) -> None:
    """A line for each job and a last one with the numbers are all that is printed."""
    there.have_jobs(belonging(dead_owner()), someone)

    code, out, err = call("--yes", "--json")

    dead, lives, total = rows(out)
    assert (code, err, total["exit_code"]) == (0, "", 0)
    assert (dead["verdict"], dead["reason"], dead["removed"]) == ("remove", "owner-gone", True)
    assert (lives["verdict"], lives["reason"]) == ("keep", "owner-alive")
    assert (total["removed"], total["kept"], total["acted"]) == (1, 1, True)


@pytest.mark.parametrize("named", [KEY, "17"])
def test_one_job_only(call: Call, there: Belongings, named: str) -> None:
    """By its number or its key, one job is removed, and others that could be are not."""
    dead = dead_owner()
    there.have_jobs(belonging(dead, OTHER))
    others = there.names()
    there.have_jobs(belonging(dead))

    code, out, _ = call("--yes", "--json", "--job", named)

    assert code == 0
    assert [each.get("job") for each in rows(out)] == [KEY, None]
    assert there.names() == others


def test_what_cannot_be_removed_is_named(call: Call, there: Belongings, stub: StubEngine) -> None:
    """The engine's words are shown, and the exit code tells a monitor."""
    there.have_jobs(belonging(dead_owner()))
    stub.on("DELETE", "/containers/", refusal(500, "device or resource busy"))

    code, out, _ = call("--yes", "--json", "--job", KEY)

    assert code == 1
    assert "device or resource busy" in str(rows(out)[0]["left"])
    assert rows(out)[0]["removed"] is False


# --- what nothing here can tell ------------------------------------------------------------------

FUTURE, PAST = 4_000_000_000, 1_000_000_000


@pytest.mark.parametrize(
    ("deadline", "args", "code", "reason", "removed"),
    [
        (FUTURE, ("--yes",), 0, "owner-unknown", False),
        (FUTURE, ("--yes", "--expired"), 0, "owner-unknown", False),
        (None, ("--yes", "--expired"), 0, "owner-unknown", False),
        (PAST, ("--yes",), 1, "past-deadline", False),
        (PAST, ("--expired",), 1, "past-deadline", False),
        (PAST, ("--yes", "--expired"), 0, "past-deadline", True),
    ],
)
def test_time_alone_removes_nothing(
    call: Call,
    there: Belongings,
    *,
    deadline: int | None,
    args: tuple[str, ...],
    code: int,
    reason: str,
    removed: bool,
) -> None:
    """Before the deadline nothing goes; after it, what is asked for by name with `--expired`."""
    there.have_jobs(belonging(None, deadline=deadline))

    got, out, _ = call("--json", *args)

    row = rows(out)[0]
    assert (got, row["reason"], row["removed"]) == (code, reason, removed)
    assert (there.names() == []) == removed


@pytest.mark.parametrize(
    "owner",
    [
        "",
        "1:unknown",
        "2:a:b:1:2:3:local",
        "1:a:b:1:2:3",
        "1:a:b:c:2:3:local",
        "1:a:b:1:99999999999999999999999:3:local",
        "\x1b[2J",
        "x" * 10_000,
    ],
)
def test_an_owner_that_cannot_be_read_is_unknown(call: Call, there: Belongings, owner: str) -> None:
    """A label that somebody forged or broke proves nothing and moves no terminal."""
    objects = objects_of(belonging(dead_owner()))
    for _, each in objects:
        labels = each["Labels"]
        assert isinstance(labels, dict)
        labels["dind-executor.owner"] = owner
    there.have(objects)

    code, out, _ = call("--yes")

    assert code == 0
    assert "undecided" in out
    assert "\x1b" not in out
    assert len(there.names()) == len(objects)


def test_volumes_without_a_time_of_creation(call: Call, there: Belongings) -> None:
    """An engine of 20.10 tells none of some objects: the age is a dash, and nothing else changes."""
    _, network, volume = objects_of(belonging(dead_owner()))
    there.have([network, volume])

    code, out, _ = call()

    assert code == 1
    assert "remove   -    its gitlab-runner has ended" in out


@pytest.mark.parametrize("created", [3, "2020-01-01T00:00:00.123456789Z", 9_999_999_999])
def test_a_clock_that_has_jumped(call: Call, there: Belongings, created: object) -> None:
    """An age is shown and decides nothing, however old or young an object seems to be."""
    kind, container = objects_of(belonging(None))[0]
    there.have([(kind, {**container, "Created": created})])

    code, out, _ = call("--yes", "--json")

    assert (code, rows(out)[0]["verdict"]) == (0, "undecided")
    assert there.deleted() == []


# --- GitLab's word -------------------------------------------------------------------------------


class GitLab:
    """A GitLab that the administrator has a token for, and gives one answer to all."""

    def __init__(self, token: Path) -> None:
        token.write_text("glpat-secret")
        token.chmod(0o600)
        self.token = token
        self.url = ""
        self.answer = is_("running")
        self.asked: list[Request] = []

    def respond(self, request: Request) -> Answer:
        self.asked.append(request)
        return self.answer

    @property
    def args(self) -> tuple[str, ...]:
        """Return the arguments with which it is asked."""
        return (f"--gitlab-url={self.url}", f"--gitlab-token-file={self.token}", "--json")


@pytest.fixture(name="gitlab")
def _gitlab(tmp_path: Path) -> Iterator[GitLab]:
    gitlab = GitLab(tmp_path / "token")
    server = Server(("127.0.0.1", 0), gitlab.respond)
    with server.serving():
        gitlab.url = f"http://127.0.0.1:{server.server_port}"
        yield gitlab


def is_(status: str) -> Answer:
    """Return GitLab's answer that the job has a status."""
    return Answer(HTTPStatus.OK, json.dumps({"id": 17, "status": status}).encode(), JSON)


def test_gitlab_must_say_twice_that_a_job_is_over(
    call: Call, there: Belongings, mocker: MockerFixture, gitlab: GitLab
) -> None:
    """`--yes` waits until the second word is a minute after the first, and removes then."""
    gitlab.answer = is_("failed")
    there.have_jobs(belonging(None, gitlab=gitlab.url))
    clock = [time.clock_gettime(time.CLOCK_BOOTTIME)]
    waits: list[float] = []

    def sleep(seconds: float) -> None:
        waits.append(seconds)
        clock[0] += seconds

    def now(_clock: int) -> float:
        return clock[0]

    mocker.patch("executor.commands.reap.command.time.sleep", sleep)
    mocker.patch("executor.commands.reap.command.time.clock_gettime", now)

    code, out, err = call("--yes", *gitlab.args)

    assert (code, rows(out)[0]["reason"], rows(out)[0]["removed"]) == (0, "gitlab-over", True)
    assert len(waits) == 1
    assert 59 < waits[0] <= 60
    assert len(gitlab.asked) == 2
    assert "Asking GitLab again in 60 seconds" in err
    assert "glpat-secret" not in out + err
    assert there.names() == []


def test_a_dry_run_does_not_wait(
    call: Call, there: Belongings, tmp_path: Path, gitlab: GitLab
) -> None:
    """GitLab's first word is remembered and shown, and a monitor hears that something is due."""
    gitlab.answer = is_("canceled")
    there.have_jobs(belonging(None, gitlab=gitlab.url))

    code, out, _ = call(*gitlab.args)

    assert (code, rows(out)[0]["verdict"], rows(out)[0]["reason"]) == (1, "undecided", "seen-once")
    assert len(gitlab.asked) == 1
    (state,) = (tmp_path / "state").glob("sweep-*.json")
    assert KEY in json.loads(state.read_text())["memory"]["over"]


def test_a_job_that_gitlab_calls_running_is_kept(
    call: Call, there: Belongings, gitlab: GitLab
) -> None:
    """Also past its deadline, and with `--expired`."""
    gitlab.answer = is_("running")
    there.have_jobs(belonging(None, gitlab=gitlab.url, deadline=PAST))

    code, out, _ = call("--yes", "--expired", *gitlab.args)

    assert (code, rows(out)[0]["verdict"]) == (0, "keep")
    assert there.deleted() == []


def test_a_proved_death_asks_no_gitlab(call: Call, there: Belongings, gitlab: GitLab) -> None:
    """The administrator's token is for what nothing here can tell."""
    gitlab.answer = is_("running")
    there.have_jobs(belonging(dead_owner(), gitlab=gitlab.url))

    code, _, _ = call("--yes", *gitlab.args)

    assert (code, gitlab.asked, there.names()) == (0, [], [])


@pytest.mark.parametrize(
    "answer",
    [
        Answer(HTTPStatus.OK, b"<html>Sign in</html>", {"Content-Type": "text/html"}),
        Answer(HTTPStatus.OK, b'{"id": 18, "status": "failed"}', JSON),
        Answer(HTTPStatus.FORBIDDEN, b'{"message": "403 Forbidden"}', JSON),
        Answer(HTTPStatus.NOT_FOUND, b'{"message": "404 Not Found"}', JSON),
        Answer(HTTPStatus.TOO_MANY_REQUESTS, b"{}", {**JSON, "Retry-After": "x"}),
        Answer(HTTPStatus.BAD_GATEWAY, b"oops"),
    ],
    ids=lambda each: str(int(each.status)),
)
def test_a_gitlab_that_does_not_say_decides_nothing(
    call: Call, there: Belongings, gitlab: GitLab, answer: Answer
) -> None:
    """The job stays undecided, and the line says what was wrong with the answer."""
    gitlab.answer = answer
    there.have_jobs(belonging(None, gitlab=gitlab.url))

    code, out, _ = call("--yes", *gitlab.args)

    row = rows(out)[0]
    assert (code, row["verdict"], row["reason"]) == (0, "undecided", "gitlab-unanswered")
    assert row["detail"]
    assert there.deleted() == []


def test_the_token_may_stand_in_the_settings(
    call: Call, there: Belongings, settings: Path, gitlab: GitLab
) -> None:
    """A timer needs no arguments."""
    gitlab.answer = is_("running")
    text = f'gitlab_url = "{gitlab.url}"\ngitlab_token_file = "{gitlab.token}"\n'
    settings.write_text(settings.read_text() + text)
    there.have_jobs(belonging(None, gitlab=gitlab.url))

    call()

    assert [each.headers["private-token"] for each in gitlab.asked] == ["glpat-secret"]


# --- what is wrong -------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["containers/json", "networks\\?", "volumes\\?"])
@pytest.mark.parametrize(
    "answer",
    [refusal(500, "no"), http(200, b"null"), http(200, b"{}"), http(200, b"[1]"), http(200, b"<")],
)
def test_a_listing_that_fails_ends_it_all(
    call: Call, there: Belongings, stub: StubEngine, kind: str, answer: bytes
) -> None:
    """An empty list is not what a failed one means: nothing is removed, and the code says try again."""
    there.have_jobs(belonging(dead_owner()))
    stub.on("GET", f"/{kind}", answer)

    code, out, err = call("--yes")

    assert (code, out) == (75, "")
    assert err.startswith("dind-executor reap: The Docker Engine")
    assert there.deleted() == []


def test_an_engine_that_is_away(call: Call, settings: Path, tmp_path: Path) -> None:
    """One sentence, and the exit code of what is worth another try."""
    settings.write_text(f'[docker]\nhost = "unix://{tmp_path}/none"\n[log]\ndestination = "none"\n')

    code, out, err = call("--yes")

    assert (code, out) == (75, "")
    assert f"The Docker Engine at unix://{tmp_path}/none" in err
    assert len(err.splitlines()) == 1


def test_another_sweep_at_work(
    call: Call, there: Belongings, mocker: MockerFixture, settings: Path
) -> None:
    """Only one works at a time; the other says so and is worth another try."""
    mocker.patch.object(command, "_LOCK_SECONDS", 0.0)
    there.have_jobs(belonging(dead_owner()))
    read = load_settings(str(settings))
    how = options(state_dir=Path(read.sweep.state_dir))._replace(address=read.docker.host)
    with held(how) as ours:
        assert ours
        code, _, err = call("--yes")

    assert code == 75
    assert "Another sweep is at work" in err
    assert there.deleted() == []


def test_settings_with_a_mistake(call: Call, settings: Path) -> None:
    """The sentence names the file and the key, and nothing is asked."""
    settings.write_text("[sweep]\nenabeld = true\n")

    code, _, err = call()

    assert code == 2
    assert str(settings) in err
    assert "enabeld" in err


def test_a_token_that_cannot_be_used(call: Call, tmp_path: Path) -> None:
    """The command refuses before it asks anybody anything."""
    code, _, err = call("--gitlab-url=https://x", f"--gitlab-token-file={tmp_path}/none")

    assert code == 2
    assert err.startswith("dind-executor reap: The token file")


def test_without_settings_it_uses_the_default_engine(
    there: Belongings,
    stub: StubEngine,
    tmp_path: Path,
    mocker: MockerFixture,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    """A host without the usual file is asked at DOCKER_HOST, or at the usual socket."""
    mocker.patch.object(command, "parents", return_value=(str(tmp_path),))
    monkeypatch.setattr(command, "SETTINGS", str(tmp_path / "none.toml"))
    monkeypatch.setenv("DOCKER_HOST", stub.host)
    there.have_jobs(belonging(dead_owner()))

    code = command.main(["--json"])

    assert (code, rows(capfd.readouterr().out)[0]["job"]) == (1, KEY)


def test_the_log_has_what_was_done(call: Call, there: Belongings, tmp_path: Path) -> None:
    """The administrator's log has a line for each job that was removed."""
    there.have_jobs(belonging(dead_owner()))

    call("--yes")

    events = [json.loads(line) for line in (tmp_path / "log").read_text().splitlines()]
    assert {each["stage"] for each in events} == {"reap"}
    assert [each["job"] for each in events if each["event"] == "job swept"] == [KEY]


def test_the_spool_has_what_was_done(call: Call, there: Belongings, tmp_path: Path) -> None:
    """Whoever counts the records of stages counts this too; a call that removes nothing leaves none."""
    there.have_jobs(belonging(dead_owner()))
    call()
    assert not (tmp_path / "state" / "spool").exists()

    call("--yes")

    (record,) = records(str(tmp_path / "state" / "spool"))
    assert (record["stage"], record["key"], record["outcome"]) == ("reap", "", "success")
    assert [(each["what"], each["reason"]) for each in swept(record)] == [("sweep", "owner-gone")]


def swept(record: dict[str, object]) -> list[dict[str, object]]:
    did = record["did"]
    assert isinstance(did, list)
    return did


@pytest.mark.usefixtures("there")
@pytest.mark.parametrize("args", [(), ("--yes",)])
def test_nothing_to_do_is_no_line_in_the_log(
    call: Call, tmp_path: Path, args: tuple[str, ...]
) -> None:
    """A timer that finds nothing, every five minutes, fills no disk."""
    call(*args)

    assert not (tmp_path / "log").exists()


def test_idle_networks_of_slots(call: Call, there: Belongings, tmp_path: Path) -> None:
    """With --yes those go that are a day old, and the administrator's log says so."""
    old = {"Name": "runner-a-network", "Id": "b", "Created": "2020-01-01T12:00:00.123456789Z"}
    there.stub.on("GET", f"/networks.*{KEPT_NETWORK_LABEL}", http(200, [old]))
    there.stub.on("DELETE", "/networks/b", http(204))
    there.stub.on("GET", "/volumes$", http(200, {"Volumes": []}))

    assert call()[0] == 0
    assert call("--yes", "--job", "17")[0] == 0
    assert there.stub.asked("DELETE", "/networks/") == []
    assert call("--yes")[0] == 0

    assert len(there.stub.asked("DELETE", "/networks/b")) == 1
    events = [json.loads(line) for line in (tmp_path / "log").read_text().splitlines()]
    assert any(
        each["event"] == "kept networks removed" and each["networks"] == 1 for each in events
    )


def test_networks_of_slots_that_cannot_be_listed(call: Call, there: Belongings) -> None:
    """What was done for jobs is told all the same."""
    there.stub.on("GET", f"/networks.*{KEPT_NETWORK_LABEL}", refusal(500, "no list"))

    code, _, errors = call("--yes")

    assert code == 0
    assert "WARNING: Idle networks of slots were not looked at: " in errors
